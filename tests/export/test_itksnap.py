import re

from cheart.export.itksnap import LABEL_FILE, write_label_file
from cheart.labels import COLOURS


def test_itk_snap_reads_names_and_colours(tmp_path):
    write_label_file(tmp_path)
    rows = [line for line in (tmp_path / LABEL_FILE).read_text().splitlines() if not line.startswith("#")]
    parts = [re.fullmatch(r'((?:\s*[\d.]+){7})\s+"([^"]+)"', row) for row in rows]  # as ITK-SNAP's own reader has it
    table = {int(p[1].split()[0]): (tuple(map(int, p[1].split()[1:4])), p[2]) for p in parts}
    assert table[0] == ((0, 0, 0), "Clear Label")
    assert {number: colour for number, (colour, _) in table.items() if number} == COLOURS
    assert [name for _, (_, name) in sorted(table.items())][1:] == ["LV cavity", "Myocardium", "RV cavity"]

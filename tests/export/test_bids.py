import json
import re

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from cheart.datasets.importing import import_cohort
from cheart.errors import InputError
from cheart.export.bids import LABEL_FILE, export_cohort, write_label_file
from cheart.grid import GRIDS
from cheart.labels import COLOURS
from cohorts import tiny_cohort


@pytest.fixture(scope="module", params=[False, True], ids=["whole", "ED and ES, thick"])
def pair(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bids")
    planes = slice(4, 30, 3) if request.param else slice(None)
    cohort = tiny_cohort(folder / "cohort", n=5, pair=request.param, planes=planes)
    export_cohort(cohort, folder / "export")
    return cohort, folder / "export"


def imported(export, out, *, grid, frames):
    known = {"participants": export / "participants.tsv", "scheme": "cheart"}
    return import_cohort("nifti", export, out, grid=grid, frames=frames, jobs=1, **known)


def test_import_gives_back_what_was_exported(pair, tmp_path):
    cohort, export = pair
    again = imported(export, tmp_path / "again", grid=cohort.grid, frames=cohort.frames)
    assert list(again.table["split"]) == list(cohort.table["split"])
    for i in range(len(cohort)):
        np.testing.assert_array_equal(again.labels(i), cohort.labels(i))
        np.testing.assert_array_equal(again.observed[i], cohort.observed[i])
        assert again.conditions(i) == cohort.conditions(i)
        assert again.heart(i).cycle_s == pytest.approx(0.9)


def test_another_grid_and_frame_count_keep_the_pose_and_what_was_observed(pair, tmp_path):
    cohort, export = pair
    again = imported(export, tmp_path / "again", grid=GRIDS["half"], frames=8)
    ours, theirs = again.heart(0), cohort.heart(0)
    assert len(ours.observed_frames) == (2 if len(theirs.observed_frames) == 2 else 8)
    assert ours.observed[0].mean() == pytest.approx(theirs.observed[0].mean(), abs=0.1)
    volume = [(s.labels[0] == 1).sum() * s.grid.voxel_ml for s in (ours, theirs)]
    assert volume[0] == pytest.approx(volume[1], rel=0.05)


def test_what_other_tools_find_there(pair):
    _, export = pair
    assert nib.load(export / "sub-000_dseg.nii.gz").shape == (32, 32, 32, 4)
    assert json.loads((export / "dataset_description.json").read_text())["DatasetType"] == "derivative"
    assert list(pd.read_csv(export / "dseg.tsv", sep="\t")["index"]) == [1, 2, 3]
    table = pd.read_csv(export / "participants.tsv", sep="\t")
    described = json.loads((export / "participants.json").read_text())
    assert set(table.columns) <= set(described)


def test_what_is_there_is_kept(pair):
    cohort, export = pair
    with pytest.raises(InputError, match="--overwrite"):
        export_cohort(cohort, export)


def test_a_heart_corrected_by_hand_comes_back_with_nothing_lost(tmp_path):
    """ITK writes the corrected file, as ITK-SNAP does."""
    sitk = pytest.importorskip("SimpleITK")
    cohort = tiny_cohort(tmp_path / "cohort", n=4, planes=slice(4, 30, 3))
    export_cohort(cohort, tmp_path / "out")
    path = str(tmp_path / "out" / "sub-002_dseg.nii.gz")
    image = sitk.ReadImage(path)
    z, y, x = (int(i[0]) for i in (cohort.labels(2)[1] == 2).nonzero())
    image[x, y, z, 1] = 3
    sitk.WriteImage(image, path)
    again = imported(tmp_path / "out", tmp_path / "again", grid=cohort.grid, frames=cohort.frames)
    expected = [cohort.labels(i).copy() for i in range(4)]
    expected[2][1, z, y, x] = 3
    for i in range(4):
        np.testing.assert_array_equal(again.labels(i), expected[i])
        np.testing.assert_array_equal(again.observed[i], cohort.observed[i])
        assert again.conditions(i) == cohort.conditions(i)
        assert again.heart(i).cycle_s == pytest.approx(0.9)
    assert list(again.table["split"]) == list(cohort.table["split"])


def test_itk_snap_reads_names_and_colours(tmp_path):
    write_label_file(tmp_path)
    rows = [line for line in (tmp_path / LABEL_FILE).read_text().splitlines() if not line.startswith("#")]
    parts = [re.fullmatch(r'((?:\s*[\d.]+){7})\s+"([^"]+)"', row) for row in rows]  # as ITK-SNAP's own reader has it
    table = {int(p[1].split()[0]): (tuple(map(int, p[1].split()[1:4])), p[2]) for p in parts}
    assert table[0] == ((0, 0, 0), "Clear Label")
    assert {number: colour for number, (colour, _) in table.items() if number} == COLOURS
    assert [name for _, (_, name) in sorted(table.items())][1:] == ["LV cavity", "Myocardium", "RV cavity"]

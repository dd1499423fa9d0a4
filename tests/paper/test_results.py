from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cheart.paper.results import files_of, join_folds, read_results, write_part
from known_results import generated, judged


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    completion, generation = judged(np.linspace(0, 1, 5)), generated(np.full(5, 60.0), off=1)
    write_part(tmp_path, "completion", completion)
    write_part(tmp_path, "generation", generation)
    write_part(tmp_path, "memorisation", None)
    found = read_results(tmp_path)
    pd.testing.assert_frame_equal(found.completion.subjects, completion.subjects)
    pd.testing.assert_frame_equal(found.generation.samples, generation.samples)
    assert (len(found.generation.real_seams), found.memorisation, found.truth) == (0, None, None)
    for part in ("completion", "generation", "memorisation"):
        assert all(path.is_file() for path in files_of(tmp_path, part))


def test_folds_come_together_with_subjects_numbered_on(tmp_path: Path) -> None:
    folders = [tmp_path / str(fold) for fold in (1, 2, 3)]
    for fold, (size, folder) in enumerate(zip((3, 4, 2), folders, strict=True), start=1):
        write_part(folder, "completion", replace(judged(np.full(size, fold / 10)), structures_empty=fold))
        write_part(folder, "generation", generated(np.full(size, 10.0 * fold), off=0))
    join_folds(folders, tmp_path / "all")
    one = read_results(tmp_path / "all")
    assert list(one.completion.subjects["subject"]) == list(range(1, 10))
    assert list(one.completion.subjects["dice_es"]) == [0.1] * 3 + [0.2] * 4 + [0.3] * 2
    assert one.completion.structures_empty == 6
    assert list(one.generation.samples["subject"]) == list(np.arange(1, 10).repeat(2))

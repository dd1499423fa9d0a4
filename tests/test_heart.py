import math
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.datasets.posing import read_heart
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.heart import Heart, check_cycle, whole
from cheart.labels import MYO, RV

GRID = GRIDS["quarter"]
EMPTY = np.zeros((4, *GRID.shape), np.uint8)


def test_a_whole_sequence_is_observed_everywhere() -> None:
    heart = whole(EMPTY, GRID, 0.8)
    assert heart.observed.all()
    assert heart.frame_s == pytest.approx(0.2)
    assert heart.observed_frames.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("labels", "observed", "message"),
    [
        (EMPTY.astype(int), np.ones((4, 16), bool), "uint8"),
        (EMPTY[:, 1:], np.ones((4, 16), bool), "expected"),
        (EMPTY + np.uint8(7), np.ones((4, 16), bool), "label 7"),
        (EMPTY, np.ones((3, 16), bool), "observed"),
        (EMPTY, np.zeros((4, 16), bool), "frame 0"),
    ],
)
def test_what_does_not_agree_is_refused(labels: np.ndarray, observed: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Heart(labels, observed, GRID)


def test_milliseconds_taken_for_seconds_are_noticed() -> None:
    with pytest.raises(InputError, match="in ms"):
        check_cycle(960)


def test_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"'genuine'.*simulated"):
        whole(EMPTY, GRID, kind="genuine")


def test_a_frame_that_was_not_observed_has_no_volume() -> None:
    heart = beating_ellipsoids()
    observed = heart.observed.copy()
    observed[1:3] = False
    heart = replace(heart, observed=observed)
    assert np.isnan(heart.curves[1:3]).all()
    assert heart.curves[0, 0] == pytest.approx(2 / 3 * math.pi * 24**2 * 80 / 1000, rel=0.05)
    assert heart.phenotypes.es_frame == 3
    assert heart.phenotypes is heart.phenotypes


def test_a_saved_heart_is_read_back_voxel_by_voxel_and_never_replaced_in_silence(tmp_path) -> None:
    heart = beating_ellipsoids(grid=GRIDS["half"], cycle_s=0.8)
    path = tmp_path / "heart.nii.gz"
    heart.save(path)
    again = read_heart(path, grid="half", frames=heart.frames)
    assert np.array_equal(again.labels, heart.labels)
    assert again.cycle_s == pytest.approx(0.8)
    with pytest.raises(InputError, match="exists already"):
        heart.save(path)
    replace(heart, labels=np.minimum(heart.labels, 1)).save(path, overwrite=True)
    assert np.asanyarray(nib.load(path).dataobj).max() == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["heart.json", "heart.nii.gz"]


def test_only_a_heart_from_elsewhere_has_a_space_of_its_own(tmp_path) -> None:
    with pytest.raises(InputError, match="no space of its own"):
        whole(EMPTY, GRID).save(tmp_path / "own.nii.gz", space="subject")
    with pytest.raises(InputError, match=r"'mine'.*template"):
        whole(EMPTY, GRID).save(tmp_path / "own.nii.gz", space="mine")


def test_what_nobody_traced_has_no_volume_and_what_a_model_left_out_is_counted() -> None:
    beat = beating_ellipsoids(frames=4)
    labels = beat.labels.copy()
    labels[labels == RV] = 0
    labels[1:][labels[1:] == MYO] = 0
    imported = whole(labels, beat.grid)
    assert imported.traced.tolist() == [[True, True, False]] + [[True, False, False]] * 3
    assert np.isnan(imported.curves[:, 2]).all()
    assert np.isfinite(imported.curves[:, 0]).all()
    assert np.isnan(imported.phenotypes.rvef)
    assert imported.phenotypes.lvm == pytest.approx(beat.phenotypes.lvm)
    made = whole(labels, beat.grid, kind="generated")
    assert made.traced.all()
    assert made.curves[:, 2].tolist() == [0, 0, 0, 0]

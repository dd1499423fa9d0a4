import numpy as np
import pytest

from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.heart import Heart, check_cycle, whole

GRID = GRIDS["quarter"]
EMPTY = np.zeros((4, *GRID.shape), np.uint8)


def test_a_whole_sequence_is_observed_everywhere() -> None:
    sequence = whole(EMPTY, GRID, 0.8)
    assert sequence.observed.all()
    assert sequence.frame_s == pytest.approx(0.2)
    assert sequence.observed_frames.tolist() == [0, 1, 2, 3]


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

import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.errors import InputError
from cheart.evidence import Evidence
from cheart.grid import GRIDS
from cheart.heart import whole

ONE = ellipsoid_heart(grid=GRIDS["quarter"])
SEEN = np.ones(len(ONE), bool)


def test_of_a_heart_only_the_first_frame_is_kept() -> None:
    heart = whole(np.stack([ONE] * 3), GRIDS["quarter"])
    known = Evidence.of_first_frame(heart)
    np.testing.assert_array_equal(known.first, ONE)
    assert known.first_observed.all()
    assert not known.labels[1:].any()
    assert not known.kinds


def test_what_it_holds_beside_the_first_frame_has_a_name() -> None:
    assert Evidence.of_frame(ONE, SEEN, 3, {"lvef": 55.0}).kinds == {"measurements"}
    seen = np.ones((2, len(ONE)), bool)
    assert Evidence(np.stack([ONE, ONE]), seen, {"lvesv": 40.0}).kinds == {"measurements", "later frames"}


def test_frames_that_stand_in_labels_are_those_whose_observed_planes_do() -> None:
    seen = np.zeros((3, len(ONE)), bool)
    seen[0, 1:], seen[2] = True, True
    known, made = Evidence(np.stack([ONE] * 3), seen), np.stack([ONE] * 3)
    made[:, 0] = 3 - made[:, 0]
    assert known.frames_in(made) == (0,)


@pytest.mark.parametrize(
    ("labels", "observed", "measured", "why"),
    [
        (ONE[None], np.ones((1, 3), bool), {}, r"expected \[T, Z\] bool"),
        (ONE, SEEN, {}, r"expected label maps \[T, Z, Y, X\]"),
        (ONE[None] * 4, SEEN[None], {}, "canonical labels are 0 to 3"),
        (ONE[None], ~SEEN[None], {}, "nothing is observed in frame 0"),
        (ONE[None], SEEN[None], {"ef": 55.0}, "given ef: expected one of lvm"),
        (ONE[None], SEEN[None], {"lvef": float("nan")}, "given lvef=nan: expected a number above 0, in %"),
    ],
)
def test_what_is_no_evidence_is_refused(labels, observed, measured, why) -> None:
    with pytest.raises(InputError, match=why):
        Evidence(labels, observed, measured)


BEATING = whole(np.stack([ONE, ellipsoid_heart(grid=GRIDS["quarter"], shrink=0.3)]), GRIDS["quarter"])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"lvesv": 400}, r"given lvesv=400: end-diastole holds \d+ mL; expected less"),
        ({"rvsv": "300"}, r"given rvsv=300: end-diastole holds \d+ mL; expected less"),
        ({"ef": 55}, "given ef: expected one of lvm"),
        ({"ef": 55, "frames": "observed"}, "given ef: expected one of lvm"),
        ({"lvef": 100}, "given lvef=100: expected less than 100 %"),
        (
            {"lvef": 5, "frames": "observed"},
            "given lvef=5: the frames that were given have .*; leave one of the two out",
        ),
    ],
)
def test_what_contradicts_the_heart_is_refused(given, why) -> None:
    with pytest.raises(InputError, match=why):
        Evidence.of_heart(BEATING, given)


def test_what_agrees_with_the_heart_is_taken_and_what_comes_out_otherwise_is_said() -> None:
    own = BEATING.phenotypes.lvef
    known = Evidence.of_heart(BEATING, {"lvef": own + 2, "frames": "observed"})
    assert known.measured == {"lvef": own + 2}
    assert known.astray(BEATING.phenotypes) == ()
    (said,) = Evidence.of_heart(BEATING, {"lvef": own + 20}).astray(BEATING.phenotypes)
    assert f"but the completed heart has {own:.0f} %" in said

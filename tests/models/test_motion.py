"""Motion applied to the observed heart, on ellipsoids that beat as their size says."""

import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.evaluation.completion import evaluate_completion
from cheart.evidence import Evidence
from cheart.metrics.overlap import dice
from cheart.model import Model, load
from cheart.training.train import train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def moved(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Model:
    run = tmp_path_factory.mktemp("motion") / "run"
    train(cohort, run, model="motion", settings=("landmarks=200", "residual=8"), jobs=1)
    return load(run)


def person(model: Model, cohort: Cohort, index: int) -> np.ndarray:
    return model.encode({n: cohort.conditions(index)[n] for n in model.encoding.schema.names})


def test_the_first_frame_is_the_one_that_was_given(moved: Model, cohort: Cohort) -> None:
    real = cohort.heart(int(cohort.indices("test")[0]))
    made = moved.complete(real, {})
    np.testing.assert_array_equal(made.labels[0], real.labels[0])


def test_it_moves_hearts_that_it_has_not_seen(moved: Model, cohort: Cohort) -> None:
    own, copied = (evaluate_completion(moved, cohort, copy_first=copy).subjects.dice_es for copy in (False, True))
    assert own.mean() > copied.mean() + 0.03


def test_of_a_thick_stack_only_observed_planes_are_taken(moved: Model, cohort: Cohort) -> None:
    real = cohort.heart(int(cohort.indices("test")[0]))
    seen = real.observed[0].copy()
    seen[::2] = False
    sparse = np.where(seen[:, None, None], real.labels[0], 0).astype(np.uint8)
    made = moved.network.complete(Evidence.of_frame(sparse, seen, cohort.frames), person(moved, cohort, 0))
    np.testing.assert_array_equal(made[0, seen], real.labels[0, seen])
    assert dice(made[:1], real.labels[:1]).min() > 0.8, "what lies between is filled in"


def test_a_seed_is_a_sample(moved: Model, cohort: Cohort) -> None:
    known = Evidence.of_first_frame(cohort.heart(int(cohort.indices("test")[0])))
    nobody = person(moved, cohort, 0)
    one, same, other = (moved.network.complete(known, nobody, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one[1:] != other[1:]).any()
    np.testing.assert_array_equal(one[0], other[0])


def test_it_refuses_what_it_cannot_do(moved: Model) -> None:
    with pytest.raises(InputError, match="motion model cannot generate; it can complete"):
        moved.generate({})

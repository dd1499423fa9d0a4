"""Models whose hearts come from the truth itself, from the truth of other people, or from too narrow a truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.evaluation.generation import Generation
from cheart.evaluation.truth import Truths, evaluate_truth, true_phenotypes
from cheart.grid import GRIDS
from cheart.phenotypes import PAPER_FIVE
from cheart.simulation import true_distribution
from cheart.simulation.cohort import simulate
from cohorts import tiny_cohort

pytestmark = pytest.mark.slow

PEOPLE, SAMPLES = 60, 40


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    path = tmp_path_factory.mktemp("truth") / "c"
    return simulate(path, n=90, seed=1, grid=GRIDS["quarter"], frames=2, jobs=1)


@pytest.fixture(scope="module")
def truths(cohort: Cohort) -> Truths:
    return true_phenotypes(cohort, split="train", subjects=PEOPLE, draws=600, seed=2)


def _generation(cohort: Cohort, *, own: bool = True, narrow: float = 1.0, shift: float = 0.0) -> Generation:
    """Samples of the truth: of each person's own conditions, or of the next person's; perhaps narrower or shifted."""
    people = [int(i) for i in cohort.indices("train")][:PEOPLE]
    rows, real = [], []
    for number, index in enumerate(people, start=1):
        whose = index if own else people[number % PEOPLE]
        drawn = true_distribution(cohort.conditions(whose), n=SAMPLES, seed=1000 + number)[list(PAPER_FIVE)]
        drawn = drawn.mean() + narrow * (drawn - drawn.mean()) + shift
        rows += [{"subject": number, "sample": k + 1, **row} for k, row in enumerate(drawn.to_dict("records"))]
        real.append({"subject": number, **{f"real_{name}": 100.0 for name in PAPER_FIVE}})
    return Generation(pd.DataFrame(real), pd.DataFrame(rows), pd.DataFrame(), 0)


def test_the_truth_itself_is_recognised(cohort: Cohort, truths: Truths) -> None:
    measured = evaluate_truth(_generation(cohort), truths).summary()
    for name in PAPER_FIVE:
        assert measured[name]["coverage"] == pytest.approx(0.90, abs=0.03)
        assert measured[name]["spread"] == pytest.approx(1.0, abs=0.08)
        assert measured[name]["w1"] == pytest.approx(measured[name]["floor"], rel=0.2)
        assert measured[name]["bias_low"] - 0.5 < 0 < measured[name]["bias_high"] + 0.5
        assert measured[name]["follow"] == pytest.approx(1.0, abs=0.15)
        assert abs(measured["energy"]["value"]) < 0.05
        assert measured[name]["voxels"] == pytest.approx(100 - truths.exact[name].mean())


def test_hearts_of_other_people_are_caught(cohort: Cohort, truths: Truths) -> None:
    right = evaluate_truth(_generation(cohort), truths).summary()
    wrong = evaluate_truth(_generation(cohort, own=False), truths).summary()
    for name in PAPER_FIVE:
        assert abs(wrong[name]["follow"]) < 0.5
        assert wrong[name]["w1"] > 1.2 * right[name]["w1"]
        assert wrong[name]["bias"] == pytest.approx(right[name]["bias"], abs=1.5), "pooled, nothing is amiss"


def test_the_joint_distance_sees_a_spread_that_is_a_fifth_too_small(cohort: Cohort, truths: Truths) -> None:
    right, narrow = (evaluate_truth(_generation(cohort, narrow=n), truths).people["energy"] for n in (1.0, 0.8))
    assert narrow.mean() > right.mean() + 4 * (narrow - right).std() / np.sqrt(len(right))


def test_hearts_too_much_alike_and_hearts_too_large_are_caught(cohort: Cohort, truths: Truths) -> None:
    narrow = evaluate_truth(_generation(cohort, narrow=0.5), truths).summary()["lvedv"]
    large = evaluate_truth(_generation(cohort, shift=20.0), truths).summary()["lvedv"]
    assert narrow["spread"] == pytest.approx(0.5, abs=0.05)
    assert narrow["coverage"] > 0.98
    assert large["bias"] == pytest.approx(20, abs=2)
    assert large["coverage"] < 0.87


def test_nothing_is_true_of_other_cohorts(tmp_path: Path, cohort: Cohort) -> None:
    with pytest.raises(InputError, match=r"no true distribution is known.*truth\.tsv"):
        true_phenotypes(tiny_cohort(tmp_path / "tiny"))
    table = cohort.table.assign(sbp=np.nan)
    with pytest.raises(InputError, match=r"somebody's sbp is n/a"):
        true_phenotypes(Cohort(cohort.path, cohort.info, cohort.schema, table))

import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.evaluation.generation import evaluate_generation
from cheart.evaluation.memorisation import evaluate_memorisation
from cheart.evaluation.response import evaluate_response
from cheart.phenotypes import PAPER_FIVE
from cohorts import tiny_cohort
from stubs import Oracle, Painter, stub


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return tiny_cohort(tmp_path_factory.mktemp("cohort") / "c", n=40)


def test_who_generates_the_real_heart_scores_perfectly(cohort: Cohort) -> None:
    found = evaluate_generation(stub(Oracle, cohort), cohort, samples=2)
    measured = found.summary()
    for which in ("mean", "best"):
        assert measured["likeness"][f"dice_{which}"]["mean"] == 1
        assert measured["likeness"][f"assd_{which}"]["mean"] == 0
        assert measured["likeness"][f"d_lvm_{which}"]["mean"] == 0
    for name in PAPER_FIVE:
        assert measured["distributions"][name]["w1"]["mean"] == 0
        assert measured["distributions"][name]["kl"]["mean"] == pytest.approx(0, abs=1e-12)
    means = [{k: v["mean"] for k, v in measured["seam"][who].items()} for who in ("generated", "real")]
    assert means[0] == pytest.approx(means[1])


def test_the_best_sample_is_better_than_the_mean_and_draws_differ(cohort: Cohort) -> None:
    found = evaluate_generation(stub(Painter, cohort), cohort, samples=4, subjects=3)
    assert len(found.people) == 3
    assert len(found.samples) == 12
    assert (found.people["dice_best"] > found.people["dice_mean"]).all()
    assert (found.people["hd_best"] < found.people["hd_mean"]).all()
    measured = found.summary()
    assert measured["distributions"]["lvedv"]["w1"]["mean"] > 0
    assert measured["distributions"]["lvedv"]["w1"]["sd"] > 0
    assert measured["seam"]["generated"]["jump"]["mean"] == 0
    assert measured["seam"]["generated"]["seam_dice_lv"]["mean"] == 1
    again = evaluate_generation(stub(Painter, cohort), cohort, samples=2, subjects=2).samples
    same = found.samples.query("subject <= 2 and sample <= 2").reset_index(drop=True)
    np.testing.assert_array_equal(again["lvedv"], same["lvedv"])


def test_tables_hold_no_identifiers_and_no_conditions(cohort: Cohort) -> None:
    found = evaluate_generation(stub(Oracle, cohort), cohort, samples=2, subjects=2)
    assert not {"participant_id", "age", "weight", "sex"} & {*found.people.columns, *found.samples.columns}
    assert "sub-0" not in found.people.to_csv()


def test_a_model_that_ignores_its_conditions_is_caught(cohort: Cohort) -> None:
    deaf = evaluate_response(stub(Painter, cohort), cohort, split="train")
    assert deaf["age"]["lvesv"]["cohort"]["slope"] < 0  # the older contract more
    assert deaf["age"]["lvesv"]["model"]["slope"] == pytest.approx(0, abs=1e-9)
    assert deaf["age"]["lvesv"]["verdict"] == "ignored"


def test_copies_of_training_hearts_are_caught(cohort: Cohort) -> None:
    copies = evaluate_memorisation(stub(Oracle, cohort), cohort, split="test")
    assert copies is not None
    assert copies["training_hearts"] == len(cohort.indices("train"))
    assert copies["ratio"] == pytest.approx(1)  # it makes the held-out hearts themselves
    assert evaluate_memorisation(stub(Oracle, cohort, fingerprint="another"), cohort) is None
    assert evaluate_memorisation(stub(Oracle, cohort), cohort, split="train") is None

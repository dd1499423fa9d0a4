"""Tables of a cross-validation, from judgements that are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.evaluation.completion import MEASURES, Completion
from cheart.evaluation.generation import Generation
from cheart.labels import STRUCTURES
from cheart.paper.crossed import BEFORE, Crossed, _together, held_out
from cheart.paper.crossed_report import crossed_sections
from cheart.paper.plan import Plan, make_plan
from cheart.paper.results import Found, write_completion, write_generation
from cheart.phenotypes import PAPER_FIVE
from cohorts import tiny_cohort
from tiny import cohort, run

__all__ = ["cohort", "run"]

KINDS = np.array(["sick", "well"] * 8, object)


def judged(dice: np.ndarray) -> Completion:
    """Subjects with a given Dice at end-systole; all else is the same for all."""
    names = [f"{m}{es}{s}" for m in MEASURES for es in ("", "_es") for s in (*(f"_{n}" for n in STRUCTURES), "")]
    names += [f"d_{name}" for name in PAPER_FIVE]
    subjects = pd.DataFrame({name: np.ones(len(dice)) for name in names})
    subjects.insert(0, "subject", range(1, len(dice) + 1))
    return Completion(subjects.assign(dice_es=dice), structures_empty=0)


def generated(ejection: np.ndarray, *, off: float) -> Generation:
    """Two samples a person, whose ejection fractions are those of the person and ``off`` (%) more."""
    who = np.arange(1, len(ejection) + 1)
    people = pd.DataFrame({"subject": who, "real_lvedv": 100.0, "real_lvesv": 100 - ejection})
    samples = pd.DataFrame(
        {"subject": who.repeat(2), "sample": np.tile([1, 2], len(who)), "lvedv": 200.0}
        | {"lvesv": 200 - 2 * (ejection + off).repeat(2)}
    )
    return Generation(people, samples, pd.DataFrame(), 0)


def found(completion: Completion | None, generation: Generation | None = None) -> Found:
    return Found(completion, generation, None, None)


def plan(cohort: Cohort, out: Path, **options: object) -> Plan:
    return make_plan(out, preset="quick", cohort=cohort.path, **{"samples": 2, "folds": 3, **options})


def test_dice_by_kind_and_the_tests_within_a_kind() -> None:
    rng = np.random.default_rng(0)
    ours = rng.normal(0.8, 0.01, 16)
    worse = ours - np.where(KINDS == "sick", 0.2, 0.0)
    rows = {"cheart": found(judged(ours)), "pca": found(judged(worse))}
    parts = {part.name: part for part in crossed_sections(rows, KINDS, [])}
    by_kind = parts["by-kind"]
    (table,) = by_kind.tables
    assert table.columns == ("", "sick (8)", "well (8)")
    assert table.rows[1][1].mean == pytest.approx(worse[KINDS == "sick"].mean())
    assert [cell.mark for cell in table.rows[1][1:]] == ["*", ""], "only where it is so"
    assert {test.n for test in by_kind.tests} == {8}
    whole = next(t for t in parts["end-systole"].tests if t.measure == "dice_es")
    assert (whole.n, whole.better) == (16, "cheart")


def test_ejection_fraction_by_kind_is_of_the_persons_own_samples() -> None:
    ejection = np.where(KINDS == "sick", 30.0, 60.0)
    rows = {"cheart": found(judged(np.ones(16)), generated(ejection, off=5.0))}
    table = crossed_sections(rows, KINDS, [])[-1].tables[0]
    told = {row[0]: (row[1].mean, row[2].mean, row[3]) for row in table.rows}
    assert told == {
        "sick": (pytest.approx(30), pytest.approx(35), "16"),
        "well": (pytest.approx(60), pytest.approx(65), "16"),
        "all": (pytest.approx(45), pytest.approx(50), "32"),
    }


def test_cohorts_of_one_kind_have_no_table_by_kind() -> None:
    parts = crossed_sections({"pca": found(judged(np.ones(16)))}, np.full(16, "", object), ["Not here: x."])
    assert "by-kind" not in [part.name for part in parts]
    assert "ejection" not in [part.name for part in parts]
    assert "Not here: x." in parts[0].gaps


def test_folds_come_together_with_subjects_numbered_on(cohort: Cohort, tmp_path: Path) -> None:
    mine = plan(cohort, tmp_path)
    sizes = (3, 4, 2)
    for fold, size in enumerate(sizes, start=1):
        folder = tmp_path / "folds" / str(fold) / "evaluation" / "cheart"
        write_completion(folder, replace(judged(np.full(size, fold / 10)), structures_empty=fold))
        write_generation(folder, generated(np.full(size, 10.0 * fold), off=0))
    one = _together(mine, "cheart")
    assert list(one.completion.subjects["subject"]) == list(range(1, 10))
    assert list(one.completion.subjects["dice_es"]) == [0.1] * 3 + [0.2] * 4 + [0.3] * 2
    assert one.completion.structures_empty == 6
    assert list(one.generation.samples["subject"]) == list(np.arange(1, 10).repeat(2))
    assert (tmp_path / "evaluation" / "cheart" / "completion.csv").is_file()


def test_the_order_of_subjects_is_that_of_the_folds(cohort: Cohort, tmp_path: Path) -> None:
    everyone = held_out(Crossed(plan(cohort, tmp_path), cohort))
    assert sorted(everyone) == list(range(len(cohort)))
    some = Crossed(plan(cohort, tmp_path, subjects=2), cohort)
    assert held_out(some) == [int(i) for part in some.parts for i in part.indices("test")[:2]]


def test_only_ours_goes_on_and_is_judged_as_it_was(cohort: Cohort, run: Path, tmp_path: Path) -> None:
    crossed = Crossed(plan(cohort, tmp_path, models=["cheart", "pca", "cgan"], start_from=str(run)), cohort)
    assert crossed.models == ["cheart", "pca"]
    trials = list(crossed.trials())
    assert [t.start_from for t in trials] == [run, None] * 3
    assert crossed.before(trials[0]).run == run
    assert sum(BEFORE in step for step in crossed.steps()) == 3


def test_what_cannot_be_asked_together_is_refused(cohort: Cohort, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name it with --cohort"):
        make_plan(tmp_path, folds=2)
    with pytest.raises(InputError, match="only cheart goes on from a model"):
        plan(cohort, tmp_path, models=["pca"], start_from="bundled")
    missing = Crossed(plan(cohort, tmp_path, models=["cheart"], start_from=str(tmp_path / "none")), cohort)
    with pytest.raises(InputError, match="is no model"):
        missing.steps()


def test_the_cohorts_own_split_does_not_count(cohort: Cohort, tmp_path: Path) -> None:
    other = tiny_cohort(tmp_path / "c")
    shuffled = other.resplit(list(reversed(list(other.table["split"]))))
    parts = [Crossed(plan(other, tmp_path), c).parts for c in (other, shuffled)]
    assert [list(part.table["split"]) for part in parts[0]] == [list(part.table["split"]) for part in parts[1]]
    assert [part.fingerprint for part in parts[0]] == [part.fingerprint for part in parts[1]]

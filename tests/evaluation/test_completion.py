from dataclasses import replace

import numpy as np
import pytest

from cheart.errors import InputError
from cheart.evaluation.completion import Judge, evaluate_completion
from cheart.grid import Grid
from cheart.heart import whole
from cheart.labels import LV
from cohorts import TINY, tiny_cohort
from stubs import Oracle, stub


def test_a_heart_judged_by_itself_is_perfect(cohort):
    heart = cohort.heart(0)
    row, empty = Judge(heart).completed(heart)
    assert empty == 0
    assert all(value == 1 for name, value in row.items() if name.startswith("dice"))
    assert all(value == 0 for name, value in row.items() if name.startswith("d_"))


def test_a_still_heart_is_right_at_end_diastole_and_wrong_at_end_systole(cohort):
    heart = cohort.heart(0)
    still = replace(heart, labels=np.repeat(heart.labels[:1], heart.frames, axis=0))
    row, _ = Judge(heart).completed(still)
    assert row["d_lvedv"] == row["d_lvm"] == 0
    assert row["dice_given"] == 1, "what was given is no completion, and stands apart"
    assert row["hd_given"] == row["assd_given"] == 0
    assert row["dice_es"] < row["dice"] < 1
    assert row["hd_es"] > row["hd"] > 0
    assert row["assd_es"] > row["assd"] > 0
    assert row["completed_lvesv"] == row["real_lvedv"]


def test_what_was_not_observed_does_not_count(tmp_path):
    heart = tiny_cohort(tmp_path / "c", n=3, planes=slice(4, 28, 3)).heart(0)
    other = heart.labels.copy()
    other[:, ~heart.observed[0]] = 0
    row, _ = Judge(heart).completed(replace(heart, labels=other, observed=np.ones_like(heart.observed)))
    assert row["dice"] == 1
    assert row["d_lvedv"] == row["d_rvesv"] == 0


def test_the_model_is_judged_on_every_subject_of_a_split(model, cohort):
    ours = evaluate_completion(model, cohort, split="train")
    assert list(ours.subjects["subject"]) == list(range(1, 11)), "numbers, no names"
    assert ours.structures_empty == 0
    summary = ours.summary()
    assert 0.7 < summary["dice"]["mean"] <= 1
    assert {"dice_lv", "dice_es_rv", "d_lvm", "d_rvesv"} <= summary.keys()


def test_the_model_beats_a_heart_that_stands_still(model, cohort):
    ours = evaluate_completion(model, cohort).summary()
    copied = evaluate_completion(model, cohort, copy_first=True).summary()
    assert ours["dice_es"]["mean"] > copied["dice_es"]["mean"]


def test_a_perfect_completion_scores_perfectly(cohort):
    found = evaluate_completion(stub(Oracle, cohort), cohort).summary()
    assert found["dice"]["mean"] == 1
    assert found["hd"]["mean"] == found["assd_rv"]["mean"] == found["d_lvesv"]["mean"] == 0


def test_only_the_first_subjects_are_judged(cohort):
    assert len(evaluate_completion(stub(Oracle, cohort), cohort, subjects=1).subjects) == 1


def test_distances_are_in_mm(cohort):
    heart = cohort.heart(0)
    row, _, _ = Judge(heart).likeness(whole(np.roll(heart.labels, 1, axis=3), TINY))
    assert row["hd_lv"] == TINY.spacing[2]
    assert 0 < row["assd_lv"] < row["hd_lv"]


def test_a_structure_that_is_lost_is_counted(cohort):
    heart = cohort.heart(0)
    labels = heart.labels.copy()
    labels[1][labels[1] == LV] = 0
    row, _, missing = Judge(heart).likeness(whole(labels, TINY))
    assert missing == 1
    assert row["dice_lv"] == 1 - 1 / len(labels)
    assert row["hd_lv"] == 0, "of the frames that have one"


def test_another_grid_or_frame_count_is_refused_with_the_mend(model, tmp_path):
    coarse = tiny_cohort(tmp_path / "grid", n=3, grid=Grid((16, 32, 32), (8.0, 5.0, 5.0)))
    with pytest.raises(InputError, match="--grid 32x32x32@5x5x4 --frames 4"):
        evaluate_completion(model, coarse)
    longer = tiny_cohort(tmp_path / "frames", n=3, frames=6)
    with pytest.raises(InputError, match="the cohort has 6 frames"):
        evaluate_completion(model, longer)


def test_a_split_without_subjects_is_refused(model, tmp_path):
    empty = tiny_cohort(tmp_path / "c", n=2)
    with pytest.raises(InputError, match="has no test subjects"):
        evaluate_completion(model, empty)


def test_the_given_frame_is_in_no_mean(cohort):
    heart = cohort.heart(0)
    spoilt = heart.labels.copy()
    spoilt[0] = 0
    row, empty = Judge(heart).completed(replace(heart, labels=spoilt))
    assert row["dice"] == 1
    assert row["dice_given"] == 0
    assert empty == 3

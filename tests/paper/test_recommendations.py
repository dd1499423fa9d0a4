import numpy as np
import pandas as pd
import pytest

from cheart.evaluation.completion import COPIED, Completion
from cheart.evaluation.generation import BETTER, Generation
from cheart.evaluation.tables import PHENOTYPES
from cheart.paper.comparison import COMPLETED_PHENOTYPES, COMPLETION
from cheart.paper.recommendations import claims, recommendations
from cheart.paper.results import Results
from cheart.paper.sections import Outcome, sections

PEOPLE = 40


def completion(dice: float, *, seed: int = 0, noise: float = 0.0) -> Completion:
    """Everybody's hearts differ alike for all models; the mean Dice is given."""
    rng = np.random.default_rng(5)
    base = rng.normal(0, 0.02, PEOPLE) + np.random.default_rng(seed).normal(0, noise, PEOPLE)
    columns = {name: dice + base if name.startswith("dice") else 1 - dice + base for name in COMPLETION}
    return Completion(pd.DataFrame(columns | dict.fromkeys(COMPLETED_PHENOTYPES, 5 + base)), 0)


def generation(off: float) -> Generation:
    """Phenotypes that are off by so much."""
    rng = np.random.default_rng(6)
    real = {name: rng.normal(100, 10, PEOPLE) for name in PHENOTYPES}
    people = {"subject": np.arange(PEOPLE) + 1, "decade": "40-50", **{f"real_{n}": v for n, v in real.items()}}
    people |= {f"{m}_{k}": rng.normal(1, 0.1, PEOPLE) for m in BETTER for k in ("mean", "best")}
    samples = pd.concat(
        pd.DataFrame(
            {"subject": np.arange(PEOPLE) + 1, "sample": k, "jump": 0.0, **{n: v + off for n, v in real.items()}}
        )
        for k in (1, 2)
    )
    return Generation(pd.DataFrame(people), samples, pd.DataFrame({"subject": [1], "jump": [0.0]}), 0)


def remarks(results: dict[str, Results], *, copied: float = 0.7) -> tuple[list[str], str]:
    """Both verdicts, and the recommendation on completion."""
    tasks = dict.fromkeys(results, ("complete", "generate"))
    rows = {**results, COPIED: Results(completion(copied))}
    outcome = Outcome(rows, tasks, "cheart", why_no_truth="simulated hearts alone have it")
    parts = sections(outcome)
    return [c.verdict for c in claims(outcome, parts)], recommendations(outcome, parts)[0].text


def judged(dice: dict[str, float], off: dict[str, float]) -> dict[str, Results]:
    """Results of models of given Dice whose phenotypes are off by so much."""
    return {
        name: Results(
            completion(dice[name], seed=k) if name in dice else None, generation(off[name]) if name in off else None
        )
        for k, name in enumerate(dict.fromkeys([*dice, *off]))
    }


@pytest.mark.slow
def test_claims_follow_the_numbers() -> None:
    better = {"cheart": 0.93, "cvae": 0.9, "cvae-gan": 0.9}
    near = {"cheart": 1.0, "cvae": 5.0, "cvae-gan": 6.0}
    assert remarks(judged(better, near))[0] == ["met", "met"]
    assert remarks(judged({**better, "cheart": 0.89}, {**near, "cheart": 9.0}))[0] == ["not met", "not met"]
    assert remarks(judged({"cheart": 0.93, "pca": 0.9}, {"cheart": 1.0}))[0] == ["not checked", "not checked"]


def test_the_best_is_named_with_its_test() -> None:
    _, text = remarks(judged({"cheart": 0.9, "pca": 0.93}, {"cheart": 1.0}))
    assert "pca is better than cheart" in text
    assert text.endswith("take pca.")
    _, text = remarks(judged({"cheart": 0.93, "pca": 0.9}, {"cheart": 1.0}))
    assert "cheart is better than pca" in text
    assert text.endswith("Take cheart.")


def test_nobody_is_called_better_without_a_test_that_says_so() -> None:
    _, text = remarks({name: Results(completion(0.9, seed=k, noise=0.02)) for k, name in ((1, "cheart"), (2, "pca"))})
    assert "better" not in text
    assert "ot told apart" in text


def test_a_model_that_does_not_beat_the_standing_heart_is_not_recommended() -> None:
    _, text = remarks(judged({"cheart": 0.6, "pca": 0.65}, {"cheart": 1.0}))
    assert "No model beats the heart that stands still" in text


def test_the_reference_is_not_recommended_where_a_copy_does_as_well() -> None:
    dice = {"cheart": 0.69, "pca": 0.71}
    _, text = remarks({n: Results(completion(d, seed=k, noise=0.05)) for k, (n, d) in enumerate(dice.items(), 1)})
    assert "cheart does not beat" in text
    assert text.endswith("take pca.")

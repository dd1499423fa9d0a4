"""Results whose numbers are known, for tests of what is made of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cheart.evaluation.completion import MEASURES, Completion
from cheart.evaluation.generation import Generation
from cheart.labels import STRUCTURES
from cheart.phenotypes import PAPER_FIVE


def judged(dice: np.ndarray) -> Completion:
    """Subjects with a given Dice at end-systole; all else is the same for all."""
    names = [
        f"{m}{es}{s}" for m in MEASURES for es in ("", "_es", "_given") for s in (*(f"_{n}" for n in STRUCTURES), "")
    ]
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

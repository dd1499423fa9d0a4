"""What a model's figures are to be read against: floors that any model should beat, and the ceiling that none can.

They know volumes and conditions only, no shapes. Of completion, the beat given end-diastole:

* **first frame copied**: no motion;
* **mean EF**: the ejection fractions of the training people, whoever one is;
* **group mean EF**: those of the training people of the same diagnosis, where a cohort has one;
* **ridge of volumes**: LVEF and RVEF on end-diastolic volumes, mass and the conditions that models are given, with what
  each training person is off from the others' prediction;
* **oracle** (simulated cohorts): the true p(beat | end-diastole, conditions).

Of generation: **training people**, drawn whoever is asked for; and the **oracle**, the true p(heart | conditions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.cohort import Cohort
from cheart.conditions import DIAGNOSIS, PAPER_SCHEMA, Encoding
from cheart.errors import InputError
from cheart.evaluation.completion import COPIED
from cheart.evaluation.generation import Generation, age_decade
from cheart.evaluation.joint import HALVED, halves, phenotypes_of
from cheart.evaluation.prediction import QUANTITIES, Prediction
from cheart.evaluation.truth import known_conditions, truth_table
from cheart.hearts import heart_seed
from cheart.models.linear_start import ridge_left_out
from cheart.phenotypes import PAPER_FIVE
from cheart.progress import Jobs, collect, track
from cheart.simulation.clinical.heart import true_completions as true_patient_completions
from cheart.simulation.cohort import clinical_truths, population_of, true_hearts
from cheart.simulation.phenotypes import true_completions

Array = NDArray[np.float64]

ORACLE, MEAN_EF, GROUP_EF, VOLUMES, TRAINING = (
    "oracle", "mean EF", "group mean EF", "ridge of volumes", "training people",
)  # fmt: skip

REFERENCES = (MEAN_EF, GROUP_EF, VOLUMES, TRAINING, ORACLE)

DEFINITIONS = (
    "Rows without shapes: mean EF, the training people's ejection fractions × the person's own end-diastolic volumes; "
    "group mean EF, those of the same diagnosis, which no model is given; ridge of volumes, ejection fractions by "
    "linear regression on end-diastolic volumes, mass and the models' conditions; oracle (simulated cohorts), the "
    "true distribution given the exact end-diastole and conditions. The oracle bounds every model; the others are to "
    "be beaten."
)
POPULATIONS = (
    "Training people: real hearts of training people drawn whoever is asked for; oracle (simulated cohorts): the true "
    "p(heart | conditions); real, half against half: random halves of the real people, who are half as many."
)
FEWEST = 5
"""Training people of a diagnosis below whom its mean is not taken."""


def measured(cohort: Cohort, indices: Sequence[int], *, jobs: Jobs = 1) -> pd.DataFrame:
    """Phenotypes of some rows of a cohort, one row each."""
    return pd.DataFrame(collect(partial(_row, cohort), indices, jobs=jobs, title="Measuring hearts"))


def _row(cohort: Cohort, index: int) -> dict[str, float]:
    return cohort.heart(index).phenotypes.row()


def reference_predictions(
    cohort: Cohort, indices: Sequence[int], training: Cohort, *, samples: int, seed: int = 0, jobs: Jobs = 1
) -> dict[str, Prediction]:
    """The rows of completion.

    Args:
        cohort: whose rows ``indices`` are predicted.
        indices: of the people.
        training: whose training subjects the floors learn from; its schema is what models are given. Diagnoses are read
            from the tables.
        samples: a person.
        seed: of the draws.
        jobs: processes.
    """
    learnt = [int(i) for i in training.indices("train")]
    known, own = measured(training, learnt, jobs=jobs), measured(cohort, indices, jobs=jobs)
    fractions = known[["lvef", "rvef"]].to_numpy(float)
    usable = np.isfinite(fractions).all(axis=1)
    everybody = fractions[usable]
    rng = np.random.default_rng([seed, 0xEF])
    draw = lambda among: among[rng.integers(len(among), size=samples)]  # noqa: E731
    found = {COPIED: _predicted(own, np.zeros((len(own), 1, 2))), MEAN_EF: _each(own, lambda i: draw(everybody))}
    theirs, mine = diagnoses(training, learnt)[usable], diagnoses(cohort, indices)
    groups = {g: everybody[theirs == g] for g in set(mine) if (theirs == g).sum() >= FEWEST and g}
    if groups:
        found[GROUP_EF] = _each(own, lambda i: draw(groups.get(mine[i], everybody)))
    expected, off = _ridge(training, learnt, known, usable, cohort, indices, own)
    found[VOLUMES] = _each(own, lambda i: expected[i] + draw(off))
    oracle = _oracle(cohort, indices, own, samples=samples, seed=seed, jobs=jobs)
    return found if oracle is None else {**found, ORACLE: oracle}


def _each(own: pd.DataFrame, draw: Callable[[int], Array]) -> Prediction:
    """Ejection fractions [D, 2] in percent of each person."""
    return _predicted(own, np.stack([draw(i) for i in range(len(own))]))


def _predicted(own: pd.DataFrame, fractions: Array) -> Prediction:
    """Of ejection fractions [N, D, 2] in percent, times each person's own end-diastolic volumes."""
    n, d, _ = fractions.shape
    number = np.arange(1, n + 1)
    people = {"subject": number, **{f"real_{name}": own[name].to_numpy(float) for name in QUANTITIES}}
    left, right = (
        own[name].to_numpy(float)[:, None] * (1 - fractions[:, :, k] / 100) for k, name in enumerate(("lvedv", "rvedv"))
    )
    samples = {
        "subject": number.repeat(d), "sample": np.tile(np.arange(1, d + 1), n), "lvesv": left.ravel(),
        "rvesv": right.ravel(), "lvef": fractions[:, :, 0].ravel(), "rvef": fractions[:, :, 1].ravel(),
    }  # fmt: skip
    return Prediction(pd.DataFrame(people), pd.DataFrame(samples))


def diagnoses(cohort: Cohort, indices: Sequence[int]) -> NDArray[np.object_]:
    """Of some rows, "" where none is known; of a simulated cohort they stand with its truth."""
    table = cohort.table
    if DIAGNOSIS not in table.columns:
        try:
            table = truth_table(cohort)
        except InputError:
            return np.full(len(indices), "", object)
    if DIAGNOSIS not in table.columns:
        return np.full(len(indices), "", object)
    return table[DIAGNOSIS].fillna("").astype(str).to_numpy(object)[list(indices)]


def _ridge(
    training: Cohort, learnt: Sequence[int], known: pd.DataFrame, usable: NDArray[np.bool_],
    cohort: Cohort, indices: Sequence[int], own: pd.DataFrame,
) -> tuple[Array, Array]:  # fmt: skip
    """Expected ejection fractions [N, 2] of the people, and what training people [M, 2] are off."""
    people = [training.conditions(i) for i in learnt]
    encoding = Encoding.fit(training.schema, people)
    others = [{k: v for k, v in cohort.conditions(i).items() if k in training.schema.names} for i in indices]
    volumes = ["lvedv", "rvedv", "lvm"]
    x, new = (
        np.column_stack([np.log(table[volumes].to_numpy(float)), encoding.encode(rows)])
        for table, rows in ((known, people), (own, others))
    )
    x = x[usable]
    mean, sd = x.mean(0), x.std(0)
    scale = np.divide(1, sd, out=np.zeros_like(sd), where=sd > 1e-9)
    weight, bias, off = ridge_left_out((x - mean) * scale, known.loc[usable, ["lvef", "rvef"]].to_numpy(float))
    return (new - mean) * scale @ weight + bias, off


def _oracle(
    cohort: Cohort, indices: Sequence[int], own: pd.DataFrame, *, samples: int, seed: int, jobs: Jobs
) -> Prediction | None:
    """The true completions; None where nobody knows them.

    Exact fractions are moved by what counting voxels and frames alone changes, the mean over these people's own hearts.
    """
    try:
        exact = truth_table(cohort)
        people = [known_conditions(cohort, i) for i in indices]
    except InputError:
        return None
    fractions = []
    if population_of(cohort) == "clinical":
        for n, truth in enumerate(clinical_truths(cohort, indices, frames=2, jobs=jobs)):
            given = {k: v for k, v in people[n].items() if v is not None}
            fractions.append(true_patient_completions(truth, n=samples, seed=heart_seed(seed, n), conditions=given))
    else:
        for n, index in enumerate(indices):
            given = {name: people[n][name] for name in PAPER_SCHEMA.names}
            size = {name: float(exact[name].iloc[index]) for name in ("lvedv", "rvedv")}
            fractions.append(true_completions(given, **size, n=samples, seed=heart_seed(seed, n)))
    names = ["lvef", "rvef"]
    counted = (own[names].to_numpy(float) - exact[names].to_numpy(float)[list(indices)]).mean(axis=0)
    return _predicted(own, np.stack([one[names].to_numpy(float) for one in fractions]) + counted)


def reference_generations(
    cohort: Cohort, indices: Sequence[int], training: Cohort, *, samples: int, seed: int = 0, jobs: Jobs = 1
) -> dict[str, Generation]:
    """The rows of generation, with phenotypes only; args as :func:`reference_predictions`.

    The oracle's exact volumes are moved by what counting voxels alone changes, the mean over these people's own hearts.
    """
    own = measured(cohort, indices, jobs=jobs)
    known = measured(training, [int(i) for i in training.indices("train")], jobs=jobs)[list(PAPER_FIVE)].dropna()
    number = np.arange(1, len(own) + 1)
    decades = [age_decade(cohort.conditions(i).get("age")) for i in indices]
    people = pd.DataFrame({"subject": number, "decade": decades, **{f"real_{n}": own[n] for n in PAPER_FIVE}})
    rng = np.random.default_rng([seed, 0x6E])
    rows = {TRAINING: [known.iloc[rng.integers(len(known), size=samples)] for _ in number]}
    try:
        exact = truth_table(cohort)[list(PAPER_FIVE)].iloc[list(indices)]
        moved = own[list(PAPER_FIVE)].mean() - exact.mean()
        rows[ORACLE] = [
            true_hearts(cohort, known_conditions(cohort, i), n=samples, seed=heart_seed(seed, n))[list(PAPER_FIVE)]
            + moved
            for n, i in track(list(enumerate(indices, start=1)), total=len(indices), title="Drawing the truth")
        ]
    except InputError:
        pass
    return {name: _generation(people, drawn) for name, drawn in rows.items()}


def beside(found: Mapping[str, Generation], some: Generation) -> dict[str, Any]:
    """Rows of Table IV that are no models: references, and the real hearts, half against half."""
    rows: dict[str, Any] = {name: {"distributions": one.distributions()} for name, one in found.items()}
    half = halves(phenotypes_of(some)[0])
    if half:
        rows[HALVED] = {"distributions": {n: {"w1": w1} for n, w1 in zip(PAPER_FIVE, half["w1"], strict=True)}}
    return rows


def _generation(people: pd.DataFrame, drawn: Sequence[pd.DataFrame]) -> Generation:
    count = len(drawn[0])
    samples = pd.concat(drawn, ignore_index=True)
    samples.insert(0, "sample", np.tile(np.arange(1, count + 1), len(people)))
    samples.insert(0, "subject", people["subject"].to_numpy().repeat(count))
    return Generation(people, samples, pd.DataFrame(), 0)

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from cheart.grid import Grid
from cheart.simulation.clinical.coupling import draw_beat, geometry
from cheart.simulation.clinical.form import draw_form, draw_severity
from cheart.simulation.clinical.heart import draw_heart, to_labels
from cheart.simulation.clinical.people import GROUP_OF, GROUPS, KIND_NAMES, KINDS, draw_patient, prevalence
from cheart.simulation.phenotypes import expected_sizes

GRID = Grid((48, 96, 96), (2.67, 1.67, 1.67))


@dataclass(eq=False)
class Population:
    """Thousands of people in the simulator's own numbers, without surfaces."""

    people: list
    table: pd.DataFrame
    kind: np.ndarray
    severity: np.ndarray
    form: np.ndarray
    geometry: object
    beat: dict


@pytest.fixture(scope="session")
def population():
    rng = np.random.default_rng(0)
    people = [draw_patient(rng) for _ in range(3000)]
    kind = np.array([rng.choice(len(KINDS), p=prevalence(person)) for person in people])
    severity = draw_severity(rng, len(people))
    form = draw_form(kind, severity, rng)
    table = pd.DataFrame(people)
    sizes = np.array([expected_sizes(person) for person in people])
    g = geometry(form, sizes, table.age.to_numpy(float), table.sbp.to_numpy(float))
    beat = draw_beat(g, kind, severity, rng)
    table["group"] = np.array(GROUPS)[GROUP_OF[kind]]
    table["lvef"] = 100 * (1 - beat["lvesv"] / g.lvedv)
    table["rvef"] = 100 * (1 - beat["rvesv"] / g.rvedv)
    table["lvedv"], table["rvedv"], table["lvm"] = g.lvedv, g.rvedv, g.lvm
    return Population(people, table, kind, severity, form, g, beat)


@pytest.fixture(scope="session")
def hearts():
    """One heart of every kind, with its label maps at six phases."""
    person = {"age": 55, "sex": "M", "weight": 78, "height": 174, "sbp": 130}
    found = {}
    for i in range(400):
        missing = [k for k in KINDS if k.name not in found]
        if not missing:
            break
        truth = draw_heart({**person, "group": missing[0].group}, seed=[4, i], frames=6)
        found.setdefault(KIND_NAMES[truth.kind], truth)
    return {name: (truth, to_labels(truth, GRID)) for name, truth in found.items()}

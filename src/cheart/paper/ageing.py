"""What Fig. 7 shows, before it is drawn: one heart through the decades, and the phenotypes of many by sex and age."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from cheart.conditions import PAPER_SCHEMA, Value, describe
from cheart.errors import InputError
from cheart.heart import Heart
from cheart.model import Model
from cheart.paper.figure_people import choose_people
from cheart.paper.plate import CannotDraw, Material
from cheart.phenotypes import PAPER_FIVE
from cheart.simulation.phenotypes import true_distribution
from cheart.tasks.generate import heart_seed
from cheart.tasks.vary import vary

AGES = (25.0, 35.0, 45.0, 55.0, 65.0, 75.0)
"""The middles of the adult decades: a model that knows age in decades and one that knows years are asked alike."""

_TRUE_DRAWS = 20  # a person


@dataclass(frozen=True, eq=False)
class Ageing:
    """One heart through the decades, and many.

    Attributes:
        words: the conditions of the one heart's owner, without the age.
        own: whether it is the heart of a held-out person (else its code was drawn).
        hearts: at each of :data:`AGES`.
        sampled: one row a heart: sex, age, and the five phenotypes.
        truth: the same columns, drawn from the simulator for the same people; None where the cohort is not simulated.
        beyond: the ages outside the training range.
    """

    words: str
    own: bool
    hearts: tuple[Heart, ...]
    sampled: pd.DataFrame
    truth: pd.DataFrame | None
    beyond: tuple[float, ...]


def gather_ageing(material: Material, model: Model) -> Ageing:
    """Make the hearts of Fig. 7.

    Raises:
        CannotDraw: the model does not know age and sex.
    """
    for name in ("age", "sex"):
        if name not in model.encoding.schema.names:
            raise CannotDraw(f"the model does not know {name}; it was trained on {model.trained_on}")
    words, own, hearts = _one_heart(material, model)
    people = [(sex, age, k) for sex in ("F", "M") for age in AGES for k in range(material.samples)]
    sampled = material.each(partial(_sample, model, material.seed), people, "heart")
    told = pd.DataFrame([heart for heart, _ in sampled])
    low, high = model.encoding.trained["age"]
    beyond = tuple(age for age in AGES if not low <= age <= high)
    return Ageing(words, own, hearts, told, _truth(material, [person for _, person in sampled]), beyond)


def _one_heart(material: Material, model: Model) -> tuple[str, bool, tuple[Heart, ...]]:
    """The young person of Fig. 4 through the decades."""
    (first, *_), _ = choose_people(material)
    index = material.people[first - 1]
    schema, person = model.encoding.schema, material.cohort.conditions(index)
    known = {name: person[name] for name in schema.names if person.get(name) is not None}
    own = "complete" in model.network.tasks
    heart = material.cohort.heart(index) if own else None
    made = vary(model, "age", list(AGES), heart=heart, conditions=known, seed=material.seed)
    words = describe(known, schema).replace("sbp", "SBP").split(", ")
    return ", ".join(w for w in words if not w.startswith("age ")), own, tuple(made)


def _sample(model: Model, seed: int, who: tuple[str, float, int]) -> tuple[dict[str, float | str], dict[str, Value]]:
    """The phenotypes of a heart of (sex, age, number), and the conditions that it was made for.

    The number fixes the random code and how the person differs from the average one of that sex and age, so that a
    number followed through the ages is one person growing older.
    """
    sex, age, number = who
    key = heart_seed(heart_seed(seed, 7), number)
    person, _ = model.settle({"age": age, "sex": sex}, unknown="draw", rng=np.random.default_rng(key))
    heart = model.heart(model.network.generate(model.encode(person), seed=key)).phenotypes.row()
    return {"sex": sex, "age": age, **{name: heart[name] for name in PAPER_FIVE}}, person


def _truth(material: Material, people: list[dict[str, Value]]) -> pd.DataFrame | None:
    """What the simulator gives the same people."""
    if not material.simulated or any(p.get(name) is None for p in people for name in PAPER_SCHEMA.names):
        return None
    tables = []
    for number, person in enumerate(people):
        five = {name: person[name] for name in PAPER_SCHEMA.names}
        try:
            drawn = true_distribution(five, n=_TRUE_DRAWS, seed=heart_seed(material.seed, number))
        except InputError:  # nobody like that is in the simulator
            continue
        tables.append(drawn[list(PAPER_FIVE)].assign(sex=person["sex"], age=person["age"]))
    return pd.concat(tables, ignore_index=True) if tables else None

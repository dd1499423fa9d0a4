"""Conditions: what is known of the heart's owner, as a schema and as numbers for a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError

Value = float | str | None
"""A condition's value: a number, a level's name, or None where it is not known (written ``n/a``)."""

Conditions = Mapping[str, Value]
"""From factor name to value. Factors that are left out are not known."""

Person = Mapping[str, object]
"""Conditions as a person gives them, such as ``dict(age=63, sex="F")``: to be read by a :class:`Schema`."""

DIAGNOSIS = "group"
"""The factor by which cohorts of patients name a disease. It is defined by function in good part, so that what a model
reads off it is no merit: models are judged without it, and with it in rows of their own."""

MISSING = ("", "n/a", "na", "nan", "none")


@dataclass(frozen=True)
class Factor:
    """One condition: a number with a unit and a range, or one of a few levels.

    >>> SBP.read("135"), SEX.read("f"), SBP.read("n/a")
    (135.0, 'F', None)
    >>> HEIGHT.read(1.65)
    Traceback (most recent call last):
    cheart.errors.InputError: height 1.65 is outside the range: expected 100 to 230 cm (in m? then write 165)

    Raises:
        InputError: a number without a range low < high, or fewer than two levels.
    """

    name: str
    kind: Literal["number", "level"]
    unit: str = ""
    low: float = math.nan
    high: float = math.nan
    levels: tuple[str, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))
        if self.kind not in ("number", "level"):
            raise InputError(f"factor {self.name!r}: kind {self.kind!r} is neither number nor level")
        if self.kind == "number" and not self.low < self.high:
            raise InputError(f"factor {self.name!r}: a number needs a range low < high")
        if self.kind == "level" and len(set(self.levels)) < 2:
            raise InputError(f"factor {self.name!r}: at least two different levels are needed")

    def __eq__(self, other: object) -> bool:
        # as a tuple, for which the nan of a range that there is not equals itself: from Python 3.13 on, a dataclass
        # compares field by field, and a factor with levels would not equal itself
        return isinstance(other, Factor) and tuple(vars(self).values()) == tuple(vars(other).values())

    def read(self, value: object) -> Value:
        """Check one value; text is understood, and ``n/a`` is None.

        Raises:
            InputError: not a number, outside the range, or not a level.
        """
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if isinstance(value, str) and value.strip().lower() in MISSING:
            return None
        return self._read_number(value) if self.kind == "number" else self._read_level(value)

    def _read_number(self, value: object) -> float:
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise InputError(
                f"{self.name} {value!r} is not a number; expected {self.expected}, or n/a where it is not known"
            ) from None
        if not self.low <= number <= self.high:
            hint = ""
            if self.unit == "cm" and self.low <= number * 100 <= self.high:
                hint = f" (in m? then write {number * 100:g})"
            raise InputError(f"{self.name} {number:g} is outside the range: expected {self.expected}{hint}")
        return number

    def _read_level(self, value: object) -> str:
        for level in self.levels:
            if str(value).strip().lower() == level.lower():
                return level
        raise InputError(
            f"{self.name} {value!r} is not a known level; expected {self.expected}, or n/a where it is not known"
        )

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if self.kind == "level":
            return "one of " + ", ".join(self.levels)
        return f"{self.low:g} to {self.high:g}" + (f" {self.unit}" if self.unit else "")


@dataclass(frozen=True)
class Schema:
    """The factors that a cohort or a model knows, in order. It travels with both.

    >>> schema = Schema((AGE, Factor("group", "level", levels=("NOR", "DCM"))))
    >>> schema.read({"age": "63", "shoe_size": "42"})
    {'age': 63.0, 'group': None}
    """

    factors: tuple[Factor, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", tuple(self.factors))
        if len(set(self.names)) != len(self.factors):
            raise InputError(f"factors {self.names}: a name stands twice")

    @property
    def names(self) -> tuple[str, ...]:
        """Factor names in order."""
        return tuple(factor.name for factor in self.factors)

    def __getitem__(self, name: str) -> Factor:
        for factor in self.factors:
            if factor.name == name:
                return factor
        raise InputError(f"unknown condition {name!r}; this schema has {', '.join(self.names)}")

    def read(self, row: Mapping[str, object]) -> dict[str, Value]:
        """Check one person's conditions; factors that the row lacks are None, other columns are ignored.

        Raises:
            InputError: a value that its factor refuses.
        """
        person = {factor.name: factor.read(row.get(factor.name)) for factor in self.factors}
        _refuse_body(person)
        return person

    def to_json(self) -> list[dict[str, Any]]:
        """As plain JSON values; :meth:`from_json` reads it back."""
        return [{k: v for k, v in asdict(f).items() if v not in ("", ()) and v == v} for f in self.factors]

    @classmethod
    def from_json(cls, value: Iterable[Mapping[str, Any]]) -> Schema:
        """Read what :meth:`to_json` wrote."""
        return cls(tuple(Factor(**item) for item in value))


AGE = Factor("age", "number", "years", 0, 110, description="Age at the scan")
SEX = Factor("sex", "level", levels=("F", "M"), description="Sex")
WEIGHT = Factor("weight", "number", "kg", 20, 250, description="Body weight")
HEIGHT = Factor("height", "number", "cm", 100, 230, description="Body height")
SBP = Factor("sbp", "number", "mmHg", 60, 260, description="Systolic blood pressure")

PAPER_SCHEMA = Schema((AGE, SEX, WEIGHT, HEIGHT, SBP))
"""The paper's five conditions (section III-A), with ranges wide enough for any adult."""

BMI = (10.0, 80.0)
"""Body mass indices that are met, kg/m²; what lies outside is a slip of the pen."""


def _refuse_body(person: Conditions) -> None:
    """Refuse a weight and a height that nobody has together.

    Raises:
        InputError: a body mass index outside :data:`BMI`.
    """
    weight, height = person.get("weight"), person.get("height")
    if isinstance(weight, float) and isinstance(height, float):
        bmi = weight / (height / 100) ** 2
        if not BMI[0] <= bmi <= BMI[1]:
            raise InputError(
                f"weight {weight:g} kg at height {height:g} cm is a body mass index of {bmi:.0f} kg/m² (expected "
                f"{BMI[0]:g} to {BMI[1]:g}): were the two swapped, or is one in another unit?"
            )


DECADES = tuple(f"{low}-{low + 10}" for low in range(10, 80, 10))
"""The paper's seven age groups (section III-A)."""


@dataclass(frozen=True)
class Encoding:
    """How conditions become the numbers that enter a network.

    A number becomes (value − centre) / scale; a level becomes one column a level; the paper's age becomes one
    column a decade. Every factor has one column more, which is 1 where the value is missing (its other columns
    are then 0): a missing value enters the network as missing, never imputed in silence.

    >>> schema = Schema((AGE, SEX))
    >>> encoding = Encoding.fit(schema, [{"age": 40, "sex": "F"}, {"age": 60, "sex": "M"}])
    >>> encoding.columns
    ('age', 'age:missing', 'sex:F', 'sex:M', 'sex:missing')
    >>> encoding.encode([{"age": 65, "sex": "F"}, {"age": 50}])
    array([[1.5, 0. , 1. , 0. , 0. ],
           [0. , 0. , 0. , 0. , 1. ]], dtype=float32)
    >>> encoding.outside({"age": 65})
    ['age 65 years is beyond the training range 40 to 60 years: the model extrapolates']

    Attributes:
        schema: the factors.
        centre, scale: per number factor, from the training subjects; rounded, so that no person's value can be had
            from them and from other figures of the same people.
        trained: per number factor, the range [low, high] of training: the middle 96 % of the subjects, rounded outward.
        age_decades: whether ``age`` enters as the paper's seven decades.
    """

    schema: Schema
    centre: Mapping[str, float]
    scale: Mapping[str, float]
    trained: Mapping[str, tuple[float, float]]
    age_decades: bool = False

    @classmethod
    def fit(cls, schema: Schema, people: Sequence[Conditions], *, age_decades: bool = False) -> Encoding:
        """Take centres, scales and ranges from the training subjects' known values.

        A factor that nobody has known gets centre 0, scale 1 and an empty range.
        """
        centre, scale, trained = {}, {}, {}
        for factor in schema.factors:
            if factor.kind == "number":
                known = np.array([p[factor.name] for p in people if p.get(factor.name) is not None], float)
                centre[factor.name] = float(rounded(known.mean(), 2)) if known.size else 0.0
                scale[factor.name] = float(rounded(known.std(), 2)) or 1.0 if known.size else 1.0
                trained[factor.name] = _range_of(known)
        return cls(schema, centre, scale, trained, age_decades)

    def extended(self, schema: Schema, people: Sequence[Conditions]) -> Encoding:
        """For training on with another cohort: its new factors come behind, ranges widen, numbers keep their scale.

        Raises:
            InputError: a factor that both have, with another kind, unit or levels.
        """
        for factor in schema.factors:
            if factor.name in self.schema.names:
                old = self.schema[factor.name]
                if (old.kind, old.unit, old.levels) != (factor.kind, factor.unit, factor.levels):
                    raise InputError(
                        f"factor {factor.name!r}: the model has {old.kind} ({old.expected}), the cohort has "
                        f"{factor.kind} ({factor.expected}); rename the cohort's factor"
                    )
        new = tuple(f for f in schema.factors if f.name not in self.schema.names)
        other = Encoding.fit(schema, people, age_decades=self.age_decades)
        trained = dict(self.trained)
        for name, (low, high) in other.trained.items():
            was = trained.get(name, (low, high))
            seen = any(p.get(name) is not None for p in people)
            trained[name] = (min(low, was[0]), max(high, was[1])) if seen and was[0] < was[1] else was
            if seen and was[0] == was[1] == 0:
                trained[name] = (low, high)
        return Encoding(
            Schema(self.schema.factors + new),
            {**other.centre, **self.centre},
            {**other.scale, **self.scale},
            trained,
            self.age_decades,
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of :meth:`encode`, such as ``sex:F``, ``weight`` and ``weight:missing``."""
        names: list[str] = []
        for factor in self.schema.factors:
            if factor.kind == "level":
                names += [f"{factor.name}:{level}" for level in factor.levels]
            elif self._in_decades(factor):
                names += [f"age:{decade}" for decade in DECADES]
            else:
                names.append(factor.name)
            names.append(f"{factor.name}:missing")
        return tuple(names)

    def encode(self, people: Sequence[Conditions]) -> NDArray[np.float32]:
        """Conditions as numbers, [len(people), len(columns)].

        Raises:
            InputError: an age outside 10 to 80 where age enters as decades.
        """
        index = {name: i for i, name in enumerate(self.columns)}
        out = np.zeros((len(people), len(index)), np.float32)
        for row, person in zip(out, people, strict=True):
            for factor in self.schema.factors:
                value = person.get(factor.name)
                if value is None:
                    row[index[f"{factor.name}:missing"]] = 1
                elif factor.kind == "level":
                    row[index[f"{factor.name}:{value}"]] = 1
                elif self._in_decades(factor):
                    row[index[f"age:{decade(float(value))}"]] = 1
                else:
                    row[index[factor.name]] = (float(value) - self.centre[factor.name]) / self.scale[factor.name]
        return out

    def outside(self, person: Conditions) -> list[str]:
        """Warnings for values beyond the range that the model was trained on, one sentence each."""
        warnings = []
        for name, (low, high) in self.trained.items():
            value = person.get(name)
            if value is not None and not low <= float(value) <= high:
                unit = self.schema[name].unit
                warnings.append(
                    f"{name} {float(value):g} {unit} is beyond the training range {low:g} to {high:g} {unit}: "
                    "the model extrapolates"
                )
        return warnings

    def _in_decades(self, factor: Factor) -> bool:
        return self.age_decades and factor.name == "age"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_json` reads it back."""
        return {
            "schema": self.schema.to_json(),
            "centre": dict(self.centre),
            "scale": dict(self.scale),
            "trained": {name: list(span) for name, span in self.trained.items()},
            "age_decades": self.age_decades,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Encoding:
        """Read what :meth:`to_json` wrote, if it goes together."""
        schema = Schema.from_json(value["schema"])
        numbers = {f.name for f in schema.factors if f.kind == "number"}
        for what in ("centre", "scale", "trained"):
            if set(value[what]) != numbers:
                raise InputError(f"{what} is of {', '.join(value[what]) or 'nothing'}: expected {', '.join(numbers)}")
        trained = {name: (span[0], span[1]) for name, span in value["trained"].items()}
        if any(low > high for low, high in trained.values()):
            raise InputError(f"trained: {trained} is no range of each")
        return cls(schema, value["centre"], value["scale"], trained, value["age_decades"])


def rounded(values: NDArray[np.floating] | np.floating | float, digits: int) -> NDArray[np.float64]:
    """Values to so many significant digits.

    >>> rounded(np.array([78.43, 0.01234, 0.0]), 2).tolist()
    [78.0, 0.012, 0.0]
    """
    values = np.asarray(values, float)
    size = np.floor(np.log10(np.abs(values), where=values != 0, out=np.zeros_like(values)))
    step = 10.0 ** (size - digits + 1)
    return np.round(np.round(values / step) * step, 12)


def _range_of(known: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 96 % of values, rounded outward to steps of a power of ten; (0, 0) of none."""
    if not known.size:
        return 0.0, 0.0
    low, high = np.quantile(known, (0.02, 0.98))
    step = 10.0 ** np.ceil(np.log10((known.std() or abs(low) / 2 or 1.0) / 4))
    low, high = np.floor(low / step) * step, np.ceil(high / step) * step
    margin = step if low == high else 0.0
    return round(float(low - margin), 12), round(float(high + margin), 12)


def decade(age: float) -> str:
    """The paper's age group of an age in years.

    >>> decade(63)
    '60-70'

    Raises:
        InputError: outside 10 to 80.
    """
    if not 10 <= age < 80:
        raise InputError(
            f"age {age:g}: this model knows age as the paper's seven decades, 10 to 80 years; "
            "train with --set age=number for others"
        )
    low = int(age // 10) * 10
    return f"{low}-{low + 10}"


def describe(person: Conditions, schema: Schema | None = None) -> str:
    """Conditions in words.

    >>> describe({"age": 63, "sex": "F", "weight": None})
    'age 63 years, sex F, weight n/a'

    Args:
        person: the conditions.
        schema: what to name, with its units; without one all of ``person``, with the units of the paper's five.
    """
    units = {factor.name: factor.unit for factor in (schema or PAPER_SCHEMA).factors}
    parts = []
    for name in schema.names if schema else person:
        value = person.get(name)
        text = "n/a" if value is None else value if isinstance(value, str) else f"{value:.4g} {units.get(name, '')}"
        parts.append(f"{name} {text}".strip())
    return ", ".join(parts)

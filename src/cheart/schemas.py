"""What each JSON file must look like before anything is made of it: types, ranges, sizes.

A file is checked whole when it is read, so that what is built of it cannot fail later in a stranger way, and nothing is
allocated for numbers that no heart has. Names and numbers are JSON's own: nothing is converted, no text is a number.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, ValidationError, create_model

from cheart.errors import InputError
from cheart.files import read_json

MOST_FRAMES = 1000
"""Frames that a cycle may have."""

MOST_MODES = 4096
"""Modes that a shape basis may have."""

MOST_SUBJECTS = 10_000_000
_SHOWN = 60  # characters of a value that a message quotes


class Open(BaseModel):
    """An object that may say more than is known of it."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False, arbitrary_types_allowed=True)


class Closed(Open):
    """An object that says what is known and nothing else."""

    model_config = ConfigDict(extra="forbid")


Finite = Annotated[float, AllowInfNan(False), Field(ge=-1e12, le=1e12)]
Positive = Annotated[float, Field(ge=1e-12, le=1e12)]
Text = Annotated[str, Field(max_length=100_000)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Frames = Annotated[int, Field(ge=1, le=MOST_FRAMES)]
Side = Annotated[int, Field(ge=1, le=4096)]
Three = Field(min_length=3, max_length=3)
Index = Annotated[int, Field(ge=0, le=4096)]
Count = Annotated[int, Field(ge=-(2**31), lt=2**31)]  # of an option: products of two fit into 64 bits
Matrix = Annotated[list[Annotated[list[Finite], Field(min_length=4, max_length=4)]], Field(min_length=4, max_length=4)]
Level = str | None


class GridJson(Closed):
    """:class:`cheart.grid.Grid`."""

    shape_zyx: Annotated[list[Side], Three]
    spacing_zyx_mm: Annotated[list[Annotated[float, Field(ge=0.01, le=100)]], Three]


class FactorJson(Closed):
    """:class:`cheart.conditions.Factor`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Literal["number", "level"]
    unit: Text = ""
    low: float = 0.0
    high: float = 0.0
    levels: list[Text] = []
    description: Text = ""


class EncodingJson(Closed):
    """:class:`cheart.conditions.Encoding`."""

    # ``schema`` is a name of pydantic's own
    factors: Annotated[list[FactorJson], Field(alias="schema", max_length=1000)]
    centre: dict[str, Finite]
    scale: dict[str, Positive]
    trained: dict[str, Annotated[list[Finite], Field(min_length=2, max_length=2)]]
    age_decades: bool


class SettingJson(Closed):
    """:class:`cheart.models.base.Setting`."""

    grid: GridJson
    frames: Frames
    encoding: EncodingJson


class PopulationJson(Closed):
    """:class:`cheart.population.Population`."""

    combinations: Annotated[list[list[Level]], Field(min_length=1)]
    fraction: list[Annotated[float, Field(gt=0, le=1)]]
    mean: list[list[Finite]]
    covariance: list[list[list[Finite]]]


class TrainedOn(Open):
    """Which cohort a model was trained on."""

    kind: Literal["simulated", "imported"]
    title: Text
    fingerprint: Digest
    subjects: Annotated[int, Field(ge=1, le=MOST_SUBJECTS)]


class ModelJson(Open):
    """A model's config.json; its options and its training are held to their classes (:func:`check_fields`)."""

    model: Annotated[str, Field(min_length=1, max_length=200)]
    source: Text | None
    options: dict[str, Any]
    setting: SettingJson
    representation: dict[str, Any]
    preset: Text
    training: dict[str, Any]
    cycle_s: Annotated[float, Field(ge=0.3, le=2)] | None
    population: PopulationJson
    trained_on: TrainedOn


class FieldGridJson(Closed):
    """:class:`cheart.models.fields.FieldGrid`."""

    grid: GridJson
    factor: Annotated[list[Side], Three]
    start: Annotated[list[Index], Three]
    stop: Annotated[list[Side], Three]


class PackedJson(Closed):
    """How a shape basis was packed."""

    step: Positive
    waves: Annotated[list[Side], Three]


class ShapeJson(Closed):
    """What config.json says of a shape basis."""

    name: Literal["shape"] = "shape"
    where: FieldGridJson
    residual_variance: Positive
    explained: Annotated[float, Field(ge=0, le=1)]
    iso_offset: Annotated[list[Annotated[float, Field(ge=-20, le=20)]], Three]
    packed: PackedJson | None = None


class RangesJson(Closed):
    """Least and largest of volumes over the cycle."""

    wall: Annotated[list[Finite], Field(min_length=2, max_length=2)]
    stroke: Annotated[list[Finite], Field(min_length=2, max_length=2)]


class VoxelJson(Closed):
    """What config.json says of label maps on voxels."""

    name: Literal["voxel"]
    ranges: RangesJson | None = None
    box: Annotated[list[Annotated[list[Index], Field(min_length=2, max_length=2)]], Three] | None = None


class Provenance(Open):
    """How something was made."""

    cheart: Text
    command: Text
    made: Text


class CohortJson(Open):
    """A cohort's cohort.json."""

    kind: Literal["simulated", "imported"]
    title: Text
    subjects: Annotated[int, Field(ge=1, le=MOST_SUBJECTS)]
    frames: Frames
    grid: GridJson
    conditions: Annotated[list[FactorJson], Field(max_length=1000)]
    fingerprint: Digest
    warnings: list[Text] = []
    provenance: Provenance


class PoseJson(Open):
    """:class:`cheart.align.placement.Placement`, and whose it is."""

    participant_id: Text
    world_to_template_mm: Matrix
    voxel_to_world_mm: Matrix
    shape_zyx: Annotated[list[Side], Three]
    planes: list[Annotated[int, Field(ge=-100_000, le=100_000)]] | None
    axes_in_file: Annotated[list[Annotated[int, Field(ge=0, le=2)]], Three]
    mirrored: bool
    slice_shifts_mm: list[Annotated[list[Finite], Field(min_length=2, max_length=2)]] | None = None


class PosesJson(Open):
    """An imported cohort's poses.json."""

    subjects: list[PoseJson]


class OfCohort(Open):
    """Which cohort a run or a result is of."""

    title: Text
    fingerprint: Digest


class MadeBy(Open):
    """What a result says of the model that made it."""

    name: Text
    trained_on: TrainedOn
    fingerprint: Digest


class ResultJson(Open):
    """A result.json: of hearts that a model made, of an evaluation, or of an experiment, which has several models."""

    kind: Text
    model: MadeBy | None = None
    provenance: Provenance
    hearts: Annotated[int, Field(ge=1)] | None = None
    subjects: Annotated[int, Field(ge=1)] | None = None
    settings: dict[str, Any] = {}
    cohort: OfCohort | None = None


class ExperimentJson(Open):
    """As much of an experiment's result.json as another experiment beside it needs."""

    plan: dict[str, Any]
    cohort: OfCohort
    results: dict[str, Any]


class Titled(Open):
    """What a model was trained on, in words."""

    title: Text


class Credit(Open):
    """What made hearts, in words."""

    name: Text
    trained_on: Titled


class CreditJson(Open):
    """As much of a result.json as a caption needs."""

    kind: Text
    model: Credit | None = None


class RunJson(Provenance):
    """A training's run.json."""

    finished: bool
    seed: Annotated[int, Field(ge=0)]
    model: Text
    preset: Text
    settings: list[Text]
    started_from: Text | None
    cohort: OfCohort
    threads: Annotated[int, Field(ge=1)]
    first_started: Text
    choices: dict[str, Text] = {}


class ColumnJson(Open):
    """A column of participants.json, as BIDS has it."""

    Description: str = ""
    Units: str = ""
    Levels: dict[str, Any] | None = None
    Minimum: float | None = None
    Maximum: float | None = None


class SidecarJson(Open):
    """What stands beside a label map."""

    SpatialReference: Any = None
    ObservedPlanes: Annotated[list[list[Index]], Field(max_length=MOST_FRAMES)] = []
    Made: str = ""
    Traced: list[Literal["lv", "myo", "rv"]] = ["lv", "myo", "rv"]


class StepJson(Closed):
    """A step in steps.json."""

    inputs: Digest
    finished: bool
    seconds: Annotated[float, Field(ge=0)]
    cheart: Text


class VerdictJson(Open):
    """Why generated hearts were not held against the truth."""

    not_judged: Text


class RecordJson(Open):
    """The record of a heart in a folder that is not finished."""

    person: dict[str, str | float | None]
    phenotypes: dict[str, str | float | None]
    cases: dict[str, Annotated[int, Field(ge=0, le=MOST_FRAMES)]]
    beside: dict[str, dict[str, str | float]] = {}
    files: dict[str, Digest]


MEND = "restore it from where it came from, or make it again"


def read_checked(path: Path, schema: type[BaseModel], *, mend: str = MEND) -> dict[str, Any]:
    """Read a JSON file that is to look as a schema has it.

    Raises:
        InputError: it is not there, no JSON, or does not; the first field that is wrong is named.
    """
    return check(read_json(path), schema, path, mend=mend)


def check(value: Any, schema: type[BaseModel], where: Path | str, *, mend: str = MEND) -> dict[str, Any]:
    """The same JSON values, which look as a schema has them.

    Args:
        value: that was read.
        schema: how it must look.
        where: it stands, for messages: a file, or a file and what of it.
        mend: what to do about it.

    Raises:
        InputError: they do not; the first field that is wrong is named.
    """
    try:
        schema.model_validate(value)
    except ValidationError as error:
        raise InputError(f"{where}: {_first(error)}; {mend}") from None
    return dict(value)


def check_each(value: Any, schema: type[BaseModel], where: Path | str, *, mend: str = MEND) -> dict[str, Any]:
    """An object of objects, each of which looks as a schema has it (:func:`check`)."""
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected an object, {{…}}, but it is {_quoted(value)}; {mend}")
    for name, item in value.items():
        check(item, schema, f"{where}: {name}", mend=mend)
    return value


def check_fields(value: Any, kind: type, where: Path | str, *, mend: str = MEND) -> dict[str, Any]:
    """JSON values by which a dataclass can be made: its fields' names and types (:func:`check`).

    JSON writes 3 for 3.0: where a float is meant, a whole number becomes one.
    """
    schema = _schema_of(kind)
    known, found = schema.model_fields, check(value, schema, where, mend=mend)
    return {name: float(v) if known[name].annotation is float else v for name, v in found.items()}


@lru_cache(maxsize=64)
def _schema_of(kind: type) -> type[BaseModel]:
    """The schema of a dataclass; its own checks follow when it is made."""
    hints = get_type_hints(kind)
    own: dict[str, Any] = {}
    for field in fields(kind):
        needed = field.default is MISSING and field.default_factory is MISSING
        hint = Count if hints[field.name] is int else hints[field.name]
        own[field.name] = (hint, ... if needed else Field(default=None))
    return create_model(kind.__name__, __base__=Closed, **own)


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, in words."""
    found = error.errors(include_url=False, include_context=False)
    one = found[0]
    field = ".".join(str(part) for part in one["loc"]) or "the whole"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    if one["type"] == "missing":
        return f"{field} is missing{more}"
    if one["type"] == "extra_forbidden":
        return f"{field} is not known here{more}"
    said = one["msg"][0].lower() + one["msg"][1:]
    return f"{field} is {_quoted(one['input'])}: {said}{more}"


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

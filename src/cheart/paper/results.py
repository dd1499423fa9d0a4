"""Results of one row of the tables, as files: one folder a row.

    evaluation/NAME/
        completion.csv, .json           one row a subject; structure-frames without a structure
        generation.csv, .json           one row a person
        generation_samples.csv          one row a generated heart
        real_seams.csv                  one row a person whose heart was observed whole
        response.json                   slopes by condition and phenotype
        memorisation.json               null where it could not be judged
        latent.json                     null of a model without an encoder
        truth.csv, .json                simulated cohorts: one row a person against the true distribution

Subjects are numbered, without names. Tables are always made of what is read back, so that whoever has the files can
make them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cheart.errors import InputError
from cheart.evaluation.completion import Completion
from cheart.evaluation.generation import Generation
from cheart.evaluation.prediction import Prediction
from cheart.evaluation.truth import Truthfulness
from cheart.files import new_file, read_json, write_json
from cheart.schemas import MEND, Open, check

Part = Literal[
    "completion", "prediction", "generation", "reference", "shapes", "physiology", "response", "memorisation", "truth",
    "latent",
]  # fmt: skip

_TABLES: dict[str, tuple[type, dict[str, str], str]] = {
    "completion": (Completion, {"completion": "subjects"}, "structures_empty"),
    "generation": (
        Generation,
        {"generation": "people", "generation_samples": "samples", "real_seams": "real_seams"},
        "structures_empty",
    ),
    "prediction": (Prediction, {"prediction": "people", "prediction_samples": "samples"}, ""),
    "reference": (
        Generation,
        {"reference": "people", "reference_samples": "samples", "real_seams": "real_seams"},
        "structures_empty",
    ),
    "truth": (Truthfulness, {"truth": "people"}, "voxels"),
}
"""Of the parts with tables: the class, its tables by the stem of their files, and what the JSON file holds."""


@dataclass(frozen=True)
class Results:
    """What was measured of one model; None for what it cannot do or what was not judged.

    Attributes:
        completion, generation: of the judges of those names.
        prediction: of :func:`cheart.evaluation.prediction.evaluate_prediction`, or of
            :mod:`cheart.evaluation.references`, as is
        reference: phenotypes of hearts that no model made.
        shapes: of :func:`cheart.evaluation.joint.evaluate_shapes`.
        physiology: of :func:`cheart.evaluation.physiology.evaluate_physiology`.
        response: of :func:`cheart.evaluation.response.evaluate_response`.
        memorisation: of :func:`cheart.evaluation.memorisation.evaluate_memorisation`.
        truth: of :func:`cheart.evaluation.truth.evaluate_truth`; of imported cohorts none is known.
        latent: of :func:`cheart.evaluation.latent.evaluate_latent`.
    """

    completion: Completion | None = None
    generation: Generation | None = None
    prediction: Prediction | None = None
    reference: Generation | None = None
    shapes: Mapping[str, Any] | None = None
    physiology: Mapping[str, Any] | None = None
    response: Mapping[str, Any] | None = None
    memorisation: Mapping[str, Any] | None = None
    truth: Truthfulness | None = None
    latent: Mapping[str, Any] | None = None

    def summary(self) -> dict[str, Any]:
        """All of it in numbers."""
        parts = {part: getattr(self, part) for part in ("completion", "prediction", "generation", "truth")}
        numbers = {part: None if found is None else found.summary() for part, found in parts.items()}
        others = ("shapes", "physiology", "response", "memorisation", "latent")
        return {**numbers, **{part: getattr(self, part) for part in others}}


def files_of(folder: Path, part: Part) -> list[Path]:
    """What :func:`write_part` writes, whoever was judged."""
    tables = [stem for stem in (_TABLES[part][1] if part in _TABLES else ()) if stem != "real_seams"]
    return [*(folder / f"{stem}.csv" for stem in tables), folder / f"{part}.json"]


def write_part(folder: Path, part: Part, found: Any) -> None:
    """Write what one judge found."""
    if part in _TABLES:
        _, tables, rest = _TABLES[part]
        for stem, attribute in tables.items():
            table: pd.DataFrame = getattr(found, attribute)
            if len(table):
                with new_file(folder / f"{stem}.csv") as partial:
                    table.to_csv(partial, index=False)
        found = {rest: getattr(found, rest)} if rest else {}
    write_json(folder / f"{part}.json", found)


def read_results(folder: Path) -> Results:
    """Read a row's folder."""
    return Results(**{part: _read(folder, part) for part in Results.__dataclass_fields__})


def _read(folder: Path, part: str) -> Any:
    if not (folder / f"{part}.json").is_file():
        return None
    value = read_json(folder / f"{part}.json")
    if part not in _TABLES:
        return value if value is None else check(value, Open, folder / f"{part}.json")
    kind, tables, rest = _TABLES[part]
    if not isinstance(value, dict) or (rest and not isinstance(value.get(rest), int | dict)):
        raise InputError(f"{folder / part}.json: expected an object with {rest}; {MEND}")
    paths = {attribute: folder / f"{stem}.csv" for stem, attribute in tables.items()}
    read = {name: pd.read_csv(path) if path.is_file() else pd.DataFrame() for name, path in paths.items()}
    return kind(**read, **({rest: value[rest]} if rest else {}))


def join_folds(folders: Sequence[Path], out: Path) -> None:
    """Write what judges found in all folds as one, subjects numbered on."""
    parts = [read_results(folder) for folder in folders]
    whole: tuple[Part, ...] = ("completion", "prediction", "generation")
    for part in whole:
        found = [getattr(one, part) for one in parts]
        if any(one is None for one in found):
            continue
        kind, tables, rest = _TABLES[part]
        sizes = [len(getattr(one, next(iter(tables.values())))) for one in found]
        stacked = {name: _stack([getattr(one, name) for one in found], sizes) for name in tables.values()}
        write_part(out, part, kind(**stacked, **({rest: sum(getattr(one, rest) for one in found)} if rest else {})))


def _stack(tables: list[pd.DataFrame], sizes: list[int]) -> pd.DataFrame:
    """Tables of the folds behind one another, with the fold, and subjects numbered on; some may be empty."""
    out, before = [], 0
    for fold, (table, size) in enumerate(zip(tables, sizes, strict=True), start=1):
        if len(table):
            numbered = table.assign(subject=table["subject"] + before)
            numbered.insert(0, "fold", fold)
            out.append(numbered)
        before += size
    return pd.concat(out, ignore_index=True) if out else pd.DataFrame()

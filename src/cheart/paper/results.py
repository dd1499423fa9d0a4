"""What the judges found, as files: one folder a model.

    evaluation/NAME/
        completion.csv, .json           one row a subject; structure-frames without a structure
        generation.csv, .json           one row a person
        generation_samples.csv          one row a generated heart
        real_seams.csv                  one row a person whose heart was observed whole
        response.json                   slopes by condition and phenotype
        memorisation.json               null where it could not be judged
        truth.csv, .json                simulated cohorts: one row a person against the true distribution

Subjects are numbered, without names. Tables are always made of what is read back, so that whoever has the files can
make them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cheart.evaluation.completion import Completion
from cheart.evaluation.generation import Generation
from cheart.evaluation.truth import Truthfulness
from cheart.files import new_file, read_json, write_json


@dataclass(frozen=True)
class Found:
    """What is known of one model; None for what it cannot do.

    Attributes:
        completion, generation: what the judges said.
        response: of :func:`cheart.evaluation.response.evaluate_response`.
        memorisation: of :func:`cheart.evaluation.memorisation.evaluate_memorisation`.
        truth: of :func:`cheart.evaluation.truth.evaluate_truth`; of imported cohorts none is known.
    """

    completion: Completion | None
    generation: Generation | None
    response: Mapping[str, Any] | None
    memorisation: Mapping[str, Any] | None
    truth: Truthfulness | None = None


def completion_files(folder: Path) -> list[Path]:
    """What :func:`write_completion` writes."""
    return [folder / "completion.csv", folder / "completion.json"]


def generation_files(folder: Path) -> list[Path]:
    """What :func:`write_generation` writes, whoever was judged."""
    return [folder / name for name in ("generation.csv", "generation_samples.csv", "generation.json")]


def write_completion(folder: Path, found: Completion) -> None:
    """Write what was found of completion."""
    _write_table(folder / "completion.csv", found.subjects)
    write_json(folder / "completion.json", {"structures_empty": found.structures_empty})


def write_generation(folder: Path, found: Generation) -> None:
    """Write what was found of generation."""
    _write_table(folder / "generation.csv", found.people)
    _write_table(folder / "generation_samples.csv", found.samples)
    if len(found.real_seams):
        _write_table(folder / "real_seams.csv", found.real_seams)
    write_json(folder / "generation.json", {"structures_empty": found.structures_empty})


def truth_files(folder: Path) -> list[Path]:
    """What :func:`write_truth` writes."""
    return [folder / "truth.csv", folder / "truth.json"]


def write_truth(folder: Path, found: Truthfulness) -> None:
    """Write how a model's hearts agree with the truth."""
    _write_table(folder / "truth.csv", found.people)
    write_json(folder / "truth.json", {"voxels": found.voxels})


def read_found(folder: Path) -> Found:
    """Read a model's folder."""
    completion = generation = None
    if (folder / "completion.json").is_file():
        told = read_json(folder / "completion.json")
        completion = Completion(_read_table(folder / "completion.csv"), told["structures_empty"])
    if (folder / "generation.json").is_file():
        told = read_json(folder / "generation.json")
        people, samples = (_read_table(folder / f"{name}.csv") for name in ("generation", "generation_samples"))
        seams = folder / "real_seams.csv"
        real = _read_table(seams) if seams.is_file() else pd.DataFrame()
        generation = Generation(people, samples, real, told["structures_empty"])
    response, memorisation = (
        read_json(path) if path.is_file() else None for path in (folder / "response.json", folder / "memorisation.json")
    )
    truth = None
    if (folder / "truth.json").is_file():
        truth = Truthfulness(_read_table(folder / "truth.csv"), read_json(folder / "truth.json")["voxels"])
    return Found(completion, generation, response, memorisation, truth)


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with new_file(path) as partial:
        table.to_csv(partial, index=False)


def _read_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)

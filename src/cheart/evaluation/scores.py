"""How good a model is on the subjects of a split: what ``cheart evaluate`` says, prints and writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cheart.cohort import Cohort, Split
from cheart.errors import InputError, check_seed
from cheart.evaluation import completion as judge_completion
from cheart.evaluation import generation as judge_generation
from cheart.evaluation import joint as judge_joint
from cheart.evaluation import memorisation as judge_memorisation
from cheart.evaluation import physiology as judge_physiology
from cheart.evaluation import prediction as judge_prediction
from cheart.evaluation import references as judge_references
from cheart.evaluation import response as judge_response
from cheart.evaluation.completion import COPIED, chosen_subjects
from cheart.evaluation.joint import HALVED, halves, joint, phenotypes_of
from cheart.evaluation.prediction import Prediction
from cheart.evaluation.score_tables import joint_table, physiology_table, prediction_tables
from cheart.evaluation.tables import (
    Estimate,
    Table,
    completion_tables,
    generation_tables,
    hypertext,
    memorisation_table,
    response_table,
)
from cheart.files import new_file, new_folder, write_json
from cheart.model import Model, load
from cheart.progress import Jobs

_SHORT = {"completed-phenotypes": "phenotypes", "table-2": "likeness", "table-3": "generated-phenotypes"}


def evaluate(
    model: Model | Path | str,
    cohort: Cohort | Path | str,
    *,
    split: Split = "test",
    task: Literal["complete", "predict", "generate", "all"] | None = None,
    samples: int = 20,
    subjects: int | None = None,
    seed: int = 0,
    jobs: Jobs | None = None,
) -> Scores:
    """The paper's Tables I to IV for one model, and what they lack, on hearts that it was not trained on.

    Args:
        model: a trained model.
        cohort: on the model's grid, with its number of frames.
        split: which subjects.
        task: what to judge: completion, draws of it (``predict``), generation; ``all`` takes long. None: completion, if
            the model can.
        samples: hearts to generate for each subject, and completions to draw.
        subjects: only the split's first so many.
        seed: of the hearts that are generated.
        jobs: processes (−1: one a core) or a Dask scheduler; the scores do not depend on them. None: one a core, and
            this one alone where a GPU does the work.

    Raises:
        InputError: a task that the model cannot do, another grid or frame count, no subjects in the split.
    """
    seed = check_seed(seed)
    model = model if isinstance(model, Model) else load(model)
    cohort = cohort if isinstance(cohort, Cohort) else Cohort.open(cohort)
    if jobs is None:
        jobs = -1 if model.network.device.type == "cpu" else 1
    can = model.network.tasks
    asked: tuple[str, ...] = (task or ("complete" if "complete" in can else "generate"),)
    if task == "all":
        asked = (*can, *(["predict"] if "complete" in can else []))
    which: dict[str, Any] = {"split": split, "subjects": subjects, "jobs": jobs}
    found: dict[str, Any] = {"structures_empty": {}, "valid": {}, "definitions": {}}
    rows: dict[str, pd.DataFrame] = {}
    if "complete" in asked:
        own = judge_completion.evaluate_completion(model, cohort, **which)
        copied = judge_completion.evaluate_completion(model, cohort, copy_first=True, **which)
        found |= {"completion": own.summary(), "first_frame_copied": copied.summary()}
        found["structures_empty"]["completion"] = own.structures_empty
        found["valid"]["completion"] = float(own.subjects["valid"].mean())
        found["definitions"]["completion"] = judge_completion.DEFINITIONS
        rows |= {"completion": own.subjects, "completion_first_frame_copied": copied.subjects}
    if "predict" in asked:
        drawn = judge_prediction.evaluate_prediction(model, cohort, samples=samples, seed=seed, **which)
        beside = _references(model, cohort, split=split, subjects=subjects, samples=samples, seed=seed, jobs=jobs)
        found["prediction"] = {name: one.summary() for name, one in {model.name: drawn, **beside}.items()}
        found["definitions"]["prediction"] = f"{judge_prediction.DEFINITIONS} {judge_references.DEFINITIONS}"
        rows |= {"prediction": drawn.people, "prediction_samples": drawn.samples}
    if "generate" in asked:
        made = judge_generation.evaluate_generation(model, cohort, samples=samples, seed=seed, **which)
        found["generation"] = {
            **made.summary(),
            "samples": samples,
            "response": judge_response.evaluate_response(model, cohort, seed=seed, **which),
            "memorisation": judge_memorisation.evaluate_memorisation(model, cohort, seed=seed, **which),
            "physiology": judge_physiology.evaluate_physiology(model, cohort, seed=seed, **which),
            "joint": {
                model.name: joint(*phenotypes_of(made)),
                HALVED: halves(phenotypes_of(made)[0]),
            },
        }
        found["structures_empty"]["generation"] = made.structures_empty
        found["valid"]["generation"] = found["generation"]["physiology"][judge_physiology.GENERATED]["valid"]
        judges = (judge_generation, judge_response, judge_memorisation, judge_physiology, judge_joint)
        found["definitions"]["generation"] = "\n".join(judge.DEFINITIONS for judge in judges)
        rows |= {"generation": made.people, "generation_samples": made.samples}
    about = {"title": cohort.info["title"], "kind": cohort.info["kind"], "fingerprint": cohort.fingerprint}
    count = len(next(iter(rows.values())))
    how = {"kind": "evaluation", "split": split, "subjects": count, "seed": seed, "cohort": about}
    return Scores(model.result(**how, **found), rows)


def _references(
    model: Model, cohort: Cohort, *, split: Split, subjects: int | None, **how: Any
) -> dict[str, Prediction]:
    """Rows that know volumes alone, learnt from the cohort's training subjects; none where these are judged."""
    learnt = cohort.indices("train")
    if split in ("train", "all") or not len(learnt):
        return {}
    indices = chosen_subjects(model, cohort, split, subjects)
    hidden = [name for name in cohort.schema.names if name not in model.encoding.schema.names]
    training = reduce(Cohort.without, hidden, cohort)
    return judge_references.reference_predictions(cohort, indices, training, **how)


@dataclass(frozen=True, eq=False)
class Scores:
    """How good a model is. Made by :func:`evaluate`.

    Attributes:
        summary: everything in numbers: what ``result.json`` says.
        rows: one row a subject, numbered, without names; by the stem of its file: completion,
            completion_first_frame_copied, prediction, prediction_samples (a row a drawn completion), generation (a row
            a person), generation_samples (a row a generated heart).
    """

    summary: Mapping[str, Any]
    rows: Mapping[str, pd.DataFrame]

    @property
    def valid(self) -> bool:
        """Whether all hearts that were made are valid (:mod:`cheart.validity`); of generated ones, one a person."""
        return all(share == 1 for share in self.summary["valid"].values())

    @cached_property
    def tables(self) -> dict[str, Table]:
        """All tables by the name that :meth:`table` takes."""
        found = [table for tables, _ in groups(self.summary).values() for table in tables]
        return {_SHORT.get(t.name, t.name.removeprefix("table-1-").removeprefix("table-4-")): t for t in found}

    def table(self, name: str | None = None) -> pd.DataFrame:
        """A table as numbers, such as ``dice``, ``hd``, ``assd``, ``phenotypes`` or ``w1``.

        Args:
            name: None for all means and SDs of all tables, one a row.

        Raises:
            InputError: there is no such table among these scores.
        """
        if name is None:
            lines = [
                (table, str(row[0]), column, cell.mean, cell.sd)
                for table, one in self.tables.items()
                for row in one.rows
                for column, cell in zip(one.columns, row, strict=True)
                if isinstance(cell, Estimate)
            ]
            return pd.DataFrame(lines, columns=["table", "row", "column", "mean", "sd"])
        if name not in self.tables:
            raise InputError(f"table {name!r}: expected one of {', '.join(self.tables)}")
        return self.tables[name].frame()

    def save(self, folder: Path | str, *, overwrite: bool = False) -> None:
        """Write ``result.json``, and a CSV file for each table of subjects.

        Raises:
            InputError: the folder exists and ``overwrite`` is false.
        """
        with new_folder(Path(folder), overwrite=overwrite) as new:
            write_json(new / "result.json", dict(self.summary))
            for name, table in self.rows.items():
                with new_file(new / f"{name}.csv") as partial:
                    table.to_csv(partial, index=False, float_format="%.6g")

    def __repr__(self) -> str:
        dice = f"; Dice {self.tables['dice'].rows[0][4]}" if "dice" in self.tables else ""
        return f"Scores: {self._heading()}{dice}; tables: {', '.join(self.tables)}"

    def __str__(self) -> str:
        """Every table as text, with its definitions."""
        parts = [self._heading()]
        for tables, beneath in groups(self.summary).values():
            parts += [*(table.text() for table in tables), beneath]
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        parts = [f"<p>{self._heading()}</p>"]
        for tables, beneath in groups(self.summary).values():
            parts += [*map(hypertext, tables), f"<p><small>{beneath}</small></p>"]
        return "\n".join(parts)

    def _heading(self) -> str:
        model, cohort = self.summary["model"], self.summary["cohort"]
        return (
            f"{self.summary['subjects']} {self.summary['split']} subjects of {cohort['title']} ({cohort['kind']}); "
            f"{model['name']} trained on {model['trained_on']['title']} ({model['trained_on']['kind']})"
        )


def groups(summary: Mapping[str, Any]) -> dict[str, tuple[list[Table], str]]:
    """By task: the tables of an evaluation's ``result.json``, and what stands beneath them."""
    name, found = summary["model"]["name"], {}
    if "completion" in summary:
        rows = {name: summary["completion"], COPIED: summary["first_frame_copied"]}
        found["completion"] = completion_tables(rows)
    if "prediction" in summary:
        found["prediction"] = prediction_tables(summary["prediction"])
    if "generation" in summary:
        made = summary["generation"]
        found["generation"] = [*generation_tables({name: made}), response_table({name: made["response"]})]
        if made["memorisation"] is not None:
            found["generation"].append(memorisation_table({name: made["memorisation"]}))
        if "joint" in made:
            found["generation"].append(joint_table(made["joint"], "Joint: the five phenotypes", "joint"))
            found["generation"].append(physiology_table(made["physiology"]))
    return {task: (tables, _beneath(summary, task)) for task, tables in found.items()}


def _beneath(summary: Mapping[str, Any], task: str) -> str:
    empty = summary["structures_empty"].get(task)
    lacking = "" if empty is None else f"Structure-frames without a structure: {empty}."
    share = summary.get("valid", {}).get(task)  # cards of before have none
    whole = "" if share is None else f"Hearts made that are valid (cheart.validity), one a person: {share:.1%}."
    silent = task == "generation" and summary["generation"]["memorisation"] is None
    why = [judge_memorisation.WHY_NOT] if silent else []
    return "\n".join(filter(None, [*why, lacking, whole, summary["definitions"][task]]))

"""What a reproduction is to do: a frozen value, written down in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cheart.errors import InputError
from cheart.files import read_json, write_json
from cheart.models.registry import BUILT_IN, model_class
from cheart.progress import Jobs
from cheart.simulation.cohort import PAPER_SUBJECTS
from cheart.training.options import PRESETS

MODELS = tuple(BUILT_IN)
"""All five; ours first."""

OURS = "cheart"
"""The model that the others are tested against."""

COPIED = "first frame copied"
"""The row that any completion has to beat."""

PLAN = "plan.json"


@dataclass(frozen=True)
class Scale:
    """How much of a preset there is.

    Attributes:
        people: simulated subjects, where no cohort is given.
        grid: theirs.
        subjects: held-out subjects that are judged; None for all.
        samples: hearts generated for each.
        ageing: hearts of each sex and age in the figure of ageing.
    """

    people: int
    grid: str
    subjects: int | None
    samples: int
    ageing: int = 200


SCALES = {
    "quick": Scale(people=120, grid="half", subjects=None, samples=10, ageing=20),
    "laptop": Scale(people=PAPER_SUBJECTS, grid="paper", subjects=None, samples=20),
    "paper": Scale(people=PAPER_SUBJECTS, grid="paper", subjects=None, samples=20),
}


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Attributes:
        out: the folder.
        preset: of the trainings, and of the scale.
        models: which, in the order of the tables.
        cohort: where it is; None for one to simulate in ``out``.
        people: subjects to simulate.
        grid: of the simulated cohort.
        subjects: held-out subjects to judge, None for all.
        samples: hearts to generate for each.
        seed: of everything.
        device: where to train and to judge.
        jobs: who does the work (:data:`cheart.progress.Jobs`); None for a process a core, and one alone where a GPU
            judges.
        start_from: a trained model that ours goes on from, as :func:`cheart.models.find.find_model` takes it.
        folds: of a cross-validation in place of the cohort's own split.
    """

    out: Path
    preset: str
    models: tuple[str, ...]
    cohort: Path | None
    people: int
    grid: str
    subjects: int | None
    samples: int
    seed: int
    device: str
    jobs: Jobs | None
    start_from: str | None = None
    folds: int | None = None

    @property
    def scale(self) -> Scale:
        """The preset's."""
        return SCALES[self.preset]

    def lasting(self, cohort: str | None) -> dict[str, Any]:
        """What one folder is made of, once and for all; models can be added, devices and jobs can change.

        Args:
            cohort: the fingerprint of the one that was given; None for one that is simulated.
        """
        simulated = f"{self.people} simulated on the {self.grid} grid"
        told = {"preset": self.preset, "cohort": cohort or simulated, "seed": self.seed}
        told |= {"subjects": "all" if self.subjects is None else self.subjects, "samples": self.samples}
        if self.start_from is not None:
            told["from"] = Path(self.start_from).name
        return told if self.folds is None else {**told, "folds": self.folds}


def make_plan(
    out: Path,
    *,
    preset: str = "laptop",
    models: Sequence[str] = MODELS,
    cohort: Path | None = None,
    subjects: int | None = None,
    samples: int | None = None,
    seed: int = 0,
    device: str = "auto",
    jobs: Jobs | None = None,
    start_from: str | None = None,
    folds: int | None = None,
) -> Plan:
    """A plan; what is left out is the preset's.

    Raises:
        InputError: an unknown preset or model, or no model at all; folds or a model to go on from without a cohort.
    """
    if cohort is None and (folds is not None or start_from is not None):
        raise InputError("--folds and --from take a cohort of yours: name it with --cohort")
    if start_from is not None and OURS not in models:
        raise InputError(f"--from: only {OURS} goes on from a model, and --models {','.join(models)} is without it")
    if preset not in PRESETS:
        raise InputError(f"--preset {preset!r}: expected one of {', '.join(PRESETS)}")
    if not models:
        raise InputError(f"--models names none: expected some of {', '.join(MODELS)}")
    for name in models:
        model_class(name)
    scale = SCALES[preset]
    return Plan(
        out=out,
        preset=preset,
        models=tuple(name for name in MODELS if name in models),
        cohort=cohort,
        people=scale.people,
        grid=scale.grid,
        subjects=scale.subjects if subjects is None else subjects,
        samples=scale.samples if samples is None else samples,
        seed=seed,
        device=device,
        jobs=jobs,
        start_from=start_from,
        folds=folds,
    )


def claim_folder(plan: Plan, cohort: str | None) -> None:
    """Write the plan into its folder, or see that it is the one that stands there.

    Args:
        plan: what is asked for.
        cohort: the fingerprint of the cohort that was given, None for one that is simulated.

    Raises:
        InputError: the folder holds something else, or was begun with other options.
    """
    path, now = plan.out / PLAN, plan.lasting(cohort)
    if not path.is_file():
        # a kill while the plan itself was being written leaves its beginning behind
        if plan.out.exists() and (
            not plan.out.is_dir() or any(not p.name.startswith(".partial-") for p in plan.out.iterdir())
        ):
            raise InputError(f"{plan.out} holds something that cheart reproduce did not make; choose another -o OUT")
        write_json(path, now)
        return
    before = read_json(path)
    for name in dict.fromkeys([*now, *before]):
        asked = now.get(name, "none")
        if before.get(name, "none") != asked:
            raise InputError(
                f"{plan.out} was begun with --{name} {before.get(name, 'none')}, and this asks for {asked}; "
                f"choose another -o OUT, or the --{name} that it was begun with"
            )

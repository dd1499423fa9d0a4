"""What an experiment is: models, a cohort, folds and a preset, and the runs that it is made of.

OUT/
    plan.json, steps.json   what was asked; what is done, of which inputs, in what time
    cohort/                 simulated, where none was given
    prepared/               what the models share of it
    models/NAME/            a run of cheart train
    evaluation/NAME/        one row a subject (cheart.paper.results)
    tables/                 CSV, Markdown and LaTeX
    figures/                PNG and SVG, where there is one fold
    result.json             everything, for machines
    report.html             everything, for people

With more folds than one, prepared/, models/ and evaluation/ stand in folds/K/; evaluation/ holds all folds together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from cheart.cohort import Cohort
from cheart.conditions import DIAGNOSIS
from cheart.errors import InputError
from cheart.evaluation.completion import COPIED
from cheart.files import read_json, write_json
from cheart.grid import Grid
from cheart.models.base import HeartModel, Task
from cheart.models.device import choose_device
from cheart.models.find import PAPER, find_model
from cheart.models.registry import PAPER_MODELS, model_class
from cheart.models.store import WEIGHTS, read_model
from cheart.paper.folds import split_into_folds
from cheart.paper.run import Run
from cheart.progress import Jobs
from cheart.schemas import Open, check
from cheart.simulation.cohort import PAPER_SUBJECTS
from cheart.training.options import PRESETS

PLAN = "plan.json"


@dataclass(frozen=True)
class Scale:
    """How much of a preset there is.

    Attributes:
        people: simulated subjects, where no cohort is given.
        grid: theirs.
        samples: hearts generated for each subject.
        ageing: hearts of each sex and age in the figure of ageing.
    """

    people: int
    grid: str
    samples: int
    ageing: int = 200


SCALES = {
    "quick": Scale(people=120, grid="half", samples=20, ageing=20),
    "laptop": Scale(people=PAPER_SUBJECTS, grid="paper", samples=20),
    "paper": Scale(people=PAPER_SUBJECTS, grid="paper", samples=20),
}


@dataclass(frozen=True)
class Experiment:
    """What is asked for.

    Attributes:
        out: the folder.
        preset: of the trainings, and of the scale.
        models: which, in the order of the tables, as :func:`cheart.models.registry.model_class` takes them. The others
            are tested against the first.
        cohort: where it is; None for one to simulate in ``out``.
        subjects: held-out subjects to judge, None for all.
        samples: hearts to generate for each, None for the preset's.
        seed: of everything.
        device: where to train and to judge.
        jobs: who does the work (:data:`cheart.progress.Jobs`); None for a process a core, and one alone where a GPU
            judges.
        start_from: a trained model that is fine-tuned, as :func:`cheart.models.find.find_model` takes it, in place of
            a training of its name from scratch.
        folds: 1 is the cohort's own split; more, a cross-validation, in which every subject is held out once.
        networks: ``preset`` trains what the preset says; ``paper`` trains the paper's voxel networks, on the half grid
            where a cohort is simulated, and takes the one that comes with cheart as it is.
        trained: a folder of runs by model, such as ``models`` of another experiment, which are taken as they are.
        beside: another experiment's folder, whose rows stand beside these; of the same people.
        with_diagnosis: also train every model that completes with the diagnosis as a condition, in a row of its own.
            Without, no model is given it.
        test: another cohort, all of whose subjects are judged in place of the held-out ones.

    Raises:
        InputError: an unknown preset or model, no model, one twice; folds or fine-tuning without a cohort, or with
            models that are trained already; folds and another cohort to judge.
    """

    out: Path
    preset: str = "laptop"
    models: tuple[str, ...] = PAPER_MODELS
    cohort: Path | None = None
    subjects: int | None = None
    samples: int | None = None
    seed: int = 0
    device: str = "auto"
    jobs: Jobs | None = None
    start_from: str | None = None
    folds: int = 1
    networks: Literal["preset", "paper"] = "preset"
    trained: Path | None = None
    beside: Path | None = None
    with_diagnosis: bool = False
    test: Path | None = None

    def __post_init__(self) -> None:
        if (self.folds != 1 or self.start_from is not None) and (self.networks, self.trained) != ("preset", None):
            raise InputError("--networks and --runs take models as they are; leave --folds and --from out")
        if self.test is not None and self.folds != 1:
            raise InputError(
                "--test takes all subjects of another cohort, and --folds those of this one: leave one out"
            )
        if self.cohort is None and (self.folds != 1 or self.start_from is not None):
            raise InputError("--folds and --from take a cohort of yours: name it with --cohort")
        if self.preset not in PRESETS:
            raise InputError(f"--preset {self.preset!r}: expected one of {', '.join(PRESETS)}")
        if not self.models or len(self.classes) < len(self.models):
            raise InputError(f"--models {','.join(self.models)}: name at least one model, and each once")

    @cached_property
    def classes(self) -> dict[str, type[HeartModel]]:
        """All models that were asked for, by name."""
        return {model.name: model for model in map(model_class, self.models)}

    @property
    def names(self) -> list[str]:
        """The models that are trained: in a cross-validation those that complete, which is what it judges."""
        return [name for name in self.classes if self.folds == 1 or self.can(name, "complete")]

    @property
    def reference(self) -> str:
        """The model that the others are tested against."""
        return self.names[0]

    def can(self, name: str, task: Task) -> bool:
        """Whether a model can do a task."""
        return task in self.classes[name].tasks

    def generating(self) -> list[str]:
        """The models that generate: in a cross-validation the reference alone, because it takes the longest."""
        among = self.names if self.folds == 1 else self.names[:1]
        return [name for name in among if self.can(name, "generate")]

    @property
    def scale(self) -> Scale:
        """The preset's; the paper's networks are on the half grid."""
        scale = SCALES[self.preset]
        return scale if self.networks == "preset" else replace(scale, grid="half")

    @property
    def training_preset(self) -> str:
        """The preset of the trainings."""
        return self.preset if self.networks == "preset" else "paper"

    @cached_property
    def taken(self) -> dict[str, Path]:
        """The folders of the models that are not trained here, by name; a run of one's own comes before cheart's.

        Raises:
            InputError: ``trained`` holds no run of any model that was asked for.
        """
        folders = {name: self.trained / name for name in self.names if self.trained is not None}
        found = {name: folder for name, folder in folders.items() if (folder / WEIGHTS).is_file()}
        if folders and not found:
            raise InputError(f"--runs {self.trained}: no folder there is a run and called {' or '.join(folders)}")
        if self.networks == "paper":
            folder = find_model(PAPER)
            own = read_model(folder).network
            if own.name in self.names and self._space in (None, (own.setting.grid, own.setting.frames)):
                found = {own.name: folder, **found}
        return found

    @property
    def _space(self) -> tuple[Grid, int] | None:
        """The cohort's, where one was given."""
        return None if self.cohort is None else (self.people.grid, self.people.frames)

    @property
    def hearts(self) -> int:
        """Hearts to generate for each subject."""
        return self.scale.samples if self.samples is None else self.samples

    @cached_property
    def people(self) -> Cohort:
        """The cohort, as soon as it is there."""
        return Cohort.open(self.out / "cohort" if self.cohort is None else self.cohort)

    @cached_property
    def judged(self) -> Cohort | None:
        """The other cohort that is judged, all of it.

        Raises:
            InputError: it is on another grid, or has another number of frames.
        """
        if self.test is None:
            return None
        other = Cohort.open(self.test)
        if (other.grid, other.frames) != (self.people.grid, self.people.frames):
            grid, frames = self.people.grid.name, self.people.frames
            raise InputError(
                f"--test {self.test}: {other.frames} frames on {other.grid.name}, but --cohort has {frames} on {grid}; "
                f"make it with --grid {grid} --frames {frames}"
            )
        return other

    @cached_property
    def splits(self) -> list[Cohort]:
        """The cohort in the split of each fold; with one fold in its own."""
        return [self.people] if self.folds == 1 else split_into_folds(self.people, self.folds, seed=self.seed)

    @cached_property
    def start(self) -> tuple[str, Path] | None:
        """The name and the folder of the model that is fine-tuned.

        Raises:
            InputError: there is none, or none of its name is trained.
        """
        if self.start_from is None:
            return None
        folder = find_model(self.start_from)
        name = read_model(folder).network.name
        if name not in self.names:
            asked = ",".join(self.models)
            raise InputError(f"--from {self.start_from}: only {name} goes on from it, and --models {asked} is without")
        return name, folder

    def runs(self) -> list[Run]:
        """Every model on every split, fold by fold; behind them those that are given the diagnosis too."""
        return [run for fold in range(self.folds) for run in [*self.models_of(fold), *self.diagnosed(fold)]]

    def models_of(self, fold: int) -> list[Run]:
        """Every model on one split, all given the same."""
        return [Run(self, name, fold) for name in self.names]

    def diagnosed(self, fold: int) -> list[Run]:
        """The models that complete, once more, with the diagnosis as a condition: an ablation."""
        return [
            Run(self, name, fold, diagnosed=True)
            for name in self.names
            if self.with_diagnosis and self.can(name, "complete")
        ]

    def before(self, fold: int) -> Run | None:
        """The model that is fine-tuned, as it was, if it can complete."""
        if self.start is None or not self.can(self.start[0], "complete"):
            return None
        return Run(self, self.start[0], fold, as_it_was=True)

    def places(self) -> list[Path]:
        """The folder of each fold."""
        return list(dict.fromkeys(run.place for run in self.runs()))

    def rows(self) -> list[str]:
        """The rows of the tables."""
        before = self.before(0)
        copied = [COPIED] if any(self.can(name, "complete") for name in self.names) else []
        diagnosed = [run.row for run in self.diagnosed(0)]
        return [*self.names, *([] if before is None else [before.row]), *copied, *diagnosed]

    def check(self) -> None:
        """Refuse what cannot be done, before anything is written.

        Raises:
            InputError: too few subjects for the folds, no model that can complete for them, none to fine-tune, no
            diagnosis.
        """
        if not self.names:
            asked = ",".join(self.models)
            raise InputError(f"--folds judges completion, and of --models {asked} none can; add cheart or pca")
        if self.cohort is not None:
            _ = self.splits, self.start, self.judged
        _ = self.taken
        if self.beside is not None and not (self.beside / "result.json").is_file():
            raise InputError(f"--beside {self.beside} is no finished folder of cheart reproduce: it has no result.json")
        if self.with_diagnosis and (self.cohort is None or DIAGNOSIS not in self.people.schema.names):
            raise InputError(f"--with-diagnosis: the cohort has no condition {DIAGNOSIS!r}; leave it out")

    def claim_folder(self) -> None:
        """Write the plan into the folder, or see that it is the one that stands there.

        Raises:
            InputError: the folder holds something else, or was begun with other options.
        """
        path, now = self.out / PLAN, self.lasting()
        if not path.is_file():
            # a kill while the plan itself was being written leaves its beginning behind
            if self.out.exists() and (not self.out.is_dir() or not _only_partial(self.out.iterdir())):
                raise InputError(f"{self.out} holds something that cheart reproduce did not make; choose another OUT")
            write_json(path, now)
            return
        before = check(read_json(path), Open, path)
        for name in dict.fromkeys([*now, *before]):
            asked, was = now.get(name, "none"), before.get(name, "none")
            if was != asked:
                raise InputError(
                    f"{self.out} was begun with --{name} {was}, and this asks for {asked}; "
                    f"choose another -o OUT, or the --{name} that it was begun with"
                )

    def lasting(self) -> dict[str, Any]:
        """What one folder is made of, once and for all; models can be added, devices and jobs can change."""
        simulated = f"{self.scale.people} simulated on the {self.scale.grid} grid"
        plan = {
            "preset": self.preset,
            "cohort": simulated if self.cohort is None else self.people.fingerprint,
            "seed": self.seed,
            "subjects": "all" if self.subjects is None else self.subjects,
            "samples": self.hearts,
        }
        if self.start_from is not None:
            plan["from"] = Path(self.start_from).name
        if self.networks != "preset":
            plan["networks"] = self.networks
        if self.judged is not None:
            plan["test"] = self.judged.fingerprint
        return plan if self.folds == 1 else {**plan, "folds": self.folds}

    def judging_jobs(self) -> Jobs:
        """Processes that judge."""
        if self.jobs is not None:
            return self.jobs
        return -1 if choose_device(self.device).type == "cpu" else 1


def _only_partial(paths: Iterable[Path]) -> bool:
    return all(path.name.startswith(".partial-") for path in paths)

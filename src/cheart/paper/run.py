"""One training and what it is judged on: a model, on the split of one fold of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cheart.cohort import Cohort, Split
from cheart.conditions import DIAGNOSIS
from cheart.models.store import WEIGHTS

if TYPE_CHECKING:
    from cheart.paper.experiment import Experiment


@dataclass(frozen=True)
class Run:
    """One model on one split.

    Attributes:
        experiment: that it belongs to.
        name: of the model.
        fold: counted from 0.
        as_it_was: not trained here: the model that the experiment fine-tunes.
        diagnosed: given the diagnosis as a condition.
    """

    experiment: Experiment
    name: str
    fold: int = 0
    as_it_was: bool = False
    diagnosed: bool = False

    @property
    def training(self) -> Cohort:
        """Whose training and validation subjects it is trained on, with the conditions that it is given."""
        people = self.experiment.splits[self.fold]
        return people if self.diagnosed else people.without(DIAGNOSIS)

    @property
    def cohort(self) -> Cohort:
        """Whom it is judged on: the test subjects of its fold, or all of another cohort (:attr:`split`)."""
        return self.experiment.splits[self.fold] if self.experiment.judged is None else self.experiment.judged

    @property
    def split(self) -> Split:
        """Of :attr:`cohort`."""
        return "test" if self.experiment.judged is None else "all"

    @property
    def start(self) -> Path | None:
        """The model that it goes on from."""
        start = self.experiment.start
        return start[1] if start is not None and start[0] == self.name else None

    @property
    def model(self) -> str:
        """The model as it was asked for: a name, or a file and a class in it."""
        return dict(zip(self.experiment.classes, self.experiment.models, strict=True))[self.name]

    @property
    def row(self) -> str:
        """What the tables call it."""
        if self.diagnosed:
            return f"{self.name} with {DIAGNOSIS}"
        return f"{self.name} as it was" if self.as_it_was else self.name

    @property
    def taken(self) -> Path | None:
        """The folder of a model that is taken as it is."""
        return None if self.diagnosed else self.experiment.taken.get(self.name)

    @property
    def label(self) -> str:
        """It stands before the names of its steps."""
        return "" if self.experiment.folds == 1 else f"fold {self.fold + 1}: "

    @property
    def place(self) -> Path:
        """The folder of its fold."""
        out = self.experiment.out
        return out if self.experiment.folds == 1 else out / "folds" / str(self.fold + 1)

    @property
    def folder(self) -> Path:
        """The folder of its training."""
        if self.as_it_was:
            assert self.start is not None
            return self.start
        return self.taken or self.place / "models" / row_folder(self.row)

    @property
    def weights(self) -> Path:
        """The file of its weights."""
        return self.folder / WEIGHTS

    @property
    def evaluation(self) -> Path:
        """Where its results lie."""
        return self.place / "evaluation" / row_folder(self.row)

    def seconds(self, what: str) -> float:
        """What a heart costs one core on the half grid, roughly: to ``train`` on, to ``complete``, to ``generate``."""
        return self.experiment.classes[self.name].seconds_per_heart.get(what, 0.0)

    def step(self, verb: str) -> str:
        """The name of one of its steps."""
        return f"{self.label}{verb} {self.row}"


def row_folder(row: str) -> str:
    """The name of the folder where the results of a row of the tables lie."""
    return row.replace(" ", "-")

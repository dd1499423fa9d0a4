"""What the figures of the paper's experiments share: what they are made of, and how a journal's page looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cheart.cohort import Cohort, Split
from cheart.evaluation.tables import PHENOTYPES
from cheart.files import new_file
from cheart.heart import Heart
from cheart.model import Model
from cheart.models.registry import style_of
from cheart.phenotypes import TITLES, UNITS
from cheart.plot.shaded import shaded_image, view_side_mm
from cheart.plot.style import TEXT
from cheart.plot.views import INK, Image, Window
from cheart.progress import parallel

if TYPE_CHECKING:
    from cheart.evaluation.generation import Generation
    from cheart.models.base import Task

WIDTH = 7.16
"""Inches: two columns of the journal."""

DPI = 300

STYLE: Any = {
    "font.size": 7, "axes.labelsize": 7, "axes.titlesize": 7.5, "xtick.labelsize": 6.5, "ytick.labelsize": 6.5,
    "legend.fontsize": 7, "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5, "xtick.major.pad": 2, "ytick.major.pad": 2,
    "axes.labelpad": 2, "lines.linewidth": 1.3, "text.color": TEXT, "axes.labelcolor": TEXT, "axes.edgecolor": TEXT,
    "xtick.color": TEXT, "ytick.color": TEXT, "svg.hashsalt": "cheart", "image.interpolation": "antialiased",
}  # fmt: skip
"""Settings of matplotlib under which figures are drawn."""

INK_HEX = "#{:02x}{:02x}{:02x}".format(*INK)

Item = TypeVar("Item")
Result = TypeVar("Result")


class CannotDraw(Exception):
    """A figure that makes no sense for these models or this cohort; the message says why."""


@dataclass(frozen=True)
class Material:
    """What figures are made of.

    Attributes:
        models: the trained models by name, in the order of the comparison.
        cohort: whose held-out people they are judged on, on the models' grid, with their number of frames.
        generations: what :func:`cheart.evaluation.generation.evaluate_generation` found on the same split, by model.
        seed: of all that is drawn.
        jobs: worker processes, −1 for one a core.
        split: the people.
        subjects: people over whom Fig. 3 averages and of whom Fig. 6 shows trajectories, at most.
        samples: hearts a sex and age in Fig. 7.
        remark: says what goes on.
    """

    models: Mapping[str, Model]
    cohort: Cohort
    generations: Mapping[str, Generation] = field(default_factory=dict)
    seed: int = 0
    jobs: int = 1
    split: Split = "test"
    subjects: int = 20
    samples: int = 200
    remark: Callable[[str], None] = lambda _: None

    @property
    def simulated(self) -> bool:
        """Whether the cohort's hearts are simulated, which a reader has to know."""
        return bool(self.cohort.info["kind"] == "simulated")

    @property
    def held_out(self) -> str:
        """What the cohort's own hearts are called."""
        return "simulated" if self.simulated else "real"

    @property
    def people(self) -> list[int]:
        """Rows of the cohort that are judged; person n of a judge's tables is the n-th of them.

        Raises:
            CannotDraw: there are none.
        """
        found = [int(i) for i in self.cohort.indices(self.split)]
        if not found:
            raise CannotDraw(f"the cohort has no {self.split} subjects")
        return found

    @property
    def generated(self) -> dict[str, Generation]:
        """What the models here generated.

        Raises:
            CannotDraw: nothing.
        """
        found = {name: g for name, g in self.generations.items() if name in self.models}
        if not found:
            raise CannotDraw("no model generated hearts for the held-out people")
        return found

    def able(self, task: Task) -> dict[str, Model]:
        """The models that can do a task.

        Raises:
            CannotDraw: none can.
        """
        found = {name: model for name, model in self.models.items() if task in model.network.tasks}
        if not found:
            raise CannotDraw(f"none of the models ({', '.join(self.models) or 'none given'}) can {task}")
        return found

    def lead(self, task: Task) -> tuple[str, Model]:
        """The model that a figure of one model shows: the first that can do the task."""
        return next(iter(self.able(task).items()))

    def each(self, work: Callable[[Item], Result], items: Sequence[Item], what: str) -> list[Result]:
        """Map over items, in order, in this figure's processes, and remark on how far it is."""
        found: list[Result] = []
        for result in parallel(work, items, jobs=self.jobs):
            found.append(result)
            self.remark(f"{what} {len(found)} of {len(items)}")
        return found

    def training_sentence(self, models: Mapping[str, Model]) -> str:
        """The sentence on the models' training for a caption; models of one training cohort share it."""
        by_cohort: dict[str, list[str]] = {}
        for name, model in models.items():
            by_cohort.setdefault(model.trained_on, []).append(style_of(name).label)
        return " ".join(f"{', '.join(names)} trained on {cohort}." for cohort, names in by_cohort.items())

    def cohort_sentence(self, n: int, what: str = "held-out subjects") -> str:
        """The sentence on the cohort for a caption."""
        warning = " Simulated hearts, not patients." if self.simulated else ""
        return f"Cohort: {self.cohort.info['title']} ({self.cohort.info['kind']}); {n} {what}.{warning}"


@dataclass(frozen=True)
class Drawn:
    """A figure with its words."""

    figure: Figure
    caption: str


def save(figure: Figure, png: Path, svg: Path) -> None:
    """Write a figure as PNG and as SVG, each whole or not at all; the same figure gives the same bytes."""
    for path in (png, svg):
        with new_file(path) as partial:
            metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
            figure.savefig(partial, dpi=DPI, metadata=metadata)


def phenotype_columns(left: float) -> list[tuple[str, str, float, float]]:
    """A column of panels for each phenotype: its key and title, and the panels' left edge and width in inches."""
    gap, count = 0.36, len(PHENOTYPES)
    width = (WIDTH - left - 0.06 - gap * (count - 1)) / count
    return [(n, f"{TITLES[n]} ({UNITS[n]})", left + k * (width + gap), width) for k, n in enumerate(PHENOTYPES)]


def plain(axes: Axes) -> None:
    """Axes with the left and the lower spine only."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))


def show(axes: Axes, image: Image, extent: tuple[float, float, float, float] | None = None) -> None:
    """An image without axes."""
    axes.set_axis_off()
    axes.imshow(image, extent=extent, interpolation="antialiased")


def solid(heart: Heart, frame: int, window: Window, pixels: float) -> Image:
    """A frame as a shaded solid, in a view so wide."""
    return shaded_image(heart.labels[frame], heart.grid, window, pixels / view_side_mm(window))


def tight(images: Sequence[Image], margin: int = 6) -> list[Image]:
    """Images of one size [H, W, 3], all cut down to the box in which any of them shows something."""
    painted = np.any([(image < 255).any(axis=2) for image in images], axis=0)
    if not painted.any():
        return list(images)
    rows, columns = np.flatnonzero(painted.any(axis=1)), np.flatnonzero(painted.any(axis=0))
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    return [image[top : rows[-1] + margin + 1, left : columns[-1] + margin + 1] for image in images]

"""Figures 3 to 7 of the paper for any models and cohort, and Figure T, the truth that only a simulated cohort has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl

from cheart.paper import figure_ageing, figure_completion, figure_density, figure_latent, figure_people, figure_truth
from cheart.paper.figure_page import STYLE, CannotDraw, Drawn, Material, save
from cheart.progress import bar


@dataclass(frozen=True)
class FigureFile:
    """One figure in a folder, or why it is not there.

    Attributes:
        folder: where its files lie.
        name: their stem.
        number: as the paper counts, such as ``Figure 3``.
        title: what it shows.
        caption: what a reader must know: how many hearts, of which model and cohort, the seed, how to read it.
        skipped: why it was not drawn; empty where it was.
    """

    folder: Path
    name: str
    number: str
    title: str
    caption: str = ""
    skipped: str = ""

    @property
    def png(self) -> Path:
        """The picture for a page."""
        return self.folder / f"{self.name}.png"

    @property
    def svg(self) -> Path:
        """The drawing for print."""
        return self.folder / f"{self.name}.svg"

    @property
    def reason(self) -> str:
        """Why it was not drawn, as a sentence."""
        return f"{self.number} ({self.title}) was not drawn: {self.skipped}"


FIGURES: tuple[tuple[str, str, str, Callable[[Material], Drawn]], ...] = (
    ("figure-3-completion", "Figure 3", "Completion over the cardiac cycle", figure_completion.draw),
    ("figure-4-people", "Figure 4", "Generated hearts of two people", figure_people.draw),
    ("figure-5-age", "Figure 5", "Phenotypes against age", figure_density.draw),
    ("figure-6-latent", "Figure 6", "The beat in latent space", figure_latent.draw),
    ("figure-7-ageing", "Figure 7", "Ageing hearts", figure_ageing.draw),
    ("figure-t-truth", "Figure T", "The true conditional distribution", figure_truth.draw),
)


def make_figures(material: Material, folder: Path) -> list[FigureFile]:
    """Draw every figure that a material's models and cohort allow into a folder, as PNG and as SVG.

    Files of the same names are replaced.

    Returns:
        One entry a figure in the paper's order; one that could not be drawn says why in ``skipped``.
    """
    files = []
    with bar(len(FIGURES), "Drawing figures") as move:
        for done, (name, number, title, draw) in enumerate(FIGURES):

            def remark(text: str, done: int = done, number: str = number) -> None:
                move(done, f"{number}: {text}")

            remark("drawing")
            file = FigureFile(folder, name, number, title)
            try:
                with mpl.rc_context(STYLE):
                    drawn = draw(replace(material, remark=remark))
                    save(drawn.figure, file.png, file.svg)
                files.append(replace(file, caption=drawn.caption))
            except CannotDraw as reason:
                files.append(replace(file, skipped=str(reason)))
            move(done + 1, "")
    return files

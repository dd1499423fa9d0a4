"""Fig. 6: where the latents of beating hearts lie in latent space, and what some of them decode to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from cheart.evaluation.completion import encoded_conditions
from cheart.heart import Heart
from cheart.hearts import person_seed
from cheart.model import Model
from cheart.models.registry import style_of
from cheart.paper.figure_page import DPI, INK_HEX, WIDTH, CannotDraw, Drawn, Material, show, solid, tight
from cheart.plot.style import GREY, Sheet, structure_legend
from cheart.plot.views import Image, window_around

SHOWN = 8
"""Decoded frames, as many as in the paper."""

_COLOURS = "twilight"
_FEWEST = 5
_LEFT, _HEAD, _FOOT = 0.24, 0.26, 0.46  # inches
_MAP, _SMALL = 3.15, 1.75  # sides of the maps
_CELL, _LEAD = 0.72, 0.16


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Latents of generated hearts in two dimensions.

    Attributes:
        whole: [N, T, 2], t-SNE of the latents.
        motion: [N, T, 2], t-SNE of the latents less their mean over the cycle.
        heart: the heart whose frames are shown, decoded.
        which: its place among the N.
    """

    whole: NDArray[np.float64]
    motion: NDArray[np.float64]
    heart: Heart
    which: int


def draw(material: Material) -> Drawn:
    """Lay the latents of generated hearts out and draw them.

    Raises:
        CannotDraw: no CHeart among the models (the others have one latent a beat), or too few people.
    """
    found = [(name, model) for name, model in material.models.items() if model.network.latent_per_frame]
    if not found:
        raise CannotDraw("no model has a latent a frame; these have one for the whole beat")
    name, model = found[0]
    data = _gather(material, model)
    n, frames = data.whole.shape[:2]
    caption = (
        f"t-SNE of the latents of all {frames} frames of {n} hearts that {style_of(name).label} generated, one for "
        f"each of as many held-out people's conditions; a dot is a frame, its colour the time in the cycle, a line one "
        f"heart's beat. (a) The latents, with frames of the outlined heart decoded around them. (b) The latents less "
        f"each heart's mean over the cycle: the motion without the anatomy. Distances between far points of a t-SNE "
        f"mean nothing. "
        f"{material.training_sentence({name: model})} {material.cohort_sentence(n)} Seed {material.seed}."
    )
    return Drawn(figure(data).figure, caption)


def _gather(material: Material, model: Model) -> Trajectories:
    rows = material.people[: material.subjects]
    if len(rows) < _FEWEST:
        raise CannotDraw(f"a map of latents needs {_FEWEST} people, but there are {len(rows)}")
    latents = []
    for number, index in enumerate(rows, start=1):
        latent = model.network.sample_latent(person_seed(material.seed, number, 0))
        latents.append(model.network.trajectory(latent, encoded_conditions(model, material.cohort, index)))
    stacked = np.stack(latents).astype(float)
    motion = stacked - stacked.mean(axis=1, keepdims=True)
    which = int(np.argsort(np.square(motion).sum(axis=(1, 2)), kind="stable")[len(rows) // 2])
    latent = model.network.sample_latent(person_seed(material.seed, which + 1, 0))
    labels = model.network.decode(latent, encoded_conditions(model, material.cohort, rows[which]))
    maps = [_flat(points, material.seed) for points in (stacked, motion)]
    return Trajectories(maps[0], maps[1], model.heart(labels), which)


def _flat(points: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """t-SNE of [N, T, size] to [N, T, 2]."""
    from sklearn.manifold import TSNE

    n, frames, size = points.shape
    perplexity = min(30.0, (n * frames - 1) / 4)
    flat = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(points.reshape(-1, size))
    return np.asarray(flat, float).reshape(n, frames, 2)


# -- drawing -------------------------------------------------------------------------------------------------------


def figure(data: Trajectories) -> Sheet:
    """The map of the latents with decoded frames on both its sides; a small one of the motion on the right."""
    sheet = Sheet(WIDTH, _HEAD + _MAP + _FOOT)
    left, right = _CELL + _LEAD + 0.05, WIDTH - _SMALL - 0.05
    large = sheet.axes(left, _HEAD, _MAP, _MAP)
    small = sheet.axes(right, _HEAD, _SMALL, _SMALL)
    for axes, points, title in ((large, data.whole, "latents"), (small, data.motion, "latents less each heart's mean")):
        _draw_map(axes, points, data.which)
        axes.set_title(title, pad=4)
    _draw_frames(sheet, large, data, left)
    sheet.letter(0.04, 0.04, "a")
    sheet.letter(right - 0.16, 0.04, "b")
    _draw_clock(sheet, right, data.whole.shape[1])
    structure_legend(sheet, size=7)
    return sheet


def _draw_map(axes: Axes, points: NDArray[np.float64], which: int) -> None:
    """Every heart a closed line, every frame a dot in the colour of its time; one heart outlined."""
    frames = points.shape[1]
    closed = np.concatenate([points, points[:, :1]], axis=1)
    for line in closed:
        axes.plot(*line.T, color="#c9c9cf", lw=0.4, zorder=1)
    colours = colormaps[_COLOURS](np.arange(frames) / frames)
    (x, y), every = points.reshape(-1, 2).T, np.tile(colours, (len(points), 1))
    axes.scatter(x, y, c=every, s=6, lw=0.15, ec="#55555c", zorder=2)
    axes.plot(*closed[which].T, color=INK_HEX, lw=1.0, zorder=3)
    axes.scatter(points[which, :, 0], points[which, :, 1], c=colours, s=15, lw=0.6, ec=INK_HEX, zorder=4)
    axes.set(xticks=[], yticks=[], xlabel="t-SNE 1")


def _draw_frames(sheet: Sheet, axes: Axes, data: Trajectories, x: float) -> None:
    """Decoded frames on both sides of a map, each led to its dot."""
    frames = sorted({k * data.heart.frames // SHOWN for k in range(SHOWN)})
    images, points = _decoded(data.heart, frames), data.whole[data.which][frames]
    rows = (len(frames) + 1) // 2
    middles = [_HEAD + (k % rows + 0.5) * _MAP / rows for k in range(len(frames))]
    corners = [x - _LEAD - _CELL if k < rows else x + _MAP + _LEAD for k in range(len(frames))]
    edges = [c + _CELL if k < rows else c for k, c in enumerate(corners)]
    slots = np.stack([np.array(edges) / sheet.width, 1 - np.array(middles) / sheet.height], axis=1)
    places = sheet.figure.transFigure.inverted().transform(axes.transData.transform(points))
    size = np.array([sheet.width, sheet.height])
    # leads of the least total length never cross
    _, chosen = linear_sum_assignment(cdist(places * size, slots * size))
    for k, slot in enumerate(chosen):
        tall = _CELL * images[k].shape[0] / images[k].shape[1]
        top = middles[slot] - tall / 2
        show(sheet.axes(corners[slot], top, _CELL, tall), images[k])
        sheet.text(corners[slot] + _CELL / 2, top + tall - 0.01, f"frame {frames[k]}", size=6.5, ha="center")
        line = {"arrowstyle": "-", "color": GREY, "lw": 0.5, "shrinkA": 1, "shrinkB": 2}
        axes.annotate("", points[k], slots[slot], textcoords="figure fraction", arrowprops=line, annotation_clip=False)


def _decoded(heart: Heart, frames: list[int]) -> list[Image]:
    (window,) = window_around([heart])
    return tight([solid(heart, t, window, 1.35 * DPI * _CELL) for t in frames])


def _draw_clock(sheet: Sheet, x: float, frames: int) -> None:
    """What the colours mean: a strip from end-diastole to end-diastole."""
    axes = sheet.axes(x + 0.1, _HEAD + _SMALL + 0.42, _SMALL - 0.2, 0.10)
    axes.imshow(colormaps[_COLOURS](np.arange(frames) / frames)[None], aspect="auto", interpolation="nearest")
    axes.set(yticks=[], xticks=[0, frames // 2, frames - 1])
    axes.set_xlabel("frame (0: end-diastole)", labelpad=1)
    axes.tick_params(length=1.5)

"""Pictures of a report as text (SVG) or bytes (PNG, GIF): bull's-eye, z-scores, curves over age, the beat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Wedge

from cheart.heart import Heart
from cheart.normal.findings import Finding
from cheart.normal.measures import MEASURES, PHASES
from cheart.normal.norms import Norms
from cheart.normal.published import published
from cheart.normal.segments import MIDDLES_DEG
from cheart.plot.style import GREY, TEXT, Sheet

MODEL, OTHER, PERSON = "#3b6fb6", "#b5651d", "#111111"
"""Colours of the model, of publications and of the person: told apart without red against green."""

_RINGS = ((3.0, 4.0), (2.0, 3.0), (1.0, 2.0))
_SCALE = 3.0  # z at which colour is full
_CURVES = ("lvedv", "lvesv", "lvef", "lvm", "rvedv", "wall_mean")


def colour_of(z: float) -> str:
    """From thin or small (brown) over usual (white) to thick or large (purple)."""
    return (
        "#dddddd"
        if math.isnan(z)
        else to_hex(colormaps["PuOr"](0.5 + float(np.clip(z, -_SCALE, _SCALE)) / (2 * _SCALE)))
    )


def bulls_eye(thickness: Sequence[float], z: Sequence[float]) -> str:
    """The 17 segments as the American Heart Association draws them, seen from the apex: anterior up, septum left.

    Args:
        thickness: [17] mm, nan where a segment was not seen.
        z: [17], nan where nothing is judged.
    """
    sheet = Sheet(3.4, 3.6)
    axes = sheet.axes(0.1, 0.05, 3.2, 3.2)
    _bare(axes, 4.35)
    number = 0
    for (inner, outer), middles in zip(_RINGS, MIDDLES_DEG, strict=True):
        for middle in middles:
            width = 360 / len(middles)
            drawn = 180 - middle  # the page has the septum left, the template pose has it at +x
            axes.add_patch(Wedge((0, 0), outer, drawn - width / 2, drawn + width / 2, width=outer - inner, lw=0.7,
                                 facecolor=colour_of(z[number]), edgecolor="#555555"))  # fmt: skip
            at = math.radians(drawn)
            r = (inner + outer) / 2
            _number(axes, r * math.cos(at), r * math.sin(at), thickness[number], z[number])
            number += 1
    axes.add_patch(Wedge((0, 0), 1.0, 0, 360, lw=0.7, facecolor=colour_of(z[16]), edgecolor="#555555"))
    _number(axes, 0, 0, thickness[16], z[16])
    for x, y, word in ((0, 4.18, "anterior"), (0, -4.2, "inferior"), (-4.2, 0, "septal"), (4.2, 0, "lateral")):
        axes.text(x, y, word, ha="center", va="center", fontsize=7, color=GREY, rotation=90 if y == 0 else 0)
    for k, score in enumerate((-3, -2, 0, 2, 3)):
        x = 0.42 + k * 0.55
        axes = sheet.axes(x, 3.32, 0.16, 0.14)
        _bare(axes, 1)
        axes.set_facecolor(colour_of(score))
        axes.set_axis_on()
        axes.set_xticks([]), axes.set_yticks([])
        sheet.text(x + 0.2, 3.31, f"z {score:+d}" if score else "z 0", size=6.5, colour=GREY)
    return _svg(sheet.figure)


def z_scores(findings: Sequence[Finding]) -> str:
    """Where the person lies, in standard deviations: by the model with its error, and by each published range."""
    shown = [f for f in findings if math.isfinite(f.z) or f.published]
    row, top = 0.2, 0.45
    sheet = Sheet(6.6, top + row * len(shown) + 0.3)
    axes = sheet.axes(2.05, top, 3.4, row * len(shown))
    axes.set_xlim(-5, 5)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.axvspan(-1.96, 1.96, color=MODEL, alpha=0.12, lw=0)
    axes.axvline(0, color=MODEL, lw=0.6)
    for y, f in enumerate(shown):
        if math.isfinite(f.z):
            axes.errorbar([np.clip(f.z, -4.9, 4.9)], [y], xerr=[[1.96 * f.error], [1.96 * f.error]], fmt="o", ms=4.5,
                          color=PERSON, lw=1, clip_on=True)  # fmt: skip
        for p in f.published:
            z = float(np.clip(p.z, -4.9, 4.9))
            mark = "s" if p.range.per_surface else "D"
            axes.plot([z], [y], mark, ms=4, mfc="none", mec=OTHER, mew=1)
        sheet.text(1.95, top + row * (y + 0.5) - 0.06, f.measure.title, size=7, ha="right")
        text = "" if math.isnan(f.z) else f"{f.z:+.1f} ± {f.error:.1f}   {f.centile:.0f}"
        sheet.text(5.55, top + row * (y + 0.5) - 0.06, text, size=7)
    sheet.text(2.05 + 1.7, 0.05, "standard deviations from what is expected for this person", size=7.5, ha="center")
    sheet.text(5.5, 0.22, "z ± error   centile", size=7, colour=GREY)
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(labelsize=6.5, length=2, colors=GREY)
    for side in axes.spines.values():
        side.set_visible(False)
    foot = "● by the model (bar: 95 % interval of z)   ◇ published, absolute   □ published, per body surface"
    sheet.text(0.1, sheet.height - 0.22, foot, size=6.8, colour=GREY)
    return _svg(sheet.figure)


def over_age(norms: Norms, conditions: dict[str, object], findings: Sequence[Finding], slices_mm: float | None) -> str:
    """Six measures against age, all else as the person's: the model's median and central 95 %, the published range."""
    low, high = norms.encoding.trained.get("age", (20.0, 70.0))
    ages = np.linspace(low, high, 12)
    normals = [norms.given({**conditions, "age": float(age)}, slices_mm=slices_mm) for age in ages]
    found = {f.measure.name: f for f in findings}
    sheet = Sheet(6.6, 3.7)
    for k, name in enumerate(n for n in _CURVES if n in norms.names):
        axes = sheet.axes(0.45 + k % 3 * 2.15, 0.25 + k // 3 * 1.7, 1.65, 1.2)
        bands = np.array([[n.quantile(name, s) for s in (0.025, 0.5, 0.975)] for n in normals])
        axes.fill_between(ages, bands[:, 0], bands[:, 2], color=MODEL, alpha=0.18, lw=0)
        axes.plot(ages, bands[:, 1], color=MODEL, lw=1.3)
        spans = [published(name, {**conditions, "age": float(age)})[:1] for age in ages]  # type: ignore[dict-item]
        if all(spans):
            for end in ("low", "high"):
                axes.plot(ages, [getattr(s[0], end) for s in spans], color=OTHER, lw=1, ls=(0, (4, 2)))
        age = conditions.get("age")
        if name in found:
            if age is None:
                axes.axhline(found[name].value, color=PERSON, lw=1)
            else:
                axes.plot([float(str(age))], [found[name].value], "o", color=PERSON, ms=5, zorder=5)
        axes.set_title(f"{MEASURES[name].title} ({MEASURES[name].unit})", fontsize=7, color=TEXT, pad=3)
        axes.tick_params(labelsize=6.5, length=2, colors=GREY)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.set_xlabel("age (years)" if k > 2 else "", fontsize=6.5, color=GREY, labelpad=1)
    foot = (
        "● this person   blue: median and central 95 % by the model, all else as this person's   dashed: published 95 %"
    )
    sheet.text(0.1, sheet.height - 0.2, foot, size=6.8, colour=GREY)
    return _svg(sheet.figure)


def volume_curve(values: dict[str, float], heart: Heart, normal: object | None) -> str:
    """LV volume in % of end-diastole over the cycle, and the central 95 % of what is normal."""
    from cheart.normal.norms import Normal

    sheet = Sheet(3.3, 2.2)
    axes = sheet.axes(0.5, 0.15, 2.65, 1.5)
    phases = np.arange(PHASES + 1) / PHASES
    names = [f"curve_{i:02}" for i in range(1, PHASES)]
    if isinstance(normal, Normal) and all(n in normal.names for n in names):
        bands = np.array([[normal.quantile(n, s) for s in (0.025, 0.5, 0.975)] for n in names])
        bands = np.vstack([[100] * 3, bands, [100] * 3])
        axes.fill_between(phases, bands[:, 0], bands[:, 2], color=MODEL, alpha=0.18, lw=0)
        axes.plot(phases, bands[:, 1], color=MODEL, lw=1)
    lv = heart.curves[:, 0]
    t = np.append(np.arange(len(lv)) / len(lv), 1)
    axes.plot(
        t, 100 * np.append(lv, lv[0]) / lv[0], color=PERSON, lw=1.4, marker="" if np.isfinite(lv).all() else "o", ms=4
    )
    axes.set_xlabel("fraction of the cycle", fontsize=7, color=TEXT, labelpad=1)
    axes.set_ylabel("LV volume, % of EDV", fontsize=7, color=TEXT, labelpad=2)
    axes.set_xlim(0, 1), axes.set_ylim(0, 110)
    axes.tick_params(labelsize=6.5, length=2, colors=GREY)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return _svg(sheet.figure)


def still(heart: Heart, title: str) -> bytes:
    """The heart at end-diastole and end-systole, as PNG."""
    image = BytesIO()
    heart.plot(title=title).savefig(image, format="png", dpi=110)
    return image.getvalue()


def beating(heart: Heart, title: str) -> bytes:
    """The heart as it beats, as GIF."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "beat.gif"
        heart.animate(path, title=title)
        return path.read_bytes()


def _bare(axes: Axes, half: float) -> None:
    axes.set_xlim(-half, half), axes.set_ylim(-half, half)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _number(axes: Axes, x: float, y: float, mm: float, z: float) -> None:
    text = "–" if math.isnan(mm) else f"{mm:.1f}"
    axes.text(x, y, text, ha="center", va="center", fontsize=8, color="white" if abs(z) > 2.2 else TEXT)


def _svg(figure: Figure) -> str:
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()

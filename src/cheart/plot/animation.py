"""Hearts that beat: a shaded view, a short axis and two long axes in step, above volume curves; as GIF, WebP or MP4."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from cheart.errors import InputError
from cheart.files import new_file, refuse_existing
from cheart.heart import Heart
from cheart.labels import COLOURS, STRUCTURES
from cheart.plot.shaded import shaded_image, view_side_mm
from cheart.plot.style import CAVITIES, GREY, Sheet, all_titles, cavity_ml, draw_curves, foot, times, top_ml
from cheart.plot.views import FADED, INK, Image, Window, cut_image, long_axis_yx, short_axis_planes, window_around
from cheart.progress import track

_DPI = 100
_HEAD, _CURVE, _FOOT, _GAP = 0.50, 1.0, 0.78, 0.22  # inches
_VIEWS = ("", "short axis, middle", "4-chamber-like", "2-chamber-like")


def save_animation(
    path: Path | str,
    hearts: Sequence[Heart],
    *,
    titles: Sequence[str] | None = None,
    caption: str = "",
    overwrite: bool = True,
) -> None:
    """Write beating hearts, one block a heart, all to one scale and in step.

    Args:
        path: a ``.gif`` or ``.webp``; ``.mp4`` where the package imageio-ffmpeg is installed.
        hearts: they share one beat, as long as the first heart's own (1 s where that is not known);
            hearts with other frame counts show the frame of the same phase.
        titles: what to say of each beside its kind; without them, the conditions.
        caption: a line for the foot.
        overwrite: replace what is there.

    Raises:
        InputError: no heart, another suffix, or no imaged plane with an LV at end-diastole.
    """
    path = Path(path)
    check_suffix(path)
    refuse_existing(path, overwrite=overwrite, file=True)
    count = max((heart.frames for heart in hearts), default=0)
    images = list(track(animate(hearts, titles=titles, caption=caption), total=count, title="Drawing"))
    cycle = hearts[0].cycle_s
    with new_file(path) as partial:
        write_movie(partial, images, (cycle if np.isfinite(cycle) else 1.0) / count)


def animate(hearts: Sequence[Heart], *, titles: Sequence[str] | None = None, caption: str = "") -> Iterator[Image]:
    """The images of one beat, each [height, width, 3] uint8.

    Raises:
        InputError: no heart, or no imaged plane with an LV at end-diastole.
    """
    stage = _stage(hearts, all_titles(hearts, titles), caption)
    count = max(heart.frames for heart in hearts)
    for i in range(count):
        page = Pillow.fromarray(stage.background)
        for block in stage.blocks:
            _draw_block(page, block, i * block.heart.frames // count, stage.cell)
        yield np.asarray(page)


@dataclass(frozen=True)
class _Block:
    """One heart's place: its upper left corner and its curves' points, in pixels."""

    heart: Heart
    planes: tuple[int, int, int]  # short axis, four-chamber, two-chamber
    window: Window
    corner: tuple[int, int]
    dots: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class _Stage:
    background: Image
    blocks: list[_Block]
    cell: int


def _stage(hearts: Sequence[Heart], titles: Sequence[str], caption: str) -> _Stage:
    """Everything that does not move, drawn once."""
    cell = {1: 230, 2: 210}.get(len(hearts), 180)
    windows = window_around(hearts)
    block = 2 * cell / _DPI
    sheet = Sheet(
        max(len(hearts) * (block + _GAP) + _GAP, 5.2),
        round(_HEAD * _DPI + 2 * cell + (_CURVE + _FOOT) * _DPI) // 2 * 2 / _DPI,
    )
    left = (sheet.width - len(hearts) * (block + _GAP) + _GAP) / 2
    top, axes = top_ml(hearts), []
    for i, (heart, title) in enumerate(zip(hearts, titles, strict=True)):
        x = left + i * (block + _GAP)
        sheet.text(x + block / 2, 0.06, _two_lines(title, round(block * 14)), size=8.5, ha="center")
        for k, name in enumerate(_VIEWS):
            u, v = x + (k % 2 + 0.5) * cell / _DPI, _HEAD + (k // 2) * cell / _DPI
            sheet.text(u, v - 0.03, name, size=6.5, ha="center", colour=GREY)
        axes.append(sheet.axes(x + 0.42, _HEAD + 2 * cell / _DPI + 0.16, block - 0.48, _CURVE - 0.10))
        draw_curves(axes[-1], heart, top)
    foot(sheet, hearts, caption)
    sheet.figure.set_dpi(_DPI)
    canvas = sheet.figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    background = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    blocks = []
    for i, (heart, window, axis) in enumerate(zip(hearts, windows, axes, strict=True)):
        dots = {}
        for name in CAVITIES:
            points = axis.transData.transform(np.column_stack([times(heart)[:-1], cavity_ml(heart, name)]))
            dots[name] = [(float(x), background.shape[0] - float(y)) for x, y in points]
        corner = (round((left + i * (block + _GAP)) * _DPI), round(_HEAD * _DPI))
        blocks.append(_Block(heart, (short_axis_planes(heart)["mid"], *long_axis_yx(heart)), window, corner, dots))
    return _Stage(background, blocks, cell)


def _two_lines(text: str, width: int) -> str:
    """Text on one line, or broken at the comma nearest to its middle where it does not fit."""
    commas = [i + 1 for i, letter in enumerate(text) if letter == ","]
    if len(text) <= width or not commas:
        return "\n".join(textwrap.wrap(text, width)[:2])
    cut = min(commas, key=lambda i: abs(i - len(text) / 2))
    return text[:cut] + "\n" + text[cut:].strip()


def _draw_block(page: Pillow.Image, block: _Block, frame: int, cell: int) -> None:
    seen = bool(block.heart.observed[frame].any())
    for k, view in enumerate(_views(block, frame, cell)):
        u = block.corner[0] + (k % 2) * cell + (cell - view.shape[1]) // 2
        v = block.corner[1] + (k // 2) * cell + (cell - view.shape[0]) // 2
        page.paste(Pillow.fromarray(_multiply(view, page, u, v)), (u, v))
    if not seen:
        where = (block.corner[0] + cell, block.corner[1] + cell - 16)
        ImageDraw.Draw(page).text(where, "frame not observed", fill=INK, anchor="mm", font=ImageFont.load_default(13))
    for name, points in block.dots.items():
        if np.isfinite(points[frame]).all():
            _dot(page, points[frame], COLOURS[STRUCTURES[name]])


def _views(block: _Block, frame: int, cell: int) -> list[Image]:
    heart, window = block.heart, block.window
    scale = cell / (2 * max(window.half))
    z, y, x = block.planes
    solid = shaded_image(heart.labels[frame], heart.grid, window, cell / view_side_mm(window))
    if not heart.observed[frame].any():
        solid = (255 - (255 - solid.astype(float)) * FADED).astype(np.uint8)
    return [
        solid,
        cut_image(heart, frame, "short", z, window, scale),
        cut_image(heart, frame, "four_chamber", y, window, scale),
        cut_image(heart, frame, "two_chamber", x, window, scale),
    ]


def _multiply(view: Image, page: Pillow.Image, u: int, v: int) -> Image:
    """The view over what is already there (a heading), as ink on paper."""
    under = np.asarray(page.crop((u, v, u + view.shape[1], v + view.shape[0])), np.uint16)
    return (under * view // 255).astype(np.uint8)


def _dot(page: Pillow.Image, at: tuple[float, float], colour: tuple[int, int, int], radius: float = 4.5) -> None:
    x, y = at
    reach = int(radius + 2)
    left, top = int(x) - reach, int(y) - reach
    n, fine = 2 * reach + 1, 8
    mask = Pillow.new("L", (n * fine, n * fine))
    centre = ((x - left) * fine, (y - top) * fine)
    ImageDraw.Draw(mask).circle(centre, radius * fine, fill=255)
    page.paste(colour, (left, top), mask.resize((n, n), Pillow.Resampling.BOX))


SUFFIXES = (".gif", ".webp", ".mp4")
_REPEATS = 4  # an MP4 does not loop by itself


def check_suffix(path: Path) -> None:
    """Refuse a name that cannot be written, before any work is done.

    Raises:
        InputError: not .gif, .webp or .mp4, or .mp4 without the package imageio-ffmpeg.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"animation {path.name!r}: expected a name that ends in {', '.join(SUFFIXES)}")
    if suffix == ".mp4" and find_spec("imageio_ffmpeg") is None:
        raise InputError(
            f"{path.name}: MP4 needs the package imageio-ffmpeg (pip install 'cheart[mp4]'); or write .gif or .webp"
        )


def write_movie(path: Path, images: list[Image], frame_s: float) -> None:
    """Write images [height, width, 3] as an endless loop (an MP4 holds a few beats).

    Args:
        path: ends in .gif, .webp or .mp4.
        images: all of one size; for MP4 an even number of pixels each way.
        frame_s: time from one image to the next in s.
    """
    suffix = path.suffix.lower()
    if suffix == ".mp4":
        _write_mp4(path, images, frame_s)
        return
    pages = [Pillow.fromarray(image) for image in images]
    if suffix == ".gif":
        palette = _palette(pages)
        pages = [page.quantize(palette=palette, dither=Pillow.Dither.NONE) for page in pages]
    milliseconds = round(frame_s * 100) * 10  # a GIF counts hundredths of a second
    options = {"quality": 82, "method": 4} if suffix == ".webp" else {"optimize": False}
    pages[0].save(path, save_all=True, append_images=pages[1:], loop=0, duration=max(20, milliseconds), **options)


def _palette(pages: list[Pillow.Image]) -> Pillow.Image:
    """One palette for all frames, so that colours do not flicker: taken from a few frames together."""
    some = pages[:: max(1, len(pages) // 4)][:4]
    width, height = some[0].size
    strip = Pillow.new("RGB", (width, height * len(some)))
    for i, page in enumerate(some):
        strip.paste(page, (0, i * height))
    palette = strip.quantize(256, method=Pillow.Quantize.MEDIANCUT)
    colours = np.array(palette.getpalette(), np.uint8).reshape(-1, 3)
    colours[(colours >= 248).all(axis=1)] = 255  # paper stays white
    palette.putpalette(colours.ravel().tolist())
    return palette


def _write_mp4(path: Path, images: list[Image], frame_s: float) -> None:
    imageio_ffmpeg = import_module("imageio_ffmpeg")  # an extra: it may not be there
    height, width = images[0].shape[:2]
    writer = imageio_ffmpeg.write_frames(str(path), (width, height), fps=1 / frame_s, macro_block_size=2)
    writer.send(None)
    for image in images * _REPEATS:
        writer.send(np.ascontiguousarray(image))
    writer.close()

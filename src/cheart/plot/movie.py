"""Images into a file that plays: GIF, WebP, or MP4 where ffmpeg is at hand."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from cheart.errors import InputError
from cheart.plot.views import Image

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

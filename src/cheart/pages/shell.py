"""One self-contained HTML file: the page that ``make web`` builds, with data in it."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart._version import __version__
from cheart.errors import InputError
from cheart.files import new_file, refuse_existing
from cheart.heart import Heart
from cheart.mesh.template import load_template

PAGE = Path(__file__).parents[1] / "web" / "page.html"
"""What ``make web`` builds of ``web/``; it is in the wheel."""

TYPES = ("float32", "int16", "uint16", "uint8")


def packed(array: NDArray[Any], *, scale: float | None = None, deflated: bool = False) -> dict[str, Any]:
    """An array as the page's ``data.js`` reads it back.

    Args:
        array: numbers, which become float32 unless they are int16, uint16 or uint8.
        scale: store whole 16-bit numbers of this step in their place.
        deflated: compress it.
    """
    if scale is not None:
        array = np.round(np.asarray(array) / scale).astype(np.int16)
    elif str(array.dtype) not in TYPES:
        array = np.asarray(array, np.float32)
    raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    data = b64encode(zlib.compress(raw, 9) if deflated else raw).decode()
    how = {"type": str(array.dtype), "shape": list(array.shape), "data": data}
    return how | ({"scale": scale} if scale else {}) | ({"deflated": True} if deflated else {})


def write_page(
    out: Path | str, kind: str, title: str, about: Mapping[str, Any], arrays: Mapping[str, dict[str, Any]], *,
    picture: bytes = b"", overwrite: bool = False,
) -> None:  # fmt: skip
    """Write a page, whole or not at all.

    Args:
        out: ends with ``.html``.
        kind: which page it is to ``main.js``.
        title: of the window.
        about: plain JSON values.
        arrays: as :func:`packed` gives them.
        picture: a PNG, for browsers that cannot draw in three dimensions.
        overwrite: replace what is there.

    Raises:
        InputError: another suffix, ``out`` exists, or nobody has built the page.
    """
    out = Path(out)
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{out.name}: expected a name that ends in .html (-o {out.stem or 'page'}.html)")
    refuse_existing(out, overwrite=overwrite, file=True)
    data = {"kind": kind, "title": title, "version": __version__, **about, "arrays": dict(arrays)}
    if picture:
        data["picture"] = "data:image/png;base64," + b64encode(picture).decode()
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    page = _built().replace("<title>cheart</title>", f"<title>{escape(title)}</title>", 1)
    page = page.replace("<!--DATA-->", f'<script type="application/json" id="cheart-data">{text}</script>', 1)
    with new_file(out) as partial:
        partial.write_text(page, encoding="utf-8")


def template_arrays() -> dict[str, dict[str, Any]]:
    """The faces of the common mesh, and what each belongs to."""
    template = load_template()
    faces = template.faces.astype(np.uint16)
    return {"faces": packed(faces), "part": packed(template.part), "regions": packed(template.regions)}


def template_spans() -> list[list[int]]:
    """The first vertex of each part, and the one after its last."""
    return [[span.start, span.stop] for span in load_template().spans.values()]


def png_of(heart: Heart) -> bytes:
    """A still picture of a heart."""
    image = BytesIO()
    heart.plot().savefig(image, format="png", dpi=90)
    return image.getvalue()


def _built() -> str:
    if not PAGE.is_file():
        raise InputError("the pages' JavaScript is not built: run make web (or make install) in the checkout first")
    return PAGE.read_text(encoding="utf-8")

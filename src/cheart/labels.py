"""Labels: the canonical numbers, foreign schemes, and the topology that tells when a scheme is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError

BACKGROUND, LV, MYO, RV = 0, 1, 2, 3

STRUCTURES: dict[str, int] = {"lv": LV, "myo": MYO, "rv": RV}
"""Short names of the three structures, in the order of every table."""

TITLES: dict[str, str] = {"lv": "LV cavity", "myo": "Myocardium", "rv": "RV cavity"}

COLOURS: dict[int, tuple[int, int, int]] = {LV: (204, 62, 36), MYO: (234, 200, 150), RV: (20, 104, 176)}
"""Red, green and blue, 0 to 255, of each label in pictures, meshes and label descriptions.

Red-orange and blue are the pair that every common colour blindness keeps apart; the myocardium between them is a light
sand, which differs from both in lightness too (in grey: 40, 80 and 34 %).
"""

MYOCARDIUM_G_PER_ML = 1.05
"""Density of myocardium: LV mass in g is its volume in mL times this."""

Scheme = Mapping[int, int]
"""From a foreign label to a canonical one; 0 is background in every scheme."""

SCHEMES: dict[str, Scheme] = {
    "cheart": {0: BACKGROUND, 1: LV, 2: MYO, 3: RV},
    "ukbb": {0: BACKGROUND, 1: LV, 2: MYO, 3: RV},
    "mnms": {0: BACKGROUND, 1: LV, 2: MYO, 3: RV},
    "acdc": {0: BACKGROUND, 1: RV, 2: MYO, 3: LV},
    "ukdhp": {0: BACKGROUND, 1: LV, 2: MYO, 4: RV},
}

_ENCLOSED = 0.75
"""Fraction of the LV cavity's in-plane boundary that must be myocardium. Real maps have 0.95 and more, an RV
cavity about 0.35 and a myocardial ring about 0.45."""


def hex_colour(label: int) -> str:
    """A structure's colour as ``#rrggbb``.

    >>> hex_colour(LV)
    '#cc3e24'
    """
    return "#{:02x}{:02x}{:02x}".format(*COLOURS[label])


def parse_scheme(text: str | Scheme) -> Scheme:
    """Read a scheme's name or an explicit map such as ``1=lv,2=myo,3=rv``; a scheme comes back as it is.

    >>> parse_scheme("acdc")
    {0: 0, 1: 3, 2: 2, 3: 1}
    >>> parse_scheme("1=lv,2=myo,4=rv") == parse_scheme("ukdhp")
    True

    Raises:
        InputError: neither a known name nor a map of three different labels to lv, myo and rv.
    """
    if not isinstance(text, str):
        return text
    if text in SCHEMES:
        return SCHEMES[text]
    expected = f"one of {', '.join(SCHEMES)} or a map such as 1=lv,2=myo,3=rv"
    scheme = {0: BACKGROUND}
    for part in text.split(","):
        number, _, name = part.partition("=")
        if not number.strip().isdigit() or name.strip().lower() not in STRUCTURES:
            raise InputError(f"label scheme {text!r}: cannot read {part!r}; expected {expected}")
        if int(number) in scheme:
            raise InputError(f"label scheme {text!r}: label {int(number)} is given twice (0 is background)")
        scheme[int(number)] = STRUCTURES[name.strip().lower()]
    if sorted(scheme.values()) != [BACKGROUND, LV, MYO, RV]:
        raise InputError(f"label scheme {text!r}: each of lv, myo and rv once; expected {expected}")
    return scheme


def scheme_text(scheme: Scheme) -> str:
    """The text that :func:`parse_scheme` reads back.

    >>> scheme_text(SCHEMES["acdc"])
    '1=rv,2=myo,3=lv'
    """
    names = {number: name for name, number in STRUCTURES.items()}
    return ",".join(f"{foreign}={names[ours]}" for foreign, ours in sorted(scheme.items()) if ours)


def to_canonical(array: NDArray, scheme: Scheme) -> NDArray[np.uint8]:
    """Translate foreign labels to canonical ones.

    >>> to_canonical(np.array([0, 1, 2, 3]), SCHEMES["acdc"])
    array([0, 3, 2, 1], dtype=uint8)

    Args:
        array: any shape, whole numbers.
        scheme: foreign label to canonical label.

    Raises:
        InputError: a label that the scheme does not have, or values that are not whole numbers.
    """
    present = np.unique(array)
    if not np.all(np.equal(np.mod(present, 1), 0)):
        raise InputError(
            f"the values are not whole numbers ({present[:4].tolist()} …): this looks like an image or a "
            "probability map; give the label map"
        )
    strange = [int(v) for v in present if int(v) not in scheme]
    if strange:
        raise InputError(
            f"label {strange[0]} is not in the scheme {scheme_text(scheme)!r} "
            f"(labels found: {', '.join(str(int(v)) for v in present)}); name the right scheme with --scheme, "
            f"one of {', '.join(SCHEMES)} or a map such as 1=lv,2=myo,3=rv"
        )
    canonical = np.zeros(array.shape, np.uint8)
    for foreign, ours in scheme.items():
        if ours:
            canonical[array == foreign] = ours
    return canonical


def enclosure(labels: NDArray[np.uint8], inner: int, outer: int = MYO) -> float:
    """The fraction of a structure's in-plane boundary that touches another structure.

    Args:
        labels: [Z, Y, X]; only faces within a plane count, so an open base and thick slices do no harm.
        inner: the structure whose boundary is walked.
        outer: the structure that should be on the other side.

    Returns:
        0 to 1; nan where ``inner`` has no boundary.
    """
    padded = np.pad(labels, ((0, 0), (1, 1), (1, 1)))
    touching = total = 0
    for axis in (1, 2):
        low = np.take(padded, range(padded.shape[axis] - 1), axis)
        high = np.take(padded, range(1, padded.shape[axis]), axis)
        for one, other in ((low, high), (high, low)):
            across = other[(one == inner) & (other != inner)]
            total += across.size
            touching += int((across == outer).sum())
    return touching / total if total else float("nan")


def check_topology(labels: NDArray[np.uint8], *, what: str = "the label map") -> None:
    """Refuse a frame whose labels cannot be a heart: empty, or LV and RV (or myocardium) exchanged.

    Args:
        labels: [Z, Y, X], canonical, planes along the slice axis.
        what: how to call the input in the message.

    Raises:
        InputError: a structure is empty, the LV cavity is not enclosed by myocardium, or the RV does not
            touch the myocardium from outside. Names the scheme that would fit, if one does.
    """
    for name, number in STRUCTURES.items():
        if not (labels == number).any():
            raise InputError(
                f"{what}: no voxel of the {TITLES[name]} (canonical label {number}). Mend the segmentation, "
                "name the right scheme with --scheme, or leave the subject out with --skip-bad"
            )
    if _fits(labels):
        return
    for order in permutations((LV, MYO, RV)):
        mapping = np.array([BACKGROUND, *order], np.uint8)
        if order != (LV, MYO, RV) and _fits(mapping[labels]):
            names = {LV: "LV cavity", MYO: "myocardium", RV: "RV cavity"}
            read = ", ".join(
                f"what was read as {names[was]} looks like the {names[now]}"
                for was, now in zip((LV, MYO, RV), order, strict=True)
                if was != now
            )
            raise InputError(f"{what}: labels are exchanged: {read}. Name the right scheme with --scheme")
    raise InputError(
        f"{what}: only {enclosure(labels, LV):.0%} of the LV cavity's boundary is myocardium (expected at least "
        f"{_ENCLOSED:.0%}) or the RV does not touch the wall from outside, and no exchange of labels mends it. "
        "Check the segmentation, or leave the subject out with --skip-bad"
    )


def check_partial(labels: NDArray[np.uint8], traced: Collection[str], *, what: str = "the label map") -> None:
    """Refuse a frame of which not all structures were traced, if those that were cannot be a heart's.

    Args:
        labels: [Z, Y, X], canonical, planes along the slice axis.
        traced: short names of the structures that were.
        what: how to call the input in the message.

    Raises:
        InputError: one of them is empty, another is there, or the myocardium was traced and does not enclose the LV.
    """
    for name, number in STRUCTURES.items():
        if (labels == number).any() != (name in traced):
            held = "no voxel of" if name in traced else "voxels, and none were expected, of"
            raise InputError(f"{what}: {held} the {TITLES[name]} (canonical label {number}); mend the segmentation")
    if "myo" in traced and enclosure(labels, LV) < _ENCLOSED:
        raise InputError(
            f"{what}: only {enclosure(labels, LV):.0%} of the LV cavity's boundary is myocardium (expected at least "
            f"{_ENCLOSED:.0%}): are the two exchanged? Check the segmentation, or leave the subject out with --skip-bad"
        )


def _fits(labels: NDArray[np.uint8]) -> bool:
    rv_touch = enclosure(labels, RV)
    return enclosure(labels, LV) >= _ENCLOSED and 0.02 < rv_touch < _ENCLOSED

"""What is known of one heart before a model completes it: label maps, which of their planes count, and measurements."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.heart import Heart
from cheart.labels import TITLES
from cheart.phenotypes import UNITS, Phenotypes

CLOSE, CLOSE_SHARE = 5.0, 0.1
"""Measurements agree within 5 % of EF, and of volumes within 5 mL or a tenth, whichever is more."""

EvidenceKind = Literal["later frames", "measurements"]
"""What evidence may hold beside planes of the first frame."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was observed of a beat, and what was measured of it.

    Attributes:
        labels: [T, Z, Y, X] uint8. Planes that were not observed may hold interpolated content in a frame of which
            others were; no other content counts.
        observed: [T, Z] bool.
        measured: phenotypes that are known, by name, in the units of :data:`cheart.phenotypes.UNITS`: ``{"lvef": 55}``.

    Raises:
        InputError: shapes that do not agree, labels above 3, nothing observed in frame 0, a measurement that is no
            phenotype or no finite number above 0.
    """

    labels: NDArray[np.uint8]
    observed: NDArray[np.bool_]
    measured: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels, observed = self.labels, self.observed
        if labels.ndim != 4 or labels.dtype != np.uint8:
            raise InputError(f"evidence {labels.shape} {labels.dtype}: expected label maps [T, Z, Y, X] uint8")
        if observed.shape != labels.shape[:2] or observed.dtype != np.bool_:
            raise InputError(f"observed {observed.shape} {observed.dtype}: expected [T, Z] bool, {labels.shape[:2]}")
        if labels.max(initial=0) > 3:
            raise InputError(f"label {labels.max()}: canonical labels are 0 to 3 (translate with --scheme)")
        if not observed[:1].any():
            raise InputError("nothing is observed in frame 0, which is end-diastole: give at least one of its planes")
        for name, value in self.measured.items():
            if name not in UNITS:
                raise InputError(f"given {name}: expected one of {', '.join(UNITS)}")
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"given {name}={value:g}: expected a number above 0, in {UNITS[name]}")

    @classmethod
    def of_frame(
        cls,
        first: NDArray[np.uint8],
        observed: NDArray[np.bool_],
        frames: int,
        measured: Mapping[str, float] | None = None,
    ) -> Evidence:
        """End-diastole [Z, Y, X], its observed planes [Z] and nothing of the later ones of so many ``frames``."""
        labels = np.zeros((frames, *first.shape), first.dtype)
        labels[0] = first
        seen = np.zeros((frames, len(first)), bool)
        seen[0] = observed
        return cls(labels, seen, measured or {})

    @classmethod
    def of_first_frame(cls, heart: Heart, measured: Mapping[str, float] | None = None) -> Evidence:
        """End-diastole of a heart; its later frames are left behind, so that nothing of them can be seen.

        Raises:
            InputError: a structure was not traced there.
        """
        _refuse_untraced(heart, [0])
        return cls.of_frame(heart.labels[0], heart.observed[0], heart.frames, measured)

    @classmethod
    def of_heart(cls, heart: Heart, given: Mapping[str, float | str] | None = None) -> Evidence:
        """End-diastole of a heart and what is ``given``: measurements, and ``frames="observed"`` for its later frames.

        Raises:
            InputError: a measurement that is no number or contradicts what was observed, or other words for frames.
        """
        known = dict(given or {})
        frames = known.pop("frames", "first")
        if frames not in ("first", "observed"):
            raise InputError(f"given frames={frames}: expected observed, for all frames that were imaged")
        measured = {}
        for name, value in known.items():
            try:
                measured[name] = float(value)
            except ValueError:
                raise InputError(f"given {name}={value}: expected a number, such as {name}=55") from None
        seen = frames == "observed"
        _refuse_untraced(heart, heart.observed_frames if seen else [0])
        evidence = cls(heart.labels, heart.observed, measured) if seen else cls.of_first_frame(heart, measured)
        for name, value in measured.items():
            _refuse_impossible(heart, name, value, seen=seen)
        return evidence

    def astray(self, made: Phenotypes) -> tuple[str, ...]:
        """A sentence for each measurement that a heart, completed by it, has not."""
        found = ((name, value, getattr(made, name)) for name, value in self.measured.items())
        return tuple(
            f"given {name}={value:g}, but the completed heart has {own:.0f} {UNITS[name]}: the model goes no further "
            "with a heart like this"
            for name, value, own in found
            if not abs(own - value) <= _close(name, value)
        )

    def frames_in(self, labels: NDArray[np.uint8]) -> tuple[int, ...]:
        """The observed frames that stand in label maps [T, Z, Y, X] as they were observed."""
        frames = (int(t) for t in np.flatnonzero(self.observed.any(axis=1)))
        return tuple(t for t in frames if (labels[t] == self.labels[t])[self.observed[t]].all())

    @property
    def first(self) -> NDArray[np.uint8]:
        """End-diastole, [Z, Y, X]."""
        return self.labels[0]

    @property
    def first_observed(self) -> NDArray[np.bool_]:
        """The planes of end-diastole that were observed, [Z]."""
        return self.observed[0]

    @property
    def kinds(self) -> frozenset[EvidenceKind]:
        """What it holds beside planes of the first frame."""
        held: dict[EvidenceKind, bool] = {
            "later frames": bool(self.observed[1:].any()),
            "measurements": bool(self.measured),
        }
        return frozenset(kind for kind, there in held.items() if there)


def _refuse_untraced(heart: Heart, frames: Iterable[int]) -> None:
    """Refuse frames in which a structure that a model would take for absent was only not traced.

    Raises:
        InputError: one of them lacks one.
    """
    for t in frames:
        lacking = [title for title, drawn in zip(TITLES.values(), heart.traced[t], strict=True) if not drawn]
        if lacking:
            raise InputError(
                f"frame {t} has no voxel of the {' and the '.join(lacking)}: models complete hearts of which all three "
                "structures were traced; trace what is missing"
            )


def _close(name: str, value: float) -> float:
    """By how much a measurement may be off before somebody should know."""
    return CLOSE if UNITS[name] == "%" else max(CLOSE, CLOSE_SHARE * value)


def _refuse_impossible(heart: Heart, name: str, value: float, *, seen: bool) -> None:
    """Refuse a measurement that contradicts what is observed of a heart: end-diastole, or with ``seen`` all frames.

    Raises:
        InputError: it does.
    """
    found = heart.phenotypes
    full = getattr(found, f"{name[:2]}edv", math.nan)
    if name[2:] in ("esv", "sv") and value >= full:
        raise InputError(f"given {name}={value:g}: end-diastole holds {full:.0f} mL; expected less")
    if name[2:] == "ef" and value >= 100:
        raise InputError(f"given {name}={value:g}: expected less than 100 %")
    own = getattr(found, name, math.nan) if seen else math.nan
    if abs(own - value) > _close(name, value):
        raise InputError(
            f"given {name}={value:g}: the frames that were given have {own:.0f} {UNITS[name]}; leave one of the two out"
        )

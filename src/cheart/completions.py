"""Completion as a distribution: the best heart, samples of what else is possible, and intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cheart.errors import show_warnings
from cheart.heart import Heart
from cheart.hearts import Hearts
from cheart.labels import LV, MYO, RV, STRUCTURES
from cheart.progress import track

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.9
"""Of intervals."""

QUANTITIES = {"lvesv": "mL", "lvef": "%", "lvsv": "mL", "rvesv": "mL", "rvef": "%", "wall_thickening": "%"}
"""What intervals are of, and its unit."""

REAL = {"lvesv": 1.68, "lvef": 1.68, "lvsv": 1.68, "wall_thickening": 1.68, "rvesv": 1.86, "rvef": 1.86}
"""By how much wider than simulated hearts need them intervals must be to hold 90 % of real ones: those of ``clinical``
for the 100 patients of ACDC (``python -m benchmarks.real_intervals``)."""

WIDENED = (
    "the model has seen simulated hearts only: its intervals are widened by what 100 patients of one hospital needed; "
    "a model that has seen patients like yours (train, or go on by --from) says its own"
)
"""What is said where a model of simulated hearts alone meets a real one."""

KEPT = 2**30
"""Bytes of label maps up to which samples stay in memory."""

_NORMAL_90 = 1.6449


@dataclass(frozen=True, eq=False, repr=False)
class Completions:
    """What one end-diastole, and whatever else is known, may go on as. Made by :meth:`cheart.Model.complete`.

    Attributes:
        best: the single best completion.
        samples: draws of p(beat | evidence, conditions), made when they are asked for.
        widen: by which factor a sample's distance from the mean is too short, by quantity, as hearts that the model
            was not fitted to showed; 1 where it is not known.
    """

    best: Heart
    samples: Hearts
    widen: Mapping[str, float]

    @cached_property
    def _samples(self) -> Hearts:
        """The samples, each made once if all fit into :data:`KEPT` bytes."""
        if len(self) * self.best.labels.nbytes > KEPT:
            return self.samples
        made = list(track(self.samples, total=len(self), title="Drawing completions"))
        return Hearts(self.samples.model, made, warnings=self.samples.warnings, about=self.samples.about)

    @cached_property
    def _drawn(self) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float32]]:
        """The quantities of every sample, and the share of samples that have each label, [T, 3, Z, Y, X]."""
        rows, share = [], np.zeros((self.best.frames, 3, *self.best.grid.shape), np.float32)
        for heart in track(self._samples, total=len(self), title="Measuring samples"):
            rows.append(quantities(heart))
            for k, value in enumerate((LV, MYO, RV)):
                share[:, k] += heart.labels == value
        values = {name: np.array([row[name] for row in rows]) for name in QUANTITIES}
        return values, share / np.float32(len(rows))

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """The share of samples that have LV cavity, wall and RV cavity in each voxel, [T, 3, Z, Y, X]."""
        return self._drawn[1]

    def intervals(self) -> pd.DataFrame:
        """Mean, SD and 90 % interval of each of :data:`QUANTITIES`; a row a quantity.

        The interval is the samples' mean ± 1.64 SD, widened by what hearts that were not trained on showed. It ends
        where the quantity does: no end-systolic volume is below 0, or above that of end-diastole.
        """
        import pandas as pd

        rows, ends = [], limits(self.best)
        for name, values in self._drawn[0].items():
            mean, sd = float(values.mean()), float(values.std(ddof=1)) * self.widen.get(name, 1.0)
            low, high = np.clip([mean - _NORMAL_90 * sd, mean + _NORMAL_90 * sd], *ends.get(name, (None, None)))
            row = {"quantity": name, "unit": QUANTITIES[name], "mean": mean, "sd": sd}
            rows.append({**row, "low": float(low), "high": float(high)})
        return pd.DataFrame(rows)

    def save(self, folder: Path | str, *, overwrite: bool = False) -> None:
        """Write the best heart as ``sub-001``, the samples after it, their intervals and a probability map a structure.

        Raises:
            InputError: the folder is there and ``overwrite`` is false.
        """
        from cheart.cohort import write_table
        from cheart.files import write_checksums, write_json
        from cheart.io.nifti import write_image

        folder = Path(folder)
        self.hearts.save(folder, overwrite=overwrite)
        table = self.intervals()
        write_table(folder / "intervals.tsv", table)
        for k, structure in enumerate(STRUCTURES):
            path, likely = folder / f"probability-{structure}.nii.gz", self.probabilities[:, k]
            write_image(path, likely, self.best.grid.affine, frame_s=self.best.frame_s, space="template")
        write_json(folder / "intervals.json", {"level": LEVEL, "samples": len(self.samples), **as_json(table)})
        write_checksums(folder)

    @property
    def hearts(self) -> Hearts:
        """The best heart, and the samples after it."""
        samples = self._samples
        return Hearts(samples.model, [self.best, *samples.items], warnings=samples.warnings, about=samples.about)

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        return "\n".join([f"<{len(self)} completions of one heart", *in_words(self.intervals())]) + ">"


def widening_for(heart: Heart, widen: Mapping[str, float], trained_on: str) -> Mapping[str, float]:
    """A model's widening of intervals, and more where it has seen ``simulated`` hearts alone and this one is real."""
    if (heart.kind, trained_on) != ("imported", "simulated"):
        return widen
    show_warnings([WIDENED], stacklevel=4)
    return {name: factor * widen.get(name, 1.0) for name, factor in REAL.items()}


def quantities(heart: Heart) -> dict[str, float]:
    """The values of :data:`QUANTITIES` of a heart."""
    row = heart.phenotypes.row()
    return {name: row[name] for name in QUANTITIES if name in row} | {"wall_thickening": wall_thickening(heart)}


def limits(heart: Heart) -> dict[str, tuple[float, float]]:
    """Between what a quantity of a beat can be that begins with this heart's end-diastole, by its name."""
    lv, rv = heart.phenotypes.lvedv, heart.phenotypes.rvedv
    return {"lvesv": (0, lv), "lvsv": (0, lv), "lvef": (0, 100), "rvesv": (0, rv), "rvef": (0, 100)}


def wall_thickening(heart: Heart) -> float:
    """By how many % the LV wall thickens from end-diastole to end-systole; nan where the wall is never closed.

    The thickness of a plane is that of a ring with its areas of cavity and wall, the mean over the planes that hold
    both in both frames.
    """
    es = heart.phenotypes.es_frame
    if es is None:
        return float("nan")
    areas = np.stack([(heart.labels[[0, es]] == value).sum(axis=(2, 3)) for value in (LV, MYO)]) / np.pi
    both = (areas > 0).all(axis=(0, 1))
    cavity, wall = areas[:, :, both]
    thick = (np.sqrt(cavity + wall) - np.sqrt(cavity)).mean(axis=1) if both.any() else np.full(2, np.nan)
    return float(100 * (thick[1] / thick[0] - 1))


def in_words(table: pd.DataFrame) -> list[str]:
    """A table of intervals, a line a quantity."""
    lines = [f"{r.quantity} {r.mean:.0f} ({r.low:.0f} to {r.high:.0f}) {r.unit}" for r in table.itertuples()]
    return [f"  mean and {LEVEL:.0%} interval of what is possible:", *(f"    {line}" for line in lines)]


def as_json(table: pd.DataFrame) -> dict[str, Any]:
    """A table of intervals as plain JSON values, by quantity."""
    rows = table.set_index("quantity").to_dict(orient="index")
    return {"quantities": {str(name): row for name, row in rows.items()}}

"""How long the metrics take, beside other libraries, on one core, in one run.

    python -m benchmarks.evaluation [--samples 20] [--repeats 5] [--json]

Made-up hearts on the paper's grid, about as far apart as the paper's Tables I and II report, and a gross error
beyond. Times are processor times of one thread. Libraries that are not installed are left out; those that are must give
our figures before their time is taken (surface-distance weights its mean by area: only its HD is checked).
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from benchmarks.measure import ceilings, options
from scipy.ndimage import binary_erosion, distance_transform_edt, gaussian_filter
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from cheart.grid import GRIDS
from cheart.metrics.memorisation import nearest, occupancy
from cheart.metrics.overlap import dice
from cheart.metrics.surface_distance import SurfaceReference
from cheart.phenotypes import volume_curves

GRID = GRIDS["paper"]
SUBJECTS, SAMPLES, FRAMES = 277, 20, 20
"""Table II of the paper."""

CASES = {"completion": (0.96, 0.5), "generation": (0.9, 0.8), "gross error": (0.65, 2.5)}
"""Size of the other heart, and the SD of its surface's waves in mm."""


@dataclass(frozen=True)
class Row:
    """One line of the table: milliseconds a frame (or a sequence), and how much slower than ours."""

    what: str
    method: str
    milliseconds: float
    ratio: float


def made_up_heart(rng: np.random.Generator, *, size: float = 1.0, waves_mm: float = 1.0) -> np.ndarray:
    """Half-ellipsoids with a flat base, their surfaces waving with a correlation length of 25 mm, [Z, Y, X]."""
    z, y, x = np.meshgrid(*GRID.axes(), indexing="ij")
    base = 45.0

    def waves() -> np.ndarray:
        noise = gaussian_filter(rng.standard_normal(GRID.shape), 25 / np.array(GRID.spacing), mode="wrap")
        return noise / noise.std() * waves_mm

    def outside(x_mm: float, across: float, aside: float, long: float) -> np.ndarray:
        away = np.sqrt(((x - x_mm) / across) ** 2 + (y / aside) ** 2 + ((z - base) / long) ** 2)
        return (away / size - 1) * across

    shared = waves()
    labels = np.zeros(GRID.shape, np.uint8)
    labels[outside(-2, 44, 38, 95) + waves() < 0] = 3
    labels[outside(-22, 33.5, 33.5, 98) + shared < 0] = 2
    labels[outside(-22, 26, 26, 92) + shared + 0.4 * waves() < 0] = 1
    labels[z > base - rng.uniform(0, 4)] = 0
    return labels


Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From two frames to HD and ASSD of the three structures, [2, 3]."""


def ours(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """cheart, nothing prepared."""
    found = SurfaceReference(one[None], GRID).compare(two[None])
    return np.stack([found.hd[0], found.assd[0]])


def textbook(one: np.ndarray, two: np.ndarray, *, tree: bool) -> np.ndarray:
    """scipy on the box that holds both bodies: erosion, then distance transforms or search trees."""
    spacing, result = np.array(GRID.spacing), []
    for k in (1, 2, 3):
        masks = [one == k, two == k]
        points = np.argwhere(masks[0] | masks[1])
        box = tuple(slice(low, high + 1) for low, high in zip(points.min(0), points.max(0), strict=True))
        borders = [(m := mask[box]) & ~binary_erosion(m) for mask in masks]
        if tree:
            places = [np.argwhere(border) * spacing for border in borders]
            a, b = cKDTree(places[1]).query(places[0])[0], cKDTree(places[0]).query(places[1])[0]
        else:
            a, b = (
                distance_transform_edt(~end, sampling=spacing)[start]
                for start, end in (borders, borders[::-1])
            )  # fmt: skip
        result.append((max(a.max(), b.max()), (a.sum() + b.sum()) / (a.size + b.size)))
    return np.array(result).T


def other_libraries() -> dict[str, Measure]:
    """Those that are installed, on one thread."""
    found: dict[str, Measure] = {
        "scipy, distance transforms": lambda one, two: textbook(one, two, tree=False),
        "scipy, search trees": lambda one, two: textbook(one, two, tree=True),
    }
    for name, make in (("MONAI", _monai), ("SimpleITK", _simpleitk), ("surface-distance", _surface_distance)):
        try:
            found[name] = make()
        except ImportError:
            print(f"({name} is not installed)", file=sys.stderr)
    return found


def _monai() -> Measure:
    import warnings

    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=FutureWarning, module="monai")

    def measure(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        a, b = (torch.from_numpy(np.stack([labels == k for k in range(4)])[None]) for labels in (one, two))
        hd = compute_hausdorff_distance(b, a, spacing=GRID.spacing)
        assd = compute_average_surface_distance(b, a, symmetric=True, spacing=GRID.spacing)
        return np.concatenate([hd, assd])

    return measure


def _simpleitk() -> Measure:
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

    def measure(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        result = []
        for k in (1, 2, 3):
            contours = []
            for labels in (one, two):
                image = sitk.GetImageFromArray((labels == k).astype(np.uint8))
                image.SetSpacing(GRID.spacing[::-1])
                contours.append(sitk.LabelContour(image, fullyConnected=False))
            maps = [sitk.SignedMaurerDistanceMap(c, squaredDistance=False, useImageSpacing=True) for c in contours]
            around = [np.abs(sitk.GetArrayViewFromImage(m)) for m in maps]
            on = [sitk.GetArrayViewFromImage(c).astype(bool) for c in contours]
            a, b = around[1][on[0]], around[0][on[1]]
            result.append((max(a.max(), b.max()), (a.sum() + b.sum()) / (a.size + b.size)))
        return np.array(result).T

    return measure


def _surface_distance() -> Measure:
    import warnings

    import surface_distance as library

    warnings.filterwarnings("ignore", category=DeprecationWarning)

    def measure(one: np.ndarray, two: np.ndarray) -> np.ndarray:
        result = []
        for k in (1, 2, 3):
            found = library.compute_surface_distances(one == k, two == k, GRID.spacing)
            library.compute_average_surface_distance(found)
            result.append(library.compute_robust_hausdorff(found, 100))
        # its average weights by area and so is another measure: only HD can be checked
        return np.array([result, [np.nan] * 3])

    return measure


def median_ms(work: Callable[[], object], repeats: int) -> float:
    """Median processor time of some runs after one to warm up, ms: what else the machine does disturbs it little."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


def surface_rows(case: str, libraries: dict[str, Measure], samples: int, repeats: int) -> tuple[list[Row], float]:
    """One reference against many samples, and the other libraries on the same pairs; ms a frame."""
    rng = np.random.default_rng(0)
    size, waves = CASES[case]
    reference = made_up_heart(rng, waves_mm=waves)
    others = [made_up_heart(rng, size=size, waves_mm=waves) for _ in range(samples)]
    mean = np.mean([ours(reference, other).mean(axis=1) for other in others], axis=0)
    title = f"{case} (HD {mean[0]:.1f}, ASSD {mean[1]:.1f} mm)"

    def many() -> None:
        prepared = SurfaceReference(reference[None], GRID)
        for other in others:
            prepared.compare(other[None])

    best = median_ms(many, repeats) / samples
    rows = [Row(title, f"cheart, one reference, {samples} samples", best, 1.0)]
    rows.append(_row(title, "cheart, one pair", median_ms(lambda: ours(reference, others[0]), repeats), best))
    few = others[: 3 if case == "generation" else 1]
    for name, measure in libraries.items():
        taken = statistics.mean(timed(measure, reference, other, max(1, repeats // 2)) for other in few)
        rows.append(_row(title, name, taken, best))
    return rows, best


def timed(measure: Measure, reference: np.ndarray, other: np.ndarray, repeats: int) -> float:
    """Check that a library measures what we measure, then its median time, ms."""
    found = measure(reference, other)
    same = ~np.isnan(found)
    np.testing.assert_allclose(found[same], ours(reference, other)[same], rtol=1e-4)
    return median_ms(lambda: measure(reference, other), repeats)


def _row(what: str, method: str, ms: float, best: float) -> Row:
    return Row(what, method, ms, ms / best)


def sequence_rows(repeats: int) -> tuple[list[Row], float]:
    """Dice, volumes and the memorisation descriptor, ms a sequence of 20 frames."""
    rng = np.random.default_rng(1)
    one, two = (np.repeat(made_up_heart(rng)[None], FRAMES, axis=0) for _ in range(2))
    overlap = median_ms(lambda: dice(one, two), repeats)
    volumes = median_ms(lambda: volume_curves(one, GRID), repeats)
    rows = [
        Row("a sequence of 20 frames", "cheart, Dice", overlap, 1.0),
        Row("a sequence of 20 frames", "cheart, volume curves", volumes, 1.0),
    ]
    ends = one[[0, 8]]
    described = median_ms(lambda: occupancy(ends, GRID), repeats)
    training = np.tile(occupancy(ends, GRID), (968, 1))
    search = median_ms(lambda: nearest(training[:100], training), 1) / 100
    rows += [
        Row("a heart", "cheart, memorisation descriptor", described, 1.0),
        Row("a heart", "cheart, nearest of 968 training hearts", search, 1.0),
    ]
    return rows, overlap + volumes


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, repeats=5)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="samples that a reference is compared with")
    asked = parser.parse_args()
    with threadpool_limits(1):
        result = measure_all(asked.samples, asked.repeats)
    print(json.dumps(result) if asked.json else as_text(result))


def measure_all(samples: int, repeats: int) -> dict[str, Any]:
    """Every row, the machine's ceilings, and the projection for Table II."""
    rows: list[Row] = []
    libraries = other_libraries()
    frame_ms = {}
    for case in CASES:
        found, frame_ms[case] = surface_rows(case, libraries, samples, repeats)
        rows += found
    found, sequence_ms = sequence_rows(repeats)
    surface = SUBJECTS * SAMPLES * FRAMES * frame_ms["generation"] / 60_000 / 2
    return {
        **ceilings(repeats, time.process_time),
        "rows": [asdict(row) for row in rows + found],
        "table_ii_minutes_on_two_cores": {
            "surface_distances": surface,
            "dice_and_volumes": SUBJECTS * SAMPLES * sequence_ms / 60_000 / 2,
        },
    }


def as_text(result: dict[str, Any]) -> str:
    """For people: medians and ratios."""
    lines = [
        f"Paper's grid, one core. This core: {result['copy_GB_per_s']:.1f} GB/s copied, "
        f"{result['matrix_product_GFLOP_per_s']:.0f} GFLOP/s of matrix product."
    ]
    what = ""
    for row in result["rows"]:
        if row["what"] != what:
            what = row["what"]
            lines += ["", what]
        ratio = "" if row["ratio"] == 1 else f"{row['ratio']:8.1f}×"
        lines.append(f"  {row['method']:40s}{row['milliseconds']:10.2f} ms{ratio}")
    minutes = result["table_ii_minutes_on_two_cores"]
    lines += [
        "",
        f"Table II in full ({SUBJECTS} subjects × {SAMPLES} samples × {FRAMES} frames × 3 structures), projected to "
        f"two cores: {minutes['surface_distances']:.0f} min for surface distances, "
        f"{minutes['dice_and_volumes']:.0f} min for Dice and volumes.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

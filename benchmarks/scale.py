"""What a large cohort costs: unit costs on one core, multiplied out for so many subjects and workers.

    python -m benchmarks.scale [--subjects 50000] [--workers 64] [--eur-per-core-hour 0.04] [--json]

The paper's grid, 20 frames, the bundled model. Each piece of work runs in a fresh process with one thread, once to warm
up and then on a few hearts: processor time a heart, the most memory that the process held, and bytes on disk. Time that
a disk makes a worker wait is not in them. About two minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.few_hearts import SUBJECTS, FewHearts
from benchmarks.measure import ceilings, peak_gib
from benchmarks.training import fit_large_basis, repeated
from threadpoolctl import threadpool_limits

from cheart.cohort import PAPER_SPLIT, Cohort
from cheart.datasets.importing import import_cohort
from cheart.datasets.nifti import list_folder
from cheart.datasets.registry import importer
from cheart.evaluation.completion import evaluate_completion
from cheart.evaluation.generation import evaluate_generation
from cheart.evaluation.memorisation import describe_real
from cheart.export.bids import export_cohort
from cheart.io.nifti import read_label_map
from cheart.mesh.oriented import OrientedLabels
from cheart.mesh.write import write_meshes
from cheart.model import load
from cheart.models.find import BUNDLED, find_model
from cheart.models.shape import ShapeData
from cheart.models.store import read_model
from cheart.simulation.acquisition import Acquisition
from cheart.simulation.cohort import simulate
from cheart.training.distributed import Team
from cheart.training.loop import fit
from cheart.training.options import TrainingOptions

READS = ("read", "read_thick")
SAMPLES = 20
"""Hearts a person of the paper's Table II."""


@dataclass(frozen=True)
class Unit:
    """What one piece of work costs.

    Attributes:
        what: in words.
        seconds: of one core, a piece.
        peak_gib: the most memory of a process that does it.
        bytes: on disk, a piece; of memory, where the piece is held in memory.
    """

    what: str
    seconds: float
    peak_gib: float
    bytes: float


@dataclass(frozen=True)
class Place:
    """Where the hearts are: a few simulated ones as a cohort, 4D NIfTI, and thick slices; and an empty folder."""

    cohort: Path
    nifti: Path
    thick: Path
    out: Path

    @classmethod
    def within(cls, folder: Path) -> Place:
        """The places within one folder."""
        return cls(*(folder / name for name in ("cohort", "nifti", "thick", "out")))


Work = Callable[[Place, int], float]
"""Do so many pieces of work; the bytes of all of them."""


def size_of(folder: Path, pattern: str = "*") -> float:
    """Bytes of the files in a folder."""
    return float(sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file()))


def simulating(place: Place, count: int) -> float:
    """``cheart simulate``."""
    simulate(place.out / "cohort", n=count, seed=count, jobs=1)
    return size_of(place.out / "cohort" / "labels.zarr")


def importing(place: Place, count: int) -> float:
    """``cheart import nifti``: checked, brought to the template pose, written."""
    source = list_folder(place.nifti, participants=place.nifti / "participants.tsv", scheme="cheart")
    source = replace(source, subjects=source.subjects[:count])
    cohort = Cohort.open(place.cohort)
    importer("first")(lambda folder: source)
    import_cohort("first", place.nifti, place.out / "cohort", grid=cohort.grid, jobs=1)
    return size_of(place.out / "cohort" / "labels.zarr")


def reading(place: Place, count: int) -> float:
    """Label maps to normal forms, as the laptop preset reads them; the bytes are of memory."""
    return _held(normal_forms(place.cohort, count))


def reading_thick(place: Place, count: int) -> float:
    """The same of hearts of which some planes only were imaged: what a plane tells of the modes comes with them."""
    return _held(normal_forms(place.thick, count))


def normal_forms(cohort: Path, count: int) -> ShapeData:
    """Of a cohort's first subjects, on the bundled model's basis."""
    model = load()
    hearts = FewHearts(Cohort.open(cohort), model.encoding)
    return hearts.on(model.network.representation.basis, np.arange(count))


def _held(data: ShapeData) -> float:
    return float(sum(getattr(part, "nbytes", 0) for part in vars(data.subjects).values()))


def fitting_basis(place: Place, count: int) -> float:
    """A shape basis of 600 frames."""
    cohort = Cohort.open(place.cohort)
    for _ in range(count):
        fit_large_basis(FewHearts(cohort, load().encoding))
    return 0.0


def training(place: Place, count: int) -> float:
    """An epoch of the laptop preset, a subject."""
    stored, few = read_model(find_model(BUNDLED)), normal_forms(place.cohort, 2)
    many = repeated(few, count)
    options = replace(TrainingOptions(**stored.config["training"]), epochs=1)
    fit(stored.network, many, few, run=place.out, options=options, seed=0, team=Team(torch.device("cpu")), resume=False)
    return 0.0


def generating(place: Place, count: int) -> float:
    """``cheart generate``: made, measured, written as 4D NIfTI; a picture of the first ones."""
    load().generate(n=count, seed=count).save(place.out / "made")
    return size_of(place.out / "made", "*.nii.gz")


def completing(place: Place, count: int) -> float:
    """``cheart complete``, without the picture: read, posed, completed."""
    files, model = sorted(place.nifti.glob("*.nii.gz")), load()
    for k in range(count):
        model.complete(files[k % len(files)])
    return 0.0


def judging_completion(place: Place, count: int) -> float:
    """``cheart evaluate``: completed and compared, by the model and by copying the first frame."""
    model, cohort = load(), Cohort.open(place.cohort)
    for copy_first in (False, True):
        evaluate_completion(model, cohort, split="train", subjects=count, copy_first=copy_first)
    return 0.0


def judging_generation(place: Place, count: int) -> float:
    """``cheart evaluate --task generate``: hearts for one person, each generated and compared."""
    evaluate_generation(load(), Cohort.open(place.cohort), samples=count, subjects=1)
    return 0.0


def describing(place: Place, count: int) -> float:
    """A training heart, for the search for the nearest."""
    cohort = Cohort.open(place.cohort)
    return float(sum(describe_real(cohort, k % len(cohort)).nbytes for k in range(count)))


def meshing(place: Place, count: int) -> float:
    """``cheart mesh --format stl``: frames of a heart."""
    stored = read_label_map(next(place.nifti.glob("*.nii.gz")))
    heart = OrientedLabels.of(stored.labels[:count], stored.affine)
    write_meshes(place.out, heart, frame_s=stored.frame_s, title="benchmark", formats=("stl",), correspondence=False)
    return size_of(place.out, "*.stl")


WORKS: dict[str, tuple[str, Work, int]] = {
    "simulate": ("simulate a heart into a cohort", simulating, 3),
    "import": ("import a 4D NIfTI into a cohort", importing, 3),
    "read": ("read a heart into normal forms", reading, 4),
    "read_thick": ("the same, of 8 mm slices", reading_thick, 2),
    "basis": ("fit the shape basis, once", fitting_basis, 1),
    "train": ("train an epoch, a subject", training, 2000),
    "generate": ("generate a heart as a 4D NIfTI", generating, 3),
    "complete": ("complete a heart", completing, 3),
    "judge_completion": ("judge a completion", judging_completion, 2),
    "judge_sample": ("judge a generated heart", judging_generation, 6),
    "describe": ("describe a training heart (memorisation)", describing, 4),
    "mesh": ("mesh a frame, STL", meshing, 2),
}
"""By name: in words, how it is done, and how many are timed."""


def measure_one(name: str, place: Place) -> Unit:
    """Warm up on one, then time a few; in a process of its own, on one thread."""
    what, work, count = WORKS[name]
    torch.set_num_threads(1)
    with threadpool_limits(1):
        if name != "basis":  # once is all that it is for, and its first page of memory costs as much as its last
            with tempfile.TemporaryDirectory(dir=place.out) as folder:
                work(replace(place, out=Path(folder)), 1)
        with tempfile.TemporaryDirectory(dir=place.out) as folder:
            start = time.process_time()
            size = work(replace(place, out=Path(folder)), count)
            seconds = time.process_time() - start
    return Unit(what, seconds / count, peak_gib(), size / count)


def measure_all() -> dict[str, Any]:
    """Every unit, and the core's own ceilings."""
    units = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Place.within(Path(folder))
        hearts = FewHearts.simulate(place.cohort)
        simulate(place.thick, n=3, jobs=1, acquisition=Acquisition(slice_thickness=8.0, slice_gap=2.0))
        export_cohort(hearts.cohort, place.nifti)
        nifti = size_of(place.nifti, "*.nii.gz") / SUBJECTS
        for sidecar in place.nifti.glob("sub-*.json"):
            sidecar.unlink()  # a foreign file does not say that it is in the template pose
        place.out.mkdir()
        for name in WORKS:
            print(f"… {WORKS[name][0]}", file=sys.stderr, flush=True)
            command = [sys.executable, "-m", "benchmarks.scale", "--work", name, "--folder", folder]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            units[name] = Unit(**json.loads(done.stdout.splitlines()[-1]))
    with threadpool_limits(1):
        core = ceilings(3, time.process_time)
    epochs = read_model(find_model(BUNDLED)).config["training"]["epochs"]
    return {**core, "epochs": epochs, "nifti_bytes": nifti, "units": units}


@dataclass(frozen=True)
class Line:
    """A line of the plan: so many pieces of a unit, on so many processes; memory of the one that needs most."""

    what: str
    pieces: float
    core_hours: float
    hours: float
    gib: float
    disk_gb: float


def plan(result: dict[str, Any], subjects: int, workers: int) -> list[Line]:
    """What the whole cohort takes. Nothing is allowed for waiting, for a shared disk or for uneven ends."""
    units, hours = result["units"], 1 / 3600
    train, val, test = (subjects * part / sum(PAPER_SPLIT) for part in PAPER_SPLIT)

    def spread(what: str, name: str, pieces: float, disk: float = 0.0) -> Line:
        unit = units[name]
        core = pieces * unit.seconds * hours
        return Line(what, pieces, core, core / min(workers, pieces), unit.peak_gib, pieces * disk / 1e9)

    epochs = result["epochs"]
    steps = (units["basis"].seconds + epochs * train * units["train"].seconds) * hours

    def held(name: str, pieces: float) -> float:
        """While they are put together, what is held in memory is there twice."""
        return 2 * pieces * units[name].bytes / 2**30

    memory = [max(units["basis"].peak_gib, units["train"].peak_gib + held(r, train + val)) for r in READS]
    search = units["describe"].peak_gib + held("describe", train)
    return [
        spread("simulate", "simulate", subjects, units["simulate"].bytes),
        spread("or import 4D NIfTI", "import", subjects, units["import"].bytes),
        spread("train `laptop`: read", "read", train + val),
        Line(f"… basis, {epochs} epochs, one process", train, steps, steps, memory[0], 0.0),
        spread("or of 8 mm slices: read", "read_thick", train + val),
        Line("… basis, epochs, one process", train, steps, steps, memory[1], 0.0),
        spread("generate one heart a person", "generate", subjects, units["generate"].bytes),
        spread("surfaces of ED and ES a person, STL", "mesh", 2 * subjects, units["mesh"].bytes),
        spread("evaluate completion, test split", "judge_completion", test),
        spread(f"evaluate generation, test split × {SAMPLES}", "judge_sample", test * SAMPLES),
        spread(f"… `--subjects {PAPER_SPLIT[2]}` × {SAMPLES}", "judge_sample", PAPER_SPLIT[2] * SAMPLES),
        replace(spread("… memorisation: training hearts", "describe", train), gib=search),
    ]


def as_text(result: dict[str, Any], subjects: int, workers: int, eur: float) -> str:
    """Two Markdown tables: what a piece costs, and what all of them do."""
    lines = [
        f"One core: {result['matrix_product_GFLOP_per_s']:.0f} GFLOP/s of matrix product, "
        f"{result['copy_GB_per_s']:.1f} GB/s copied; the paper's grid, 20 frames.",
        "",
        "| a piece of work | one core, s | memory, GiB | bytes |",
        "|---|---|---|---|",
        *(
            f"| {u.what} | {u.seconds:{'.2g' if u.seconds < 1 else '.1f'}} | {u.peak_gib:.2f} | {_bytes(u.bytes)} |"
            for u in result["units"].values()
        ),
        f"| a simulated heart as a 4D NIfTI | | | {_bytes(result['nifti_bytes'])} |",
        "",
        f"{subjects:,} subjects on {workers} workers of one core each, {eur:g} EUR a core-hour",
        "",
        "| | pieces | core-hours | hours | EUR | memory, GiB | disk, GB |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in plan(result, subjects, workers):
        lines.append(
            f"| {line.what} | {line.pieces:,.0f} | {_short(line.core_hours)} | {_short(line.hours)} "
            f"| {line.core_hours * eur:.2f} | {line.gib:.1f} | {f'{line.disk_gb:.0f}' if line.disk_gb else ''} |"
        )
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _bytes(count: float) -> str:
    return f"{count / 1e3:,.0f} kB" if count else ""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=50_000, help="of the cohort that is planned for")
    parser.add_argument("--workers", type=int, default=64, help="processes, on any number of machines")
    parser.add_argument("--eur-per-core-hour", type=float, default=0.04, help="what a core costs")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--work", choices=tuple(WORKS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        place = Place.within(asked.folder)
        print(json.dumps(asdict(measure_one(asked.work, place))))
        return
    result = measure_all()
    if asked.json:
        told = {**result, "units": {name: asdict(unit) for name, unit in result["units"].items()}}
        print(json.dumps({**told, "plan": [asdict(line) for line in plan(result, asked.subjects, asked.workers)]}))
    else:
        print(as_text(result, asked.subjects, asked.workers, asked.eur_per_core_hour))


if __name__ == "__main__":
    main()

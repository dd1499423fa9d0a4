"""``cheart simulate``: a cohort of simulated beating hearts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write the cohort to.")],
    n: Annotated[int, typer.Option("-n", help="Subjects (the paper has 1383).")] = 1383,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes on any number of workers.")] = 0,
    grid: Annotated[
        str, typer.Option(help="paper, half, quarter, or X×Y×Z@mm such as 96x96x48@1.7x1.7x2.7.")
    ] = "paper",
    frames: Annotated[int, typer.Option(help="Frames a cycle.")] = 20,
    heart_rate: Annotated[bool, typer.Option("--heart-rate", help="Heart rate as a sixth condition.")] = False,
    slice_thickness: Annotated[float | None, typer.Option(help="Image slices this far apart, mm.")] = None,
    observed: Annotated[str, typer.Option(help="Frames that are imaged: all, or ed,es.")] = "all",
    nifti: Annotated[bool, typer.Option("--nifti", help="Also write OUT/nifti/sub-*_dseg.nii.gz.")] = False,
    jobs: Annotated[int, typer.Option(help="Worker processes; -1 for one a core.")] = -1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is at OUT.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Simulate healthy beating hearts whose true dependence on age, sex, size and blood pressure is known."""
    from cheart.cli.say import answer
    from cheart.grid import Grid
    from cheart.simulate.acquisition import Acquisition
    from cheart.simulate.cohort import TRUTH, simulate_cohort

    acquisition = Acquisition(slice_thickness=slice_thickness, frames=observed)
    cohort = simulate_cohort(
        out,
        n=n,
        seed=seed,
        grid=Grid.parse(grid),
        frames=frames,
        heart_rate=heart_rate,
        acquisition=None if acquisition == Acquisition() else acquisition,
        nifti=nifti,
        jobs=jobs,
        overwrite=overwrite,
    )
    summary = {
        "cohort": str(out),
        "kind": "simulated",
        "subjects": len(cohort),
        "frames": cohort.frames,
        "grid": cohort.grid.name,
        "fingerprint": cohort.fingerprint,
        "truth": str(out / TRUTH),
    }
    text = (
        f"{out}: {cohort.info['title']}, {cohort.frames} frames on the {cohort.grid.name} grid.\n"
        f"Exact phenotypes and generating parameters: {out / TRUTH}. Look inside: cheart info {out}"
    )
    answer(summary, text, as_json=as_json)

"""``cheart simulate``: a cohort of simulated beating hearts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cheart.cli.options import IMAGING, MOST_SEED, Resume, Scheduler, options, resumable

if TYPE_CHECKING:
    from cheart.progress import Jobs


@options(imaging=IMAGING)
def simulate(
    imaging: dict[str, Any],
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="Folder to write the cohort to.")] = None,
    population: Annotated[
        str,
        typer.Option(help="healthy: volunteers. clinical: patients with hidden diseases, form and function coupled."),
    ] = "healthy",
    n: Annotated[int, typer.Option("-n", help="Subjects (the paper has 1383).")] = 1383,
    seed: Annotated[
        int, typer.Option(min=0, max=MOST_SEED, help="The same seed gives the same bytes on any number of workers.")
    ] = 0,
    grid: Annotated[
        str, typer.Option(help="paper, half, quarter, or X×Y×Z@mm such as 96x96x48@1.7x1.7x2.7.")
    ] = "paper",
    frames: Annotated[int, typer.Option(help="Frames a cycle.")] = 20,
    heart_rate: Annotated[bool, typer.Option("--heart-rate", help="Heart rate as a sixth condition.")] = False,
    known: Annotated[
        list[str] | None, typer.Option("--with", help="group: the diagnosis as a condition (clinical only).")
    ] = None,
    acquisition: Annotated[
        str | None, typer.Option(help="exact or clinical; else that of the population. The options below change it.")
    ] = None,
    observed: Annotated[str, typer.Option(help="Frames that are imaged: all, or ed,es.")] = "all",
    nifti: Annotated[bool, typer.Option("--nifti", help="Also write OUT/nifti/sub-*_dseg.nii.gz.")] = False,
    check: Annotated[
        Path | None,
        typer.Option(
            metavar="COHORT",
            help="Instead, compare a cohort with published figures; a clinical one must pass its gate.",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Worker processes; -1 for one a core.")] = -1,
    scheduler: Scheduler = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is at OUT.")] = False,
    resume: Resume = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Simulate beating hearts whose true dependence on age, sex, size and blood pressure is known."""
    from dataclasses import replace

    import cheart
    from cheart.cli.console import answer
    from cheart.errors import InputError
    from cheart.simulation.acquisition import EXACT
    from cheart.simulation.cohort import TRUTH, population_acquisition

    if (out is None) == (check is None):
        raise InputError("give either OUT, a new folder for a simulated cohort, or --check COHORT, a cohort to judge")
    if check is not None:
        _check(check, jobs=scheduler or jobs, as_json=as_json)
        return
    assert out is not None
    wrong = set(known or []) - {"group"}
    if wrong:
        raise InputError(f"--with {', '.join(sorted(wrong))}: only group can be added")
    imaged = population_acquisition(acquisition, population)
    flags = {**imaging, "observed": observed}
    changed = {k: v for k, v in flags.items() if v != getattr(EXACT, k)}
    with resumable():
        cohort = cheart.simulate(
            out, population=population, n=n, seed=seed, grid=grid, frames=frames, heart_rate=heart_rate,
            group=bool(known),
            acquisition=replace(imaged, **changed), nifti=nifti, jobs=scheduler or jobs, overwrite=overwrite,
            resume=resume,
        )  # fmt: skip
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


def _check(path: Path, *, jobs: Jobs, as_json: bool) -> None:
    """Print the table "quantity, published, ours, inside?"; exit 1 where a band is broken."""
    from dataclasses import asdict

    from cheart.cli.console import answer
    from cheart.cohort import Cohort
    from cheart.simulation.audit.check import broken, check_cohort

    cohort = Cohort.open(path)
    rows = check_cohort(cohort, jobs=jobs)
    wrong = broken(rows)
    head = f"{path}: {cohort.info['title']}"
    lines = [head, ""]
    widths = [max(len(getattr(r, name)) for r in rows) for name in ("quantity", "published", "ours")]
    for group in dict.fromkeys(row.group for row in rows):
        lines.append(group)
        for row in (r for r in rows if r.group == group):
            mark = {True: "inside", False: "OUTSIDE", None: "–"}[row.inside]
            cells = [t.ljust(w) for t, w in zip((row.quantity, row.published, row.ours), widths, strict=True)]
            lines.append("  " + "  ".join([*cells, mark.ljust(7), row.source]))
    judged = sum(row.inside is not None for row in rows)
    lines += [
        "",
        f"{judged - len(wrong)} of {judged} bands met." if judged else "Described, not judged: it is imported.",
    ]
    value = {"cohort": str(path), "rows": [asdict(r) for r in rows], "broken": len(wrong)}
    answer(value, "\n".join(lines), as_json=as_json)
    if wrong:
        raise typer.Exit(1)

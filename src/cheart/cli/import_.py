"""``cheart import``: bring a cohort of label maps in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cheart.cli.options import Scheduler

if TYPE_CHECKING:
    from cheart.datasets.importing import Source
    from cheart.progress import Jobs

import_app = typer.Typer(
    help="Bring a cohort of label maps into the template pose.", no_args_is_help=True, rich_markup_mode=None
)

SourceFolder = Annotated[Path, typer.Argument(metavar="SRC", help="The folder to import.")]
OutFolder = Annotated[Path, typer.Argument(metavar="OUT", help="The cohort to write.")]
GridOption = Annotated[
    str, typer.Option("--grid", help="paper, half, quarter, or X×Y×Z voxels @ mm: 128x128x64@1.25x1.25x2.")
]
Frames = Annotated[int, typer.Option("--frames", min=2, help="Frames a cycle.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out what cannot be imported, and list it.")]
JobsOption = Annotated[int, typer.Option("--jobs", help="Processes; -1 is one a core.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the split into training, validation and test.")]
Nifti = Annotated[bool, typer.Option("--nifti", help="Also write OUT/nifti/sub-*_dseg.nii.gz, to correct by hand.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is at OUT.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@import_app.command("acdc")
def acdc(
    src: SourceFolder,
    out: OutFolder,
    grid: GridOption = "paper",
    frames: Frames = 20,
    skip_bad: SkipBad = False,
    jobs: JobsOption = -1,
    scheduler: Scheduler = None,
    seed: Seed = 0,
    nifti: Nifti = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """The ACDC training set: a folder a patient with Info.cfg and label maps at ED and ES."""
    from cheart.datasets.acdc import list_acdc

    _import(list_acdc(src), out, grid, frames, skip_bad, scheduler or jobs, seed, nifti, overwrite, as_json)


@import_app.command("mnms")
def mnms(
    src: SourceFolder,
    out: OutFolder,
    table: Annotated[Path, typer.Option("--table", help="The challenge's CSV.")],
    grid: GridOption = "paper",
    frames: Frames = 20,
    skip_bad: SkipBad = False,
    jobs: JobsOption = -1,
    scheduler: Scheduler = None,
    seed: Seed = 0,
    nifti: Nifti = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """The M&Ms or M&Ms-2 set: short-axis label maps and the challenge's table."""
    from cheart.datasets.mnms import list_mnms

    _import(list_mnms(src, table), out, grid, frames, skip_bad, scheduler or jobs, seed, nifti, overwrite, as_json)


@import_app.command("nifti")
def nifti(
    src: SourceFolder,
    out: OutFolder,
    participants: Annotated[
        Path,
        typer.Option(
            "--participants",
            help="Table with participant_id and what is known of age, sex, weight, height, sbp; also ed, es (frames "
            "from 0), cycle_s, split.",
        ),
    ],
    labels: Annotated[
        str, typer.Option("--labels", help="ukbb, acdc, mnms, ukdhp, cheart, or a map such as 1=lv,2=myo,3=rv.")
    ],
    spacing: Annotated[
        Literal["affine", "pixdim"] | None,
        typer.Option("--spacing", help="Which to believe where they disagree on the voxel size."),
    ] = None,
    cycle: Annotated[
        str | None, typer.Option("--cycle", help="Duration of the cycle in s where headers are wrong; n/a: not known.")
    ] = None,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="The headers lost the slices' direction: read the third axis backwards.")
    ] = False,
    grid: GridOption = "paper",
    frames: Frames = 20,
    skip_bad: SkipBad = False,
    jobs: JobsOption = -1,
    scheduler: Scheduler = None,
    seed: Seed = 0,
    nifti: Nifti = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """A folder of NIfTI label maps (sub-*_dseg.nii.gz or named by participant_id) and a table of people."""
    from cheart.datasets.nifti import list_folder
    from cheart.datasets.recording import parse_cycle
    from cheart.labels import parse_scheme

    source = list_folder(
        src,
        participants,
        parse_scheme(labels),
        spacing=spacing,
        cycle_s=parse_cycle(cycle),
        mirrored=mirrored,
    )
    _import(source, out, grid, frames, skip_bad, scheduler or jobs, seed, nifti, overwrite, as_json)


def _import(
    source: Source,
    out: Path,
    grid: str,
    frames: int,
    skip_bad: bool,
    jobs: Jobs,
    seed: int,
    nifti: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    from cheart.cli.say import answer, warn
    from cheart.datasets.importing import import_cohort
    from cheart.grid import Grid

    done = import_cohort(
        source, out, grid=Grid.parse(grid), frames=frames, skip_bad=skip_bad, jobs=jobs, seed=seed, nifti=nifti,
        overwrite=overwrite,
    )  # fmt: skip
    for who in done.left_out:
        warn(f"left out {who.participant_id}: {who.reason}")
    for text in done.warnings:
        warn(text)
    text = f"{done.subjects} subjects in {out}" + (f", {len(done.left_out)} left out" if done.left_out else "")
    answer(done.to_json(), f"{text}. Look over {out}/quality.tsv first.", as_json=as_json)

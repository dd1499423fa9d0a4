"""``cheart import NAME SRC OUT``: bring a cohort of label maps in. The names are those of the registry of importers."""

from __future__ import annotations

from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperGroup

from cheart.cli.options import MOST_SEED, AlignSlices, Group, Output, Resume, Scheduler, options, output, resumable


class _Importers(TyperGroup):
    """One command an importer; its options are made when it is asked for, so that a list costs no heavy import.

    (The types of click are Any: which click it is depends on typer's version.)
    """

    def list_commands(self, ctx: Any) -> list[str]:
        from cheart.datasets.registry import importers

        return list(importers())

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        from cheart.datasets.registry import importers

        with formatter.section("Importers"):
            formatter.write_dl(list(importers().items()))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from cheart.datasets.registry import find_importer, options_of

        importer = find_importer(cmd_name)
        own = Group({option.name: (_annotation(option), option.default) for option in options_of(importer)})
        verb = options(name=Group({}, lambda: cmd_name), own=own, target=output(OutFolder))(_import)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, help=(importer.__doc__ or "").partition("\n\n")[0])(verb)
        return typer.main.get_command(single)


OutFolder = Annotated[Path, typer.Argument(metavar="OUT", help="The cohort to write.")]

import_app = typer.Typer(
    cls=_Importers,
    subcommand_metavar="NAME SRC OUT [OPTIONS]",
    help="Bring a cohort of label maps into the template pose: cheart import NAME SRC OUT.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@import_app.callback()
def _root() -> None:
    pass


def _annotation(option: Parameter) -> Any:
    """An importer's option as the command line has it."""
    kind, *about = get_args(option.annotation) if hasattr(option.annotation, "__metadata__") else (str,)
    return Annotated[kind, typer.Option("--" + option.name.replace("_", "-"), help=" ".join(map(str, about)))]


def _import(
    name: str,
    src: Annotated[Path, typer.Argument(metavar="SRC", help="The folder to import.")],
    target: Output,
    own: dict[str, Any],
    grid: Annotated[
        str, typer.Option("--grid", help="paper, half, quarter, or X×Y×Z voxels @ mm: 128x128x64@1.25x1.25x2.")
    ] = "paper",
    frames: Annotated[int, typer.Option("--frames", min=2, help="Frames a cycle.")] = 20,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out what cannot be imported; list it.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes; -1 is one a core.")] = -1,
    scheduler: Scheduler = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=MOST_SEED, help="Of the split into training, validation and test.")
    ] = 0,
    split_from: Annotated[
        Path | None,
        typer.Option(
            "--split-from", metavar="FILE", help="Who is in which split: a table of participant_id and split."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse hearts that are in doubt, too.")] = False,
    nifti: Annotated[
        bool, typer.Option("--nifti", help="Also write OUT/nifti/sub-*_dseg.nii.gz, to correct by hand.")
    ] = False,
    align_slices: AlignSlices = True,
    qc: Annotated[
        Path | None,
        typer.Option("--qc", metavar="FOLDER", help="Also write a page with every heart, the most doubtful first."),
    ] = None,
    review: Annotated[
        Path | None, typer.Option("--review", help="The review.csv of --qc, filled in: leave out who was rejected.")
    ] = None,
    resume: Resume = False,
) -> None:
    import cheart
    from cheart.cli.console import answer, warn
    from cheart.files import refuse_existing

    if qc is not None:
        refuse_existing(qc, overwrite=target.overwrite)
    with resumable():
        cohort = cheart.import_cohort(
            name, src, target.out, grid=grid, frames=frames, seed=seed, skip_bad=skip_bad, jobs=scheduler or jobs,
            nifti=nifti, strict=strict, align_slices=align_slices, review=review, split_from=split_from,
            overwrite=target.overwrite, resume=resume, **own,
        )  # fmt: skip
    if qc is not None:
        cheart.review(cohort, qc, jobs=scheduler or jobs, overwrite=target.overwrite)
    for who, reason in cohort.left_out.items():
        warn(f"left out {who}: {reason}")
    value = {
        "path": str(target.out),
        "subjects": len(cohort),
        "left_out": [{"participant_id": who, "reason": reason} for who, reason in cohort.left_out.items()],
        "warnings": list(cohort.warnings),
    }
    text = f"{len(cohort)} subjects in {target.out}"
    text += f", {len(cohort.left_out)} left out" if cohort.left_out else ""
    answer(
        value,
        f"{text}. Look over {qc or target.out}/{'index.html' if qc else 'quality.tsv'} first.",
        as_json=target.as_json,
    )

"""``cheart import NAME SRC OUT``: bring a cohort of label maps in. The names are those of the registry of importers."""

from __future__ import annotations

from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperGroup

from cheart.cli.options import AsJson, Overwrite, Scheduler

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


class _Importers(TyperGroup):
    """One command an importer; its options are made when it is asked for, so that a list costs no heavy import.

    (The types of click are Any: which click it is depends on typer's version.)
    """

    def list_commands(self, ctx: Any) -> list[str]:
        from cheart.datasets.registry import importers

        return list(importers())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from cheart.datasets.registry import find_importer, options_of

        importer = find_importer(cmd_name)
        return _command(cmd_name, importer.__doc__ or "", options_of(importer))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        from cheart.datasets.registry import importers

        with formatter.section("Importers"):
            formatter.write_dl(list(importers().items()))


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


def _command(name: str, about: str, options: list[Parameter]) -> Any:
    """The command of one importer: the common options, and its own."""

    def run(**given: Any) -> None:
        _import(name, own={option.name: given.pop(option.name) for option in options}, **given)

    common = list(Signature.from_callable(_common, eval_str=True).parameters.values())
    places = common[:2], [_option(option) for option in options], common[2:]
    run.__signature__ = Signature([p.replace(kind=Parameter.KEYWORD_ONLY) for group in places for p in group])  # type: ignore[attr-defined]
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name, help=about.partition("\n\n")[0])(run)
    return typer.main.get_command(single)


def _option(parameter: Parameter) -> Parameter:
    """An importer's option as the command line has it."""
    kind, *about = get_args(parameter.annotation) if hasattr(parameter.annotation, "__metadata__") else (str,)
    flag = "--" + parameter.name.replace("_", "-")
    return parameter.replace(annotation=Annotated[kind, typer.Option(flag, help=" ".join(map(str, about)))])


def _common(
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
    """What every importer takes."""


def _import(
    name: str, *, src: Path, out: Path, jobs: int, scheduler: str | None, as_json: bool, own: dict[str, Any], **how: Any
) -> None:
    import cheart
    from cheart.cli.console import answer, warn

    cohort = cheart.import_cohort(name, src, out, jobs=scheduler or jobs, **how, **own)
    for who, reason in cohort.left_out.items():
        warn(f"left out {who}: {reason}")
    for text in cohort.warnings:
        warn(text)
    value = {
        "path": str(out),
        "subjects": len(cohort),
        "left_out": [{"participant_id": who, "reason": reason} for who, reason in cohort.left_out.items()],
        "warnings": list(cohort.warnings),
    }
    text = f"{len(cohort)} subjects in {out}" + (f", {len(cohort.left_out)} left out" if cohort.left_out else "")
    answer(value, f"{text}. Look over {out}/quality.tsv first.", as_json=as_json)

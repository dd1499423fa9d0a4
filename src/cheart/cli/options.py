"""Options that several verbs share, each said once; groups of them come to a verb as one value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cheart.assignments import read_assignments
from cheart.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from cheart.hearts import Hearts, Unknown
    from cheart.model import Model
    from cheart.progress import Jobs

ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A folder of cheart train; bundled, the model that comes with cheart; or hf://owner/name."
    ),
]
ModelFile = Annotated[
    str | None,
    typer.Option("--model", metavar="FILE.py:CLASS", help="The code of MODEL, where it is a model of your own."),
]
OutFolder = Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Folder to write.")]
MOST_SEED = 2**63 - 1
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is at OUT.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=MOST_SEED, help="One seed, one result.")]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", help="Processes; -1 is one a core, as for cohorts without it. A GPU, or one person: 1."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="In place of --jobs: the workers of the Dask scheduler at tcp://HOST:PORT, which open the same paths.",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with what a stopped or killed run left.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda …")]
EndDiastole = Annotated[int | None, typer.Option("--ed", help="The frame of end-diastole, from 0.")]
Cycle = Annotated[float | None, typer.Option("--cycle", help="Duration of the cardiac cycle, s.")]
Subjects = Annotated[list[str] | None, typer.Option("--subject", help="A participant; may be given several times.")]
Titles = Annotated[
    list[str] | None, typer.Option("--title", help="What to call a heart, one for each, in their order.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit with 1 if a heart is not valid, or a solid fails; all is written.")
]
RvWall = Annotated[
    float | None, typer.Option("--rv-wall", help="Solids: thickness of the RV's wall at ED, mm.  [default: 3]")
]
SchemeName = Annotated[
    str, typer.Option("--scheme", help="The file's labels: cheart, ukbb, acdc, mnms, ukdhp, or 1=lv,2=myo,3=rv.")
]
AlignSlices = Annotated[
    bool,
    typer.Option("--align-slices/--no-align-slices", help="Put slices of a thick stack in line: breath-holds differ."),
]
SpacingName = Annotated[
    Literal["pixdim", "affine"] | None, typer.Option("--spacing", help="Which to believe where they disagree.")
]


@dataclass(frozen=True)
class Group:
    """Options that belong together.

    Attributes:
        options: by parameter, its annotation and its default.
        gather: makes one value of theirs.
    """

    options: Mapping[str, tuple[Any, Any]]
    gather: Callable[..., Any] = dict


def options(**groups: Group) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a verb's parameter be a group: the command line has the group's options in its place."""

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        def command(**words: Any) -> None:
            for name, group in groups.items():
                words[name] = group.gather(**{option: words.pop(option) for option in group.options})
            verb(**words)

        parameters = []
        for own in Signature.from_callable(verb, eval_str=True).parameters.values():
            group = groups.get(own.name, Group({own.name: (own.annotation, own.default)}))
            parameters += [
                Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
                for name, (annotation, default) in group.options.items()
            ]
        command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        command.__name__, command.__doc__ = verb.__name__, verb.__doc__
        return command

    return decorate


@dataclass(frozen=True)
class Output:
    """Where the result goes."""

    out: Path
    overwrite: bool
    as_json: bool


@dataclass(frozen=True)
class Given:
    """The conditions that were given, by name, as text (the model's schema reads them), and what becomes of others."""

    conditions: dict[str, str]
    unknown: Unknown


@dataclass(frozen=True)
class Work:
    """Who does it, and whether it goes on with what stands there."""

    jobs: int | None
    scheduler: str | None
    resume: bool


def output(out: Any) -> Group:
    """The group of :class:`Output`, whose place is given as ``out`` has it."""
    return Group({"out": (out, Parameter.empty), "overwrite": (Overwrite, False), "as_json": (AsJson, False)}, Output)


OUTPUT = output(OutFolder)


def conditions(unknown: Unknown) -> Group:
    """The group of :class:`Given`; conditions that are not given are ``unknown`` where nobody says anything else."""
    flags = {
        "age": ("--age", "Years."),
        "sex": ("--sex", "F or M."),
        "weight": ("--weight", "kg."),
        "height": ("--height", "cm."),
        "sbp": ("--sbp", "Systolic blood pressure, mmHg."),
    }
    more = Annotated[list[str] | None, typer.Option("--with", help="Another condition of the model, as name=value.")]
    others = Annotated[
        Literal["draw", "missing"],
        typer.Option("--unknown", help="Conditions that are not given: drawn as in training, or missing to the model."),
    ]
    named = {name: (Annotated[str | None, typer.Option(flag, help=text)], None) for name, (flag, text) in flags.items()}
    return Group({**named, "more": (more, None), "unknown": (others, unknown)}, _given)


READING = Group(
    {
        "scheme": (SchemeName, "cheart"),
        "spacing": (SpacingName, None),
        "mirrored": (
            Annotated[bool, typer.Option("--mirrored", help="The header mirrors the heart, as those of ACDC do.")],
            False,
        ),
        "align_slices": (AlignSlices, True),
    }
)
"""How a foreign label map is read: words of :func:`cheart.read_heart`."""

WORK = Group(
    {
        "jobs": (JobsOption, None),
        "scheduler": (Scheduler, None),
        "resume": (Resume, False),
    },
    Work,
)

IMAGING = Group(
    {
        name: (Annotated[kind, typer.Option("--" + name.replace("_", "-"), help=text)], default)
        for name, kind, default, text in (
            ("slice_thickness", float | None, None, "Image slices of this thickness, mm."),
            ("slice_gap", float, 0.0, "Gap between slices, mm."),
            ("in_plane", float | None, None, "Pixel size of the slices, mm."),
            ("breath_hold", float, 0.0, "SD of each slice's shift in plane, mm."),
            ("missing_slices", int, 0, "Up to so many slices missing at base and at apex."),
            ("contour_dice", float | None, None, "Contours that err: their Dice to the truth."),
        )
    }
)
"""What is imaged of each heart, and how well: words of :class:`cheart.Acquisition`."""


def workers(jobs: int | None, scheduler: str | None, model: Model, *, many: bool = True) -> Jobs:
    """``--scheduler``, ``--jobs``, or else one a core where many hearts are at hand and no GPU does the work."""
    if scheduler is not None:
        return scheduler
    return jobs if jobs is not None else -1 if many and model.network.device.type == "cpu" else 1


def save(hearts: Hearts, target: Output, work: Work, *, many: bool = False, **how: Any) -> int:
    """``hearts.save`` for a verb that can go on; returns how many hearts are missing."""
    jobs = workers(work.jobs, work.scheduler, hearts.model, many=many)
    with resumable():
        return hearts.save(target.out, resume=work.resume, overwrite=target.overwrite, jobs=jobs, **how)


@contextmanager
def resumable() -> Iterator[None]:
    """Say on Ctrl-C how to go on."""
    from cheart.cli.console import inform

    try:
        yield
    except KeyboardInterrupt:
        inform("stopped; the same command with --resume goes on from the last whole heart")
        raise


def report(
    hearts: Hearts, target: Output, *, strict: bool, layout: str = "bids", intervals: pd.DataFrame | None = None
) -> None:
    """Answer for a verb that made hearts; ``strict``: exit with 1 if not all are valid."""
    from cheart.cli.console import answer
    from cheart.conditions import describe
    from cheart.files import read_json

    out, model, first, total = target.out, hearts.model, hearts[0], len(hearts)
    made = read_json(out / "result.json")
    p, schema = first.phenotypes, model.encoding.schema
    value = {
        "result": str(out),
        "kind": first.kind,
        "hearts": total,
        "missing": 0,
        "valid": made["valid"],
        "failed": made["failed"],
        "trained_on": model.trained_on,
        "warnings": list(hearts.warnings),
        "first": {"conditions": dict(first.conditions), "drawn": list(first.drawn), **p.row()},
    }
    lines = [
        f"{total} {first.kind} heart{'s' if total > 1 else ''} in {out}, by a {model.name} model trained on "
        f"{model.trained_on}.",
        f"The first: {describe(first.conditions, schema)}.",
    ]
    missing = [n for n in schema.names if first.conditions.get(n) is None]
    if first.drawn:
        lines.append(f"  drawn as the training cohort has them: {', '.join(first.drawn)}")
    if missing:
        lines.append(f"  missing to the model: {', '.join(missing)}")
    lines.append(
        f"  LVEDV {p.lvedv:.0f} mL, LVESV {p.lvesv:.0f} mL, LVEF {p.lvef:.0f} %, LVM {p.lvm:.0f} g, "
        f"RVEDV {p.rvedv:.0f} mL, RVESV {p.rvesv:.0f} mL"
    )
    if "solids_passed" in made:
        value["solids_passed"] = made["solids_passed"]
        lines.append(f"  solids: {made['solids_passed']} of {total} pass; a row of each in solids.tsv")
    if intervals is not None:
        from cheart.completions import as_json, in_words

        value |= as_json(intervals)
        lines += in_words(intervals)
    lines.append(f"Look at {out / 'picture.png'} first; {_NEXT[layout]}.")
    answer(value, "\n".join(lines), as_json=target.as_json)
    if strict and (made["valid"] < total or made.get("solids_passed", total) < total):
        raise typer.Exit(1)


_NEXT = {
    "bids": "then phenotypes.tsv, and sub-*_dseg.nii.gz in ITK-SNAP",
    "nnunet": "then dataset.json and cases.tsv; the folder belongs into nnUNet_raw",
    "monai": "then dataset.json, which monai.data.load_decathlon_datalist reads, and cases.tsv",
}


def _given(*, more: list[str] | None, unknown: Unknown, **named: str | None) -> Given:
    """
    Raises:
        InputError: ``--with`` without a name and a value, or with a name that was given already.
    """
    own = {name: value for name, value in named.items() if value is not None}
    beside = read_assignments(more or [], "--with", "name=value, such as group=DCM")
    for name in own.keys() & beside.keys():
        raise InputError(f"--{name} {own[name]} and --with {name}={beside[name]}: give {name} once")
    return Given({**own, **beside}, unknown)

"""``cheart reproduce``: the paper's experiments by one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cheart.cli.options import AsJson, Device, JobsOption, Scheduler, Seed


def reproduce(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Folder; the same command goes on in it.")],
    preset: Annotated[
        Literal["quick", "laptop", "paper"],
        typer.Option("--preset", help="quick: minutes, for a look; laptop: overnight; paper: a GPU."),
    ] = "laptop",
    cohort: Annotated[
        Path | None, typer.Option("--cohort", metavar="COHORT", help="Without it one is simulated in OUT.")
    ] = None,
    models: Annotated[
        str,
        typer.Option("--models", help="Names or path/to/file.py:Class, with commas; the first is the reference."),
    ] = "cheart,cvae,cvae-gan,cgan,pca,ridge,mean-beat",
    subjects: Annotated[
        int | None, typer.Option("--subjects", min=1, help="Judge only the first N held-out subjects.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", min=2, help="Hearts to generate a person: 20 (quick: 10).")
    ] = None,
    start_from: Annotated[
        str | None, typer.Option("--from", metavar="MODEL", help="Fine-tune this model, such as bundled, on COHORT.")
    ] = None,
    folds: Annotated[
        int, typer.Option("--folds", min=1, metavar="N", help="Cross-validate completion on COHORT; 1: its own split.")
    ] = 1,
    networks: Annotated[
        Literal["preset", "paper"],
        typer.Option("--networks", help="paper: the paper's voxel networks on the half grid; cheart comes trained."),
    ] = "preset",
    trained: Annotated[
        Path | None, typer.Option("--runs", metavar="DIR", help="Take trained models from DIR/NAME as they are.")
    ] = None,
    beside: Annotated[
        Path | None, typer.Option("--beside", metavar="OUT", help="Another OUT of the same people, for its rows.")
    ] = None,
    with_diagnosis: Annotated[
        bool, typer.Option("--with-diagnosis", help="Beside the models, which are not given group, those that are.")
    ] = False,
    test: Annotated[
        Path | None, typer.Option("--test", metavar="COHORT", help="Judge on all of this cohort instead.")
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    jobs: JobsOption = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Train the models, judge them, and write the paper's tables and a report that opens offline."""
    from cheart.cli.console import answer, inform
    from cheart.paper.experiment import Experiment
    from cheart.paper.reproduce import reproduce as run

    experiment = Experiment(
        out, preset=preset, models=tuple(m.strip() for m in models.split(",") if m.strip()), cohort=cohort,
        subjects=subjects, samples=samples, seed=seed, device=device, jobs=scheduler or jobs,
        start_from=start_from, folds=folds, networks=networks, trained=trained, beside=beside,
        with_diagnosis=with_diagnosis, test=test,
    )  # fmt: skip
    try:
        result = run(experiment, tell=inform)
    except KeyboardInterrupt:
        inform("stopped; the same command goes on from here")
        raise
    answer(result, _in_words(out, result), as_json=as_json)


def _in_words(out: Path, result: dict[str, Any]) -> str:
    lines = [f"{out / 'report.html'}: open it in a browser; it needs nothing else.", ""]
    lines += [f"{claim['title']}: {claim['verdict']}. {claim['text']}" for claim in result["claims"]]
    lines += [f"{remark['title']}: {remark['text']}" for remark in result["recommendations"]]
    lines += ["", f"Tables: {out / 'tables'}. Per subject: {out / 'evaluation'}. For machines: {out / 'result.json'}."]
    return "\n".join(lines)

"""``cheart pack``: a model in a few megabytes, with its card; ``cheart push``: such a model to the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cheart.cli.options import OUTPUT, AsJson, ModelName, Output, options


@options(target=OUTPUT)
def pack(
    model: ModelName,
    target: Output,
    cohort: Annotated[
        Path | None,
        typer.Option("--cohort", metavar="COHORT", help="Measure on its validation hearts what it costs."),
    ] = None,
    subjects: Annotated[int, typer.Option("--subjects", min=2, help="On how many of them.")] = 20,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            "--evaluation", metavar="TABLES", help="What cheart evaluate -o wrote, for the card; may be repeated."
        ),
    ] = None,
) -> None:
    """Pack a model to pass it on: a few MB in place of many, a model card, and the log of its training."""
    import cheart
    from cheart.cli.console import answer
    from cheart.evaluation.packing import packing_tables

    value = cheart.pack(
        model, target.out, cohort=cohort, subjects=subjects, evaluations=evaluation or [], overwrite=target.overwrite
    )  # fmt: skip
    size, before = value["megabytes"], value["megabytes_whole"]
    lines = [f"{target.out}: {size:.1f} MB in place of {before:.1f} MB, with card.md, which is yours to go over"]
    if cohort is not None:
        lines += [f"{value['subjects']} validation subjects", *(t.text() for t in packing_tables(value))]
        lines.append(value["definitions"])
    answer(value, "\n\n".join(lines), as_json=target.as_json)


def push(
    model: ModelName,
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Where to; it is made if it is not there.")],
    public: Annotated[
        bool, typer.Option("--public", help="A repository that is made is for all to see, not private.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a packed model and its card to the Hugging Face Hub; hf://owner/name is then a MODEL."""
    import cheart
    from cheart.cli.console import answer, inform
    from cheart.io.hub import FILES, check_sending

    packed = cheart.load(model)
    assert packed.folder is not None
    check_sending(packed.folder, repository)
    size = sum((packed.folder / name).stat().st_size for name in FILES) / 1e6
    inform(f"sending {', '.join(FILES.values())}, {size:.1f} MB, to {repository}")
    address = packed.push(repository, public=public)
    answer({"address": address, "megabytes": size}, f"{address}: {size:.1f} MB; cheart info {address}", as_json=as_json)

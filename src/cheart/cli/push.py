"""``cheart push``: a packed model to the Hugging Face Hub."""

from __future__ import annotations

from typing import Annotated

import typer

from cheart.cli.options import AsJson, ModelName


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

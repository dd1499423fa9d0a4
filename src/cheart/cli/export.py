"""``cheart export nnunet``: a data set for training a segmentation network on images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cheart.cli.options import OUTPUT, Output, SpacingName, options

export_app = typer.Typer(
    help="Data sets for other programs, of your own images: cheart export nnunet --images FOLDER --scheme acdc -o OUT.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@export_app.callback()
def _root() -> None:
    pass


@export_app.command()
@options(target=OUTPUT)
def nnunet(
    target: Output,
    images: Annotated[Path, typer.Option("--images", help="The folder of images (NIfTI).")],
    scheme: Annotated[str, typer.Option("--scheme", help="Label numbers: acdc, mnms, ukbb …, or 1=lv,2=myo,3=rv.")],
    labels: Annotated[
        Path | None, typer.Option("--labels", help="The folder of label maps, if it is not that of the images.")
    ] = None,
    spacing: SpacingName = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out pairs that cannot be used.")] = False,
) -> None:
    """Write a raw nnU-Net v2 data set from images and label maps: a case a labelled frame."""
    import cheart
    from cheart.cli.console import answer

    cases = cheart.export_nnunet(
        images, target.out, labels=labels, scheme=scheme, spacing=spacing, skip_bad=skip_bad, overwrite=target.overwrite
    )
    text = f"{cases} cases in {target.out}, which belongs into nnUNet_raw; then nnUNetv2_plan_and_preprocess."
    answer({"dataset": str(target.out), "cases": cases}, text, as_json=target.as_json)

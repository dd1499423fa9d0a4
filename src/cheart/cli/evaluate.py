"""``cheart evaluate``: how well a model completes held-out hearts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cheart.cli.options import AsJson, Device, ModelFolder, Overwrite


def evaluate(
    model: ModelFolder,
    cohort: Annotated[Path, typer.Argument(metavar="COHORT", help="A folder of cheart simulate or cheart import.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the tables; without it they are only printed.")
    ] = None,
    split: Annotated[Literal["train", "val", "test"], typer.Option("--split", help="Which subjects.")] = "test",
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Completion of held-out hearts from their first frame: Dice per structure and the paper's five phenotypes."""
    from cheart.cli.options import open_model
    from cheart.cli.say import answer
    from cheart.cohort import Cohort
    from cheart.files import new_file, new_folder, refuse_existing, write_json
    from cheart.tasks.evaluate import DEFINITIONS, evaluate_completion
    from cheart.tasks.results import describe_result

    if out is not None:
        refuse_existing(out, overwrite=overwrite)
    trained, people = open_model(model, device), Cohort.open(cohort)
    ours = evaluate_completion(trained, people, split=split)
    copied = evaluate_completion(trained, people, split=split, copy_first=True)
    value = describe_result(
        trained, kind="evaluation", task="complete", split=split, subjects=len(ours.subjects),
        cohort={"title": people.info["title"], "kind": people.info["kind"], "fingerprint": people.fingerprint},
        completion=ours.summary(), first_frame_copied=copied.summary(), structures_empty=ours.structures_empty,
        definitions=DEFINITIONS,
    )  # fmt: skip
    if out is not None:
        with new_folder(out, overwrite=overwrite) as folder:
            write_json(folder / "result.json", value)
            with new_file(folder / "subjects.csv") as partial:
                ours.subjects.to_csv(partial, index=False, float_format="%.6g")
    answer(value, _table(value) + (f"\nPer subject: {out / 'subjects.csv'}" if out else ""), as_json=as_json)


def _table(value: dict) -> str:
    """The summary as lines of text."""
    from cheart.tasks.evaluate import unit_of

    lines = [
        f"Completion of {value['subjects']} {value['split']} subjects of {value['cohort']['title']} "
        f"({value['cohort']['kind']}); model trained on {value['model']['trained_on']['title']}",
        f"{'':14}{'model':>18}{'first frame copied':>22}",
    ]
    for name, ours in value["completion"].items():
        unit = unit_of(name)
        digits = 1 if unit else 3
        cells = [ours, value["first_frame_copied"][name]]
        texts = [f"{c['mean']:.{digits}f} ± {c['sd']:.{digits}f}" for c in cells]
        lines.append(f"{name + (f' ({unit})' if unit else ''):14}{texts[0]:>18}{texts[1]:>22}")
    return "\n".join([*lines, value["definitions"]])

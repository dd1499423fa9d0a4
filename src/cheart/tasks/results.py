"""A folder of hearts that a model made: NIfTI, tables, and how they came to be.

    OUT/
        sub-001_dseg.nii.gz …   4D label maps in the template pose (1 LV cavity, 2 myocardium, 3 RV cavity)
        participants.tsv, .json what the model was told of each, the seed, and which conditions were drawn
        phenotypes.tsv          volumes, mass and function of each
        itk-snap-labels.txt     names and colours of the labels
        result.json             model, command, versions, seed

The folder is a cohort as people exchange it: ``cheart import nifti OUT COHORT --participants OUT/participants.tsv
--scheme cheart`` reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from cheart.cohort import dictionary, write_table
from cheart.export.bids import write_in_template
from cheart.export.itksnap import write_label_file
from cheart.files import write_json
from cheart.heart import Heart
from cheart.model import Model
from cheart.progress import track
from cheart.provenance import provenance

SHOWN = 6
"""Hearts that are kept in memory for the picture; the others are written and forgotten."""


def write_hearts(
    folder: Path, hearts: Iterable[Heart], model: Model, *, total: int, title: str, **how: Any
) -> list[Heart]:
    """Write hearts as they come, one after the other, and the tables behind them.

    Args:
        folder: an empty folder (see :func:`cheart.files.new_folder`).
        hearts: total of them.
        model: that made them.
        title: what is going on, for the progress bar.
        how: more for result.json, such as the seed.

    Returns:
        The first :data:`SHOWN` hearts.
    """
    people: list[dict[str, Any]] = []
    figures: list[dict[str, Any]] = []
    shown: list[Heart] = []
    digits = max(3, len(str(total)))
    for number, heart in enumerate(track(hearts, total=total, title=title), start=1):
        name = f"sub-{number:0{digits}}"
        write_in_template(folder / f"{name}_dseg.nii.gz", heart, Made=f"{heart.kind} by {model.name}")
        people.append({"participant_id": name, **person_row(heart)})
        figures.append({"participant_id": name, **heart.phenotypes.row()})
        if len(shown) < SHOWN:
            shown.append(heart)
    write_table(folder / "participants.tsv", pd.DataFrame(people))
    write_json(folder / "participants.json", dictionary(model.encoding.schema))
    write_table(folder / "phenotypes.tsv", pd.DataFrame(figures))
    write_label_file(folder)
    write_json(folder / "result.json", describe_result(model, kind=shown[0].kind, hearts=total, **how))
    return shown


def describe_result(model: Model, **how: Any) -> dict[str, Any]:
    """What result.json says."""
    weights = hashlib.sha256()
    for name, tensor in sorted(model.network.state_dict().items()):
        weights.update(name.encode())
        weights.update(tensor.cpu().numpy().tobytes())
    told = {"name": model.name, "trained_on": model.config["trained_on"], "fingerprint": weights.hexdigest()}
    return {"format": 1, "model": told, **how, "provenance": provenance()}


def person_row(heart: Heart) -> dict[str, Any]:
    """What the model was told of a heart's owner: its row of participants.tsv, but for the name."""
    return {
        "cycle_s": heart.cycle_s,
        **heart.conditions,
        "drawn": ",".join(heart.drawn) or "n/a",
        "code_seed": "n/a" if heart.seed is None else str(heart.seed),
    }

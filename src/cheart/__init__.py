"""cheart: complete, generate, vary and evaluate beating hearts (CHeart, Qiao et al., IEEE TMI 2023).

>>> import cheart
>>> model = cheart.load()                                             # the bundled one        # doctest: +SKIP
>>> heart = cheart.read_heart("patient_ed.nii.gz", scheme="acdc")                              # doctest: +SKIP
>>> person = {"age": 63, "sex": "F"}
>>> beat = model.complete(heart, person)                                                       # doctest: +SKIP
>>> hearts = model.generate(person, n=100)                                                     # doctest: +SKIP
>>> ages = model.vary("age", [20, 40, 60, 80], heart=heart, conditions=person)                 # doctest: +SKIP

The names below are imported when they are first used, so that ``import cheart`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cheart._version import __version__

if TYPE_CHECKING:
    from cheart.cohort import Cohort
    from cheart.datasets.importing import import_cohort
    from cheart.datasets.posing import read_heart
    from cheart.datasets.registry import importer
    from cheart.errors import CheartWarning, InputError
    from cheart.evaluation.packing import pack
    from cheart.evaluation.scores import evaluate
    from cheart.export.nnunet_images import export_nnunet
    from cheart.grid import Grid
    from cheart.heart import Heart
    from cheart.hearts import Hearts
    from cheart.io.images import read_cine
    from cheart.model import Model, load, train
    from cheart.models.base import HeartModel
    from cheart.models.registry import register
    from cheart.normal.conditional_shapes import conditional_shapes
    from cheart.normal.groups import cohort_atlas
    from cheart.normal.report import Report, report
    from cheart.pages.atlas import atlas
    from cheart.pages.view import view
    from cheart.plot.collect import render
    from cheart.plot.review import review
    from cheart.segmentation.segment import segment
    from cheart.simulation.acquisition import Acquisition
    from cheart.simulation.cohort import simulate

__all__ = [
    "Acquisition",
    "CheartWarning",
    "Cohort",
    "Grid",
    "Heart",
    "HeartModel",
    "Hearts",
    "InputError",
    "Model",
    "Report",
    "__version__",
    "atlas",
    "cohort_atlas",
    "conditional_shapes",
    "evaluate",
    "export_nnunet",
    "import_cohort",
    "importer",
    "load",
    "pack",
    "read_cine",
    "read_heart",
    "register",
    "render",
    "report",
    "review",
    "segment",
    "simulate",
    "train",
    "view",
]

_HOMES = {
    "Acquisition": "cheart.simulation.acquisition",
    "CheartWarning": "cheart.errors",
    "Cohort": "cheart.cohort",
    "Grid": "cheart.grid",
    "Heart": "cheart.heart",
    "HeartModel": "cheart.models.base",
    "Hearts": "cheart.hearts",
    "InputError": "cheart.errors",
    "Model": "cheart.model",
    "atlas": "cheart.pages.atlas",
    "Report": "cheart.normal.report",
    "cohort_atlas": "cheart.normal.groups",
    "conditional_shapes": "cheart.normal.conditional_shapes",
    "evaluate": "cheart.evaluation.scores",
    "export_nnunet": "cheart.export.nnunet_images",
    "import_cohort": "cheart.datasets.importing",
    "importer": "cheart.datasets.registry",
    "load": "cheart.model",
    "pack": "cheart.evaluation.packing",
    "read_cine": "cheart.io.images",
    "read_heart": "cheart.datasets.posing",
    "register": "cheart.models.registry",
    "render": "cheart.plot.collect",
    "report": "cheart.normal.report",
    "review": "cheart.plot.review",
    "segment": "cheart.segmentation.segment",
    "simulate": "cheart.simulation.cohort",
    "train": "cheart.model",
    "view": "cheart.pages.view",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cheart' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the next look-up is a plain one
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

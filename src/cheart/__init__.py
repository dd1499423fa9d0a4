"""cheart: complete, generate, vary and evaluate beating hearts (CHeart, Qiao et al., IEEE TMI 2023).

>>> import cheart
>>> model = cheart.load("model")
>>> heart = model.complete("patient_ed.nii.gz", age=63, sex="F")
>>> hearts = model.generate(5, age=63, sex="F", height=165, weight=70, sbp=135)
>>> ages = model.vary("age", [20, 40, 60, 80], sex="F")

The names below are imported when they are first used, so that ``import cheart`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cheart._version import __version__

if TYPE_CHECKING:
    from cheart.cohort import Cohort
    from cheart.datasets.importing import import_cohort
    from cheart.datasets.registry import importer
    from cheart.errors import InputError
    from cheart.evaluation.scores import evaluate
    from cheart.grid import Grid
    from cheart.heart import Heart
    from cheart.model import load
    from cheart.models.base import HeartModel
    from cheart.models.registry import register
    from cheart.simulation.cohort import simulate

__all__ = [
    "Cohort",
    "Grid",
    "Heart",
    "HeartModel",
    "InputError",
    "__version__",
    "evaluate",
    "import_cohort",
    "importer",
    "load",
    "register",
    "simulate",
]

_HOMES = {
    "Cohort": "cheart.cohort",
    "Grid": "cheart.grid",
    "InputError": "cheart.errors",
    "Heart": "cheart.heart",
    "HeartModel": "cheart.models.base",
    "evaluate": "cheart.evaluation.scores",
    "import_cohort": "cheart.datasets.importing",
    "importer": "cheart.datasets.registry",
    "load": "cheart.model",
    "register": "cheart.models.registry",
    "simulate": "cheart.simulation.cohort",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cheart' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the next look-up is a plain one
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

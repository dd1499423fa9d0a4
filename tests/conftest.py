from __future__ import annotations

import hypothesis
import pytest
from jaxtyping import install_import_hook

# the shapes in signatures are checked in every test; before anything imports these modules
SHAPED = (
    "base", "baseline", "bayesian_regression", "cgan", "cheart", "cvae", "cvae_gan", "fields", "latent", "linear_start",
    "pca", "representation", "shape", "shape_basis", "shape_network", "voxel", "voxel_network",
)  # fmt: skip
install_import_hook([*(f"cheart.models.{name}" for name in SHAPED), "cheart.training.distributed"], "beartype.beartype")

from tiny import cohort, model, run  # noqa: E402

__all__ = ["cohort", "model", "run"]

hypothesis.settings.register_profile("cheart", deadline=None)  # no test asserts a time, on whatever machine
hypothesis.settings.load_profile("cheart")

SLOW = (
    "align/test_pose", "cli/test_complete", "cli/test_demo", "cli/test_evaluate", "cli/test_generate",
    "cli/test_main", "cli/test_pack", "cli/test_reproduce", "cli/test_segment", "cli/test_train",
    "evaluation/test_truth", "faults/", "models/test_baselines", "models/test_iso_offset", "models/test_plain_step",
    "paper/", "plot/test_picture", "segmentation/test_segment", "simulation/audit/", "simulation/clinical/",
    "simulation/test_anatomy", "simulation/test_motion", "test_cluster", "test_examples", "test_hearts",
    "training/",
)  # fmt: skip
"""Tests that train, simulate many hearts or draw pages, by the beginning of their path: marked ``slow``, as any other
test may be by itself. ``make test-fast`` leaves them out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.removeprefix("tests/").startswith(SLOW):
            item.add_marker(pytest.mark.slow)

"""The simulated cohort's mean shape against the measured mean shape of the UK Digital Heart Project."""

import importlib.util
from pathlib import Path

import pytest

from cheart.grid import GRIDS
from cheart.labels import LV, MYO, RV

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MEASURED = ROOT.parent / "shared" / "data" / "dhp-mean-shape" / "Both_ED_mean.vtk"


@pytest.mark.real_data
@pytest.mark.skipif(
    not MEASURED.is_file(), reason="the measured mean shape (Both_ED_mean.vtk) is not beside the checkout"
)
def test_mean_shape_is_that_of_the_measured_population(truths):
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures" / "simulated_cohort.py")
    assert spec is not None
    assert spec.loader is not None
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    half, paper = GRIDS["half"], GRIDS["paper"]
    meshes = pictures.read_measured(MEASURED)
    aligned = pictures.align_measured(meshes, pictures.mean_labels(truths, half), half)
    found = pictures.dice(pictures.mean_labels(truths, paper), pictures.voxelise_measured(aligned, paper))
    assert found[LV] >= 0.93
    assert found[MYO] >= 0.80
    assert found[RV] >= 0.88

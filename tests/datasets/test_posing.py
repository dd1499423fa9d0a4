import nibabel as nib
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cheart.align.placement import reorder_affine
from cheart.align.resample import to_source
from cheart.datasets.posing import pose, read_heart
from cheart.datasets.recording import Recording, read_source
from cheart.errors import CheartWarning, InputError
from cheart.grid import GRIDS, Grid
from cheart.io.nifti import read_label_map
from cheart.labels import parse_scheme
from hearts import dice
from sources import save, stack

UKBB = parse_scheme("ukbb")
HALF = GRIDS["half"]


@pytest.mark.parametrize(("spacing", "tilt"), [((2.0, 2.0, 2.0), 30.0), ((10.0, 1.5, 1.5), 0.0)])
def test_one_file_in_and_back_on_its_own_voxels(tmp_path, spacing, tilt):
    labels, affine = stack(spacing=spacing, tilt=tilt, seed=4)
    path = save(tmp_path / "in.nii.gz", labels[0], affine)
    heart = read_heart(path, scheme=UKBB, grid=GRIDS["paper"], frames=4)
    assert heart.observed_frames.tolist() == [0]
    heart.save(tmp_path / "out.nii.gz", space="subject")
    image = nib.load(tmp_path / "out.nii.gz")
    assert image.shape == (*labels.shape[:0:-1], 4)
    np.testing.assert_allclose(image.affine, nib.load(path).affine, atol=1e-4)
    assert min(dice(read_label_map(tmp_path / "out.nii.gz").labels[0], labels[0])) > 0.95


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0)])
def test_the_order_of_the_axes_in_the_file_does_not_matter(tmp_path, order):
    labels, affine = stack(seed=1)
    plain = read_heart(save(tmp_path / "a.nii.gz", labels[0], affine), scheme=UKBB, grid=HALF, frames=4)
    stored = save(tmp_path / "b.nii.gz", labels[0].transpose(order), reorder_affine(affine, order))
    other = read_heart(stored, scheme=UKBB, grid=HALF, frames=4)
    assert min(dice(plain.labels[0], other.labels[0])) > 0.99
    np.testing.assert_array_equal(plain.observed, other.observed)
    back = to_source(other.labels[0], other.origin)
    assert back.shape == labels[0].transpose(order).shape
    assert min(dice(back, labels[0].transpose(order))) > 0.9


@pytest.mark.parametrize(("spacing", "tilt"), [((3.0, 2.0, 2.0), 20.0), ((8.0, 2.0, 2.0), 0.0)])
def test_the_scanners_axes_do_not_matter(tmp_path, spacing, tilt):
    labels, affine = stack(seed=6, spacing=spacing, tilt=tilt)
    world = np.eye(4)
    world[:3, :3] = Rotation.from_euler("xyz", [40, -65, 130], degrees=True).as_matrix()
    world[:3, 3] = (120, -80, 33)
    backwards = np.diag([-1.0, 1, 1, 1])
    backwards[0, 3] = labels.shape[3] - 1
    plain = read_heart(save(tmp_path / "a.nii.gz", labels[0], affine), scheme=UKBB, grid=HALF, frames=4)
    stored = save(tmp_path / "b.nii.gz", labels[0][..., ::-1], world @ affine @ backwards)
    oblique = read_heart(stored, scheme=UKBB, grid=HALF, frames=4)
    assert min(dice(plain.labels[0], oblique.labels[0])) > 0.97
    np.testing.assert_array_equal(plain.observed, oblique.observed)


def test_a_cycle_is_resampled_to_the_frames_wanted(tmp_path):
    shrinks = tuple(0.3 * np.sin(np.pi * np.arange(15) / 15) ** 2)
    labels, affine = stack(shrinks=shrinks)
    path = save(tmp_path / "a.nii.gz", np.roll(labels, 4, axis=0), affine, step_s=0.06)
    heart = read_heart(path, scheme=UKBB, grid=HALF, frames=10)
    assert heart.cycle_s == pytest.approx(0.9)
    assert heart.observed_frames.size == 10
    cavity = (heart.labels == 1).sum((1, 2, 3))
    assert cavity.argmax() == 0
    assert cavity.argmin() == 5
    assert heart.phenotypes.lvef == pytest.approx(100 * (1 - 0.7**2), abs=2)


def test_a_heart_that_does_not_fit_is_refused(tmp_path):
    labels, affine = stack()
    path = save(tmp_path / "a.nii.gz", labels[0], affine)
    with pytest.raises(InputError, match=r"a\.nii\.gz: .*--grid"):
        read_heart(path, scheme=UKBB, grid=Grid((32, 32, 32), (2.0, 2.0, 2.0)), frames=4)


def test_a_mirrored_file_goes_back_as_it_was(tmp_path):
    labels, affine = stack(seed=3)
    path = save(tmp_path / "a.nii.gz", labels[0], affine @ np.diag([1.0, 1, -1, 1]))
    with pytest.warns(CheartWarning, match="--mirrored"):
        assert "--mirrored" in read_heart(path, scheme=UKBB, grid=HALF, frames=4).warnings[0]
    heart = read_heart(path, scheme=UKBB, grid=HALF, frames=4, mirrored=True)
    assert not heart.warnings
    heart.save(tmp_path / "out.nii.gz", space="subject")
    np.testing.assert_allclose(nib.load(tmp_path / "out.nii.gz").affine, nib.load(path).affine, atol=1e-4)
    assert min(dice(read_label_map(tmp_path / "out.nii.gz").labels[0], labels[0])) > 0.9


def test_slices_that_do_not_fit_are_moved_or_warned_of(tmp_path):
    labels, affine = stack(spacing=(10.0, 1.5, 1.5))
    for k in range(0, labels.shape[1], 2):
        labels[0, k] = np.roll(labels[0, k], 10, axis=0)
    path = save(tmp_path / "a.nii.gz", labels[0], affine)
    with pytest.warns(CheartWarning, match=r"--no-align-slices"):
        moved = read_heart(path, scheme=UKBB, grid=HALF, frames=4)
    assert moved.origin.shifts is not None
    with pytest.warns(CheartWarning, match="slices do not fit"):
        left = read_heart(path, scheme=UKBB, grid=HALF, frames=4, align_slices=False)
    assert left.origin.shifts is None
    for heart in (moved, left):
        heart.save(tmp_path / "out.nii.gz", space="subject", overwrite=True)
        assert min(dice(read_label_map(tmp_path / "out.nii.gz").labels[0], labels[0])) > 0.9


def test_the_quality_figures_know_tilt_and_place(tmp_path):
    labels, affine = stack(spacing=(2.0, 2.0, 2.0), tilt=30.0, seed=9)
    recording = Recording("a", (save(tmp_path / "a.nii.gz", labels[0], affine),), {})
    _, figures = pose(read_source(recording, UKBB), grid=HALF, frames=4)
    assert figures["kept_as_slices"] == "no"
    assert 0 < figures["tilt_deg"] <= 45
    assert figures["off_centre_mm"] < 40
    assert figures["planes_observed"] > 20
    assert np.isnan(figures["lvesv_ml"])

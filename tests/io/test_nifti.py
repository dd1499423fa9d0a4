import gzip

import nibabel as nib
import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.errors import InputError
from cheart.io.nifti import read_label_map, write_heart, write_labels

LABELS = np.zeros((5, 6, 7), np.uint8)  # (X, Y, Z)
LABELS[1:4, 2:5, 3:6] = 2


def save(path, data, affine=None, *, units=("mm", "sec"), step=None, step_axis=4, pixdim=None):
    image = nib.Nifti1Image(data, np.diag([1.5, 1.5, 8, 1]) if affine is None else affine)
    image.header.set_xyzt_units(*units)
    if step is not None:
        image.header["pixdim"][step_axis] = step
    if pixdim is not None:
        image.header["pixdim"][1:4] = pixdim
    nib.save(image, path)
    return path


def cine(frames=10):
    return np.repeat(LABELS[..., None], frames, axis=3)


def test_a_heart_there_and_back(tmp_path):
    heart = beating_ellipsoids(frames=5, cycle_s=0.85)
    write_heart(tmp_path / "heart.nii.gz", heart)
    back = read_label_map(tmp_path / "heart.nii.gz")
    np.testing.assert_array_equal(back.labels, heart.labels)
    np.testing.assert_allclose(back.affine, heart.grid.affine)
    assert back.cycle_s == pytest.approx(0.85)
    assert back.spacing == pytest.approx(heart.grid.spacing)


def test_what_nibabel_sees(tmp_path):
    write_heart(tmp_path / "heart.nii.gz", beating_ellipsoids(frames=5, cycle_s=0.85))
    image = nib.load(tmp_path / "heart.nii.gz")
    assert image.shape == (64, 64, 32, 5)
    assert image.get_data_dtype() == np.uint8
    assert image.header.get_xyzt_units() == ("mm", "sec")
    assert image.header.get_zooms() == pytest.approx((2.5, 2.5, 4.0, 0.17))
    assert (int(image.header["qform_code"]), int(image.header["sform_code"])) == (2, 2)
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")


def test_the_same_input_gives_the_same_bytes(tmp_path):
    for name in ("one.nii.gz", "two.nii.gz"):
        write_heart(tmp_path / name, beating_ellipsoids(frames=2))
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()


def test_an_unknown_cycle_stays_unknown(tmp_path):
    write_heart(tmp_path / "heart.nii.gz", beating_ellipsoids(frames=3, cycle_s=float("nan")))
    assert np.isnan(read_label_map(tmp_path / "heart.nii.gz").cycle_s)


def test_subject_space_and_a_single_frame(tmp_path):
    affine = np.array([[0, 0, 8.0, 1], [1.5, 0, 0, 2], [0, 1.5, 0, 3], [0, 0, 0, 1]])
    write_labels(tmp_path / "own.nii.gz", LABELS.T, affine)
    image = nib.load(tmp_path / "own.nii.gz")
    assert image.shape == LABELS.shape
    assert int(image.header["sform_code"]) == 1
    np.testing.assert_allclose(read_label_map(tmp_path / "own.nii.gz").affine, affine)


def test_the_name_must_end_with_nii_gz(tmp_path):
    with pytest.raises(InputError, match=r"\.nii\.gz"):
        write_labels(tmp_path / "own.nii", LABELS.T, np.eye(4))


@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 6, 7, 1), (5, 6, 7, 1, 1)])
def test_singleton_axes_are_dropped(tmp_path, shape):
    back = read_label_map(save(tmp_path / "a.nii.gz", LABELS.reshape(shape)))
    assert back.labels.shape == (1, 7, 6, 5)
    np.testing.assert_array_equal(back.labels[0], LABELS.T)


def test_time_may_stand_in_a_later_axis(tmp_path):
    path = save(tmp_path / "a.nii.gz", cine(10).reshape(5, 6, 7, 1, 10, 1), step=0.09, step_axis=5)
    back = read_label_map(path)
    assert back.labels.shape == (10, 7, 6, 5)
    assert back.cycle_s == pytest.approx(0.9)


@pytest.mark.parametrize(("step", "cycle"), [(0.09, 0.9), (1.0, float("nan"))])
def test_a_step_left_in_its_usual_place_is_found(tmp_path, step, cycle):
    back = read_label_map(save(tmp_path / "a.nii.gz", cine(10)[:, :, :, None], step=step))
    assert back.cycle_s == pytest.approx(cycle, nan_ok=True)


@pytest.mark.parametrize(
    ("unit", "step", "cycle"), [("sec", 0.09, 0.9), ("msec", 90, 0.9), ("usec", 90000, 0.9), ("unknown", 0.09, 0.9)]
)
def test_time_units_are_honoured(tmp_path, unit, step, cycle):
    back = read_label_map(save(tmp_path / "a.nii.gz", cine(), units=("mm", unit), step=step))
    assert back.cycle_s == pytest.approx(cycle)


@pytest.mark.parametrize(("unit", "step"), [("unknown", 1.0), ("unknown", 0.0), ("sec", 0.0), ("hz", 3.0)])
def test_a_time_step_that_says_nothing_is_not_known(tmp_path, unit, step):
    back = read_label_map(save(tmp_path / "a.nii.gz", cine(), units=("mm", unit), step=step))
    assert np.isnan(back.cycle_s)


def test_metres_become_mm(tmp_path):
    path = save(tmp_path / "a.nii.gz", LABELS, np.diag([0.0015, 0.0015, 0.008, 1]), units=("meter", "sec"))
    assert read_label_map(path).spacing == pytest.approx((8, 1.5, 1.5))


def test_scaled_labels_are_read_scaled(tmp_path):
    image = nib.Nifti1Image(LABELS, np.eye(4))
    image.header.set_slope_inter(2, 0)
    nib.save(image, tmp_path / "a.nii.gz")
    assert read_label_map(tmp_path / "a.nii.gz").labels.max() == 4


def test_float_labels_that_are_whole_are_taken(tmp_path):
    assert read_label_map(save(tmp_path / "a.nii.gz", LABELS.astype(np.float32))).labels.dtype == np.uint8


@pytest.mark.parametrize("value", [0.5, -1, np.nan, 1e6])
def test_refuses_values_that_are_no_labels(tmp_path, value):
    data = LABELS.astype(np.float32)
    data[0, 0, 0] = value
    with pytest.raises(InputError, match="give the label map"):
        read_label_map(save(tmp_path / "a.nii.gz", data))


def test_refuses_an_affine_that_disagrees_with_pixdim_until_told_which(tmp_path):
    path = save(tmp_path / "a.nii.gz", LABELS, np.diag([-1.0, -1, 1, 1]), pixdim=(1.5, 1.5, 8))
    with pytest.raises(InputError, match="--spacing affine or --spacing pixdim"):
        read_label_map(path)
    assert read_label_map(path, spacing="affine").spacing == pytest.approx((1, 1, 1))
    told = read_label_map(path, spacing="pixdim")
    np.testing.assert_allclose(told.affine, np.diag([-1.5, -1.5, 8, 1]))


def test_refuses_a_shear(tmp_path):
    affine = np.diag([1.5, 1.5, 8, 1])
    affine[0, 2] = 2
    with pytest.raises(InputError, match="shear"):
        read_label_map(save(tmp_path / "a.nii.gz", LABELS, affine), spacing="affine")


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_refuses_an_affine_of_nothing(tmp_path, value):
    image = nib.Nifti1Image(LABELS, None)
    image.header.set_sform(np.diag([value, 1, 1, 1]), code=1)
    nib.save(image, tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match=r"affine .* not readable"):
        read_label_map(tmp_path / "a.nii.gz")


def test_refuses_a_flat_image_and_five_dimensions(tmp_path):
    with pytest.raises(InputError, match="expected"):
        read_label_map(save(tmp_path / "a.nii.gz", LABELS[..., 0]))
    with pytest.raises(InputError, match="expected"):
        read_label_map(save(tmp_path / "b.nii.gz", np.zeros((3, 3, 3, 2, 2), np.uint8)))


def test_refuses_what_is_cut_short_or_no_nifti_or_not_there(tmp_path):
    path = save(tmp_path / "a.nii.gz", cine(60))
    (tmp_path / "short.nii.gz").write_bytes(path.read_bytes()[:-60])
    (tmp_path / "text.nii.gz").write_bytes(gzip.compress(b"hello"))
    (tmp_path / "plain.nii").write_bytes(b"hello")
    for name in ("short.nii.gz", "text.nii.gz", "plain.nii"):
        with pytest.raises(InputError, match="cannot be read as NIfTI"):
            read_label_map(tmp_path / name)
    with pytest.raises(InputError, match="is not there"):
        read_label_map(tmp_path / "none.nii.gz")


def test_a_damaged_header_is_refused_or_read_but_never_breaks(tmp_path):
    whole = gzip.decompress(save(tmp_path / "a.nii.gz", cine(3), step=0.3).read_bytes())
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in rng.integers(0, 352, 3):
            damaged[place] = rng.integers(0, 256)
        (tmp_path / "b.nii").write_bytes(damaged)
        try:
            read_label_map(tmp_path / "b.nii")
        except InputError:
            refused += 1
    assert refused > 10

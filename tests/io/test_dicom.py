import json

import numpy as np
import pytest

from cheart.errors import InputError
from cheart.io.dicom import read_slices
from cheart.io.images import read_cine

pytest.importorskip("pydicom", reason="reading DICOM is an extra: pip install 'cheart[dicom]'")

from dicoms import write_enhanced, write_stack


@pytest.fixture
def values():
    """[T, Z, Y, X] that say where they are."""
    t, z, y, x = np.meshgrid(*map(np.arange, (6, 4, 8, 10)), indexing="ij")
    return 1 + 2 * (1000 * t + 100 * z + 10 * y + x)


@pytest.mark.parametrize("series_a_slice", [False, True], ids=["one series", "a series a slice"])
def test_slices_and_frames_come_in_order_with_space_and_time(tmp_path, values, series_a_slice):
    affine = write_stack(tmp_path, values, series_a_slice=series_a_slice)
    cine = read_cine(tmp_path)
    np.testing.assert_array_equal(cine.values, values)
    np.testing.assert_allclose(cine.affine, affine, atol=1e-4)
    np.testing.assert_allclose(cine.spacing, (8, 1.5, 1.25), atol=1e-4)
    assert cine.frame_s == pytest.approx(0.04)
    assert (dict(cine.conditions), cine.warnings) == ({}, ())


def test_other_series_and_other_files_are_passed_over(tmp_path, values):
    write_stack(tmp_path / "sax", values)
    across = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
    write_stack(tmp_path / "lax", values[:, :1], number=3, description="CINE 4ch", cosines=across)
    write_stack(tmp_path / "scout", values[:1], number=1, description="scout", spacing=(8, 2.5, 2.5))
    (tmp_path / "notes.txt").write_text("no DICOM")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 200)
    np.testing.assert_array_equal(read_cine(tmp_path).values, values)


def test_demographics_only_where_they_are_asked_for(tmp_path, values):
    write_stack(tmp_path, values)
    cine = read_cine(tmp_path, demographics=True)
    assert dict(cine.conditions) == {"age": 63.0, "sex": "F", "weight": 70.0, "height": 165.0}
    cine.save(tmp_path / "cine.nii.gz")
    content = (tmp_path / "cine.nii.gz").read_bytes()
    import gzip

    assert b"Doe" not in gzip.decompress(content)
    back = read_cine(tmp_path / "cine.nii.gz")
    np.testing.assert_allclose(back.affine, cine.affine, atol=1e-4)
    assert back.frame_s == pytest.approx(cine.frame_s)


@pytest.mark.parametrize(
    ("header", "age"),
    [
        ({"PatientAge": "756M"}, 63),
        ({"PatientAge": None, "PatientBirthDate": "19560701"}, 63),
        ({"PatientAge": None}, None),
    ],
)
def test_the_age_in_whatever_form(tmp_path, values, header, age):
    write_stack(tmp_path, values[:3], **header)
    found = read_cine(tmp_path, demographics=True)
    assert found.conditions.get("age") == age


def test_a_value_that_nobody_has_is_left_out_and_said(tmp_path, values):
    write_stack(tmp_path, values[:3], PatientSize=165.0, PatientSex="O")
    cine = read_cine(tmp_path, demographics=True)
    assert set(cine.conditions) == {"age", "weight"}
    assert "height" in str(cine.warnings)


def remove(folder, values, t, z):
    from pydicom import dcmread

    for path in folder.glob("*.dcm"):
        if dcmread(path).InstanceNumber in {z * len(values) + frame + 1 for frame in t}:
            path.unlink()


def test_a_missing_slice_is_refused(tmp_path, values):
    write_stack(tmp_path, values)
    remove(tmp_path, values, range(6), 1)
    with pytest.raises(InputError, match="a slice is missing"):
        read_cine(tmp_path)


def test_a_missing_frame_is_refused(tmp_path, values):
    write_stack(tmp_path, values)
    remove(tmp_path, values, [2], 1)
    with pytest.raises(InputError, match="has 5 frames, the others 6"):
        read_cine(tmp_path)


def test_a_stack_that_was_taken_twice_is_refused_until_one_is_named(tmp_path, values):
    write_stack(tmp_path / "a", values, number=5)
    write_stack(tmp_path / "b", values, number=9, description="CINE SAX repeat")
    with pytest.raises(InputError, match=r"more than once .*5 CINE SAX, 9 CINE SAX repeat.*--series"):
        read_cine(tmp_path)
    assert read_cine(tmp_path, series="repeat").frames == 6
    assert read_cine(tmp_path, series="5").frames == 6
    with pytest.raises(InputError, match=r"no short-axis cine in series 'tagging' \(--series\)"):
        read_cine(tmp_path, series="tagging")


def test_two_stacks_are_refused_by_name(tmp_path, values):
    write_stack(tmp_path / "a", values)
    write_stack(tmp_path / "b", values, number=9, description="other angle", cosines=((1, 0, 0), (0, 1, 0)))
    with pytest.raises(InputError, match=r"several stacks .*5 CINE SAX.*9 other angle.*--series"):
        read_cine(tmp_path)


def test_without_times_the_cycle_is_not_known(tmp_path, values):
    write_stack(tmp_path, values, TriggerTime=None, NominalInterval=None)
    cine = read_cine(tmp_path)
    assert np.isnan(cine.frame_s)
    assert "not known" in str(cine.warnings)
    np.testing.assert_array_equal(cine.values, values)


def test_a_folder_without_dicom_is_refused(tmp_path):
    (tmp_path / "file.json").write_text(json.dumps({}))
    with pytest.raises(InputError, match="no DICOM image"):
        read_cine(tmp_path)
    with pytest.raises(InputError, match="--demographics and --series are for folders"):
        read_cine(tmp_path / "file.json", demographics=True)


@pytest.mark.parametrize("shared", [True, False], ids=["groups of all", "groups of each"])
def test_an_enhanced_file_is_read_as_its_frames(tmp_path, values, shared):
    affine = write_enhanced(tmp_path / "stack.dcm", values, shared=shared)
    cine = read_cine(tmp_path, demographics=True)
    np.testing.assert_array_equal(cine.values, values)
    np.testing.assert_allclose(cine.affine, affine, atol=1e-4)
    assert cine.frame_s == pytest.approx(0.04)
    assert cine.conditions["height"] == 165.0


def test_an_enhanced_file_among_others(tmp_path, values):
    affine = write_enhanced(tmp_path / "stack.dcm", values, shuffle=3)
    write_stack(tmp_path / "scout", values[:1], number=1, description="scout", spacing=(8, 2.5, 2.5))
    write_enhanced(tmp_path / "screenshot.dcm", values, groups=False)
    cine = read_cine(tmp_path)
    np.testing.assert_array_equal(cine.values, values)
    np.testing.assert_allclose(cine.affine, affine, atol=1e-4)


def test_an_enhanced_file_a_slice(tmp_path, values):
    for z in range(values.shape[1]):
        write_enhanced(tmp_path / f"{z}.dcm", values[:, z : z + 1], above=z)
    np.testing.assert_array_equal(read_cine(tmp_path).values, values)


def test_order_in_time_alone_gives_no_duration(tmp_path, values):
    write_enhanced(tmp_path / "stack.dcm", values, step_ms=None)
    cine = read_cine(tmp_path)
    np.testing.assert_array_equal(cine.values, values)
    assert np.isnan(cine.frame_s)
    assert "do not say when" in cine.warnings[0]


def test_an_enhanced_file_that_was_cut_is_refused_by_name(tmp_path, values):
    write_enhanced(tmp_path / "stack.dcm", values)
    content = (tmp_path / "stack.dcm").read_bytes()
    (tmp_path / "stack.dcm").write_bytes(content[:-3000])
    with pytest.raises(InputError, match=r"stack\.dcm: its pixels cannot be decoded"):
        read_cine(tmp_path)


def test_single_images_are_sorted_into_slices(tmp_path, values):
    affine = write_stack(tmp_path, values)
    files = sorted(tmp_path.iterdir())
    stack = read_slices(files)
    assert [len(paths) for paths in stack.slices] == [6] * 4
    np.testing.assert_allclose(stack.affine, affine, atol=1e-4)
    assert stack.shape == (8, 10)
    assert sorted(set(stack.when.values())) == [3, 43, 83, 123, 163, 203]
    with pytest.raises(InputError, match="a slice is missing"):
        read_slices([path for path in files if path not in stack.slices[1]])
    with pytest.raises(InputError, match="2 slices; expected three"):
        read_slices([*stack.slices[0], *stack.slices[1]])
    (tmp_path / "notes.txt").write_text("no DICOM")
    with pytest.raises(InputError, match=r"notes\.txt: no DICOM image"):
        read_slices([*files, tmp_path / "notes.txt"])

import json

import nibabel as nib
import numpy as np
import pytest

import cheart
from cheart.errors import CheartWarning, InputError
from cheart.metrics.overlap import dice
from cheart.segmentation.segment import segment
from networks import SCALE, nnunet, program


@pytest.mark.slow
def test_space_time_and_units_are_kept(image, cine, truth, tmp_path):
    made = segment(image, program(tmp_path), scheme="cheart")
    made.save(tmp_path / "labels.nii.gz")
    written = nib.load(tmp_path / "labels.nii.gz")
    np.testing.assert_allclose(written.affine, cine.affine, atol=1e-4)
    assert written.header.get_zooms()[3] == pytest.approx(0.08)
    assert written.header.get_xyzt_units() == ("mm", "sec")
    assert (made.ed, made.es) == (0, 4)
    assert (dice(made.labels, truth[0]) > 0.97).all()


@pytest.mark.slow
def test_beside_the_labels_stand_how_they_were_made_and_a_picture(image, tmp_path):
    segment(image, program(tmp_path), scheme="1=lv,2=myo,3=rv").save(tmp_path / "labels.nii.gz")
    about = json.loads((tmp_path / "labels.json").read_text())
    assert about["Image"] == "cine.nii.gz"
    assert about["NetworkScheme"] == "1=lv,2=myo,3=rv"
    assert len(about["ImageSHA256"]) == 64
    assert len(about["ChangedByFrame"]) == 10
    assert str(tmp_path) not in json.dumps(about)
    assert (tmp_path / "labels.png").stat().st_size > 10_000
    assert (tmp_path / "itk-snap-labels.txt").is_file()
    with pytest.raises(InputError, match="exists already"):
        segment(image, program(tmp_path), scheme="cheart").save(tmp_path / "labels.nii.gz")


@pytest.mark.slow
def test_the_labels_go_straight_into_read_heart(image, tmp_path):
    segment(image, program(tmp_path), scheme="cheart").save(tmp_path / "labels.nii.gz")
    heart = cheart.read_heart(tmp_path / "labels.nii.gz", grid="half")
    assert heart.frames == 20
    assert heart.cycle_s == pytest.approx(0.8)
    assert 40 < heart.phenotypes.lvef < 60


def test_errors_of_single_frames_are_steadied_and_said(cine, truth, tmp_path):
    broken = cine.values.copy()
    broken[7] = np.roll(broken[7], 12, axis=2)
    broken[3, 2, :4, :4] = 3 * SCALE
    type(cine)(broken, cine.affine, cine.frame_s).save(tmp_path / "cine.nii.gz")
    with pytest.warns(CheartWarning, match="frame 7"):
        made = segment(tmp_path / "cine.nii.gz", program(tmp_path), scheme="cheart")
    assert (dice(made.labels, truth[0])[7] > 0.85).all()
    assert not made.labels[3, 2, :4, :4].any()
    raw = segment(tmp_path / "cine.nii.gz", program(tmp_path), scheme="cheart", raw=True)
    np.testing.assert_array_equal(raw.labels, np.round(broken / SCALE))


@pytest.mark.slow
def test_a_swapped_scheme_is_a_loud_error(image, tmp_path):
    with pytest.raises(InputError, match=r"labels are exchanged.*1=lv,2=myo,3=rv would fit|exchanged"):
        segment(image, program(tmp_path), scheme="acdc")
    with pytest.warns(CheartWarning, match="would be refused at import"):
        made = segment(image, program(tmp_path), scheme="acdc", unchecked=True)
    assert "refused at import" in made.warnings[0]


def test_a_scheme_is_asked_for_and_held_against_what_the_network_says(image, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="which number is which structure"):
        segment(image, program(tmp_path))
    model, programs = nnunet(tmp_path, {"background": 0, "LV": 1, "MYO": 2, "RV": 3})
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    assert segment(image, f"nnunet:{model}").ed == 0
    with pytest.raises(InputError, match="the network itself says 1=lv,2=myo,3=rv"):
        segment(image, f"nnunet:{model}", scheme="acdc")


@pytest.mark.slow
def test_dicom_to_labels(truth, tmp_path):
    pytest.importorskip("pydicom", reason="reading DICOM is an extra")
    from dicoms import PERSON, write_stack

    labels, _ = truth
    affine = write_stack(
        tmp_path / PERSON["PatientName"], labels.astype(int) * SCALE + 1, spacing=(10, 2.5, 2.0), step_ms=80,
        cosines=((1, 0, 0), (0, 1, 0)),
    )  # fmt: skip
    made = segment(tmp_path / PERSON["PatientName"], program(tmp_path), scheme="cheart", demographics=True)
    assert made.cine.conditions["age"] == 63
    np.testing.assert_allclose(made.cine.affine, affine, atol=1e-4)
    assert (dice(made.labels, labels) > 0.97).all()
    made.save(tmp_path / "labels.nii.gz")
    assert "Doe" not in (tmp_path / "labels.json").read_text()

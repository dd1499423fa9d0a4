import json

import numpy as np
import pytest

from cheart.io.cine import Cine
from cheart.io.images import read_cine
from hearts import random_motion, sample, volume_around
from networks import SCALE, program

pytest.importorskip("pydicom", reason="reading DICOM is an extra: pip install 'cheart[dicom]'")

from dicoms import write_stack


@pytest.fixture(scope="module")
def beat():
    motion = random_motion(np.random.default_rng(0), tilt=0)
    affine, shape = volume_around(motion, (10.0, 2.5, 2.5))
    return np.stack([sample(motion, affine, shape, shrink=s) for s in (0, 0.1, 0.25, 0.2, 0.1, 0.05)]), affine


def test_an_image_to_labels_to_a_completed_heart(cheart, beat, tiny_bundled, undrawn, tmp_path):
    labels, affine = beat
    Cine(labels.astype(np.int16) * SCALE, affine, 0.15).save(tmp_path / "cine.nii.gz")
    out = tmp_path / "labels.nii.gz"
    answer = cheart("segment", tmp_path / "cine.nii.gz", "-o", out, "--with", program(tmp_path), "--scheme", "cheart")
    assert answer.code == 0, answer
    assert "ED is frame 0, ES frame 2" in answer.out
    assert cheart("complete", out, "--age", 50, "-o", tmp_path / "completed").code == 0


def test_dicom_to_an_image_without_the_patients_data(cheart, beat, tmp_path):
    labels, _ = beat
    write_stack(tmp_path / "dicom", labels.astype(int) * SCALE + 1, spacing=(10, 2.5, 2.5), step_ms=150)
    answer = cheart("dicom", tmp_path / "dicom", "-o", tmp_path / "cine.nii.gz", "--demographics", "--json")
    value = json.loads(answer.out)
    assert value["conditions"] == {"age": 63.0, "sex": "F", "weight": 70.0, "height": 165.0}
    assert value["frame_s"] == pytest.approx(0.15)
    np.testing.assert_allclose(read_cine(tmp_path / "cine.nii.gz").values, labels * float(SCALE) + 1, atol=1.1)
    plain = cheart("dicom", tmp_path / "dicom", "-o", tmp_path / "again.nii.gz", "--demographics")
    assert "--age 63 --sex F --weight 70 --height 165" in plain.out


def test_refusals_are_one_line(refused, tmp_path):
    assert "expected nnunet:" in refused("segment", "cine.nii.gz", "-o", "labels.nii.gz", "--with", "unet")
    (tmp_path / "empty").mkdir()
    assert "no DICOM image" in refused("dicom", tmp_path / "empty", "-o", tmp_path / "cine.nii.gz")

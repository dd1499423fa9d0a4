from pathlib import Path

import numpy as np
import pytest

from cheart.align.resample import to_source
from cheart.datasets.acdc import list_acdc
from cheart.datasets.posing import pose, read_heart
from cheart.datasets.recording import read_source
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.labels import SCHEMES
from hearts import dice
from sources import ACDC_INFO, acdc_patient

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"
real_data = pytest.mark.skipif(not (REAL / "acdc-training").is_dir(), reason="shared/data/acdc-training is absent")


def test_a_patient_as_acdc_has_it(tmp_path):
    acdc_patient(tmp_path, "patient001", turn_deg=70)
    source = list_acdc(tmp_path)
    (patient,) = source.subjects
    own = read_source(patient, source.scheme)
    heart, figures = pose(own, grid=GRIDS["half"], frames=20)
    assert own.affine[2, 2] == pytest.approx(-10)
    assert figures["es_frame"] == 7
    assert heart.observed_frames.tolist() == [0, 7]
    assert figures["outflow_turn_deg"] > 5
    assert figures["lvedv_ml"] == pytest.approx(2 / 3 * np.pi * 24**2 * 78 / 1000, rel=0.05)
    assert source.schema.read(patient.row) == {
        "age": None, "sex": None, "weight": 80, "height": 180, "sbp": None, "group": "NOR",
    }  # fmt: skip
    back = to_source(heart.labels[[0, 7]], heart.origin)
    assert min(dice(back, own.labels)) > 0.93


@pytest.mark.parametrize("info", ["", "ED: 1\nES: 12\n", ACDC_INFO.replace("ED: 1", "ED: first")])
def test_an_unreadable_info_leaves_the_patient_out(tmp_path, info):
    acdc_patient(tmp_path, "patient001", info=info)
    source = list_acdc(tmp_path)
    assert not source.subjects
    assert "Info.cfg" in source.left_out[0].reason


def test_a_missing_label_map_leaves_the_patient_out(tmp_path):
    (acdc_patient(tmp_path, "patient001") / "patient001_frame12_gt.nii.gz").unlink()
    assert "patient001_frame12_gt.nii.gz" in list_acdc(tmp_path).left_out[0].reason


def test_refuses_another_folder(tmp_path):
    with pytest.raises(InputError, match=r"Info\.cfg"):
        list_acdc(tmp_path)


@pytest.mark.real_data
@real_data
def test_real_hearts_come_into_the_pose():
    source = list_acdc(REAL / "acdc-training")
    assert len(source.subjects) == 100
    turns = []
    for patient in source.subjects[::10]:
        heart, figures = pose(read_source(patient, source.scheme), grid=GRIDS["half"], frames=20)
        labels = heart.labels
        z, _, x = GRIDS["half"].axes()
        assert x[np.nonzero(labels[0] == 3)[2]].mean() > x[np.nonzero(labels[0] == 1)[2]].mean() + 20
        apical = labels[0][z < z[np.nonzero(labels[0])[0]].min() + 15]
        assert np.sum(apical == 1) < np.sum(labels[0] == 1) * 0.2
        assert figures["share_cut"] == 0
        assert figures["rounding_mm"] <= 2
        turns.append(figures["outflow_turn_deg"])
    assert np.median(turns) > 5


@pytest.mark.slow
@pytest.mark.real_data
@real_data
def test_patient021_from_the_stills_and_from_the_cine_agree_at_ed():
    cine = REAL / "acdc-patient021-cine-labels" / "label.nii.gz"
    grid = GRIDS["paper"]
    film = read_heart(cine, scheme="1=myo,2=lv,3=rv", grid=grid, frames=20, mirrored=True)
    assert film.observed_frames.size == 20
    source = list_acdc(REAL / "acdc-training")
    (patient,) = (p for p in source.subjects if p.participant_id == "patient021")
    stills, _ = pose(read_source(patient, SCHEMES["acdc"]), grid=grid, frames=20)
    wrong = film.origin.transform.after(stills.origin.transform.inverse)
    assert wrong.angle_deg < 2
    # the cine's labels are an automatic segmentation: 0.96, 0.91, 0.92 against the stills voxel by voxel
    own = [to_source(p.labels[0], p.origin) for p in (film, stills)]
    assert min(dice(*own)) > 0.88
    assert min(dice(film.labels[0], stills.labels[0])) > 0.85

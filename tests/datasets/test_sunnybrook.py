"""On a made-up copy of the published layout: the data are not to be had here."""

import json
import math

import numpy as np
import pytest

from cheart.align.pose import TO_BASE, TO_RV
from cheart.cohort import Cohort
from cheart.datasets.importing import import_cohort
from cheart.datasets.posing import read_heart
from cheart.datasets.review import read_rejected
from cheart.datasets.sunnybrook import list_sunnybrook
from cheart.errors import InputError
from cheart.evidence import Evidence
from cheart.export.bids import export_cohort
from cheart.labels import LV, RV
from cheart.phenotypes import UNITS
from cheart.plot.review import review
from cheart.training.train import train

pytest.importorskip("pydicom", reason="the images are DICOM: pip install 'cheart[dicom]'")

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

SLICES, STEP, PIXEL, SIDE = 9, 9.0, 1.5, 100
WIDE, NARROW, WALL = 30.0, 22.0, 9.0
"""Semi-axes of the cavity towards the RV and across, and of the wall, mm."""

BASE = np.array(TO_BASE) / np.linalg.norm(TO_BASE)
LEFT = -(np.array(TO_RV) - (np.array(TO_RV) @ BASE) * BASE) / np.linalg.norm(TO_RV - (np.array(TO_RV) @ BASE) * BASE)
DOWN = np.cross(LEFT, BASE)


def radius(z):
    """Of a slice from the apex (0), as a share of the base's: a paraboloid."""
    return math.sqrt((z + 0.5) / SLICES)


def write_image(path, z, t, frames=20):
    """One image of a slice, without anything to see in it."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = MRImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.StudyInstanceUID, data.SeriesNumber = "1.2.3", 300
    lps = np.diag([-1.0, -1.0, 1.0])
    data.ImageOrientationPatient = [float(f"{v:.6f}") for v in (*(lps @ LEFT), *(lps @ DOWN))]
    data.ImagePositionPatient = [float(f"{v:.4f}") for v in lps @ (z * STEP * BASE - 75 * LEFT - 75 * DOWN)]
    data.PixelSpacing, data.Rows, data.Columns = [PIXEL, PIXEL], SIDE, SIDE
    data.TriggerTime, data.InstanceNumber = 40.0 * t, 1 + z * frames + t
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


def contour(path, share, more=0.0):
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    points = 50 + np.stack([(WIDE * share + more) * np.cos(turn), (NARROW * share + more) * np.sin(turn)], 1) / PIXEL
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{x:.2f} {y:.2f}\n" for x, y in points))


def subject(images, contours, prefix="IM-0001"):
    """Images of ED and ES and their contours: no epicardium at ES, and no cavity there in the slice at the apex."""
    for z in range(SLICES):
        for t, k in ((0, 1.0), (8, 0.7)):
            number = 1 + z * 20 + t
            write_image(images / f"{prefix}-{number:04}.dcm", z, t)
            if t == 0 or z > 0:
                contour(contours / f"IM-0001-{number:04}-icontour-manual.txt", k * radius(z))
            if t == 0:
                contour(contours / f"IM-0001-{number:04}-ocontour-manual.txt", radius(z), WALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One subject of the challenge's layout, two of the Cardiac Atlas Project's."""
    root = tmp_path_factory.mktemp("scd")
    expert = "contours-manual/IRCCI-expert"
    subject(root / "challenge" / "SC-N-09" / "DICOM", root / "challenge" / "SC-N-09" / expert)
    for k, name in ((1, "SC-HF-I-01"), (2, "SC-HF-NI-03")):
        images = root / "SCD_IMAGES_01" / f"SCD0000{k}01" / "CINESAX_300"
        subject(images, root / "SCD_ManualContours" / name / expert, prefix="IM-0003")
        write_image(images.parent / "CINELAX_301" / "IM-0004-0001.dcm", 0, 0)
    (root / "scd_patientdata.csv").write_text(
        "PatientID,OriginalID,Gender,Age,Pathology\n"
        "SCD0000101,SC-HF-I-1,Male,63,Heart failure\nSCD0000201,SC-HF-NI-3,Female,58,Heart failure\n"
    )
    return root


@pytest.fixture(scope="module")
def cohort(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "cohort"
    with pytest.warns(match="the RV cavity was not traced in 3 of 3 hearts"):
        return import_cohort("sunnybrook", folder, out, grid="half", frames=10, jobs=1)


def test_who_is_there(cohort):
    who = list(cohort.table["participant_id"])
    assert sorted(who) == ["SC-HF-I-01", "SC-HF-NI-03", "SC-N-09"]
    known = cohort.conditions(who.index("SC-HF-I-01"))
    assert (known["age"], known["sex"], known["group"], known["weight"]) == (63, "M", "HF-I", None)
    assert cohort.conditions(who.index("SC-N-09"))["age"] is None


def test_volumes_of_what_was_traced_and_none_of_the_rest(cohort):
    found = cohort.heart(0).phenotypes
    shares = np.array([radius(z) for z in range(SLICES)])
    area = np.pi * WIDE * NARROW * shares**2
    ring = np.pi * (WIDE * shares + WALL) * (NARROW * shares + WALL) - area
    assert found.lvedv == pytest.approx(area.sum() * STEP / 1000, rel=0.03)
    assert found.lvesv == pytest.approx(0.49 * area[1:].sum() * STEP / 1000, rel=0.03)
    assert found.lvm == pytest.approx(1.05 * ring.sum() * STEP / 1000, rel=0.03)
    assert {name for name in UNITS if math.isnan(getattr(found, name))} == {
        "rvedv", "rvesv", "rvsv", "rvef", "lvco", "rvco",
    }  # fmt: skip
    heart = cohort.heart(0)
    assert heart.traced[0].tolist() == [True, True, False]
    assert heart.traced[found.es_frame].tolist() == [True, False, False]
    assert not (heart.labels == RV).any()


def test_the_patients_axes_say_where_the_rv_would_be(cohort):
    heart = cohort.heart(0)
    cavity = np.argwhere(heart.labels[0] == LV)
    extent = np.ptp(cavity, axis=0) + 1
    assert extent[2] * 2.5 == pytest.approx(2 * WIDE * radius(SLICES - 1), abs=5)
    assert extent[1] * 2.5 == pytest.approx(2 * NARROW * radius(SLICES - 1), abs=5)
    areas = (heart.labels[0] == LV).sum(axis=(1, 2))
    assert np.argmax(areas) > np.flatnonzero(areas).mean()  # the base is up
    assert cohort.heart(0).origin.transform.matrix[2, :3] == pytest.approx(BASE, abs=1e-3)


def test_what_needs_whole_hearts_refuses_them(cohort, tmp_path):
    with pytest.raises(InputError, match="RV cavity was not traced in these hearts, and to train a model"):
        train(cohort, tmp_path / "run", model="motion")
    with pytest.raises(InputError, match=r"frame 0 has no voxel of the RV cavity: .* trace what is missing"):
        Evidence.of_first_frame(cohort.heart(0))
    with pytest.raises(InputError, match="frame 0 has no voxel"):
        Evidence.of_heart(cohort.heart(0))


def test_they_can_be_looked_over(cohort, tmp_path):
    review(cohort, tmp_path / "look", jobs=1)
    assert (tmp_path / "look" / "index.html").read_text().count("<img") == 3
    assert read_rejected(tmp_path / "look" / "review.csv", list(cohort.table["participant_id"])) == []
    assert "RV cavity was not traced" in Cohort.open(cohort.path).warnings[0]


def test_what_is_wrong_is_said_of_the_subject(folder, tmp_path):
    contours = tmp_path / "SC-HYP-01" / "contours-manual" / "IRCCI-expert"
    subject(tmp_path / "SC-HYP-01", contours)
    source = list_sunnybrook(tmp_path)
    (recording,) = source.subjects
    (contours / "IM-0001-0041-icontour-manual.txt").write_text("12 30\n11\n")
    with pytest.raises(InputError, match=r"0041-icontour-manual\.txt: expected a contour"):
        recording.reader(recording.files)
    (tmp_path / "SC-HYP-01" / "IM-0001-0041.dcm").unlink()
    assert "no DICOM image 0041" in list_sunnybrook(tmp_path).left_out[0].reason
    with pytest.raises(InputError, match=r"no SC-\*"):
        list_sunnybrook(tmp_path / "nowhere")


def test_a_wall_inside_its_cavity_is_refused(tmp_path):
    contours = tmp_path / "SC-N-01" / "contours-manual" / "IRCCI-expert"
    subject(tmp_path / "SC-N-01", contours)
    for path in contours.glob("*ocontour*"):
        path.write_text(path.with_name(path.name.replace("ocontour", "icontour")).read_text())
    with pytest.raises(InputError, match="ED: no voxel of the Myocardium"):
        import_cohort("sunnybrook", tmp_path, tmp_path / "out", grid="quarter", frames=4, jobs=1)


def test_written_as_nifti_they_come_back_and_are_drawn(cohort, tmp_path):
    export_cohort(cohort, tmp_path / "nifti")
    path = sorted((tmp_path / "nifti").glob("*_dseg.nii.gz"))[0]
    assert json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())["Traced"] == ["lv", "myo"]
    known = {"participants": tmp_path / "nifti" / "participants.tsv", "scheme": "cheart"}
    with pytest.warns(match="in 3 of 3 hearts"):
        back = import_cohort("nifti", tmp_path / "nifti", tmp_path / "back", grid="half", frames=10, jobs=1, **known)
    assert (back.labels(0) == cohort.labels(0)).all()
    assert back.info["provenance"]["traced"] == ["lv", "myo"]
    heart = read_heart(path, grid="half", frames=10)
    assert math.isnan(heart.phenotypes.rvedv)
    assert heart.plot()._repr_png_()[:4] == b"\x89PNG"

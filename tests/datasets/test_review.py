import nibabel as nib
import numpy as np
import pytest

from cheart.cohort import read_table
from cheart.datasets.importing import import_cohort
from cheart.datasets.review import read_rejected
from cheart.errors import CheartWarning, InputError
from sources import acdc_patient

GRID = "64x64x32@2.5x2.5x4"


@pytest.fixture
def source(tmp_path):
    for number in (1, 2, 3):
        acdc_patient(tmp_path / "acdc", f"patient{number:03d}", turn_deg=10.0 * number)
    return tmp_path / "acdc"


def review(path, *rows):
    path.write_text("participant_id,decision,reason,concerns\n" + "".join(row + "\n" for row in rows))
    return path


def test_who_was_rejected_is_left_out_and_the_reason_stays(source, tmp_path):
    verdicts = review(
        tmp_path / "review.csv", "patient002,reject,apex missing,", "patient001,accept,,", "patient003,,,x"
    )
    cohort = import_cohort("acdc", source, tmp_path / "out", grid=GRID, jobs=1, review=verdicts)
    assert list(cohort.table["participant_id"]) == ["patient001", "patient003"]
    assert cohort.left_out == {"patient002": "rejected in review.csv: apex missing"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["patient001,perhaps,,"], "decision 'perhaps' on patient001: expected accept, reject or nothing"),
        (["patient001,reject,,", "patient001,accept,,"], "patient001 stands twice"),
    ],
)
def test_verdicts_that_are_none_are_refused(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        read_rejected(review(tmp_path / "review.csv", *rows), ["patient001"])


def test_a_table_of_something_else_is_refused_and_strangers_are_said(tmp_path):
    (tmp_path / "people.csv").write_text("participant_id,age\na,3\n")
    with pytest.raises(InputError, match="no column decision"):
        read_rejected(tmp_path / "people.csv", ["a"])
    with pytest.warns(CheartWarning, match="1 who are not in the source, such as b"):
        assert read_rejected(review(tmp_path / "review.csv", "b,reject,,"), ["a"]) == []


def test_corrected_labels_come_back_with_their_provenance(source, tmp_path):
    first = import_cohort("acdc", source, tmp_path / "first", grid=GRID, jobs=1, nifti=True)
    folder = first.path / "nifti"
    assert "LV_cavity" in (folder / "slicer-labels.ctbl").read_text()
    for name, change in (("sub-patient001", True), ("sub-patient002", False)):  # the second is merely saved anew
        image = nib.load(folder / f"{name}_dseg.nii.gz")
        labels = np.asarray(image.dataobj).astype(np.uint16)
        if change:
            labels[tuple(np.argwhere(labels == 2)[0])] = 1
        nib.save(nib.Nifti1Image(labels, image.affine, image.header), folder / f"{name}_dseg.nii.gz")
    again = import_cohort(
        "nifti",
        folder,
        tmp_path / "again",
        grid=GRID,
        jobs=1,
        participants=folder / "participants.tsv",
        scheme="cheart",
    )
    quality = read_table(again.path / "quality.tsv")
    assert list(quality["corrected"]) == ["yes", "no", "no"]
    assert again.info["provenance"]["corrected"] == ["sub-patient001"]
    assert read_table(first.path / "quality.tsv")["corrected"].isna().all()  # of ACDC's own files nothing is known

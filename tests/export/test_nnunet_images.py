import json

import nibabel as nib
import numpy as np
import pytest

from cheart.cohort import read_table
from cheart.errors import CheartWarning, InputError
from cheart.export.nnunet_images import export_nnunet
from cheart.io.nifti import write_image
from sources import save, stack

ACDC = {1: 3, 3: 1}


def pair(folder, name, *, seed=0, shrinks=(0.0,), **how):
    """An image, and its labels as ACDC numbers and names them."""
    labels, affine = stack(seed=seed, shrinks=shrinks, spacing=(10.0, 3.0, 3.0))
    write_image(folder / f"{name}.nii.gz", labels.astype(np.int16) * 100 + 7, affine)
    save(folder / f"{name}_gt.nii.gz", labels, affine, renumber=ACDC, **how)
    return labels, affine


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "acdc"
    for number in (1, 2, 3):
        (folder / f"patient{number:03d}").mkdir(parents=True)
        for frame, shrink in ((1, 0.0), (12, 0.25)):
            pair(
                folder / f"patient{number:03d}", f"patient{number:03d}_frame{frame:02d}", seed=number, shrinks=(shrink,)
            )
    return folder


def test_a_case_a_labelled_frame_in_chearts_labels(source, tmp_path):
    out = tmp_path / "Dataset027_ACDC"
    assert export_nnunet(source, out, scheme="acdc") == 6
    about = json.loads((out / "dataset.json").read_text())
    assert about["labels"] == {"background": 0, "LV cavity": 1, "Myocardium": 2, "RV cavity": 3}
    assert (about["numTraining"], about["channel_names"]) == (6, {"0": "cine MRI"})
    image = nib.load(out / "imagesTr" / "patient002_frame12_0000.nii.gz")
    labels = nib.load(out / "labelsTr" / "patient002_frame12.nii.gz")
    np.testing.assert_array_equal(np.asarray(image.dataobj), 100 * np.asarray(labels.dataobj, int) + 7)
    np.testing.assert_allclose(image.affine, labels.affine)


def test_folds_never_part_a_subject(source, tmp_path):
    out = tmp_path / "Dataset027_ACDC"
    export_nnunet(source, out, scheme="acdc")
    folds = json.loads((out / "splits_final.json").read_text())
    assert len(folds) == 3
    for fold in folds:
        assert not {case[:10] for case in fold["train"]} & {case[:10] for case in fold["val"]}
    assert set(read_table(out / "cases.tsv")["participant_id"]) == {"patient001", "patient002", "patient003"}


def test_of_a_cycle_the_labelled_frames(tmp_path):
    labels, affine = stack(shrinks=(0.0, 0.1, 0.25), spacing=(10.0, 3.0, 3.0))
    write_image(tmp_path / "images" / "A1_sa.nii.gz", (labels + 7).astype(np.int16), affine)
    labels[1] = 0
    save(tmp_path / "labels" / "A1_sa_gt.nii.gz", labels, affine)
    out = tmp_path / "Dataset028_MnMs"
    assert export_nnunet(tmp_path / "images", out, labels=tmp_path / "labels", scheme="mnms") == 2
    assert sorted(p.name for p in (out / "labelsTr").iterdir()) == ["A1_sa_t00.nii.gz", "A1_sa_t02.nii.gz"]
    assert list(read_table(out / "cases.tsv")["participant_id"]) == ["A1", "A1"]


def test_a_wrong_scheme_is_refused(source, tmp_path):
    with pytest.raises(InputError, match="6 of 6 pairs cannot be used"):
        export_nnunet(source, tmp_path / "Dataset027_ACDC", scheme="mnms")
    assert not (tmp_path / "Dataset027_ACDC").exists()


def test_what_does_not_fit_is_refused_or_left_out(source, tmp_path):
    labels, affine = stack(spacing=(10.0, 3.0, 3.0))
    save(source / "patient003" / "patient003_frame12_gt.nii.gz", labels[:, :-1], affine, renumber=ACDC)
    with pytest.raises(InputError, match=r"patient003_frame12: the image is .* give both on one grid"):
        export_nnunet(source, tmp_path / "Dataset027_ACDC", scheme="acdc")
    with pytest.warns(CheartWarning, match="left out patient003_frame12"):
        assert export_nnunet(source, tmp_path / "Dataset027_ACDC", scheme="acdc", skip_bad=True) == 5


def test_images_alone_are_refused(tmp_path):
    write_image(tmp_path / "images" / "a.nii.gz", np.arange(8).reshape(2, 2, 2), np.eye(4))
    with pytest.raises(InputError, match="1 NIfTI files, and none has a label map of its name"):
        export_nnunet(tmp_path / "images", tmp_path / "Dataset001_A", scheme="acdc")

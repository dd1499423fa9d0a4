import numpy as np
import pytest

from cheart.datasets.mnms import list_mnms
from cheart.datasets.posing import pose
from cheart.datasets.recording import read_source
from cheart.errors import InputError
from cheart.grid import GRIDS
from sources import save, stack

HEADER = ",External code,VendorName,Vendor,Centre,ED,ES,Age,Pathology,Sex,Height,Weight\n"


def table(folder, *rows, header=HEADER):
    path = folder / "info.csv"
    path.write_text(header + "".join(row + "\n" for row in rows))
    return path


def film(folder, code="A0S9V9", ed=1, es=4):
    (one, other), affine = stack(shrinks=(0.0, 0.3))
    frames = np.zeros((10, *one.shape), np.uint8)
    frames[ed], frames[es] = one, other
    return save(folder / "Training" / code / f"{code}_sa_gt.nii.gz", frames, affine, step_s=1.0)


def test_mnms_one(tmp_path):
    film(tmp_path)
    source = list_mnms(
        tmp_path, table=table(tmp_path, "0,A0S9V9,Siemens,A,1,1,4,62,HCM,F,165,", "1,B,P,B,2,0,9,1,NOR,M,,")
    )
    (subject,) = source.subjects
    heart, _ = pose(read_source(subject, source.scheme), grid=GRIDS["half"], frames=20)
    assert heart.observed_frames.tolist() == [0, 6]
    assert np.isnan(heart.cycle_s)
    assert source.schema.read(subject.row) == {
        "age": 62, "sex": "F", "weight": None, "height": 165, "sbp": None, "group": "HCM",
    }  # fmt: skip
    assert [who.participant_id for who in source.left_out] == ["B"]


def test_mnms_two(tmp_path):
    (ed, es), affine = stack(shrinks=(0.0, 0.3))
    for phase, labels in (("ED", ed), ("ES", es)):
        save(tmp_path / "007" / f"007_SA_{phase}_gt.nii.gz", labels, affine)
        save(tmp_path / "007" / f"007_LA_{phase}_gt.nii.gz", labels[:1], affine)
    path = table(tmp_path, "7,TRI,SIEMENS,Avanto,1.5", header="SUBJECT_CODE,DISEASE,VENDOR,SCANNER,FIELD\n")
    source = list_mnms(tmp_path, table=path)
    (subject,) = source.subjects
    assert [f.name for f in subject.files] == ["007_SA_ED_gt.nii.gz", "007_SA_ES_gt.nii.gz"]
    heart = read_source(subject, source.scheme)
    assert heart.volume_ml(1, 1) < heart.volume_ml(0, 1)
    assert source.schema.read(subject.row)["group"] == "TRI"


def test_a_map_without_a_row_is_left_out(tmp_path):
    film(tmp_path, "AAA")
    film(tmp_path, "BBB")
    source = list_mnms(tmp_path, table=table(tmp_path, "0,AAA,S,A,1,1,4,62,HCM,F,165,60"))
    assert "not in the table" in source.left_out[0].reason


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (("0,A,S,A,1,1,4,62,HCM,F,1,1",) * 2, HEADER, "A stands twice"),
        (("1,2",), "code,age\n", "no column external code or subject_code"),
    ],
)
def test_refuses_a_table_that_cannot_be_it(tmp_path, rows, header, message):
    film(tmp_path, "A")
    with pytest.raises(InputError, match=message):
        list_mnms(tmp_path, table=table(tmp_path, *rows, header=header))


def test_refuses_a_folder_without_label_maps(tmp_path):
    with pytest.raises(InputError, match=r"_sa_gt\.nii\.gz"):
        list_mnms(tmp_path, table=table(tmp_path, "0,A,S,A,1,1,4,62,HCM,F,1,1"))


def test_a_frame_that_is_no_number_leaves_the_subject_out(tmp_path):
    film(tmp_path, "A")
    source = list_mnms(tmp_path, table=table(tmp_path, "0,A,S,A,1,first,4,62,HCM,F,165,60"))
    assert "ED 'first'" in source.left_out[0].reason

import numpy as np
import pytest

from cheart.datasets.nifti import list_folder
from cheart.datasets.recording import read_source
from cheart.errors import InputError
from cheart.labels import parse_scheme
from sources import save, stack

UKBB = parse_scheme("ukbb")


def people(folder, *rows, header="participant_id\tage\tsex"):
    path = folder / "participants.tsv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def files_of(source):
    return {s.participant_id: [f.name for f in s.files] for s in source.subjects}


@pytest.mark.parametrize("who", ["sub-01", "01"])
@pytest.mark.parametrize("name", ["sub-01_dseg.nii.gz", "sub-01/anat/sub-01_dseg.nii.gz", "01.nii", "01_seg.nii.gz"])
def test_files_are_found_by_participant(tmp_path, who, name):
    touch(tmp_path, name, "011.nii.gz" if "dseg" not in name else "sub-011_dseg.nii.gz")
    source = list_folder(tmp_path, participants=people(tmp_path, f"{who}\t63\tF"), scheme="ukbb")
    assert files_of(source) == {who: [name.split("/")[-1]]}
    assert len(source.left_out) == 1


def test_a_name_within_another_takes_no_more_than_its_own(tmp_path):
    touch(tmp_path, "sub-1_dseg.nii.gz", "sub-12_dseg.nii.gz", "sub-a.2_dseg.nii.gz")
    source = list_folder(
        tmp_path, participants=people(tmp_path, "1\t63\tF", "sub-12\t50\tM", "a.2\t40\tF"), scheme="ukbb"
    )
    assert files_of(source) == {
        "1": ["sub-1_dseg.nii.gz"],
        "sub-12": ["sub-12_dseg.nii.gz"],
        "a.2": ["sub-a.2_dseg.nii.gz"],
    }
    assert not source.left_out


def test_images_beside_dseg_files_are_no_label_maps(tmp_path):
    touch(tmp_path, "sub-01_dseg.nii.gz", "sub-01_bold.nii.gz")
    source = list_folder(tmp_path, participants=people(tmp_path, "sub-01\t63\tF"), scheme="ukbb")
    assert files_of(source) == {"sub-01": ["sub-01_dseg.nii.gz"]}


def test_ed_and_es_files_go_together(tmp_path):
    touch(tmp_path, "01_ES.nii.gz", "01_ED.nii.gz")
    source = list_folder(tmp_path, participants=people(tmp_path, "01\t63\tF"), scheme="ukbb")
    assert files_of(source) == {"01": ["01_ED.nii.gz", "01_ES.nii.gz"]}
    assert (source.subjects[0].ed, source.subjects[0].es) == (0, 1)


def test_columns_beside_the_conditions(tmp_path):
    labels, affine = stack(shrinks=(0.0, 0.1, 0.3, 0.2, 0.1))
    save(tmp_path / "01.nii.gz", labels, affine, step_s=0.1)
    header = "participant_id\ted\tes\tcycle_s\tsplit"
    source = list_folder(tmp_path, participants=people(tmp_path, "01\t1\t3\t0.8\ttest", header=header), scheme="ukbb")
    heart = read_source(source.subjects[0], UKBB)
    assert (heart.ed, heart.es, heart.cycle_s) == (1, 3, 0.8)
    assert source.subjects[0].row["split"] == "test"


def test_the_cycle_for_all_gives_way_to_the_row(tmp_path):
    touch(tmp_path, "01.nii.gz", "02.nii.gz")
    table = people(tmp_path, "01\t0.8", "02\tn/a", header="participant_id\tcycle_s")
    source = list_folder(tmp_path, participants=table, scheme="ukbb", cycle="n/a", spacing="pixdim", mirrored=True)
    assert source.subjects[0].cycle_s == 0.8
    assert np.isnan(source.subjects[1].cycle_s)
    assert all(s.spacing == "pixdim" and s.mirrored for s in source.subjects)


@pytest.mark.parametrize(
    ("names", "row", "header", "message"),
    [
        (["02.nii.gz"], "01\t63\tF", None, "no label map whose name begins with 01"),
        (["01_a.nii.gz", "01_b.nii.gz"], "01\t63\tF", None, "2 label maps"),
        (["01.nii.gz"], "01\t63\tF\n01\t64\tF", None, "stands twice"),
        (["01.nii.gz"], "01\tpilot", "participant_id\tsplit", "split 'pilot'"),
        (["01.nii.gz"], "01\t1.5", "participant_id\ted", "not a frame number"),
        (["01.nii.gz"], "01\tfast", "participant_id\tcycle_s", "not a number"),
    ],
)
def test_what_cannot_be_imported_is_left_out_with_the_reason(tmp_path, names, row, header, message):
    touch(tmp_path, *names)
    table = people(tmp_path, row, header=header or "participant_id\tage\tsex")
    source = list_folder(tmp_path, participants=table, scheme="ukbb")
    assert not source.subjects
    assert any(message in who.reason for who in source.left_out)


def test_refuses_a_table_without_participants_and_a_folder_without_maps(tmp_path):
    with pytest.raises(InputError, match=r"no \.nii\.gz"):
        list_folder(tmp_path, participants=people(tmp_path, "01\t63\tF"), scheme="ukbb")
    touch(tmp_path, "01.nii.gz")
    with pytest.raises(InputError, match="no column participant_id"):
        list_folder(tmp_path, participants=people(tmp_path, "01\t63", header="id\tage"), scheme="ukbb")

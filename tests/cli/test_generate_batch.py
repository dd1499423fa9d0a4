import json
import shutil

import nibabel as nib
import numpy as np
import pytest

from cheart.cohort import read_table

pytestmark = pytest.mark.usefixtures("undrawn")

SAME = ["--sex", "F", "-n", 5, "--seed", 3, "--jobs", 1]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("people") / "people.tsv"
    path.write_text("participant_id\tage\tsex\tsplit\na\t30\tF\ttrain\nb\t60\tM\tval\nc\t50\tF\ttest\n")
    return path


def files(folder):
    """Every file but those that say when they were made."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("result.json", "picture.png", "checksums.sha256")
    }


@pytest.fixture
def whole(cheart, run, tmp_path):
    cheart("generate", run, *SAME, "-o", tmp_path / "whole")
    return files(tmp_path / "whole")


def test_shards_in_one_folder_add_up_to_the_whole(cheart, run, tmp_path, whole):
    for part in (2, 1, 3):
        answer = cheart("generate", run, *SAME, "-o", tmp_path / "out", "--shard", f"{part}/3", "--json")
        missing = json.loads(answer.out)["missing"]
        assert (missing == 0) == (part == 3), answer
    assert files(tmp_path / "out") == whole
    assert (tmp_path / "out" / "picture.png").is_file()


def test_shards_in_folders_of_their_own_add_up_when_put_together(cheart, run, tmp_path, whole):
    for part in (1, 2):
        cheart("generate", run, *SAME, "-o", tmp_path / f"part{part}", "--shard", f"{part}/2")
    shutil.copytree(tmp_path / "part2", tmp_path / "part1", dirs_exist_ok=True)
    assert cheart("generate", run, *SAME, "-o", tmp_path / "part1", "--resume").code == 0
    assert files(tmp_path / "part1") == whole


def test_what_was_interrupted_goes_on(cheart, run, tmp_path, whole, monkeypatch):
    from cheart.export import hearts as batch

    write_one, count = batch._write_one, []

    def interrupted(*arguments):
        count.append(1)
        if len(count) == 3:
            raise KeyboardInterrupt
        write_one(*arguments)

    monkeypatch.setattr(batch, "_write_one", interrupted)
    stopped = cheart("generate", run, *SAME, "-o", tmp_path / "out")
    assert stopped.code == 130
    assert "--resume" in stopped.err
    assert not (tmp_path / "out" / "participants.tsv").exists()
    assert cheart("generate", run, *SAME, "-o", tmp_path / "out", "--resume").code == 0
    assert len(count) == 6, "two hearts were there, three were made"
    assert files(tmp_path / "out") == whole


def test_what_fails_at_once_leaves_nothing(cheart, run, tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no room")

    monkeypatch.setattr("cheart.export.hearts._write_one", full)
    assert cheart("generate", run, *SAME, "-o", tmp_path / "out").code == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (["--seed", 4], "seed"),
        (["--age", 40], "conditions"),
        (["--layout", "monai"], "layout"),
        (["-n", 6], "number of hearts"),
    ],
)
def test_another_batch_is_not_mixed_in(cheart, refused, run, tmp_path, change, named):
    cheart("generate", run, *SAME, "-o", tmp_path / "out", "--shard", "1/2")
    before = files(tmp_path / "out")
    line = refused("generate", run, *SAME, *change, "-o", tmp_path / "out", "--shard", "2/2")
    assert named in line
    assert files(tmp_path / "out") == before
    assert "exists already" in refused("generate", run, *SAME, "-o", tmp_path / "out")


@pytest.mark.parametrize("shard", ["0/3", "4/3", "3", "a/b"])
def test_a_shard_is_a_part_of_parts(refused, run, tmp_path, shard):
    assert "such as 3/16" in refused("generate", run, "-o", tmp_path / "out", "--shard", shard)


def test_nnunet_takes_the_folder_as_it_is(cheart, run, table, tmp_path):
    """The rules of nnU-Net's dataset_format.md and verify_dataset_integrity."""
    out = tmp_path / "Dataset501_Hearts"
    thick = ["--layout", "nnunet", "--slice-thickness", 12, "--missing-slices", 1]
    answer = cheart("generate", run, "--participants", table, "-n", 2, *thick, "-o", out, "--jobs", 1)
    assert answer.code == 0, answer
    assert answer.err_but_validity == ""
    about = json.loads((out / "dataset.json").read_text())
    labels = sorted(path.name.removesuffix(".nii.gz") for path in (out / "labelsTr").iterdir())
    assert about["numTraining"] == len(labels) == 2 * 2 * 2, "two hearts of two people at ED and ES"
    assert about["labels"]["background"] == 0
    assert sorted(about["labels"].values()) == [0, 1, 2, 3]
    images = sorted(path.name for path in (out / "imagesTr").iterdir())
    assert images == sorted(f"{case}_{c:04d}.nii.gz" for case in labels for c in range(len(about["channel_names"])))
    assert len(list((out / "labelsTs").iterdir())) == 4
    label = nib.load(out / "labelsTr" / f"{labels[0]}.nii.gz")
    whole = np.asarray(label.dataobj)
    for number in (1, 2, 3):
        image = nib.load(out / "imagesTr" / f"{labels[0]}_{number - 1:04d}.nii.gz")
        np.testing.assert_array_equal(image.affine, label.affine)
        seen = np.asarray(image.dataobj)
        assert set(np.unique(seen)) == {0, 1}
        assert 0.6 < 2 * (seen & (whole == number)).sum() / (seen.sum() + (whole == number).sum()) < 1


def test_folds_never_part_the_frames_of_one_heart(cheart, run, table, tmp_path):
    out = tmp_path / "Dataset501_Hearts"
    cheart("generate", run, "--participants", table, "-n", 2, "--layout", "nnunet", "-o", out, "--jobs", 1)
    for fold in json.loads((out / "splits_final.json").read_text()):
        hearts = [{case.split("_")[0] for case in fold[part]} for part in ("train", "val")]
        assert not hearts[0] & hearts[1]
        assert len(hearts[0] | hearts[1]) == 4


def test_a_name_that_nnunet_would_not_take_is_warned_of(cheart, run, tmp_path):
    answer = cheart("generate", run, "--layout", "nnunet", "--slice-thickness", 8, "-o", tmp_path / "x")
    assert answer.code == 0
    assert "such as Dataset501_Hearts in its nnUNet_raw: rename x" in answer.err


def test_monai_reads_the_list(cheart, run, table, tmp_path):
    out = tmp_path / "set"
    answer = cheart("generate", run, "--participants", table, "-n", 1, "--layout", "monai", "-o", out, "--jobs", 1)
    assert "each image is its own label map" in answer.err
    about = json.loads((out / "dataset.json").read_text())
    assert {key: len(about[key]) for key in ("training", "validation", "test")} == dict.fromkeys(
        ("training", "validation", "test"), 2
    )
    for item in about["training"]:
        assert nib.load(out / item["image"]).shape == nib.load(out / item["label"]).shape == (32, 32, 32)
    cases = read_table(out / "cases.tsv")
    assert list(cases["age"]) == [30, 30, 60, 60, 50, 50]
    assert list(cases["split"]) == ["train", "train", "val", "val", "test", "test"]


def test_thick_slices_are_written_with_the_planes_that_count(cheart, run, tmp_path):
    cheart("generate", run, *SAME, "-o", tmp_path / "out", "--slice-thickness", 12, "--observed", "ed,es")
    sidecar = json.loads((tmp_path / "out" / "sub-001_dseg.json").read_text())
    planes = [frame for frame in sidecar["ObservedPlanes"] if frame]
    assert len(planes) == 2
    assert np.diff(planes[0]).min() == 3, "12 mm on planes of 4 mm"


def test_a_split_that_is_none_is_named(refused, run, tmp_path):
    path = tmp_path / "people.tsv"
    path.write_text("participant_id\tage\tsplit\na\t30\ttraining\n")
    assert "line 2: split 'training'" in refused("generate", run, "--participants", path, "-o", tmp_path / "out")


def test_hearts_of_a_table_keep_its_names(cheart, refused, run, table, tmp_path):
    assert cheart("generate", run, "--participants", table, "-o", tmp_path / "one").code == 0
    assert list(read_table(tmp_path / "one" / "participants.tsv")["participant_id"]) == ["sub-a", "sub-b", "sub-c"]
    assert (tmp_path / "one" / "sub-b_dseg.nii.gz").is_file()
    assert cheart("generate", run, "--participants", table, "-n", 2, "-o", tmp_path / "two").code == 0
    people = read_table(tmp_path / "two" / "participants.tsv")
    assert list(people["participant_id"])[:3] == ["sub-ah1", "sub-ah2", "sub-bh1"]
    assert list(people["person"]) == ["a", "a", "b", "b", "c", "c"]
    for names, said in ((("x-1", "x1"), "sub-x1"), (("a", "a"), "stands twice"), (("a", "n/a"), "is missing")):
        (tmp_path / "t.tsv").write_text("participant_id\tage\n" + "".join(f"{name}\t40\n" for name in names))
        assert said in refused("generate", run, "--participants", tmp_path / "t.tsv", "-o", tmp_path / "three")


def test_a_table_is_read_as_import_reads_it(cheart, refused, run, tmp_path):
    path = tmp_path / "people.tsv"
    path.write_text("participant_id\tage\tsex\tshoes\nx\t40\tfemale\t42\n")
    answer = cheart("generate", run, "--participants", path, "-o", tmp_path / "out")
    assert "not used as conditions: shoes" in answer.err
    assert read_table(tmp_path / "out" / "participants.tsv")["sex"].iloc[0] == "F"
    path.write_text("participant_id\tage\tsex\nx\t40\t1\n")
    assert "code without a key" in refused("generate", run, "--participants", path, "-o", tmp_path / "no")


def test_a_heart_that_was_damaged_meanwhile_is_made_again(cheart, run, tmp_path, whole):
    cheart("generate", run, *SAME, "-o", tmp_path / "out", "--shard", "1/2")
    (tmp_path / "out" / "sub-003_dseg.nii.gz").write_bytes(b"damaged")
    (tmp_path / "out" / "unfinished" / "sub-005.json").write_text("{}")
    assert cheart("generate", run, *SAME, "-o", tmp_path / "out", "--resume").code == 0
    assert files(tmp_path / "out") == whole

"""Sets for other networks, as the readers of nnU-Net and MONAI see them, where these are installed."""

import numpy as np
import pytest

from cheart.cohort import read_table


@pytest.fixture
def people(tmp_path):
    """A table of four people, of every split."""
    path = tmp_path / "people.tsv"
    path.write_text(
        "participant_id\tage\tsex\tsplit\na\t30\tF\ttrain\nb\t60\tM\ttrain\nc\t50\tF\tval\nd\t40\tM\ttest\n"
    )
    return path


def test_nnunet_finds_the_dataset_whole_and_reads_it(cheart, run, people, tmp_path, monkeypatch):
    for name in ("raw", "preprocessed", "results"):
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / name))
    verify = pytest.importorskip(
        "nnunetv2.experiment_planning.verify_dataset_integrity", reason="nnunetv2 is not there"
    )
    reader = pytest.importorskip("nnunetv2.imageio.simpleitk_reader_writer").SimpleITKIO()
    out = tmp_path / "raw" / "Dataset501_Hearts"
    cheart("generate", run, "--participants", people, "-n", 1, "--layout", "nnunet", "--slice-thickness", 12, "-o", out)
    verify.verify_dataset_integrity(str(out), num_processes=1)
    case = read_table(out / "cases.tsv")["case"].iloc[0]
    image, about = reader.read_images([str(out / "imagesTr" / f"{case}_{channel:04d}.nii.gz") for channel in range(3)])
    labels, _ = reader.read_seg(str(out / "labelsTr" / f"{case}.nii.gz"))
    assert image.shape == (3, *labels.shape[1:])
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    assert tuple(about["spacing"]) == (4.0, 5.0, 5.0)


def test_monai_lists_and_loads_it(cheart, run, people, tmp_path):
    data = pytest.importorskip("monai.data", reason="monai is not there")
    transforms = pytest.importorskip("monai.transforms")
    out = tmp_path / "set"
    cheart("generate", run, "--participants", people, "-n", 1, "--layout", "monai", "--slice-thickness", 12, "-o", out)
    lists = {
        part: data.load_decathlon_datalist(str(out / "dataset.json"), True, part)
        for part in ("training", "validation", "test")
    }
    assert [len(files) for files in lists.values()] == [4, 2, 2], "each heart at ED and ES"
    load = transforms.Compose(
        [
            transforms.LoadImaged(["image", "label"]),
            transforms.EnsureChannelFirstd(["image", "label"]),
            transforms.AsDiscreted("label", to_onehot=4),
        ]
    )
    batch = next(iter(data.DataLoader(data.Dataset(lists["training"], load), batch_size=2)))
    assert batch["image"].shape == (2, 1, 32, 32, 32)
    assert batch["label"].shape == (2, 4, 32, 32, 32)

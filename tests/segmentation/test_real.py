"""From the images of ACDC's patient 001 to a completed heart, by the commands of docs/how-to-segment.md.

The labels are those of the published network (``tiramisu_acdc_fp32.onnx`` of the PyPI package myopari 0.1.6, named by
the environment variable CHEART_NETWORK), or, everywhere, the experts', by a program that has learnt them by heart.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from cheart.cli.main import main
from cheart.io.cine import Cine
from cheart.io.images import read_cine
from cheart.io.nifti import read_label_map
from cheart.labels import SCHEMES, to_canonical
from cheart.metrics.overlap import dice

SHARED = next((up / "shared" for up in Path(__file__).parents if (up / "shared").is_dir()), Path("shared"))
PATIENT = SHARED / "data" / "acdc-training" / "patient001"
NETWORK = Path(os.environ.get("CHEART_NETWORK", SHARED / "networks" / "tiramisu_acdc_fp32.onnx"))
RECIPE = {"scheme": "acdc", "axes": "xy", "fit": "square", "percentiles": [0.05, 99.05]}
FRAMES = (1, 12)  # ED and ES, of 30

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.slow,
    pytest.mark.skipif(not PATIENT.is_dir(), reason="shared/data/acdc-training is absent"),
]


@pytest.fixture(scope="module")
def patient():
    """The image of ED and ES as one cine, slices the right way round, and the experts' labels on its voxels."""
    images = [read_cine(PATIENT / f"patient001_frame{t:02d}.nii.gz", spacing="pixdim") for t in FRAMES]
    labels = [read_label_map(PATIENT / f"patient001_frame{t:02d}_gt.nii.gz", spacing="pixdim").labels for t in FRAMES]
    cine = Cine(np.concatenate([i.values for i in images])[:, ::-1], images[0].affine)
    return cine, to_canonical(np.concatenate(labels)[:, ::-1], SCHEMES["acdc"])


@pytest.fixture(params=["experts", "network"])
def engine(request, patient, tmp_path):
    """What ``--with`` takes, and the Dice that is expected of it."""
    if request.param == "network":
        pytest.importorskip("onnxruntime", reason="an extra: pip install 'cheart[onnx]'")
        if not NETWORK.is_file():
            pytest.skip("the published network is absent; CHEART_NETWORK says where it is")
        shutil.copy(NETWORK, tmp_path / "net.onnx")
        (tmp_path / "net.json").write_text(json.dumps(RECIPE))
        return [f"onnx:{tmp_path / 'net.onnx'}"], 0.84
    np.save(tmp_path / "experts.npy", patient[1])
    (tmp_path / "recite.py").write_text(
        "import sys, nibabel as n, numpy as np\ni = n.load(sys.argv[1])\n"
        "n.save(n.Nifti1Image(np.load(sys.argv[2]).T, i.affine), sys.argv[3])"
    )
    words = f"command:{sys.executable} {tmp_path / 'recite.py'} {{cine}} {tmp_path / 'experts.npy'} {{out}}"
    return [words, "--scheme", "cheart"], 0.99


@pytest.fixture
def cheart(monkeypatch):
    def command(*words):
        monkeypatch.setattr(sys, "argv", ["cheart", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == 0

    return command


@pytest.mark.parametrize("source", ["dicom", "nifti"])
def test_the_whole_way_in_four_commands(cheart, patient, engine, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cine, experts = patient
    if source == "dicom":
        pytest.importorskip("pydicom", reason="an extra: pip install 'cheart[dicom]'")
        from dicoms import write_stack

        write_stack(
            tmp_path / "study", 2 * cine.values.astype(int) + 1, spacing=cine.spacing, step_ms=360,
            cosines=((1, 0, 0), (0, 1, 0)), NominalInterval=900.0,
        )  # fmt: skip
        cheart("dicom", "study", "-o", "cine.nii.gz", "--demographics")
    else:
        cine.save("cine.nii.gz")
    words, least = engine
    cheart("segment", "cine.nii.gz", "-o", "labels.nii.gz", "--with", *words)
    cheart("complete", "labels.nii.gz", "--age", "63", "--sex", "F", "-o", "completed")
    cheart("render", "completed", "-o", "beat.gif")
    made = read_label_map("labels.nii.gz").labels.astype(np.uint8)
    assert (dice(experts, made) > least).all()
    row = dict(
        zip(*(line.split("\t") for line in Path("completed/phenotypes.tsv").read_text().splitlines()), strict=True)
    )
    assert float(row["lvedv"]) == pytest.approx(296, rel=0.15)  # the experts' own, from their voxels
    assert Path("beat.gif").stat().st_size > 10_000

import json
from dataclasses import replace

import numpy as np
import pytest

from cheart.errors import InputError
from cheart.labels import SCHEMES
from cheart.segmentation.engines import find_engine, scheme_of
from networks import nnunet, program


def test_a_command_takes_the_whole_cycle(cine, truth, tmp_path):
    engine = find_engine(program(tmp_path))
    np.testing.assert_array_equal(engine.run(cine, 60), truth[0])
    assert engine.scheme is None


def test_or_a_frame_at_a_time(cine, truth, tmp_path):
    two = replace(cine, values=cine.values[[0, 4]])
    engine = find_engine(program(tmp_path).replace("{cine}", "{in}"))
    np.testing.assert_array_equal(engine.run(two, 60), truth[0][[0, 4]])


def test_words_are_words(cine, tmp_path):
    """What a shell would do something with reaches the program as it is."""
    script = "import sys\nsys.exit(f'got {sys.argv[1:]}')"
    engine = find_engine(program(tmp_path, script).replace("{out}", "'$(id)' '; ls' {out}"))
    with pytest.raises(InputError, match=r"failed \(exit code 1\): got .*'\$\(id\)', '; ls'"):
        engine.run(cine, 60)


LOAD = "import sys, nibabel as n\ni = n.load(sys.argv[1])\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import time; time.sleep(60)", r"stopped after 0\.5 s .*--timeout"),
        ("raise SystemExit(3)", r"failed \(exit code 3\): it said nothing"),
        ("pass", r"wrote no frame_000_labels\.nii\.gz"),
        (LOAD + "n.save(i.slicer[:-1], sys.argv[2])", "expected .*on the voxels"),
        (LOAD + "i.set_sform(i.affine * 2)\ni.set_qform(None)\nn.save(i, sys.argv[2])", "own voxels"),
    ],
    ids=["slow", "fails", "silent", "smaller", "elsewhere"],
)  # fmt: skip
def test_what_goes_wrong_in_a_program_is_said(cine, tmp_path, script, message):
    with pytest.raises(InputError, match=message):
        find_engine(program(tmp_path, script)).run(cine, 0.5 if "sleep" in script else 60)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unet:here", "expected nnunet:"),
        ("nnunet", "expected nnunet:"),
        ("command:", "expected nnunet:"),
        ("command:segment {in}", r"needs \{in\}"),
        ("command:no-such-program {in} {out}", "no program 'no-such-program'"),
        ("command:'segment {in} {out}", "mend the quotes"),
        ("nnunet:nowhere", "nowhere has no plans.json"),
        ("onnx:nowhere.onnx", "no such file"),
    ],
)
def test_what_is_no_engine_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        find_engine(name)


def test_nnunet_is_spoken_to_by_files_and_its_command_line(cine, truth, tmp_path, monkeypatch):
    model, programs = nnunet(tmp_path, {"background": 0, "LV cavity": 1, "Myocardium": 2, "RV cavity": 3})
    with pytest.raises(InputError, match="not on the PATH"):
        find_engine(f"nnunet:{model}")
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    engine = find_engine(f"nnunet:{model}")
    np.testing.assert_array_equal(engine.run(cine, 60), truth[0])
    words = json.loads((model / "called.json").read_text())
    assert words[words.index("-f") + 1] == "0"
    assert words[words.index("-chk") + 1] == "checkpoint_final.pth"
    assert engine.scheme == SCHEMES["cheart"]


@pytest.mark.parametrize(
    ("labels", "scheme"),
    [
        ({"background": 0, "RV": 1, "MYO": 2, "LV": 3}, SCHEMES["acdc"]),
        ({"background": 0, "LV_cavity": 1, "LV_myocardium": 2, "right ventricle": 4}, SCHEMES["ukdhp"]),
        ({"background": 0, "tumour": 1}, None),
        ({"background": 0, "one": 1, "two": 2, "three": 3}, None),
        (None, None),
    ],
)
def test_the_scheme_that_nnunet_declares(labels, scheme):
    assert scheme_of({"labels": labels}) == scheme

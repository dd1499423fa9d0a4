import json
import signal

import pytest

VERBS = (
    "dicom", "segment", "export", "simulate", "import", "info", "train", "complete", "generate", "vary", "evaluate",
    "render", "mesh", "pack", "push", "demo",
)  # fmt: skip
SOURCES = ("acdc", "mnms", "ukbb", "ukdhp", "nifti")


@pytest.mark.parametrize("words", [(), *((v,) for v in VERBS), *(("import", s) for s in SOURCES)], ids=" ".join)
def test_every_verb_explains_itself(cheart, words):
    answer = cheart(*words, "--help")
    assert answer.code == 0
    assert answer.out.startswith("Usage: ")


def test_help_lists_every_verb(cheart):
    text = " ".join(cheart("--help").out.split())
    assert all(f" {verb} " in text for verb in VERBS)
    assert "not a medical device" in text


def test_the_version(cheart):
    import cheart as package

    assert cheart("--version").out == f"cheart {package.__version__}\n"


def test_a_stop_is_heard_in_the_background_too(cheart):
    """A shell starts background jobs with Ctrl-C ignored."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        cheart("--version")
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_an_unknown_verb_is_refused(cheart):
    answer = cheart("guess")
    assert answer.code == 2
    assert "guess" in answer.err


def test_a_place_that_cannot_be_written_is_one_line(cheart, run, tmp_path):
    (tmp_path / "file").write_text("mine")
    answer = cheart("generate", run, "-o", tmp_path / "file" / "out")
    assert answer.code == 1
    (line,) = answer.err.splitlines()
    assert line.startswith("cheart: ")
    assert str(tmp_path / "file") in line


@pytest.mark.slow
def test_the_whole_path(cheart, tmp_path, monkeypatch):
    """From nothing to a mesh, by the words that the README has."""
    monkeypatch.chdir(tmp_path)
    for words in (
        "simulate cohort -n 6 --grid 32x32x32@5x5x4 --frames 4 --jobs 1",
        "info cohort",
        "train cohort -o model --preset quick --set epochs=2 --set modes=3 --jobs 1",
        "evaluate model cohort",
        "generate model --age 40 --sex F -n 2 -o made",
        "complete model made/sub-001_dseg.nii.gz --age 40 -o completed",
        "vary model --condition age --from 30 --to 60 --steps 2 -o varied",
        "render made --caption two -o two.png",
        "mesh made/sub-001_dseg.nii.gz --format stl --resolution 6 -o mesh",
    ):
        answer = cheart(*words.split())
        assert answer.code == 0, answer
    surfaces = json.loads((tmp_path / "mesh" / "surfaces.json").read_text())["surfaces"]
    assert all(row["watertight"] for row in surfaces)
    assert (tmp_path / "two.png").stat().st_size > 10_000

"""Commands with wrong options: exit code 1 or 2, one message, nothing written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GRIDS = ["", "big", "0x2x2@1x1x1", "32x32x32", "32x32x32@0x5x5", "-1x2x3@1x1x1", "1e3x1x1@1x1x1", "32x32@5x5",
         "99999x99999x99999@1x1x1", "32x32x32@5x5xnan", "paper "]  # fmt: skip
NUMBERS = ["-1", "0", "x", "", "1.5", "1e9", "nan", "99999999999999999999"]

SIMULATE = [
    *(["--grid", grid] for grid in GRIDS), *(["-n", n] for n in ("-1", "0", "x", "", "1.5", "nan")),
    *(["--frames", n] for n in ("-1", "0", "1", "x", "1001", "1e9", "99999999999999999999")),
    *(["--seed", n] for n in ("x", "", "1.5")), ["--population", "sick"], ["--acquisition", "best"],
    ["--with", "age"], ["--with", "group"], ["--observed", "none"], ["--slice-thickness", "-1"], ["--resume"],
    ["--slice-thickness", "x"], ["--breath-hold", "-1"], ["--missing-slices", "-1"], ["--contour-dice", "2"],
    ["--jobs", "x"], ["--scheduler", "nowhere"], ["--nosuch"], ["--seed", "-1"], ["--slice-gap", "-3"],
    ["--in-plane", "0"], ["--contour-dice", "nan"], ["--slice-thickness", "inf"],
]  # fmt: skip
TRAIN = [
    *(["--set", f"{key}={value}"] for key in ("epochs", "batch", "rate", "modes", "hidden", "latent")
      for value in ("-1", "0", "x", "", "nan", "inf", "1e400")),
    *(["--set", text] for text in ("epochs", "=3", "nosuch=1", "beta=-1", "beta=nan", "forget=1", "forget=nan",
      "motion=fast", "prior=none", "representation=mesh", "norm=no", "age=old", "schedule=up", "precision=int8",
      "momentum=1", "average=2", "warmup=-1", "frames=-1", "compiled=maybe", "box=2", "clip=-1", "decay=-1")),
    ["--model", "gpt"], ["--model", "nosuch.py:Mine"], ["--model", ""], ["--preset", "big"], ["--from", "nowhere"],
    ["--device", "toaster"], ["--seed", "x"], ["--resume"], ["--jobs", "many"], ["--seed", "-1"],
    ["--set", "epochs=2", "--set", "epochs=3"],
]  # fmt: skip
GENERATE = [
    *(["-n", n] for n in ("-1", "0", "x", "1.5")), *(["--age", a] for a in ("-1", "200", "old", "-inf", "inf")),
    ["--sex", "X"], ["--sex", "1"], ["--weight", "7"], ["--height", "1.7"], ["--sbp", "13"],
    ["--weight", "165", "--height", "70"], ["--with", "x"], ["--with", "x=1"], ["--with", "=1"], ["--layout", "zip"],
    ["--observed", "none"], *(["--shard", s] for s in ("0/3", "4/3", "3", "a/b", "1/0", "-1/2", "1/2/3")),
    ["--seed", "x"], ["--unknown", "guess"], ["--participants", "nowhere.tsv"], ["--device", "toaster"],
    ["--jobs", "x"], ["--resume"], ["--slice-thickness", "-1"], ["--contour-dice", "2"], ["--model", "nosuch.py:X"],
    ["--column", "weight=kg"], ["--seed", "-1"], ["--column", "weight=a", "--column", "weight=b"],
    ["--with", "age=60", "--with", "age=61"], ["--age", "50", "--with", "age=60"],
]  # fmt: skip
EVALUATE = [
    ["--task", "guess"], ["--samples", "1"], ["--samples", "x"], ["--subjects", "0"], ["--subjects", "-1"],
    ["--split", "none"], ["--seed", "x"], ["--jobs", "x"], ["--device", "toaster"], ["--model", "nosuch.py:X"],
]  # fmt: skip
REPRODUCE = [
    ["--preset", "big"], ["--models", ""], ["--models", "cheart,cheart"], ["--models", "gpt"], ["--folds", "0"],
    ["--folds", "-1"], ["--folds", "3"], ["--samples", "1"], ["--subjects", "0"], ["--cohort", "nowhere"],
    ["--from", "bundled"], ["--seed", "x"],
]  # fmt: skip
VARY = [
    ["--condition", "shoes", "--from", "1", "--to", "2"], ["--condition", "age"],
    ["--condition", "age", "--from", "30"],
    ["--condition", "age", "--from", "30", "--to", "300"], ["--condition", "age", "--from", "x", "--to", "60"],
    ["--condition", "age", "--from", "30", "--to", "60", "--steps", "1"],
    ["--condition", "age", "--from", "nan", "--to", "60"],
    ["--condition", "age", "--from", "30", "--to", "60", "--heart", "nowhere.nii.gz"], [],
]  # fmt: skip


def named(options: list[list[str]]) -> Any:
    return pytest.mark.parametrize("options", options, ids=[" ".join(words) or "none" for words in options])


@pytest.fixture
def untouched(refuses: Callable[..., str], tmp_path: Path) -> Callable[..., None]:
    """Run what is to be refused, and see that nothing was written."""

    def run(*arguments: object) -> None:
        refuses(*arguments)
        assert not list(tmp_path.iterdir())

    return run


@named(SIMULATE)
def test_simulate(untouched: Callable[..., None], tmp_path: Path, options: list[str]) -> None:
    usual = {"-n": "2", "--grid": "quarter", "--frames": "4", "--jobs": "1"}
    rest = [word for name, value in usual.items() if name not in options for word in (name, value)]
    untouched("simulate", tmp_path / "out", *rest, *options)


@named(TRAIN)
def test_train(untouched: Callable[..., None], tmp_path: Path, own_cohort: Path, options: list[str]) -> None:
    untouched("train", own_cohort, "-o", tmp_path / "run", "--preset", "quick", "--jobs", 1, *options)


@named(GENERATE)
def test_generate(untouched: Callable[..., None], tmp_path: Path, own_run: Path, options: list[str]) -> None:
    untouched("generate", own_run, "-o", tmp_path / "out", *options)


@named(EVALUATE)
def test_evaluate(
    untouched: Callable[..., None], tmp_path: Path, own_run: Path, own_cohort: Path, options: list[str]
) -> None:
    untouched("evaluate", own_run, own_cohort, "-o", tmp_path / "out", *options)


@named(REPRODUCE)
def test_reproduce(untouched: Callable[..., None], tmp_path: Path, options: list[str]) -> None:
    untouched("reproduce", "-o", tmp_path / "out", *options)


@named(VARY)
def test_vary(untouched: Callable[..., None], tmp_path: Path, own_run: Path, options: list[str]) -> None:
    untouched("vary", own_run, "-o", tmp_path / "out", *options)


VERBS = ["simulate", "info", "train", "complete", "generate", "vary", "evaluate", "reproduce", "render", "mesh", "pack",
         "push", "verify"]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("place", ["nowhere", ".", "file.txt"])
def test_every_verb_refuses_a_place_that_is_not_its(
    refuses: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("mine")
    more = {"train": ["-o", "out"], "complete": ["-o", "out"], "generate": ["-o", "out"], "mesh": ["-o", "out"],
            "vary": ["--condition", "age", "--from", "30", "--to", "60", "-o", "out"], "pack": ["-o", "out"],
            "evaluate": [place], "reproduce": ["-o", place, "--cohort", place], "render": ["-o", "out.png"],
            "push": ["owner/name"], "simulate": ["-n", "2", "--grid", "quarter"]}.get(verb, [])  # fmt: skip
    if (verb, place) == ("simulate", "nowhere"):
        more = ["-n", "0"]
    refuses(verb, *([] if verb == "reproduce" else [place]), *more)
    assert (tmp_path / "file.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"file.txt"}


@pytest.mark.parametrize("verb", [*VERBS, "import"])
@pytest.mark.parametrize("words", [["--nosuch"], ["--json", "--json=3"], ["a", "b", "c", "d", "e"]], ids=" ".join)
def test_every_verb_refuses_words_that_it_does_not_know(
    refuses: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    refuses(verb, *words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("importer", ["nifti", "acdc", "mnms", "nosuch", "nosuch.py:Mine", ""])
@pytest.mark.parametrize("source", ["nowhere", ".", "file.txt"])
def test_import_refuses_what_is_no_source(
    refuses: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, importer: str, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("mine")
    more = {"nifti": ["--participants", "file.txt", "--scheme", "acdc"], "mnms": ["--table", "file.txt"]}
    refuses("import", importer, source, tmp_path / "out", *more.get(importer, []))
    assert {path.name for path in tmp_path.iterdir()} == {"file.txt"}


@pytest.mark.parametrize("out", [".", "..", "/", "~", "file.txt", "mine", "link"])
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]], ids=["new", "overwrite"])
def test_nothing_of_a_persons_own_is_written_over(
    refuses: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_run: Path, out: str,
    overwrite: list[str],
) -> None:  # fmt: skip
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    (tmp_path / "file.txt").write_text("mine")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    place = Path.home() if out == "~" else Path(out) if out in (".", "..", "/") else tmp_path / out
    refuses("generate", own_run, "-o", place, *overwrite)
    refuses("simulate", place, "-n", 2, "--grid", "quarter", *overwrite)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == (tmp_path / "file.txt").read_text() == "mine"

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from cheart.cohort import Cohort
from cheart.files import read_json
from cheart.models import registry
from cheart.models.registry import PAPER_MODELS, model_class
from cheart.paper import figure_completion, figure_page, figures
from cheart.paper import reproduce as running
from cheart.paper.experiment import SCALES, Experiment
from cheart.paper.figure_page import CannotDraw, Drawn, Material
from cheart.plot.style import Sheet
from cheart.training.options import PRESETS, TrainingOptions
from cohorts import tiny_cohort

pytestmark = pytest.mark.slow

ALL_FIGURES = figures.FIGURES
MINE = Path(__file__).parents[2] / "examples" / "mine.py"
NETWORK = {"representation": "shape", "modes": 4, "latent": 3, "embedding": 4, "hidden": 8}
SMALL = {
    "cheart": {**model_class("cheart").presets["quick"], "modes": 4, "latent": 3, "hidden": 8, "embedding": 4},
    "pca": {"modes": 4, "components": 4},
    "cvae": NETWORK,
    "cvae-gan": NETWORK,
    "cgan": NETWORK,
}
"""A second of training for each."""


@pytest.fixture(scope="module")
def small():
    """The quick preset, too small to be of any use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "quick", TrainingOptions(batch=7, epochs=1, patience=1, age="number"))
        for name, options in SMALL.items():
            patch.setattr(model_class(name), "presets", {"quick": options})
        patch.setitem(SCALES, "quick", replace(SCALES["quick"], ageing=2))
        patch.setattr(figures, "FIGURES", (("a", "Figure A", "Drawn", lines), ("b", "Figure B", "Not drawn", nothing)))
        yield


def lines(material: Material) -> Drawn:
    """A figure that takes no time: the real ones have their own tests."""
    sheet = Sheet(2, 1)
    for name in material.models:
        sheet.text(0, 0, name, size=7)
    return Drawn(sheet.figure, f"{len(material.models)} models")


def nothing(material: Material) -> Drawn:
    raise CannotDraw("there is nothing to see")


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Cohort:
    """20 beating ellipsoids, 4 of them held out."""
    return tiny_cohort(tmp_path_factory.mktemp("reproduce") / "cohort", n=20)


@pytest.fixture(scope="module")
def options(people):
    """Of the command, but for the folder."""
    return ["--preset", "quick", "--cohort", people.path, "--samples", 2, "--jobs", 1]


@pytest.fixture(scope="module")
def out(small, people, tmp_path_factory) -> Path:
    """All five models, judged."""
    path = tmp_path_factory.mktemp("reproduce") / "out"
    running.reproduce(Experiment(path, preset="quick", cohort=people.path, samples=2, jobs=1))
    return path


def test_all_five_are_trained_judged_and_reported(out):
    result = read_json(out / "result.json")
    for name in PAPER_MODELS:
        tasks = model_class(name).tasks
        assert (out / "models" / name / "model.safetensors").is_file()
        found = result["results"][name]
        assert (found["completion"] is not None) == ("complete" in tasks)
        assert (found["generation"] is not None) == ("generate" in tasks)
        assert (out / "evaluation" / name / "completion.csv").is_file() == ("complete" in tasks)
    assert {claim["verdict"] for claim in result["claims"]} <= {"met", "not met"}
    assert all(step["finished"] for step in result["steps"].values())


def test_the_tables_stand_on_the_files_a_row_a_subject(out):
    table = pd.read_csv(out / "tables" / "table-1-dice.csv", index_col="model")
    rows = pd.read_csv(out / "evaluation" / "pca" / "completion.csv")
    assert table.loc["pca", "Average mean"] == pytest.approx(rows["dice"].mean(), rel=1e-5)
    assert table.loc["pca", "Average SD"] == pytest.approx(rows["dice"].std(), rel=1e-5)
    assert "first frame copied" in table.index
    stems = {path.stem for path in (out / "tables").glob("*.csv")}
    for suffix in (".md", ".tex"):
        assert {path.stem for path in (out / "tables").glob(f"*{suffix}")} == stems
    assert "Holm" in (out / "tables" / "table-1-dice.md").read_text()
    everything = "".join(p.read_text() for p in out.rglob("*") if p.suffix in (".csv", ".md", ".tex", ".html"))
    assert "sub-0" not in everything, "no names"


def test_the_page_needs_nothing_else_and_says_what_it_is(out):
    text = (out / "report.html").read_text()
    links: list[str] = []
    tags: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.add(tag)
            links.extend(value for name, value in attrs if name in ("src", "href"))

    Reader().feed(text)
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert not tags & {"script", "link", "iframe", "object"}
    assert not re.search(r"url\(|@import|https?://", text)
    for said in (
        "simulated",
        "not a medical device",
        "another cohort",
        "0.874",
        "Holm",
        "Wasserstein",
        "6 models",
        "nothing to see",
    ):
        assert said in text, said


def test_the_same_command_does_nothing_again_and_other_options_are_refused(
    cheart, refused, small, out, options, monkeypatch
):
    before = {path: path.stat().st_mtime_ns for path in (out / "models").rglob("*.*")}
    answer = cheart("reproduce", "-o", out, *options, "--json")
    assert answer.code == 0, answer
    assert "step " not in answer.err
    assert json.loads(answer.out)["kind"] == "reproduction"
    assert {path: path.stat().st_mtime_ns for path in (out / "models").rglob("*.*")} == before
    assert "--seed 0" in refused("reproduce", "-o", out, *options, "--seed", 1)
    assert "--samples 2" in refused("reproduce", "-o", out, *options[:-4], "--samples", 3)
    assert "--cohort" in refused("reproduce", "-o", out, "--preset", "quick", "--samples", 2)
    assert "--preset quick" in refused("reproduce", "-o", out, "--preset", "paper", *options[2:])
    assert "expected one of" in refused("reproduce", "-o", out, *options, "--models", "unet")


def test_what_was_stopped_goes_on(cheart, small, people, options, tmp_path, monkeypatch):
    path = tmp_path / "out"
    some = [*options, "--models", "pca"]

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(running, "make_figures", stop)
        answer = cheart("reproduce", "-o", path, *some)
    assert answer.code == 130
    assert "the same command goes on" in answer.err
    (path / "evaluation" / "pca" / "completion.csv").unlink()
    answer = cheart("reproduce", "-o", path, *some)
    steps = [line.split(": ")[1].split("   ")[0] for line in answer.err.splitlines()]
    assert steps == ["complete pca", "draw the figures"], "what was there stayed"
    assert "Not among the models of this run: cvae, cvae-gan" in (path / "report.html").read_text()


def test_a_cohort_is_simulated_where_none_is_given(cheart, small, tmp_path, monkeypatch):
    scale = replace(SCALES["quick"], people=20, grid="32x32x32@5x5x4", samples=2)
    monkeypatch.setitem(SCALES, "quick", scale)
    monkeypatch.setattr(running, "simulate", lambda path, *, n, seed, **_: tiny_cohort(path, n=n))
    some = ["--models", "pca", "--subjects", 2, "--jobs", 1]
    answer = cheart("reproduce", "-o", tmp_path / "out", "--preset", "quick", *some)
    assert answer.code == 0, answer
    assert len(Cohort.open(tmp_path / "out" / "cohort")) == 20
    assert len(pd.read_csv(tmp_path / "out" / "evaluation" / "pca" / "completion.csv")) == 2


def test_a_folder_of_something_else_is_left_alone(refused, people, options, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    assert "did not make" in refused("reproduce", "-o", tmp_path, *options)
    assert "is no cohort" in refused("reproduce", "-o", tmp_path / "new", "--cohort", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_model_from_outside_is_trained_judged_drawn_and_tabulated(cheart, small, options, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    monkeypatch.setattr(registry, "_sources", dict(registry._sources))
    monkeypatch.setattr(figures, "FIGURES", ALL_FIGURES[:1])
    for module in (figure_completion, figure_page):
        monkeypatch.setattr(module, "DPI", 60)
    out = tmp_path / "out"
    answer = cheart("reproduce", "-o", out, *options, "--models", f"cheart,{MINE}:Mine")
    assert answer.code == 0, answer
    for table in ("table-1-dice", "table-2", "table-4-w1", "memorisation"):
        assert {"cheart", "mine"} <= set(pd.read_csv(out / "tables" / f"{table}.csv")["model"])
    tests = read_json(out / "result.json")["tests"]["table-1"]
    assert {(test["first"], test["second"]) for test in tests} >= {("cheart", "mine")}
    assert "mine trained on 20 beating ellipsoids" in read_json(out / "figures" / "figures.json")[0]["caption"]
    again = cheart("reproduce", "-o", out, *options, "--models", "mine,cheart")
    assert [line.split(": ")[1].split("   ")[0] for line in again.err.splitlines()] == []
    tests = read_json(out / "result.json")["tests"]["table-1"]
    assert {test["first"] for test in tests} == {"mine"}, "the others are tested against the first that is named"

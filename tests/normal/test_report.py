import json
from dataclasses import replace

import numpy as np
import pytest

import cheart
from cheart.errors import CheartWarning, InputError
from cheart.model import Model
from cheart.normal.findings import RESEARCH, find
from cheart.normal.made import NORMS, make_norms, norms_of
from cheart.normal.measures import as_imaged
from cheart.normal.norms import Norms
from cheart.normal.norms_json import NormsJson
from cheart.normal.page import find_browser
from cheart.normal.published import published
from cheart.normal.report import report
from cheart.phenotypes import surface_m2
from cheart.schemas import check
from cheart.simulation import simulate_heart

PERSON = {"age": 55, "sex": "F", "weight": 70, "height": 165, "sbp": 130}


@pytest.fixture(scope="module")
def bundled() -> Model:
    return cheart.load()


@pytest.fixture(scope="module")
def healthy(bundled):
    return simulate_heart(PERSON, seed=3, grid=bundled.grid)[0]


@pytest.fixture(scope="module")
def made(bundled, healthy):
    return report(healthy, PERSON, model=bundled)


def test_the_bundled_norms_are_those_of_the_bundled_weights(bundled):
    kept = json.loads((bundled.folder / NORMS).read_text())
    assert kept["fingerprint"] == bundled.fingerprint
    assert norms_of(bundled).hearts >= 800


@pytest.mark.parametrize(("field", "value"), [("mean", [[0.0]]), ("names", ["shoe"]), ("errors", {"10": [[0.0, 1.0]]})])
def test_damaged_norms_are_refused(bundled, field, value):
    kept = json.loads((bundled.folder / NORMS).read_text())["norms"]
    with pytest.raises(InputError, match=r"delete norms\.json"):
        Norms.from_json({**kept, field: value}, bundled.encoding, bundled.population)
    with pytest.raises(InputError, match="made again"):
        check(
            {"fingerprint": "f" * 64, "seed": 0, "norms": {**kept, "hearts": "many"}},
            NormsJson,
            "norms.json",
            mend="made again",
        )


def test_a_healthy_heart_is_about_as_expected(made):
    judged = [f for f in made.findings if np.isfinite(f.z)]
    assert len(judged) > 25
    assert np.mean([abs(f.z) for f in judged]) < 1.6
    assert 0 < made["lvedv"].centile < 100
    assert made["lvedv"].low < made["lvedv"].expected < made["lvedv"].high
    assert made.refused == ()
    assert made.beat is made.heart


def test_a_thick_wall_is_found_where_it_is(bundled, healthy, made):
    labels = healthy.labels.copy()
    y, x = np.meshgrid(*healthy.grid.axes()[1:], indexing="ij")
    cavity = labels == 1
    at = np.argwhere(cavity[0]).mean(0)
    angle = np.degrees(np.arctan2(y - healthy.grid.axes()[1][round(at[1])], x - healthy.grid.axes()[2][round(at[2])]))
    labels[cavity & (np.abs(angle) < 55)] = 2  # the septal part of the cavity turns to wall
    thick = report(replace(healthy, labels=labels), PERSON, model=bundled)
    assert thick["wall_9"].z > made["wall_9"].z + 3
    assert abs(thick["wall_12"].z - made["wall_12"].z) < 1.5
    assert thick["wall_max"].unusual
    assert thick.joint > 99


def test_slices_make_z_less_sure(bundled, healthy, made):
    sliced = report(as_imaged(healthy, 10.0, 2), PERSON, model=bundled)
    assert sliced["lvef"].error > 2 * made["lvef"].error
    assert sliced["lvedv"].z == pytest.approx(made["lvedv"].z, abs=0.8)
    assert "17" in sliced.missing[-1]
    assert sliced.quality["slices_mm"] == 10


def test_end_diastole_alone_is_judged_of_what_it_shows(bundled, healthy):
    seen = np.zeros_like(healthy.observed)
    seen[0] = True
    first = report(replace(healthy, observed=seen), {"age": 55}, model=bundled)
    names = {f.measure.name for f in first.findings}
    assert {"lvedv", "lvm", "wall_mean"} <= names
    assert not {"lvef", "lvesv", "thickening", "es_time"} & names
    assert any("Only end-diastole" in text for text in first.missing)
    assert any("Not known: sex, weight" in text for text in first.missing)
    assert first.beat.kind == "completed"


@pytest.mark.parametrize(
    ("change", "person", "why"),
    [
        ({}, {**PERSON, "age": 95}, "age 95 years is beyond"),
        ({"step": 16.0}, PERSON, "slices"),
        ({"step": 60.0}, PERSON, "at least 5"),
    ],
)
def test_it_refuses_to_judge_beyond_its_range(bundled, healthy, change, person, why):
    heart = as_imaged(healthy, change["step"], 3) if change else healthy
    with pytest.warns(CheartWarning, match="nothing is judged"):
        refused = report(heart, person, model=bundled)
    assert why in refused.refused[0]
    assert not any(np.isfinite(f.z) for f in refused.findings)
    assert np.isnan(refused.joint)
    assert [p for f in refused.findings for p in f.published] or person["age"] > 90
    assert refused.to_json()["refused"]


def test_words_that_are_not_understood(bundled, healthy, tmp_path):
    with pytest.raises(InputError, match="unknown condition"):
        report(healthy, {"shoe_size": 42}, model=bundled)
    with pytest.raises(InputError, match=r"\.html or \.pdf"):
        report(healthy, PERSON, model=bundled, out=tmp_path / "report.txt")


def test_published_ranges_are_chosen_by_sex_and_age():
    sources = [(r.source, r.per_surface) for r in published("lvedv", PERSON)]
    assert sources == [("HHC 2024", False), ("UKB 2017", False), (sources[0][0], True)]
    assert published("lvedv", {**PERSON, "age": 30})[0].mean == pytest.approx(146, abs=1.5)
    assert published("lvedv", {"age": 30}) == ()
    assert published("wall_mid", {"sex": "M", "age": 60})[0].mean == 6.3
    assert surface_m2({"height": 180, "weight": 80}) == pytest.approx(2.0)


def test_a_disagreement_of_model_and_publication_is_said(made):
    # the model's mass is on the scale of an atlas with a thicker wall than the consortium's contours
    finding = find(made.values, made.conditions, made.normal)
    by_name = {f.measure.name: f for f in finding}
    assert by_name["lvm"].published[0].model_z > by_name["lvedv"].published[0].model_z


@pytest.mark.slow
def test_the_page_stands_alone_and_says_what_it_is(made, tmp_path):
    path = tmp_path / "report.html"
    made.save(path)
    page = path.read_text()
    assert page.count(RESEARCH) == 3  # at the top, at the end, and at the foot of every printed sheet
    assert "Simulated hearts" in page
    assert "http" not in page.replace("http-equiv", "").split("<main>")[0]
    assert all(f"src='{kind}" in page for kind in ("data:image/svg+xml", "data:image/png", "data:image/gif"))
    assert json.loads(json.dumps(made.to_json()))["findings"][0]["name"] == "lvedv"
    with pytest.raises(InputError, match="overwrite"):
        made.save(path)


@pytest.mark.slow
def test_a_browser_prints_it(made, tmp_path):
    if find_browser() is None:
        with pytest.raises(InputError, match="browser"):
            made.save(tmp_path / "report.pdf")
        pytest.skip("no Chromium browser is installed")
    made.save(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_norms_of_a_model_without_any_are_made_of_its_hearts(model):
    made = make_norms(model, hearts=100, jobs=1)
    assert made.hearts == 100
    assert "lvedv" in made.names
    assert set(made.errors) == {6.0, 8.0, 10.0}

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.evaluation.generation import Generation, evaluate_generation
from cheart.model import Model
from cheart.paper import (
    figure_ageing,
    figure_completion,
    figure_density,
    figure_latent,
    figure_page,
    figure_people,
    figure_truth,
)
from cheart.paper.figure_ageing import change_image, structure_at
from cheart.paper.figure_completion import chosen_frames
from cheart.paper.figure_density import density, thresholds
from cheart.paper.figure_page import CannotDraw, Material, save, tight
from cheart.paper.figure_people import choose_people
from cheart.paper.figures import FigureFile, make_figures
from cohorts import tiny_cohort
from stubs import Oracle, stub

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def coarse() -> Iterator[None]:
    """Fewer pixels than in print: drawing hearts takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (figure_page, figure_ageing, figure_completion, figure_latent, figure_people):
            patch.setattr(module, "DPI", 100)
        yield


@pytest.fixture(scope="module")
def generation(cohort: Cohort, model: Model) -> Generation:
    return evaluate_generation(model, cohort, split="train", samples=2)


@pytest.fixture(scope="module")
def drawn(
    cohort: Cohort, model: Model, generation: Generation, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, FigureFile]:
    """All figures of a tiny model."""
    folder = tmp_path_factory.mktemp("figures")
    of = {"cheart": model}, cohort, {"cheart": generation}
    files = make_figures(Material(*of, seed=5, split="train", subjects=6, samples=2), folder)
    return {file.number: file for file in files}


def test_the_files_are_there_and_nothing_else(drawn: dict[str, FigureFile]) -> None:
    assert [n for n, file in drawn.items() if not file.skipped] == [f"Figure {k}" for k in range(3, 8)]
    paths = {path for file in drawn.values() for path in (file.png, file.svg) if not file.skipped}
    assert paths == set(drawn["Figure 3"].folder.iterdir())
    for path in paths:
        start = path.read_bytes()[:2000]
        assert start.startswith(b"\x89PNG") if path.suffix == ".png" else b"<svg" in start


def test_the_truth_of_hearts_that_the_simulator_did_not_make_is_not_known(drawn: dict[str, FigureFile]) -> None:
    assert "no true distribution is known" in drawn["Figure T"].skipped
    assert drawn["Figure T"].caption == ""


def test_every_caption_says_simulated_whose_model_it_is_and_the_seed(drawn: dict[str, FigureFile]) -> None:
    for number in map(str, range(3, 8)):
        caption = drawn[f"Figure {number}"].caption
        assert "Simulated hearts, not patients" in caption
        assert "trained on 14 beating ellipsoids (simulated, 10 training subjects)" in caption
        assert "10 held-out" in caption or "6 held-out" in caption
        assert ("seed 5" in caption.lower()) == (number != "3")


def test_few_people_are_no_density(cohort: Cohort, model: Model, generation: Generation) -> None:
    few = Material({"cheart": model}, cohort, {"cheart": generation}, split="val")
    with pytest.raises(CannotDraw, match="a density needs 10"):
        figure_density.draw(few)


def test_the_same_heart_gives_the_same_bytes(
    cohort: Cohort, model: Model, generation: Generation, drawn: dict[str, FigureFile], tmp_path: Path
) -> None:
    material = Material({"cheart": model}, cohort, {"cheart": generation}, seed=5, split="train")
    with mpl.rc_context(figure_page.STYLE):
        save(figure_density.draw(material).figure, tmp_path / "a.png", tmp_path / "a.svg")
    for again, first in zip(("a.png", "a.svg"), (drawn["Figure 5"].png, drawn["Figure 5"].svg), strict=True):
        assert (tmp_path / again).read_bytes() == first.read_bytes()


def test_two_frames_have_no_cycle_and_a_model_of_one_latent_no_trajectory(tmp_path: Path) -> None:
    cohort = tiny_cohort(tmp_path / "pair", pair=True)
    material = Material({"oracle": stub(Oracle, cohort)}, cohort)
    for draw, why in (
        (figure_completion.draw, "frames were observed"),
        (figure_density.draw, "no model generated hearts"),
        (figure_latent.draw, "no model has a latent a frame"),
        (figure_truth.draw, "no model generated hearts"),
    ):
        with pytest.raises(CannotDraw, match=why):
            draw(material)


def test_nothing_is_written_for_what_cannot_be_drawn(cohort: Cohort, tmp_path: Path) -> None:
    files = make_figures(Material({}, cohort), tmp_path / "out")
    assert all(file.skipped for file in files)
    assert len(files) == 6
    assert not (tmp_path / "out").exists()


def test_without_a_model_that_can_the_reason_is_said(cohort: Cohort) -> None:
    with pytest.raises(CannotDraw, match=r"none of the models \(none given\) can generate"):
        Material({}, cohort).able("generate")


def test_a_young_woman_and_an_older_man_are_chosen(cohort: Cohort) -> None:
    material = Material({}, cohort, split="train")
    numbers, rule = choose_people(material)
    people = [cohort.conditions(material.people[n - 1]) for n in numbers]
    assert [p["sex"] for p in people] == ["F", "M"]
    assert people[0]["age"] < 30 < 55 < people[1]["age"]
    assert "25" in rule


def test_models_of_one_training_share_a_sentence(cohort: Cohort, model: Model) -> None:
    sentence = Material({}, cohort).training_sentence({"cheart": model, "cvae": model})
    assert sentence == "CHeart, CVAE trained on 14 beating ellipsoids (simulated, 10 training subjects)."


def test_images_are_cut_to_what_any_of_them_shows() -> None:
    one, two = np.full((40, 50, 3), 255, np.uint8), np.full((40, 50, 3), 255, np.uint8)
    one[10, 20], two[30, 40] = 0, 0
    cut = tight([one, two], margin=2)
    assert [image.shape for image in cut] == [(25, 25, 3)] * 2
    assert cut[0][2, 2, 0] == 0


def test_end_diastole_and_end_systole_are_among_the_frames_that_are_shown(cohort: Cohort) -> None:
    assert chosen_frames(cohort.heart(0)) == [0, 1, 2, 3]


def test_contours_hold_the_fractions_that_they_say() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(50, 10, 4000), rng.normal(100, 20, 4000)
    at_x, at_y = np.linspace(0, 100, 80), np.linspace(0, 200, 90)
    values = density(x, y, at_x, at_y, (3.0, 6.0))
    assert values.shape == (90, 80)
    assert values.sum() == pytest.approx(1)
    for fraction, level in zip((0.95, 0.5), thresholds(values, (0.95, 0.5)), strict=True):
        inside = values[np.abs(at_y[:, None] - y).argmin(axis=0), np.abs(at_x[:, None] - x).argmin(axis=0)] >= level
        assert inside.mean() == pytest.approx(fraction, abs=0.04)


def test_what_has_changed_has_full_colour() -> None:
    rows = np.broadcast_to(np.arange(80.0)[:, None], (80, 80))

    def fields(edge: float) -> list[np.ndarray]:
        body = (edge - rows) / 10 + 0.5
        return [np.zeros((80, 80)), body, np.zeros((80, 80))]

    assert set(np.unique(structure_at(fields(40)))) == {0, 2}
    same, grown, shrunk = (change_image(fields(40), fields(edge)) for edge in (40, 60, 20))
    assert same.shape == (40, 40, 3)
    assert same[5, 5].min() > 225, "pale: nothing has changed"
    assert grown[25, 5].tolist() == [206, 140, 40], "wall where nothing was"
    assert shrunk[15, 5].max() < 100, "nothing where the wall was"


def test_every_figure_is_as_wide_as_a_page(drawn: dict[str, FigureFile]) -> None:
    from PIL import Image

    for file in drawn.values():
        if not file.skipped:
            assert Image.open(file.png).width == round(figure_page.WIDTH * figure_page.DPI)

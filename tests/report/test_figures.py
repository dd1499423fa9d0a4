from pathlib import Path

import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.report.figures import FigureFile, make_figures
from cheart.report.plate import CannotDraw, Material, tight, told_training
from cheart.tasks.judge_generation import evaluate_generation
from cheart.tasks.trained import TrainedModel
from cohorts import tiny_cohort
from stubs import Oracle, stub


@pytest.fixture(scope="module")
def drawn(cohort: Cohort, model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, FigureFile]:
    """All figures of a tiny model."""
    generation = evaluate_generation(model, cohort, samples=3)
    folder = tmp_path_factory.mktemp("figures")
    files = make_figures(
        {"cheart": model}, cohort, {"cheart": generation}, folder, seed=5, split="train", subjects=3, samples=3
    )
    return {file.number: file for file in files}


def test_the_files_are_there_and_nothing_else(drawn: dict[str, FigureFile]) -> None:
    folder = {path for file in drawn.values() if file.png for path in file.png.parent.iterdir()}
    told = {path for file in drawn.values() for path in (file.png, file.svg) if path}
    assert told == folder
    assert drawn["Figure 4"].png is not None
    assert drawn["Figure 4"].png.read_bytes().startswith(b"\x89PNG")
    assert drawn["Figure 4"].svg is not None
    assert "<svg" in drawn["Figure 4"].svg.read_text()[:1000]


def test_every_caption_says_simulated_and_whose_model_it_is(drawn: dict[str, FigureFile]) -> None:
    for file in drawn.values():
        if not file.skipped:
            assert "imulated" in file.caption, file.number
            assert "14 beating ellipsoids" in file.caption, file.number
    assert "seed 5" in drawn["Figure 4"].caption


def test_two_frames_have_no_cycle_to_show(tmp_path: Path) -> None:
    cohort = tiny_cohort(tmp_path / "pair", pair=True)
    files = make_figures({"oracle": stub(Oracle, cohort)}, cohort, {}, tmp_path / "out", seed=0)
    (cycle,) = [file for file in files if file.number == "Figure 3"]
    assert "frames were observed" in cycle.skipped
    assert (cycle.png, cycle.svg) == (None, None)
    assert not list((tmp_path / "out").glob("figure-3*"))


def test_without_a_model_that_can_the_reason_is_told(cohort: Cohort) -> None:
    with pytest.raises(CannotDraw, match=r"none of the models \(none given\) can generate"):
        Material({}, cohort).able("generate")


def test_models_of_one_training_share_a_sentence(cohort: Cohort, model: TrainedModel) -> None:
    told = told_training({"cheart": model, "cvae": model})
    assert told == "CHeart, CVAE trained on 14 beating ellipsoids (simulated, 10 training subjects)."


def test_images_are_cut_to_what_any_of_them_shows() -> None:
    one, two = np.full((40, 50, 3), 255, np.uint8), np.full((40, 50, 3), 255, np.uint8)
    one[10, 20], two[30, 40] = 0, 0
    cut = tight([one, two], margin=2)
    assert [image.shape for image in cut] == [(25, 25, 3)] * 2
    assert cut[0][2, 2, 0] == 0

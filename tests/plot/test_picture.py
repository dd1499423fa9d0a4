from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bodies import beating_ellipsoids
from cheart.errors import InputError
from cheart.heart import Heart
from cheart.plot.picture import picture, save_picture

HEART = beating_ellipsoids()


def _texts(figure) -> str:
    return "\n".join(t.get_text() for t in [*figure.texts, *(t for a in figure.axes for t in a.texts)])


@pytest.mark.slow
def test_a_row_for_each_heart_with_title_views_and_curve():
    hearts = [replace(HEART, kind="simulated", conditions={"age": 25.0}), replace(HEART, kind="generated")]
    figure = picture(hearts, caption="made in a test")
    assert len(figure.axes) == 2 * (8 + 1)
    text = _texts(figure)
    for expected in ("Simulated: age 25 years", "Generated", "made in a test", "End-systole", "20 mm"):
        assert expected in text
    assert "Generated: one" in _texts(picture([hearts[1]], titles=["one"]))
    assert {a.get_ylabel() for a in figure.axes if a.lines} == {"volume (mL)"}
    assert {a.get_xlabel() for a in figure.axes if a.lines} == {"time (s)"}


def test_a_frame_that_was_never_observed_is_not_drawn():
    observed = np.zeros_like(HEART.observed)
    observed[0] = True
    figure = picture([Heart(HEART.labels, observed, HEART.grid)])
    assert sum(bool(a.images) for a in figure.axes) == 4
    assert _texts(figure).count("not observed") == 4
    (curves,) = [a for a in figure.axes if a.lines]
    assert curves.get_xlabel() == "fraction of the cycle"
    assert np.isfinite(curves.lines[0].get_ydata()).sum() == 2, "frame 0, at both ends of the cycle"


def test_a_heart_that_does_not_beat_has_one_scale_bar():
    still = Heart(HEART.labels[[0, 0]], HEART.observed[:2], HEART.grid)
    assert _texts(picture([still])).count("20 mm") == 1


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_file_is_written(tmp_path, suffix):
    path = tmp_path / f"heart{suffix}"
    save_picture(path, [HEART])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if suffix == ".png":
        with Image.open(path) as image:
            assert image.width > image.height > 200


def test_bad_requests_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"heart\.jpg.*\.png"):
        save_picture(tmp_path / "heart.jpg", [HEART])
    with pytest.raises(InputError, match=r"1 titles .* for 2 hearts"):
        picture([HEART, HEART], titles=["one"])
    with pytest.raises(InputError, match="at least one heart"):
        save_picture(tmp_path / "heart.png", [])


def test_a_notebook_shows_a_figure_as_a_picture():
    assert HEART.plot()._repr_png_().startswith(b"\x89PNG")

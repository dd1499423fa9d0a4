import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bodies import beating_ellipsoids
from cheart.errors import InputError
from cheart.heart import Heart
from cheart.plot.animation import animate, save_animation

HEART = beating_ellipsoids(frames=4, cycle_s=0.8)


@pytest.mark.slow
def test_a_gif_loops_one_beat_in_its_own_time(tmp_path):
    path = tmp_path / "heart.gif"
    save_animation(path, [replace(HEART, kind="simulated", conditions={"age": 40.0})])
    with Image.open(path) as movie:
        assert movie.n_frames == 4
        assert movie.info["duration"] == 200
        assert movie.info["loop"] == 0
        assert movie.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    assert path.stat().st_size < 300_000


@pytest.mark.slow
def test_hearts_beat_in_step_beside_each_other(tmp_path):
    path = tmp_path / "hearts.webp"
    twice = beating_ellipsoids(frames=2)
    save_animation(path, [HEART, twice])
    with Image.open(path) as movie:
        assert movie.n_frames == 4
        assert movie.width > 600


def test_a_film_holds_a_few_beats(tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / "heart.mp4"
    save_animation(path, [HEART])
    frames, seconds = ffmpeg.count_frames_and_secs(str(path))
    assert frames == 16
    assert seconds == pytest.approx(4 * 0.8, abs=0.1)


def test_every_frame_is_different_and_one_never_observed_is_pale():
    observed = HEART.observed.copy()
    observed[2] = False
    images = list(animate([Heart(HEART.labels, observed, HEART.grid)]))
    views = [image[60:500].astype(int) for image in images]
    assert all(np.abs(a - b).max() > 50 for a, b in itertools.pairwise(views))
    red = [int(((view[..., 0] - view[..., 2]) > 140).sum()) for view in views]
    assert red[2] == 0
    assert min(red[0], red[1], red[3]) > 1000


def test_bad_requests_are_refused_before_any_work(tmp_path):
    with pytest.raises(InputError, match=r"heart\.avi.*\.gif"):
        save_animation(tmp_path / "heart.avi", [])
    with pytest.raises(InputError, match="at least one heart"):
        save_animation(tmp_path / "heart.gif", [])

import numpy as np

from balls import SMALL, heart
from cheart.labels import LV, RV, hex_colour
from cheart.plot.overlay import overlay, save_overlay


def beat():
    return np.stack([heart(SMALL, lv_mm=r, wall_mm=6, rv_mm=10) for r in (14, 10)])


def test_each_frame_has_a_row_of_slices_with_outlines(tmp_path):
    labels = beat()
    figure = overlay(100.0 * labels, labels, SMALL.spacing, {"End-diastole": 0, "End-systole": 1})
    assert len(figure.axes) == 2 * 8
    colours = {"#{:02x}{:02x}{:02x}".format(*(255 * c[:3]).round().astype(int))
               for axes in figure.axes for lines in axes.collections for c in lines.get_edgecolor()}  # fmt: skip
    assert {hex_colour(LV), hex_colour(RV)} <= colours
    save_overlay(tmp_path / "picture.png", 100.0 * labels, labels, SMALL.spacing, {"End-diastole": 0})
    assert (tmp_path / "picture.png").stat().st_size > 5_000


def test_an_image_without_labels_is_shown_all_the_same():
    labels = np.zeros_like(beat())
    image = np.arange(labels.size, dtype=float).reshape(labels.shape)
    assert len(overlay(image, labels, SMALL.spacing, {"Frame": 0}).axes) == 8

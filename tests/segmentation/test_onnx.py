import json
from dataclasses import replace

import numpy as np
import pytest

from cheart.errors import InputError
from cheart.labels import SCHEMES
from cheart.metrics.overlap import dice
from cheart.segmentation.engines import find_engine
from networks import write_onnx

pytest.importorskip("onnxruntime", reason="running ONNX networks is an extra: pip install 'cheart[onnx]'")


def engine(folder, recipe=None, **network):
    path = write_onnx(folder / "net.onnx", **network)
    if recipe is not None:
        (folder / "net.json").write_text(json.dumps(recipe))
    return find_engine(f"onnx:{path}")


PLAIN = {"percentiles": [0, 100]}


def labelled(cine):
    """Every voxel above 0, as images have it, so that the least label is the darkest: 1 to 4 hundred."""
    return replace(cine, values=cine.values + 100)


@pytest.mark.parametrize(
    "recipe", [{}, {"axes": "xy"}, {"fit": "square"}, {"axes": "xy", "fit": "square"}], ids=str
)  # fmt: skip
def test_labels_come_back_to_the_images_own_pixels(cine, truth, tmp_path, recipe):
    made = engine(tmp_path, PLAIN | recipe).run(labelled(cine), 60)
    assert np.mean(made[:, :, 10:-10] == truth[0][:, :, 10:-10]) > 0.999


def test_a_network_of_another_size_and_pixel(cine, truth, tmp_path):
    made = engine(tmp_path, PLAIN | {"spacing_mm": [1.5, 1.5]}, size=96).run(labelled(cine), 60)
    half = (96 * 1.5 / 2) - 4
    _, _, y, x = cine.values.shape
    seen = np.ix_(*(np.abs(np.arange(n) - (n - 1) / 2) * s < half for n, s in ((y, 2.5), (x, 2.0))))
    inside = np.zeros((y, x), bool)
    inside[seen] = True
    assert (dice(made * inside, truth[0] * inside) > 0.9).all()
    assert not made[:, :, np.abs(np.arange(y) - (y - 1) / 2) * 2.5 > 96 * 1.5 / 2 + 1].any()


def test_the_recipe_declares_the_scheme(tmp_path):
    assert engine(tmp_path).scheme is None
    assert engine(tmp_path, {"scheme": "acdc"}).scheme == SCHEMES["acdc"]


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"colour": 1}, "'colour' is not understood"),
        ({"axes": "zx"}, "axes 'zx': expected one of yx, xy"),
        ({"percentiles": [99, 1]}, "percentiles"),
        ({"spacing_mm": [0, 1]}, "spacing_mm"),
        ({"spacing_mm": 1.25}, "expected two numbers"),
        ({"scheme": "best"}, "label scheme 'best'"),
        ([1], "not understood"),
    ],
)
def test_recipes_that_are_none_are_refused(tmp_path, recipe, message):
    with pytest.raises(InputError, match=message):
        engine(tmp_path, recipe)


def test_what_is_no_network_is_refused(cine, tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"no network")
    with pytest.raises(InputError, match="onnxruntime cannot load it"):
        find_engine(f"onnx:{tmp_path / 'net.onnx'}").run(cine, 60)

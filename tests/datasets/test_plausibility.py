import math
from dataclasses import replace

import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.datasets.plausibility import DOUBTS, SIZES, examine
from cheart.datasets.recording import SourceLabels
from cheart.errors import InputError
from cheart.labels import LV

PERSON = {"age": 50.0, "sex": "M", "weight": 80.0, "height": 178.0}


def recorded(labels, affine, *, ed=None, es=None):
    cavity = (labels == LV).sum(axis=(1, 2, 3))
    moments = tuple(i / len(labels) for i in range(len(labels)))
    ed, es = (int(cavity.argmax()) if ed is None else ed), (int(cavity.argmin()) if es is None else es)
    return SourceLabels(labels, affine, (0, 1, 2), moments, ed, es, 0.9)


@pytest.fixture(scope="module")
def beat():
    """Half ellipsoids of 97 mL, end-systole at 3/8 of the cycle."""
    heart = beating_ellipsoids(frames=16)
    return recorded(heart.labels, heart.grid.affine)


def doubts(heart, person=None):
    return [doubt.name for doubt in examine(heart, person or {})[1]]


def test_a_heart_is_none_to_doubt_and_has_figures(beat):
    figures, found = examine(beat, PERSON)
    assert found == ()
    assert figures["doubts"] == "none"
    assert figures["bsa_m2"] == pytest.approx(math.sqrt(80 * 178 / 3600))
    assert figures["lvedv_per_m2"] == pytest.approx(beat.volume_ml(0, LV) / figures["bsa_m2"])
    assert (figures["volume_turns"], figures["es_phase"]) == (pytest.approx(1.0), pytest.approx(0.375, abs=0.07))
    assert math.isnan(examine(beat, {})[0]["bsa_m2"])


@pytest.mark.parametrize("factor", [0.1, 0.45, 2.2, 10.0])
@pytest.mark.parametrize("person", [{}, PERSON])
def test_voxels_of_another_size_are_refused_with_their_mend(beat, factor, person):
    affine = beat.affine.copy()
    affine[:3, :3] *= factor
    word = "small" if factor < 1 else "large"
    with pytest.raises(InputError, match=rf"too {word} for a person .*voxel size in the header.*mend the header"):
        examine(replace(beat, affine=affine), person)


def test_a_childs_heart_is_one_where_its_size_is_known(beat):
    affine = beat.affine.copy()
    affine[:3, :3] *= 0.5
    child = {"weight": 8.0, "height": 70.0}
    assert doubts(replace(beat, affine=affine), child) == []
    with pytest.raises(InputError, match="give weight and height if it is a child's"):
        examine(replace(beat, affine=affine), {})


def test_one_size_alone_is_a_doubt_unless_strict(beat, monkeypatch):
    monkeypatch.setitem(SIZES, "lvm", ((1.0, 50.0), (1.0, 20.0), "g"))
    assert doubts(beat) == doubts(beat, PERSON) == ["size"]
    with pytest.raises(InputError, match=r"lvm .* expected 1 to 50"):
        examine(beat, {}, strict=True)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("shuffled", np.random.default_rng(0).permutation(16)),
        ("backwards", -np.arange(16) % 16),
    ],
)
def test_frames_in_another_order_are_noticed(beat, name, order):
    assert doubts(recorded(beat.labels[order], beat.affine)) == [name]


def test_what_does_not_beat_is_refused_and_what_hardly_does_is_doubted(beat):
    with pytest.raises(InputError, match=r"all 16 frames are the same.*3D file"):
        examine(recorded(np.repeat(beat.labels[:1], 16, axis=0), beat.affine), {})
    assert doubts(recorded(beat.labels[[0, 1]], beat.affine)) == ["still"]
    assert doubts(recorded(beat.labels[:1], beat.affine)) == []


def test_frames_called_ed_and_es_that_the_volumes_contradict_are_named(beat):
    assert doubts(recorded(beat.labels, beat.affine, ed=3)) == ["ed"]
    found = examine(recorded(beat.labels, beat.affine, es=2), {})[1]
    assert [doubt.name for doubt in found] == ["es"]
    assert "frame 6 holds" in found[0].sentence
    assert "mend the column es" in found[0].sentence


def test_a_heart_that_the_image_cuts_is_noticed(beat):
    edge = int(np.flatnonzero((beat.labels[0] > 0).any(axis=(0, 1)))[-6])
    assert doubts(recorded(beat.labels[..., : edge + 1], beat.affine)) == ["cut"]


def test_a_stack_without_apex_is_noticed(beat):
    held = np.flatnonzero((beat.labels[0] == LV).any(axis=(1, 2)))
    assert "apex" in doubts(recorded(beat.labels[:, held[len(held) // 2] :], beat.affine))


def test_the_reference_is_that_of_sex_and_age(beat):
    small = examine(beat, {**PERSON, "weight": 120.0, "height": 195.0})[0]
    assert "lvedv" in small["reference"]
    assert examine(beat, {"weight": 55.0, "height": 160.0})[0]["reference"] in ("within", "beyond:rvedv", "beyond:lvm")
    assert examine(beat, {})[0]["reference"] == "n/a"


def test_every_doubt_has_words():
    assert all(words.startswith(("are", "have", "hardly")) for words in DOUBTS.values())

from dataclasses import replace

import numpy as np
import pytest

from cheart.align.time import ES_PHASE
from cheart.datasets.recording import Recording, parse_cycle, read_source
from cheart.errors import InputError
from cheart.labels import parse_scheme
from sources import save, stack

UKBB = parse_scheme("ukbb")


def recording(path, **more):
    return Recording("a", (path,), {}, **more)


def beating(tmp_path, *, step_s=0.1, **how):
    labels, affine = stack(shrinks=(0.1, 0.0, 0.2, 0.3, 0.25, 0.2, 0.15, 0.1, 0.1, 0.1))
    return save(tmp_path / "a.nii.gz", labels, affine, step_s=step_s, **how)


def test_ed_and_es_from_the_volumes(tmp_path):
    heart = read_source(recording(beating(tmp_path)), UKBB)
    assert (heart.ed, heart.es) == (1, 3)
    assert heart.cycle_s == pytest.approx(1.0)
    assert heart.volume_ml(1, 1) == pytest.approx(2 / 3 * np.pi * 24**2 * 78 / 1000, rel=0.05)


def test_frames_without_labels_are_dropped_and_keep_their_moment(tmp_path):
    labels, affine = stack(shrinks=(0.0, 0.3))
    film = np.zeros((10, *labels.shape[1:]), np.uint8)
    film[2], film[6] = labels
    heart = read_source(recording(save(tmp_path / "a.nii.gz", film, affine), ed=2, es=6), UKBB)
    assert heart.labels.shape[0] == 2
    assert heart.moments == pytest.approx((0.2, 0.6))
    assert (heart.ed, heart.es) == (0, 1)


@pytest.mark.parametrize("shrinks", [(0.0, 0.3), (0.3, 0.0)])
def test_a_file_of_two_frames_is_ed_and_es_whichever_comes_first(tmp_path, shrinks):
    labels, affine = stack(shrinks=shrinks)
    heart = read_source(recording(save(tmp_path / "a.nii.gz", labels, affine)), UKBB)
    assert (heart.moments[heart.es] - heart.moments[heart.ed]) % 1 == pytest.approx(ES_PHASE)


def test_foreign_numbers_are_translated(tmp_path):
    path = beating(tmp_path, renumber={1: 2, 2: 1, 3: 3})
    labels = read_source(recording(path), parse_scheme("1=myo,2=lv,3=rv")).labels
    np.testing.assert_array_equal(labels, read_source(recording(beating(tmp_path)), UKBB).labels)


@pytest.mark.parametrize(
    ("renumber", "message"),
    [
        ({1: 3, 3: 1}, "exchanged: .*--scheme: 1=rv,2=myo,3=lv would fit"),
        ({1: 2, 2: 1}, "exchanged: .*--scheme: 1=myo,2=lv,3=rv would fit"),
        ({3: 4}, "label 4 is not in the scheme"),
        ({3: 0}, "no voxel of the RV cavity"),
        ({1: 0}, "no voxel of the LV cavity"),
        ({1: 0, 2: 0, 3: 0}, "empty"),
    ],
)
def test_refuses_labels_that_are_no_heart(tmp_path, renumber, message):
    with pytest.raises(InputError, match=message):
        read_source(recording(beating(tmp_path, renumber=renumber)), UKBB)


def test_refuses_ed_and_es_exchanged(tmp_path):
    with pytest.raises(InputError, match="exchanged"):
        read_source(recording(beating(tmp_path), ed=3, es=1), UKBB)


def test_refuses_a_frame_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="ed 10 is not a frame"):
        read_source(recording(beating(tmp_path), ed=10), UKBB)


def test_refuses_ms_taken_for_s_until_told(tmp_path):
    path = beating(tmp_path, step_s=100.0)
    with pytest.raises(InputError, match=r"--cycle"):
        read_source(recording(path), UKBB)
    with pytest.raises(InputError, match=r"--cycle"):
        read_source(recording(path, cycle_s=1.0), UKBB)
    assert read_source(recording(path, cycle_s=1.0, header_time=False), UKBB).cycle_s == 1.0
    assert np.isnan(read_source(recording(path, header_time=False), UKBB).cycle_s)


@pytest.mark.parametrize(
    ("frame", "numbers", "message"),
    [
        (0, (1,), r"frame 0 \(from 0\) has labels but no voxel of the LV cavity"),
        (0, (3,), r"no voxel of the RV cavity"),
        (5, (2,), r"frame 5 \(from 0\) has labels but no voxel of the Myocardium"),
        (0, (1, 2, 3), r"frame 0, where ED is expected, has no labels, though 9 of 10"),
    ],
)
def test_refuses_a_frame_that_lacks_a_structure(tmp_path, frame, numbers, message):
    labels, affine = stack(shrinks=(0.0, 0.1, 0.2, 0.3, 0.25, 0.2, 0.15, 0.1, 0.1, 0.05))
    labels[frame][np.isin(labels[frame], numbers)] = 0
    with pytest.raises(InputError, match=message):
        read_source(recording(save(tmp_path / "a.nii.gz", labels, affine)), UKBB)


def test_a_blank_late_in_the_cycle_is_only_not_labelled(tmp_path):
    labels, affine = stack(shrinks=(0.0, 0.1, 0.3, 0.2, 0.1))
    labels[4] = 0
    assert len(read_source(recording(save(tmp_path / "a.nii.gz", labels, affine)), UKBB).labels) == 4


def test_two_files_are_ed_and_es(tmp_path):
    (ed, es), affine = stack(shrinks=(0.0, 0.3))
    files = (save(tmp_path / "ed.nii.gz", ed, affine), save(tmp_path / "es.nii.gz", es, affine))
    both = Recording("a", files, {}, (0.0, 0.4), ed=0, es=1)
    heart = read_source(both, UKBB)
    assert heart.volume_ml(1, 1) < heart.volume_ml(0, 1)
    other = save(tmp_path / "other.nii.gz", es, affine @ np.diag([1, 1, 1.1, 1]))
    with pytest.raises(InputError, match="another shape or affine"):
        read_source(replace(both, files=(files[0], other)), UKBB)


def test_the_cycle_option():
    assert parse_cycle(None) is None
    assert np.isnan(parse_cycle("n/a"))
    assert parse_cycle("0.9") == 0.9
    for text in ("soon", "900"):
        with pytest.raises(InputError, match=text):
            parse_cycle(text)

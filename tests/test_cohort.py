import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import zarr

from cheart.cohort import Cohort, CohortWriter, read_table, split_subjects
from cheart.conditions import Factor, Schema
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.heart import whole
from cheart.progress import parallel
from cohorts import tiny_cohort


def test_a_cohort_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=6, planes=slice(0, None, 2))
    assert len(cohort) == 6
    heart = cohort.heart(3)
    assert heart.observed[:, ::2].all()
    assert not heart.observed[:, 1::2].any()
    assert heart.cycle_s == pytest.approx(0.9)
    np.testing.assert_array_equal(cohort.labels(3, [2, 0]), heart.labels[[2, 0]])
    assert cohort.conditions(1)["sex"] == "M"
    assert sum(len(cohort.indices(s)) for s in ("train", "val", "test")) == 6


def test_the_store_is_one_array_of_uint8_with_a_shard_a_subject(tmp_path: Path) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=4)
    array = zarr.open_group(cohort.path / "labels.zarr", mode="r")["labels"]
    assert array.shape == (4, 4, 32, 32, 32)
    assert array.dtype == np.uint8
    assert array.chunks == (1, 1, 32, 32, 32)
    assert array.shards == (1, 4, 32, 32, 32)


def test_a_subject_is_one_file_and_one_more_if_planes_are_missing(tmp_path: Path) -> None:
    for missing, more in ((slice(None), 0), (slice(0, None, 2), 4)):
        store = tiny_cohort(tmp_path / str(more), n=4, planes=missing).path / "labels.zarr"
        assert {p.name for p in (store / "labels").iterdir()} == {"zarr.json", *(f"c.{i}.0.0.0.0" for i in range(4))}
        assert len(list((store / "observed").iterdir())) == 1 + more


def test_a_cohort_whose_files_lie_in_folders_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = tiny_cohort(tmp_path / "new", n=3, planes=slice(0, None, 2))
    monkeypatch.setattr("cheart.cohort.SIDE_BY_SIDE", {"name": "default", "separator": "/"})
    old = tiny_cohort(tmp_path / "old", n=3, planes=slice(0, None, 2))
    assert (old.path / "labels.zarr" / "labels" / "c" / "2" / "0").is_dir()
    np.testing.assert_array_equal(old.labels(2), new.labels(2))
    np.testing.assert_array_equal(old.observed, new.observed)
    assert old.fingerprint == new.fingerprint


def test_the_fingerprint_knows_voxels_and_conditions(tmp_path: Path) -> None:
    same = [tiny_cohort(tmp_path / f"c{i}", n=4).fingerprint for i in range(2)]
    assert same[0] == same[1]
    assert tiny_cohort(tmp_path / "d", n=5).fingerprint != same[0]
    assert tiny_cohort(tmp_path / "e", n=4, pair=True).fingerprint != same[0]


def split_of(cohort: Cohort, index: int) -> tuple[str, str]:
    """What a worker knows of a subject's split."""
    return cohort.table["split"].iloc[index], cohort.fingerprint


def test_a_cohort_in_another_split_reaches_workers_as_such(tmp_path: Path) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=4)
    other = cohort.resplit(["test", "test", "val", "train"])
    assert other.fingerprint not in (cohort.fingerprint, cohort.resplit(["test", "val", "val", "train"]).fingerprint)
    assert Cohort.open(cohort.path).fingerprint == cohort.fingerprint, "the folder stays"
    twice = cohort.resplit(["val"] * 4).resplit(list(other.table["split"]))
    for back in (twice, pickle.loads(pickle.dumps(other)), pickle.loads(pickle.dumps(twice))):
        assert back.fingerprint == other.fingerprint
        assert list(back.table["split"]) == ["test", "test", "val", "train"]
        assert list(back.indices("test")) == [0, 1]
    for one in (cohort, other):
        told = list(parallel(partial(split_of, one), range(4), jobs=2))
        assert told == [(split, one.fingerprint) for split in one.table["split"]]


def test_a_cohort_in_another_split_is_refused_where_the_folder_has_changed(tmp_path: Path) -> None:
    packed = pickle.dumps(tiny_cohort(tmp_path / "c", n=4).resplit(["test"] * 4))
    (tmp_path / "c").rename(tmp_path / "old")
    tiny_cohort(tmp_path / "c", n=5)
    with pytest.raises(InputError, match="not the cohort that it was"):
        pickle.loads(packed)


def test_a_cohort_put_together_by_hand_travels_as_it_is(tmp_path: Path) -> None:
    cohort = tiny_cohort(tmp_path / "c", n=4)
    group = Factor("group", "level", levels=("NOR", "DCM"))
    schema = Schema((*cohort.schema.factors, group))
    for wider in (
        Cohort(cohort.path, cohort.info, schema, cohort.table.assign(group="DCM")),
        replace(cohort, schema=schema, table=cohort.table.assign(group="DCM")),
    ):
        for made in (wider, wider.resplit(["test"] * 4)):
            back = pickle.loads(pickle.dumps(made))
            assert back.conditions(1)["group"] == "DCM"
            assert list(back.table["split"]) == list(made.table["split"])
            np.testing.assert_array_equal(back.labels(1), cohort.labels(1))


def test_a_subject_of_another_grid_is_refused(tmp_path: Path) -> None:
    writer = pickle.loads(pickle.dumps(CohortWriter(tmp_path, subjects=1, frames=2, grid=GRIDS["quarter"])))
    with pytest.raises(InputError, match="half"):
        writer.write(0, whole(np.zeros((2, *GRIDS["half"].shape), np.uint8), GRIDS["half"]))


def test_the_papers_split_of_1383() -> None:
    split = split_subjects(1383, seed=0)
    assert [split.count(s) for s in ("train", "val", "test")] == [968, 138, 277]
    assert split == split_subjects(1383, seed=0) != split_subjects(1383, seed=1)


@pytest.mark.parametrize("n", [3, 4, 7, 20])
def test_small_cohorts_have_something_in_every_split(n: int) -> None:
    assert set(split_subjects(n, seed=5)) == {"train", "val", "test"}


def test_a_folder_that_is_no_cohort_names_the_verbs_that_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cheart simulate or cheart import"):
        Cohort.open(tmp_path)


def test_a_table_without_participants_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("name,age\na,3\n")
    with pytest.raises(InputError, match="tab-separated"):
        read_table(tmp_path / "t.tsv")


def test_a_cohort_says_what_it_is(tmp_path: Path) -> None:
    first, second, third = repr(tiny_cohort(tmp_path / "c", n=6)).splitlines()
    assert first == f"<simulated cohort {tmp_path / 'c'}: 6 beating ellipsoids"
    assert second == " 4 train, 1 val, 1 test; 4 frames on 32x32x32@5x5x4"
    assert third == " conditions: age, sex, weight, height, sbp>"


def test_a_condition_is_left_out_in_memory_and_in_workers_alike(tmp_path):
    cohort = tiny_cohort(tmp_path / "c", n=4)
    other = cohort.resplit(["test"] * 4).without("sbp")
    again = pickle.loads(pickle.dumps(other))
    for one in (other, again):
        assert "sbp" not in one.schema.names
        assert "sbp" not in one.conditions(0)
        assert list(one.indices("test")) == [0, 1, 2, 3]
    assert other.fingerprint == again.fingerprint
    assert cohort.without("group") is cohort


def test_all_subjects_are_a_split_too(tmp_path):
    assert list(tiny_cohort(tmp_path / "c", n=4).indices("all")) == [0, 1, 2, 3]

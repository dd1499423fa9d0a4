import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cheart.align.resample import to_source
from cheart.cohort import Cohort
from cheart.datasets.acdc import list_acdc
from cheart.datasets.recording import LeftOut, read_source
from cheart.errors import CheartWarning, InputError
from cheart.grid import GRIDS
from cohorts import tiny_cohort
from hearts import dice
from sources import ACDC_INFO, acdc_patient, import_source

HALF = GRIDS["half"]


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    folder = tmp_path_factory.mktemp("acdc")
    for i in range(4):
        acdc_patient(folder, f"patient{i:03}", turn_deg=40.0 * i)
    return list_acdc(folder)


@pytest.fixture(scope="module")
def cohort(four, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "cohort"
    return import_source(four, out, grid=HALF, frames=10, jobs=1)


def bad_and_good(folder):
    acdc_patient(folder, "patient001")
    acdc_patient(folder, "patient002", swap={1: 3, 3: 1})
    acdc_patient(folder, "patient003", swap={2: 7})
    acdc_patient(folder, "patient004", info=ACDC_INFO.replace("180.0", "18.0"))
    acdc_patient(folder, "patient005", swap={1: 0})
    acdc_patient(folder, "patient006", info="ED: 1\n")
    return list_acdc(folder)


def test_a_cohort_is_made(cohort):
    assert (len(cohort), cohort.frames, cohort.grid, cohort.info["kind"]) == (4, 10, HALF, "imported")
    assert cohort.conditions(0) == {
        "age": None, "sex": None, "weight": 80, "height": 180, "sbp": None, "group": "NOR",
    }  # fmt: skip
    assert sorted(cohort.table["split"]) == ["test", "train", "train", "val"]
    assert np.isnan(cohort.heart(0).cycle_s)
    assert cohort.heart(0).observed_frames.tolist() == [0, 4]


def test_the_quality_table(cohort):
    quality = pd.read_csv(cohort.path / "quality.tsv", sep="\t")
    assert list(quality["participant_id"]) == list(cohort.table["participant_id"])
    assert set(quality["missing_conditions"]) == {"age,sex,sbp"}
    assert quality["lvedv_ml"].to_numpy() == pytest.approx(2 / 3 * np.pi * 24**2 * 78 / 1000, rel=0.05)
    assert quality["lvef_percent"].to_numpy() == pytest.approx(51, abs=2)
    assert (quality["es_frame"] == 4).all()
    assert not (cohort.path / "left-out.tsv").exists()


def test_every_subject_can_go_back_to_its_own_space(cohort, four):
    for i, subject in enumerate(four.subjects):
        own = cohort.heart(i).origin
        assert own.mirrored
        back = to_source(cohort.labels(i, [0, 4]), own)
        assert min(dice(back, read_source(subject, four.scheme).labels)) > 0.93


def test_the_sources_are_known_by_their_bytes(cohort, four):
    poses = json.loads((cohort.path / "poses.json").read_text())
    assert poses["grid"] == HALF.to_json()
    assert [who["files"] for who in poses["subjects"]] == [[f.name for f in s.files] for s in four.subjects]
    assert all(len(who["files_sha256"]) == 64 for who in poses["subjects"])


def test_only_imported_hearts_have_a_space_of_their_own(tmp_path):
    assert tiny_cohort(tmp_path / "c", n=3).heart(0).origin is None


def test_the_number_of_processes_changes_nothing(cohort, four, tmp_path):
    import_source(four, tmp_path / "two", grid=HALF, frames=10, jobs=2)
    assert Cohort.open(tmp_path / "two").fingerprint == cohort.fingerprint


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(tmp_path):
    source = bad_and_good(tmp_path / "in")
    with pytest.raises(InputError) as error:
        import_source(source, tmp_path / "out", grid=HALF, jobs=1)
    text = str(error.value)
    for part in ("5 of 6", "patient002", "exchanged", "patient003", "label 7", "patient004", "height 18", "--skip-bad"):
        assert part in text
    assert not (tmp_path / "out").exists()


def test_skip_bad_imports_the_rest_and_lists_why(tmp_path):
    source = bad_and_good(tmp_path / "in")
    done = import_source(source, tmp_path / "out", grid=HALF, frames=4, skip_bad=True, jobs=1)
    assert len(done) == 1
    assert set(done.left_out) == {f"patient00{i}" for i in range(2, 7)}
    assert "Info.cfg" in done.left_out["patient006"]
    assert "RV cavity" in done.left_out["patient005"]
    assert list(done.table["participant_id"]) == ["patient001"]


def test_nothing_left_is_refused_even_so(four, tmp_path):
    source = replace(four, subjects=(), left_out=(LeftOut("a", "broken"),))
    with pytest.raises(InputError, match="Nothing is left"):
        import_source(source, tmp_path / "out", grid=HALF, skip_bad=True, jobs=1)


def test_what_is_there_is_kept(four, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="--overwrite"):
        import_source(four, tmp_path / "out", grid=HALF)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_mirrored_hearts_are_warned_of(four, tmp_path):
    backwards = replace(four, subjects=tuple(replace(s, mirrored=False) for s in four.subjects))
    with pytest.warns(CheartWarning, match="4 of 4 hearts look like mirror images"):
        done = import_source(backwards, tmp_path / "out", grid=HALF, frames=4, jobs=1)
    assert "4 of 4 hearts look like mirror images" in done.warnings[0]
    one = replace(four, subjects=(replace(four.subjects[0], mirrored=False), *four.subjects[1:]))
    with pytest.warns(CheartWarning):
        done = import_source(one, tmp_path / "one", grid=HALF, frames=4, jobs=1)
    assert done.warnings[0].endswith("look at patient000")


def test_the_split_of_another_cohort_is_taken_over(four, tmp_path):
    table = tmp_path / "split.tsv"
    who = [subject.participant_id for subject in four.subjects]

    def asked(splits, names=who):
        pd.DataFrame({"participant_id": names, "split": splits}).to_csv(table, sep="\t", index=False)
        return import_source(four, tmp_path / "c", grid=GRIDS["quarter"], frames=2, jobs=1, split_from=table)

    with pytest.raises(InputError, match=r"split 'dev'; expected each subject once, as train, val, test"):
        asked(["train", "val", "test", "dev"])
    with pytest.raises(InputError, match=f"no row for {who[3]}; add what is missing"):
        asked(["train", "val", "test"], who[:3])
    assert list(asked(["test", "val", "test", "train"]).table["split"]) == ["test", "val", "test", "train"]

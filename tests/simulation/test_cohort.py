import numpy as np
import pandas as pd
import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.labels import LV
from cheart.simulation.acquisition import Acquisition
from cheart.simulation.cohort import TRUTH, clinical_truths, simulate, true_hearts
from cheart.simulation.phenotypes import true_distribution

GRID = GRIDS["quarter"]


def test_any_number_of_workers_gives_the_same_cohort(tmp_path):
    one = simulate(tmp_path / "one", n=3, seed=5, grid=GRID, frames=4, jobs=1)
    two = simulate(tmp_path / "two", n=3, seed=5, grid=GRID, frames=4, jobs=2)
    assert one.fingerprint == two.fingerprint
    assert (tmp_path / "one" / TRUTH).read_bytes() == (tmp_path / "two" / TRUTH).read_bytes()


def test_a_subject_does_not_depend_on_the_others(tmp_path):
    few = simulate(tmp_path / "few", n=2, seed=5, grid=GRID, frames=4, jobs=1)
    many = simulate(tmp_path / "many", n=4, seed=5, grid=GRID, frames=4, jobs=1)
    assert np.array_equal(few.labels(1), many.labels(1))
    assert few.conditions(1) == many.conditions(1)


def test_it_says_that_it_is_simulated_and_keeps_the_truth(tmp_path):
    cohort = simulate(tmp_path / "c", n=2, seed=5, grid=GRID, frames=4, jobs=1)
    assert cohort.info["kind"] == "simulated"
    assert "simulated" in cohort.info["title"]
    truth = pd.read_csv(tmp_path / "c" / TRUTH, sep="\t")
    assert list(truth.participant_id) == list(cohort.table.participant_id)
    assert {"lvedv", "lvesv", "rvedv", "rvesv", "lvm", "lv_descent"} <= set(truth.columns)


def test_thick_slices_and_two_frames(tmp_path):
    acquisition = Acquisition(slice_thickness=10, observed="ed,es")
    cohort = simulate(tmp_path / "c", n=1, seed=5, grid=GRIDS["half"], frames=20, acquisition=acquisition, jobs=1)
    heart = cohort.heart(0)
    assert len(heart.observed_frames) == 2
    assert 12 <= heart.observed[0].sum() <= 13  # 128 mm, every 10 mm
    assert not heart.labels[~heart.observed.any(axis=1)].any()
    assert (heart.labels[0] == LV).any()


def test_nothing_is_written_over(tmp_path):
    simulate(tmp_path / "c", n=1, seed=5, grid=GRID, frames=2, jobs=1)
    with pytest.raises(InputError, match="--overwrite"):
        simulate(tmp_path / "c", n=1, seed=6, grid=GRID, frames=2, jobs=1)
    assert Cohort.open(tmp_path / "c").info["provenance"]["seed"] == 5


def test_nifti_is_written_on_request(tmp_path):
    simulate(tmp_path / "c", n=1, seed=5, grid=GRID, frames=2, jobs=1, nifti=True)
    names = sorted(p.name for p in (tmp_path / "c" / "nifti").iterdir())
    tables = ["itk-snap-labels.txt", "participants.json", "participants.tsv", "slicer-labels.ctbl"]
    assert names == [*tables, "sub-sim0001_dseg.json", "sub-sim0001_dseg.nii.gz"]


def test_the_healthy_population_stays_what_it_was(tmp_path):
    """The linear control: the same bytes as before there was another population."""
    cohort = simulate(tmp_path / "c", n=3, seed=5, grid=GRID, frames=4, jobs=1)
    assert cohort.fingerprint == "5a8de0c033525f096fa405bbfeaeab6a2eb91b87d08925afeb5be6aac37098ad"
    assert "population" not in cohort.info["provenance"]


def test_a_clinical_population(tmp_path):
    few = {"population": "clinical", "n": 3, "seed": 5, "grid": GRIDS["half"], "frames": 4, "jobs": 1}
    cohort = simulate(tmp_path / "c", **few)
    assert cohort.info["provenance"]["population"] == "clinical"
    assert cohort.info["provenance"]["acquisition"]["slice_thickness"] == 8
    assert 0 < cohort.observed.mean() < 0.5
    assert "group" not in cohort.schema.names
    known = simulate(tmp_path / "g", **few, group=True, heart_rate=True, acquisition="exact")
    assert known.schema.names[-2:] == ("heart_rate", "group")
    assert known.observed.all()
    truth = pd.read_csv(tmp_path / "g" / TRUTH, sep="\t")
    assert list(known.table.group) == list(truth.group)
    assert list(truth.lvef) == list(pd.read_csv(tmp_path / "c" / TRUTH, sep="\t").lvef)  # the same hearts
    assert np.allclose(known.table.cycle_s, 60 / known.table.heart_rate)
    truths = clinical_truths(known, [0, 2], frames=8)
    assert [t.phenotypes.lvef for t in truths] == pytest.approx(truth.lvef[[0, 2]].tolist())
    assert truths[0].conditions == known.conditions(0)
    assert truths[0].lv_ml.size == 8
    drawn = true_hearts(known, known.conditions(0), n=20, seed=0)
    assert set(drawn.group) == {truths[0].group}


def test_nothing_is_hidden_in_healthy_hearts(tmp_path):
    cohort = simulate(tmp_path / "c", n=1, seed=5, grid=GRID, frames=2, jobs=1)
    with pytest.raises(InputError, match="clinical"):
        clinical_truths(cohort)
    assert true_hearts(cohort, cohort.conditions(0), n=5, seed=0).equals(
        true_distribution(cohort.conditions(0), n=5, seed=0)
    )


def test_populations_that_do_not_exist(tmp_path):
    with pytest.raises(InputError, match="healthy or clinical"):
        simulate(tmp_path / "c", population="ill", n=1)
    with pytest.raises(InputError, match="--population clinical"):
        simulate(tmp_path / "c", group=True, n=1)
    with pytest.raises(InputError, match="exact or clinical"):
        simulate(tmp_path / "c", acquisition="sharp", n=1)

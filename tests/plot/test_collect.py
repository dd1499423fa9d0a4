import json

import numpy as np
import pandas as pd
import pytest

from bodies import beating_ellipsoids
from cheart.cohort import CohortWriter
from cheart.conditions import PAPER_SCHEMA, describe
from cheart.datasets.recording import TEMPLATE, sidecar_path
from cheart.errors import InputError
from cheart.export.bids import write_in_template
from cheart.grid import GRIDS
from cheart.heart import Heart
from cheart.io.nifti import write_heart, write_labels
from cheart.labels import SCHEMES
from cheart.plot.collect import collect, collect_all, models_behind
from cheart.plot.style import all_titles

GRID = GRIDS["half"]
HEART = beating_ellipsoids(grid=GRID, frames=4)
OURS = SCHEMES["cheart"]


@pytest.fixture
def cohort(tmp_path):
    writer = CohortWriter(tmp_path / "cohort", subjects=2, frames=4, grid=GRID)
    prints = [writer.write(i, HEART) for i in range(2)]
    table = pd.DataFrame(
        {"participant_id": ["sub-a", "sub-b"], "split": "test", "cycle_s": 1.0, "age": [25.0, 65.0], "sex": ["F", "M"],
         "weight": 70.0, "height": [165.0, np.nan], "sbp": 120.0}
    )  # fmt: skip
    writer.finish(table, PAPER_SCHEMA, prints, kind="simulated", title="two")
    return tmp_path / "cohort"


def _result(folder, *names):
    folder.mkdir()
    for name in names:
        path = folder / f"{name}_dseg.nii.gz"
        write_heart(path, HEART)
        sidecar_path(path).write_text(json.dumps({"SpatialReference": TEMPLATE}))
    people = pd.DataFrame({"participant_id": names, "age": "63", "sex": "F", "sbp": "n/a"})
    people.to_csv(folder / "participants.tsv", sep="\t", index=False)
    (folder / "result.json").write_text(json.dumps({"kind": "generated"}))
    return folder


def test_a_cohorts_hearts_say_that_they_are_simulated_and_whose(cohort):
    hearts = collect(cohort, scheme=OURS)
    assert [h.kind for h in hearts] == ["simulated"] * 2
    assert describe(hearts[1].conditions) == "age 65 years, sex M, weight 70 kg, height n/a, sbp 120 mmHg"
    (one,) = collect(cohort, subjects=["b"], scheme=OURS)
    assert one.conditions == hearts[1].conditions
    with pytest.raises(InputError, match=r"--subject c: .*sub-a, sub-b"):
        collect(cohort, subjects=["c"], scheme=OURS)


def test_what_cheart_wrote_comes_back_voxel_by_voxel_with_its_conditions(tmp_path):
    folder = _result(tmp_path / "out", "sub-001", "sub-002")
    hearts = collect(folder, scheme=OURS)
    assert len(hearts) == 2
    assert hearts[0].kind == "generated"
    assert describe(hearts[0].conditions) == "age 63 years, sex F, weight n/a, height n/a, sbp n/a"
    assert np.array_equal(hearts[0].labels, HEART.labels)
    assert hearts[0].grid == GRID
    assert hearts[0].cycle_s == pytest.approx(1.0)
    (file,) = collect(folder / "sub-002_dseg.nii.gz", scheme=OURS)
    assert file.conditions == hearts[1].conditions


def test_the_scheme_is_of_foreign_files_alone(tmp_path):
    """A patient in ACDC's numbers beside what was completed of them: the latter's cavities are not exchanged."""
    (made,) = collect(_result(tmp_path / "out", "sub-001"), scheme=SCHEMES["acdc"])
    assert np.array_equal(made.labels, HEART.labels)


def test_planes_that_were_not_observed_stay_so(tmp_path):
    path = tmp_path / "sub-1_dseg.nii.gz"
    write_heart(path, HEART)
    seen = [[10, 12, 14], [], [], []]
    sidecar_path(path).write_text(json.dumps({"SpatialReference": TEMPLATE, "ObservedPlanes": seen}))
    (heart,) = collect(path, scheme=OURS)
    assert [frame.nonzero()[0].tolist() for frame in heart.observed] == seen


def test_a_foreign_file_is_brought_into_the_pose(tmp_path):
    path = tmp_path / "patient.nii.gz"
    upside_down = np.diag([1.0, -1.0, -1.0, 1.0]) @ GRID.affine
    labels = np.array([0, 3, 2, 1], np.uint8)[HEART.labels]  # ACDC's numbers
    write_labels(path, labels, upside_down, frame_s=0.25)
    (heart,) = collect(path, scheme=SCHEMES["acdc"])
    assert all_titles([heart], None) == ["Imported"], "a file's name may be a person's"
    assert heart.frames == 4
    original = Heart(HEART.labels, HEART.observed, GRID)
    assert heart.phenotypes.lvedv == pytest.approx((original.labels[0] == 1).sum() * GRID.voxel_ml, rel=0.05)


def test_a_folder_without_hearts_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no heart"):
        collect(tmp_path, scheme=OURS)
    with pytest.raises(InputError, match="--subject 1 goes with a cohort"):
        collect(tmp_path / "some.nii.gz", subjects=["1"], scheme=OURS)


def test_a_person_of_a_cohort_beside_what_a_model_made_of_them(cohort, tmp_path):
    made = _result(tmp_path / "made", "sub-001")
    real, synthetic = collect_all([cohort, made], subjects=["b"], scheme=OURS)
    assert (real.kind, synthetic.kind) == ("simulated", "generated")
    assert real.conditions["age"] == 65
    with pytest.raises(InputError, match="--subject c"):
        collect_all([cohort, made], subjects=["c"], scheme=OURS)


def test_a_simulated_heart_is_called_so_wherever_its_file_lies(tmp_path):
    path = tmp_path / "sub-1_dseg.nii.gz"
    write_in_template(path, HEART, Made="simulated by cheart")
    (heart,) = collect(path, scheme=OURS)
    assert heart.kind == "simulated"


def test_a_caption_says_what_the_model_was_trained_on(tmp_path):
    made = _result(tmp_path / "made", "sub-001")
    assert models_behind([made]) == ""
    model = {"name": "cheart", "trained_on": {"title": "60 simulated healthy hearts"}}
    (made / "result.json").write_text(json.dumps({"kind": "generated", "model": model}))
    assert models_behind([made / "sub-001_dseg.nii.gz", made]) == "Model cheart, trained on 60 simulated healthy hearts"

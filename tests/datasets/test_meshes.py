"""On surfaces made here: spheres whose volume is known, and what ``cheart mesh`` writes."""

import numpy as np
import pytest
import trimesh

from cheart.datasets.importing import import_cohort
from cheart.datasets.meshes import list_meshes
from cheart.datasets.recording import read_source
from cheart.errors import InputError
from cheart.labels import LV, MYO, RV
from cheart.simulation.cohort import simulate
from hearts import dice
from shells import shell

HALF_ML = 2 / 3 * np.pi * 1e-3


def bowl(a, b, centre=(0.0, 0.0, 0.0)):
    """The lower half of an ellipsoid of semi-axes a, a and b, open at the top."""
    return shell((a, a, b), high=0.0, centre=centre)


def write_beat(
    folder, shrinks=(0.0, 0.3), *, suffix=".ply", names=("lv_endo_{}", "LV-epi.{}", "RV endo {}"), scale=1.0
):
    """A heart of three open bowls in each frame: LV 24 × 24 × 80 mm, wall 8 mm, RV beside it."""
    folder.mkdir(parents=True)
    for t, shrink in enumerate(shrinks):
        k = 1 - shrink
        bowls = (bowl(24 * k, 80), bowl(32, 88), bowl(40 * k, 70, (28, 6, 0)))
        for name, mesh in zip(names, bowls, strict=True):
            mesh.apply_scale(scale)
            mesh.export(folder / f"{name.format(t)}{suffix}")


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl"])
def test_open_surfaces_give_the_volumes_of_what_they_enclose(tmp_path, suffix):
    write_beat(tmp_path / "in" / "a", suffix=suffix)
    source = list_meshes(tmp_path / "in")
    heart = read_source(source.subjects[0], source.scheme)
    assert heart.volume_ml(0, LV) == pytest.approx(HALF_ML * 24**2 * 80, rel=0.03)
    assert heart.volume_ml(1, LV) == pytest.approx(HALF_ML * (24 * 0.7) ** 2 * 80, rel=0.03)
    assert heart.volume_ml(0, MYO) == pytest.approx(HALF_ML * (32**2 * 88 - 24**2 * 80), rel=0.03)
    assert heart.volume_ml(0, RV) < HALF_ML * 40**2 * 70  # the wall is taken from it
    assert (heart.ed, heart.es) == (0, 1)


def test_a_cohort_of_surfaces_with_a_table(tmp_path):
    for name in ("a", "b", "c"):
        write_beat(tmp_path / "in" / name, scale=0.1)
    (tmp_path / "people.tsv").write_text("participant_id\tage\tcycle_s\na\t63\t0.9\nb\tn/a\tn/a\nd\t50\tn/a\n")
    options = {"participants": tmp_path / "people.tsv", "unit": "cm", "voxel": 2.0, "cycle": "1.0"}
    with pytest.raises(InputError, match=r"c: not in people\.tsv"):
        import_cohort("meshes", tmp_path / "in", tmp_path / "out", grid="quarter", frames=4, jobs=1, **options)
    cohort = import_cohort(
        "meshes", tmp_path / "in", tmp_path / "out", grid="quarter", frames=4, jobs=1, skip_bad=True, **options
    )
    assert list(cohort.table["participant_id"]) == ["a", "b"]
    assert cohort.left_out["d"] == "in the table, but no folder of that name"
    assert cohort.conditions(0)["age"] == 63
    assert list(cohort.table["cycle_s"]) == [0.9, 1.0]
    assert cohort.heart(0).phenotypes.lvef == pytest.approx(51, abs=4)


@pytest.mark.slow
def test_what_cheart_mesh_wrote_comes_back(tmp_path):
    heart = simulate(tmp_path / "sim", n=1, grid="half", frames=2, seed=1, jobs=1).heart(0)
    heart.mesh(tmp_path / "in" / "a", formats=("stl", "ply"))
    back = import_cohort("meshes", tmp_path / "in", tmp_path / "out", grid="half", frames=2, jobs=1).heart(0)
    for one, other in zip(heart.labels, back.labels, strict=True):
        assert min(dice(one, other)) > 0.97
    assert back.curves == pytest.approx(heart.curves, rel=0.03)


def test_folders_a_frame_and_ed_and_es(tmp_path):
    for name in ("ED", "ES"):
        write_beat(tmp_path / "in" / "a" / name, (0.0 if name == "ED" else 0.3,), names=("LVendo", "LVepi", "RVendo"))
    source = list_meshes(tmp_path / "in")
    assert source.subjects[0].moments == (0.0, 0.36)
    assert [p.parent.name for p in source.subjects[0].files] == ["ED"] * 3 + ["ES"] * 3


def test_a_surface_of_several_files(tmp_path):
    write_beat(tmp_path / "a", (0.0,))
    whole = trimesh.load(tmp_path / "a" / "RV endo 0.ply")
    left = whole.triangles_center[:, 0] < 28
    for name, some in (("septum", left), ("freewall", ~left)):
        part = whole.copy()
        part.update_faces(some)
        part.export(tmp_path / "a" / f"RV_{name}_0.ply")
    together = list_meshes(tmp_path / "a", rv_endo="RV septum+RV freewall").subjects[0]
    alone = list_meshes(tmp_path / "a").subjects[0]
    assert len(together.files) == 4
    one, two = (subject.reader(subject.files).labels for subject in (together, alone))
    assert (one == two).all()


def test_what_cannot_be_a_heart_is_refused(tmp_path):
    write_beat(tmp_path / "m" / "a", (0.0,), scale=1000.0)
    subject = list_meshes(tmp_path / "m").subjects[0]
    with pytest.raises(InputError, match=r"--unit says mm, cm or m"):
        subject.reader(subject.files)
    write_beat(tmp_path / "swapped" / "a", (0.0,), names=("RV endo {}", "LV epi {}", "LV endo {}"))
    source = list_meshes(tmp_path / "swapped")
    with pytest.raises(InputError, match="no voxel of the RV cavity"):
        read_source(source.subjects[0], source.scheme)
    plate = trimesh.creation.icosphere(subdivisions=3, radius=30)
    plate.update_faces((plate.vertices[:, 2] < -24)[plate.faces].all(1))
    plate.export(tmp_path / "m" / "a" / "lv_endo_0.ply")
    subject = list_meshes(tmp_path / "m").subjects[0]
    with pytest.raises(InputError, match=r"lv_endo_0\.ply: to close this surface \d+% of its area"):
        subject.reader(subject.files)


def test_names_that_do_not_say_which_surface(tmp_path):
    write_beat(tmp_path / "in" / "a", (0.0,), names=("inner {}", "outer {}", "right {}"))
    left_out = list_meshes(tmp_path / "in").left_out[0]
    assert "no file is named lvendo, lvepi, rvendo" in left_out.reason
    assert len(list_meshes(tmp_path / "in", lv_endo="inner", lv_epi="outer", rv_endo="right").subjects) == 1
    (tmp_path / "in" / "a" / "right 0.ply").unlink()
    left_out = list_meshes(tmp_path / "in", lv_endo="inner", lv_epi="outer", rv_endo="right").left_out[0]
    assert "frame 0: 0 files of the RV endocardium (none), expected 1" in left_out.reason
    with pytest.raises(InputError, match="no surfaces"):
        list_meshes(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"--voxel 9"):
        list_meshes(tmp_path / "in", voxel=9)

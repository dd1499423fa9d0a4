import json

import pytest
from typer.testing import CliRunner

from cheart.cli.import_ import import_app
from cheart.cohort import Cohort
from cheart.errors import InputError
from sources import acdc_patient, save, stack

RUN = CliRunner()


def run(*args):
    return RUN.invoke(import_app, [str(a) for a in args], catch_exceptions=False)


def test_acdc(tmp_path):
    for i in range(3):
        acdc_patient(tmp_path / "in", f"patient{i:03}")
    result = run("acdc", tmp_path / "in", tmp_path / "out", "--grid", "quarter", "--frames", 6, "--jobs", 1, "--json")
    assert json.loads(result.stdout)["subjects"] == 3
    assert Cohort.open(tmp_path / "out").frames == 6


def test_a_page_to_look_over_and_who_was_rejected(tmp_path):
    for i in range(3):
        acdc_patient(tmp_path / "in", f"patient{i:03}", turn_deg=10.0 * i)
    same = ["--grid", "quarter", "--frames", 6, "--jobs", 1]
    result = run("acdc", tmp_path / "in", tmp_path / "one", *same, "--qc", tmp_path / "qc")
    assert f"Look over {tmp_path / 'qc'}/index.html first" in result.stdout
    path = tmp_path / "qc" / "review.csv"
    path.write_text(path.read_text().replace("patient001,", "patient001,reject"))
    run("acdc", tmp_path / "in", tmp_path / "two", *same, "--review", path)
    assert list(Cohort.open(tmp_path / "two").left_out) == ["patient001"]


def test_what_was_imported_is_written_for_correction_and_comes_back(tmp_path):
    for i in range(3):
        acdc_patient(tmp_path / "in", f"patient{i:03}")
    same = ["--grid", "quarter", "--frames", 6, "--jobs", 1]
    run("acdc", tmp_path / "in", tmp_path / "one", *same, "--nifti")
    nifti = tmp_path / "one" / "nifti"
    assert (nifti / "itk-snap-labels.txt").is_file()
    table = ["--participants", nifti / "participants.tsv", "--scheme", "cheart"]
    run("nifti", nifti, tmp_path / "two", *table, *same)
    one, two = Cohort.open(tmp_path / "one"), Cohort.open(tmp_path / "two")
    for i in range(3):
        assert (one.labels(i) == two.labels(i)).all()
        assert one.conditions(i) == two.conditions(i)


def test_nifti_with_its_own_numbers(tmp_path):
    labels, affine = stack(shrinks=(0.0, 0.3))
    save(tmp_path / "in" / "a.nii.gz", labels, affine, renumber={1: 2, 2: 1})
    save(tmp_path / "in" / "b.nii.gz", labels, affine)
    (tmp_path / "people.tsv").write_text("participant_id\tage\tsex\na\t63\tF\nb\t40\tM\n")
    args = ["nifti", tmp_path / "in", tmp_path / "out", "--participants", tmp_path / "people.tsv"]
    args += ["--scheme", "1=myo,2=lv,3=rv", "--grid", "quarter", "--jobs", 1]
    with pytest.raises(InputError, match="exchanged"):
        run(*args)
    result = run(*args, "--skip-bad", "--cycle", "0.9")
    assert "1 subjects" in result.stdout
    assert "1 left out" in result.stdout
    cohort = Cohort.open(tmp_path / "out")
    assert cohort.conditions(0)["age"] == 63
    assert cohort.heart(0).cycle_s == 0.9


def test_the_list_is_that_of_the_registry():
    listed = run("--help").stdout
    assert all(name in listed for name in ("acdc", "mnms", "nifti"))
    assert "--scheme" not in run("acdc", "--help").stdout
    with pytest.raises(InputError, match="expected one of acdc"):
        run("camus", "in", "out")


def test_one_from_a_file_brings_its_options(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from typing import Annotated\n\n\n"
        'def list_mine(folder, *, only_healthy: Annotated[bool, \'Healthy ones.\'] = False):\n    """Mine."""\n'
    )
    listed = run(f"{tmp_path / 'mine.py'}:list_mine", "--help").stdout
    assert "--only-healthy" in listed
    assert "Healthy ones." in listed


def test_mnms_needs_its_table(tmp_path):
    assert run("mnms", tmp_path, tmp_path / "out").exit_code == 2


@pytest.mark.parametrize("option", [("--cycle", "900"), ("--scheme", "mine"), ("--grid", "huge")])
def test_options_are_checked_by_name(tmp_path, option):
    (tmp_path / "people.tsv").write_text("participant_id\n1\n")
    (tmp_path / "1.nii.gz").touch()
    args = ["nifti", tmp_path, tmp_path / "out", "--participants", tmp_path / "people.tsv", "--scheme", "ukbb"]
    with pytest.raises(InputError, match=option[1]):
        run(*args, *option)


def test_the_spacing_is_one_of_two(tmp_path):
    args = ["nifti", tmp_path, tmp_path / "out", "--participants", "p.tsv", "--scheme", "ukbb", "--spacing", "header"]
    assert run(*args).exit_code == 2

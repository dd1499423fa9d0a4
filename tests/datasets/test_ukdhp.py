"""On a made-up copy of the published layout: the data are not to be had here."""

import pytest

from cheart.datasets.importing import import_cohort
from cheart.datasets.ukdhp import list_ukdhp
from cheart.errors import InputError
from sources import save, stack


@pytest.fixture
def folder(tmp_path):
    for number in (1, 2, 3):
        labels, affine = stack(seed=number, shrinks=(0.0, 0.3), spacing=(2.0, 2.5, 2.5))
        for phase, frame in (("ED", 0), ("ES", 1)):
            save(tmp_path / "ukdhp" / f"subject{number}" / f"HR_{phase}.nii.gz", labels[frame], affine, renumber={3: 4})
            save(tmp_path / "ukdhp" / f"subject{number}" / f"LR_{phase}.nii.gz", labels[frame, ::5], affine)
    (tmp_path / "ukdhp" / "subject3" / "HR_ES.nii.gz").unlink()
    return tmp_path / "ukdhp"


def test_ed_and_es_in_high_resolution(folder, tmp_path):
    with pytest.raises(InputError, match=r"subject3: no HR_ES\.nii\.gz"):
        import_cohort("ukdhp", folder, tmp_path / "out", grid="half", jobs=1)
    cohort = import_cohort("ukdhp", folder, tmp_path / "out", grid="half", jobs=1, skip_bad=True)
    assert list(cohort.table["participant_id"]) == ["subject1", "subject2"]
    assert 40 < cohort.heart(0).phenotypes.lvef < 60
    assert cohort.observed_of(0)[0].sum() > 20  # a dense volume


def test_a_table_of_ones_own(folder, tmp_path):
    path = tmp_path / "people.tsv"
    path.write_text("participant_id\tage\nsubject1\t44\n")
    source = list_ukdhp(folder, participants=path)
    assert [s.row["age"] for s in source.subjects] == ["44"]
    assert {who.participant_id for who in source.left_out} == {"subject2", "subject3"}
    with pytest.raises(InputError, match=r"no .*HR_ED"):
        list_ukdhp(tmp_path / "nothing")

"""On a made-up copy of the published layout: the data are not to be had here."""

import numpy as np
import pytest

from cheart.datasets.importing import import_cohort
from cheart.datasets.recording import read_source
from cheart.datasets.ukbb import list_ukbb
from cheart.errors import InputError
from sources import save, stack


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three participants: the whole cycle, ED and ES, and both visits of one."""
    place = tmp_path_factory.mktemp("ukbb")
    shrinks = tuple(0.3 * np.sin(np.pi * np.arange(10) / 10) ** 2)
    labels, affine = stack(shrinks=shrinks)
    save(place / "1000001" / "seg_sa.nii.gz", labels, affine, step_s=0.09)
    save(place / "1000001" / "seg_sa_ED.nii.gz", labels[0], affine)
    for phase, frame in (("ED", 0), ("ES", 5)):
        save(place / "1000002" / f"seg_sa_{phase}.nii.gz", labels[frame], affine)
    for visit in (2, 3):
        save(place / f"1000003_20209_{visit}_0" / "seg_sa.nii.gz", labels, affine, step_s=0.09)
    return place


def table(tmp_path, text):
    path = tmp_path / "ukb.csv"
    path.write_text(text)
    return path


CONVERTED = (
    "eid,31-0.0,21003-0.0,21003-2.0,21002-2.0,50-2.0,12144-2.0,4080-2.0,4080-2.1,93-2.0\n"
    "1000001,0,50,63,70,165,,130,140,150\n"
    "1000002,1,41,55,,180,179,,,128\n"
    "1000003,1,60,70,80,170,,,,\n"
)
PLATFORM = (
    "participant.eid,participant.p31,participant.p21003_i2,p21002_i2,p50_i2,p4080_i2_a0,p4080_i2_a1,p93_i2_a0\n"
    "1000001,Female,63,70,165,130,140,150\n"
    "1000002,Male,55,,179,,,128\n"
    "1000003,Male,70,80,170,,,\n"
)


@pytest.mark.parametrize("text", [CONVERTED, PLATFORM], ids=["ukbconv", "platform"])
def test_fields_become_conditions(folder, tmp_path, text):
    from cheart.datasets.participants import read_conditions

    source = list_ukbb(folder, table=table(tmp_path, text))
    known = {s.participant_id: read_conditions(s.row, source.schema, source.dictionary) for s in source.subjects}
    assert known["1000001"] == {"age": 63, "sex": "F", "weight": 70, "height": 165, "sbp": 135}
    assert known["1000002"] == {"age": 55, "sex": "M", "weight": None, "height": 179, "sbp": 128}


def test_cycles_and_pairs_and_visits(folder, tmp_path):
    source = list_ukbb(folder)
    one, two, three = (read_source(subject, source.scheme) for subject in source.subjects)
    assert (len(one.labels), len(two.labels)) == (10, 2)
    assert one.cycle_s == pytest.approx(0.9)
    assert (one.ed, one.es) == (0, 5)
    assert np.isnan(two.cycle_s)
    assert len(three.labels) == 10
    assert "1 folders of other visits" in source.warnings[0]
    assert [s.participant_id for s in list_ukbb(folder, instance=3).subjects] == ["1000001", "1000002", "1000003"]


def test_imported(folder, tmp_path):
    cohort = import_cohort(
        "ukbb", folder, tmp_path / "out", grid="quarter", frames=10, jobs=1, table=table(tmp_path, CONVERTED)
    )
    assert len(cohort) == 3
    assert cohort.conditions(0)["sex"] == "F"


def test_what_is_not_ukbb_is_refused(folder, tmp_path):
    with pytest.raises(InputError, match="no column eid"):
        list_ukbb(folder, table=table(tmp_path, "id,31-0.0\n1,0\n"))
    with pytest.raises(InputError, match=r"none of the fields .* at visit 3; expected columns such as 21003-3.0"):
        list_ukbb(folder, table=table(tmp_path, "eid,21003-2.0\n1000001,60\n"), instance=3)
    with pytest.raises(InputError, match="no <eid>/seg_sa"):
        list_ukbb(tmp_path)
    source = list_ukbb(folder, table=table(tmp_path, "eid,21003-2.0\n1000001,60\n"))
    assert [who.participant_id for who in source.left_out] == ["1000002", "1000003"]

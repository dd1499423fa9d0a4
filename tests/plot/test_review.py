import csv
import shutil

import pytest

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.plot.review import review
from cohorts import tiny_cohort


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return tiny_cohort(tmp_path_factory.mktemp("review") / "cohort", n=9)


def table(folder):
    with (folder / "review.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_heart_is_on_the_page_and_in_the_table(small, tmp_path):
    order = review(small, tmp_path / "qc", jobs=1)
    assert sorted(order) == sorted(small.table["participant_id"])
    page = (tmp_path / "qc" / "index.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 9
    assert [row["participant_id"] for row in table(tmp_path / "qc")] == order
    assert {row["decision"] for row in table(tmp_path / "qc")} == {""}
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_most_doubtful_come_first(small, tmp_path):
    """One whose voxels are nobody's: the page says what is wrong with it."""
    import zarr

    shutil.copytree(small.path, tmp_path / "cohort")
    labels = zarr.open_group(tmp_path / "cohort" / "labels.zarr")["labels"]
    broken = labels[4]
    broken[:, 2, :2, :2] = 3
    labels[4] = broken
    from cheart.files import write_checksums

    write_checksums(tmp_path / "cohort")
    order = review(Cohort.open(tmp_path / "cohort"), tmp_path / "qc", jobs=1)
    assert order[0] == "sub-004"
    assert "islands (4 of RV cavity" in table(tmp_path / "qc")[0]["concerns"]


def test_verdicts_outlive_a_new_page(small, tmp_path):
    review(small, tmp_path / "qc", jobs=1)
    path = tmp_path / "qc" / "review.csv"
    path.write_text(path.read_text().replace("sub-003,,", "sub-003,reject,blurred"))
    with pytest.raises(InputError, match="exists already"):
        review(small, tmp_path / "qc", jobs=1)
    review(small, tmp_path / "qc", jobs=1, overwrite=True)
    (row,) = (row for row in table(tmp_path / "qc") if row["participant_id"] == "sub-003")
    assert (row["decision"], row["reason"]) == ("reject", "blurred")
    assert '<option selected>reject</option></select> <input placeholder="reason" value="blurred">' in (
        tmp_path / "qc" / "index.html"
    ).read_text(encoding="utf-8")


def test_what_most_hearts_have_is_said_once(small, tmp_path):
    """Ellipsoids lose wall as they contract: of all nine that is no news."""
    review(small, tmp_path / "qc", jobs=1)
    page = (tmp_path / "qc" / "index.html").read_text(encoding="utf-8")
    assert page.count("volume changes by") == 1
    assert not any("volume changes by" in row["concerns"] for row in table(tmp_path / "qc"))

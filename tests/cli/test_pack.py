import json
from pathlib import Path
from shutil import copyfile

import pytest

from cheart.files import read_json

pytestmark = pytest.mark.usefixtures("undrawn")


def test_a_packed_model_is_small_tells_what_it_cost_and_is_used_as_any_other(cheart, run, cohort, tmp_path):
    out, tables = tmp_path / "packed", tmp_path / "tables"
    assert cheart("evaluate", run, cohort.path, "--subjects", 2, "-o", tables).code == 0
    arguments = ["--cohort", cohort.path, "--subjects", 2, "--evaluation", tables]
    answer = cheart("pack", run, "-o", out, *arguments, "--json")
    value = json.loads(answer.out)
    assert value["megabytes"] < value["megabytes_whole"] / 2
    assert value["summary"]["between_lv"]["mean"] > 0.98
    assert value["summary"]["d_lvedv"]["mean"] < 1
    names = {path.name for path in out.iterdir()}
    assert names == {"model.safetensors", "config.json", "card.md", "metrics.csv", "run.json", "checksums.sha256"}
    assert cheart("generate", out, "--age", 60, "--sex", "F", "-o", tmp_path / "made").code == 0
    assert str(out / "card.md") in cheart("info", out).out


def test_the_card_says_what_a_reader_must_know(cheart, run, cohort, tmp_path):
    assert cheart("pack", run, "-o", tmp_path / "packed", "--cohort", cohort.path, "--subjects", 2).code == 0
    text = (tmp_path / "packed" / "card.md").read_text()
    for words in (
        "simulated", "Not a medical device", "about a real person", "| age | 20 to 70 years |", "| sex | F, M |",
        "cheart train cohort -o model --model cheart --preset quick --set epochs=30", "--seed 0", cohort.fingerprint,
        "whole model and packed one", "Apache-2.0",
    ):  # fmt: skip
        assert words in text


def test_places_on_the_machine_stay_there(cheart, run, tmp_path, monkeypatch):
    told = read_json(run / "run.json")
    odd = tmp_path / "odd"
    odd.mkdir()
    for name in ("model.safetensors", "config.json", "metrics.csv"):
        (odd / name).write_bytes((run / name).read_bytes())
    command = f"cheart train {tmp_path}/cohort -o {odd}"
    (odd / "run.json").write_text(json.dumps({**told, "command": command}))
    assert cheart("pack", odd, "-o", tmp_path / "packed").code == 0
    assert read_json(tmp_path / "packed" / "run.json")["command"] == "cheart train cohort -o odd"
    assert all(
        str(tmp_path) not in p.read_text() for p in (tmp_path / "packed").iterdir() if p.suffix != ".safetensors"
    )


def test_nothing_is_left_of_what_is_refused(refused, run, tmp_path):
    assert "is no model" in refused("pack", tmp_path, "-o", tmp_path / "out")
    assert "is not there" in refused("pack", run, "-o", tmp_path / "out", "--evaluation", tmp_path / "no")
    assert not list(tmp_path.iterdir())


hub = pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")


class Shelf:
    """A Hub that is a folder: what was sent to a repository is what is taken from it."""

    def __init__(self, place: Path) -> None:
        self.place, self.private = place, {}

    def create_repo(self, repository, *, private, exist_ok):
        self.private.setdefault(repository, private)
        (self.place / repository).mkdir(parents=True, exist_ok=exist_ok)

    def create_commit(self, repository, operations, *, commit_message):
        for operation in operations:
            copyfile(operation.path_or_fileobj, self.place / repository / operation.path_in_repo)

    def snapshot_download(self, repository, *, revision, allow_patterns):
        if not (self.place / repository).is_dir():
            raise hub.errors.LocalEntryNotFoundError("Cannot find an appropriate cached snapshot folder")
        assert revision in (None, "v1")
        there = {path.name for path in (self.place / repository).iterdir()}
        return str(self.place / repository) if there <= set(allow_patterns) else str(self.place)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The Hub's client, led to a folder."""
    found = Shelf(tmp_path / "hub")
    monkeypatch.setattr(hub, "HfApi", lambda: found)
    monkeypatch.setattr(hub, "snapshot_download", found.snapshot_download)
    return found


@pytest.fixture
def packed(cheart, run, tmp_path):
    assert cheart("pack", run, "-o", tmp_path / "packed").code == 0
    return tmp_path / "packed"


@pytest.mark.usefixtures("undrawn")
def test_a_model_that_was_sent_is_a_model_by_its_address(cheart, shelf, packed, tmp_path):
    answer = cheart("push", packed, "someone/hearts")
    assert (answer.code, answer.out.split(":")[0]) == (0, "hf")
    assert "MB, to someone/hearts" in answer.err
    sent = {path.name for path in (tmp_path / "hub" / "someone" / "hearts").iterdir()}
    assert sent == {"model.safetensors", "config.json", "README.md"}
    assert shelf.private == {"someone/hearts": True}
    for name, model in (("one", packed), ("two", "hf://someone/hearts"), ("three", "hf://someone/hearts@v1")):
        assert cheart("generate", model, "--age", 50, "-o", tmp_path / name).code == 0
    made = {(tmp_path / name / "sub-001_dseg.nii.gz").read_bytes() for name in ("one", "two", "three")}
    assert len(made) == 1
    told = json.loads(cheart("info", "hf://someone/hearts", "--json").out)
    assert told["card"].endswith("README.md")


def test_public_only_when_asked(cheart, shelf, packed):
    assert cheart("push", packed, "someone/open", "--public").code == 0
    assert shelf.private == {"someone/open": False}


def test_what_may_not_be_sent_is_refused(refused, shelf, run, packed):
    assert "has no card.md: pack the model first" in refused("push", run, "someone/hearts")
    assert "expected owner/name" in refused("push", packed, "hearts")
    (packed / "weights.PT").touch()
    assert "holds weights.PT: such files may run code" in refused("push", packed, "someone/hearts")
    assert shelf.private == {}


def test_what_the_hub_lacks_is_one_line(refused, shelf, tmp_path):
    line = refused("generate", "hf://someone/else", "-o", tmp_path / "out")
    assert all(word in line for word in ("hf://someone/else", "HF_HUB_OFFLINE", "HF_HOME"))
    (tmp_path / "hub" / "someone" / "pickled").mkdir(parents=True)
    assert "no model.safetensors" in refused("generate", "hf://someone/pickled", "-o", tmp_path / "out")
    assert "expected owner/name" in refused("info", "hf://hearts")


def test_a_hub_that_cannot_be_reached_is_one_line(cheart, shelf, packed, monkeypatch):
    def offline(*_, **__):
        raise hub.errors.OfflineModeIsEnabled("offline mode is enabled")

    monkeypatch.setattr(shelf, "create_repo", offline)
    answer = cheart("push", packed, "someone/hearts")
    assert answer.code == 2
    assert answer.err.splitlines()[-1].startswith(
        "cheart: someone/hearts: the Hub cannot be reached: is there a network"
    )


def test_without_the_extra_it_is_named(refused, monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    assert "pip install 'cheart[hub]'" in refused("generate", "hf://someone/hearts", "-o", tmp_path / "out")

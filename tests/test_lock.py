"""requirements.lock holds every package that an installation takes, but for PyTorch, pinned and with hashes."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def plain(name: str) -> str:
    """A package's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_holds_what_is_needed_as_it_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {plain(re.split(r"[\[<>=!~ ;]", requirement)[0]) for requirement in needed} - {"torch"}
    lock = (ROOT / "requirements.lock").read_text()
    locked = {plain(name): version for name, version in re.findall(r"^([\w.-]+)==([^ \\\n]+)", lock, flags=re.M)}
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    assert not names - set(locked), "make lock"
    assert not {n: v for n, v in locked.items() for p, w in pinned.items() if plain(p) == n and w != v}, "make lock"
    assert lock.count("--hash=sha256:") > len(locked)


def test_the_lock_names_no_place() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.findall(r"https?://|file:|--(?:index|extra|find|trusted)", lock)
    assert "torch==" not in lock
    assert "nvidia" not in lock

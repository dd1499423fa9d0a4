"""The floors of the house: docs/architecture.md, docs/pictures/house.py."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"


@pytest.fixture(scope="module")
def house():
    spec = spec_from_file_location("house", PICTURES / "house.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_imports_go_down_only(house):
    floors, wrong = house.floor_of(), []
    for module, name, with_the_file in house.imports():
        here, there = module.split(".")[1], name.split(".")[1]
        if here in ("__init__", "__main__") or there in (here, "_version"):
            continue
        called = here in house.UP and not with_the_file
        if not floors[there] > floors[here] and not called:
            wrong.append(f"{module} imports {name}")
    assert not wrong


def test_the_picture_is_of_today(house):
    assert (PICTURES / "house.svg").read_text() == house.draw()

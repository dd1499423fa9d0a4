from pathlib import Path

import pytest

import cheart
from cheart.models.find import find_model


@pytest.mark.parametrize("name", ["bundled", "paper"])
def test_a_name_is_a_model_beside_the_code_and_anything_else_a_folder(name):
    assert find_model(name) == Path(cheart.__file__).parent / "weights" / name
    assert find_model(f"./{name}") == Path(name)
    assert find_model(Path(name)) == Path(name)

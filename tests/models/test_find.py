from pathlib import Path

import cheart
from cheart.models.find import BUNDLED_FOLDER, find_model


def test_bundled_is_the_model_beside_the_code_and_anything_else_a_folder():
    assert find_model("bundled") == BUNDLED_FOLDER == Path(cheart.__file__).parent / "bundled"
    assert find_model("./bundled") == Path("bundled")
    assert find_model(Path("bundled")) == Path("bundled")

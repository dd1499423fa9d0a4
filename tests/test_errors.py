"""What is refused of Python callers too, whose arguments no command line has read."""

import numpy as np
import pytest

import cheart
from cheart.errors import check_seed
from cheart.model import Model


@pytest.mark.parametrize("seed", [-1, 1.5, 2**63, True, None, "7", np.float64(3)])
def test_a_seed_is_a_whole_number(seed: object, model: Model, tmp_path) -> None:
    calls = (
        lambda: model.generate({}, seed=seed),
        lambda: model.vary("age", [20, 40], seed=seed),
        lambda: model.complete(tmp_path / "heart.nii.gz", seed=seed),
        lambda: cheart.simulate(out=tmp_path / "cohort", n=2, seed=seed),
        lambda: cheart.train(tmp_path, tmp_path / "run", seed=seed),
        lambda: cheart.evaluate(model, tmp_path, seed=seed),
    )
    for call in calls:
        with pytest.raises(cheart.InputError, match=r"seed .*: expected a whole number from 0 to 9223372036854775807"):
            call()
    assert not list(tmp_path.iterdir())


def test_whole_numbers_of_numpy_are_seeds() -> None:
    assert (check_seed(np.int64(3)), type(check_seed(np.int64(3)))) == (3, int)

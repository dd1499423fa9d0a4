from dataclasses import replace

import numpy as np
import pytest
import torch

from bodies import ellipsoid_heart
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.metrics.overlap import dice
from cheart.models.compact import pack, unpack
from cheart.models.fields import FieldGrid, fields, labels_from_fields
from cheart.models.shape_basis import ShapeBasis
from cheart.models.store import read_model, write_packed

GRID = GRIDS["half"]
WHERE = FieldGrid.whole(GRID)
HEARTS = np.stack([ellipsoid_heart(grid=GRID, shrink=s) for s in np.linspace(0, 0.35, 8)])
BASIS = replace(ShapeBasis.fit(fields(HEARTS, WHERE), WHERE, modes=6), iso_offset=(0.3, 0.2, 0.1))


def packed_and_back(basis: ShapeBasis) -> tuple[ShapeBasis, int]:
    """A basis after packing and unpacking, and the bytes between."""
    how, tensors = pack(basis)
    return unpack({**basis.to_json(), "packed": how}, tensors), sum(t.nbytes for t in tensors.values())


def test_a_packed_basis_is_small_and_nearly_the_same() -> None:
    back, size = packed_and_back(BASIS)
    assert size < BASIS.modes.nbytes / 30
    coefficients = BASIS.project(fields(HEARTS, BASIS.where))
    was, now = BASIS.compose(coefficients), back.compose(coefficients)
    assert np.sqrt(np.square(was - now).mean()) < 0.1  # mm
    assert back.iso_offset == BASIS.iso_offset
    assert dice(labels_from_fields(was, BASIS.where), labels_from_fields(now, back.where)).min() > 0.99


def test_it_is_orthonormal_so_that_completion_may_take_it_for_that() -> None:
    back, _ = packed_and_back(BASIS)
    flat = back.modes.reshape(back.size, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(back.size), atol=1e-5)
    coefficients = back.sd * np.linspace(-1, 1, back.size, dtype=np.float32)
    np.testing.assert_allclose(back.project(back.compose(coefficients[None]))[0], coefficients, atol=0.05)


def test_a_mode_that_hardly_matters_takes_hardly_any_room() -> None:
    faint = replace(BASIS, sd=BASIS.sd / 100)
    assert packed_and_back(faint)[1] < packed_and_back(BASIS)[1] / 2


def test_large_and_negative_numbers_survive() -> None:
    far = ShapeBasis(
        BASIS.where, BASIS.mean - 900, BASIS.modes, BASIS.sd * 100, BASIS.residual_variance, BASIS.explained
    )
    back, _ = packed_and_back(far)
    assert np.abs(back.mean - far.mean).max() < 1.5  # mm
    assert (back.modes * far.modes).reshape(far.size, -1).sum(axis=1).min() > 0.9  # what long waves hold of them


def test_a_packed_model_is_read_as_any_other(run, tmp_path) -> None:
    before = read_model(run)
    write_packed(tmp_path, before)
    after = read_model(tmp_path)
    weights = after.network.state_dict()
    assert all(torch.equal(weights[n], t) for n, t in before.network.state_dict().items())
    assert after.network.options == before.network.options
    assert {k: v for k, v in after.config.items() if k != "representation"} == {
        k: v for k, v in before.config.items() if k != "representation"
    }
    assert after.network.representation.basis.where == before.network.representation.basis.where


def test_damage_is_told(run, tmp_path) -> None:
    how, tensors = pack(BASIS)
    about = {**BASIS.to_json(), "packed": how}
    for broken in (tensors["basis.mode_waves"][:-9], torch.zeros(40, dtype=torch.uint8)):
        with pytest.raises(InputError, match="cannot be read"):
            unpack(about, {**tensors, "basis.mode_waves": broken})
    with pytest.raises(InputError, match="cannot be read"):
        unpack(about, {"basis.sd": tensors["basis.sd"]})

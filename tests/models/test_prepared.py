from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cheart.cohort import Cohort, Split
from cheart.conditions import Encoding
from cheart.errors import InputError
from cheart.models import shape
from cheart.models.shape import ShapeBatch, ShapeRepresentation, prepared_basis
from cheart.models.shape_basis import ShapeBasis
from cheart.training.train import train
from cohorts import tiny_cohort

SETTINGS = ("epochs=2", "modes=5", "hidden=8", "latent=4", "embedding=4")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return tiny_cohort(tmp_path_factory.mktemp("cohort") / "c")


def encoding(cohort: Cohort) -> Encoding:
    return Encoding.fit(cohort.schema, [cohort.conditions(int(i)) for i in cohort.indices("train")])


def subjects(cohort: Cohort, split: Split, basis: ShapeBasis, folder: Path) -> ShapeBatch:
    shapes = ShapeRepresentation(basis, cohort.frames)
    return shapes.data(cohort, split, encoding(cohort), prepared=folder, jobs=1).subjects


def refuse(*given: object, **named: object) -> None:
    raise AssertionError("the cohort is read again")


@pytest.mark.slow
def test_models_share_what_was_read_and_learn_what_they_would_have_learned(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(cohort, tmp_path / "alone", preset="quick", settings=SETTINGS, jobs=1)
    train(cohort, tmp_path / "pca", model="pca", settings=("modes=5",), prepared=tmp_path / "shared", jobs=1)
    monkeypatch.setattr(shape, "fit_basis", refuse)
    monkeypatch.setattr(shape, "read_normal_forms", refuse)
    train(cohort, tmp_path / "sharing", preset="quick", settings=SETTINGS, prepared=tmp_path / "shared", jobs=1)
    alone, sharing = (load_file(tmp_path / name / "model.safetensors") for name in ("alone", "sharing"))
    assert alone.keys() == sharing.keys()
    assert all(torch.equal(alone[name], sharing[name]) for name in alone)


@pytest.mark.slow
def test_modes_cohorts_and_splits_stand_beside_each_other(cohort: Cohort, tmp_path: Path) -> None:
    other = tiny_cohort(tmp_path / "other", n=9)
    for modes, who in ((5, cohort), (3, cohort), (5, other)):
        for _ in range(2):
            basis = prepared_basis(who, modes=modes, folder=tmp_path / "shared", jobs=1)
            assert basis.size == modes
            for split in ("train", "val"):
                data = subjects(who, split, basis, tmp_path / "shared")
                assert len(data.first) == len(who.indices(split))
    names = sorted(p.name for p in (tmp_path / "shared").iterdir())
    assert [n.split("-")[0] for n in names] == ["basis"] * 3 + ["train"] * 3 + ["val"] * 3


def test_a_basis_that_was_not_fitted_here_has_entries_of_its_own(cohort: Cohort, tmp_path: Path) -> None:
    basis = prepared_basis(cohort, modes=4, folder=None, jobs=1)
    turned = type(basis)(**{**vars(basis), "modes": basis.modes[::-1].copy()})
    one, two = (subjects(cohort, "val", b, tmp_path / "shared") for b in (basis, turned))
    np.testing.assert_allclose(one.linear.numpy(), two.linear.numpy()[..., ::-1], atol=1e-3)
    assert float((one.linear - two.linear).abs().max()) > 1


def test_thick_slices_are_kept_with_their_gram(tmp_path: Path) -> None:
    thick = tiny_cohort(tmp_path / "c", planes=slice(4, None, 3), pair=True)
    basis = prepared_basis(thick, modes=4, folder=tmp_path / "shared", jobs=1)
    one, two = (subjects(thick, "val", basis, tmp_path / "shared") for _ in range(2))
    assert one.gram is not None
    for name, tensor in vars(one).items():
        assert torch.equal(tensor, getattr(two, name)), name


def test_a_damaged_entry_is_named(cohort: Cohort, tmp_path: Path) -> None:
    prepared_basis(cohort, modes=4, folder=tmp_path, jobs=1)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=rf"{path.name}.*delete it"):
        prepared_basis(cohort, modes=4, folder=tmp_path, jobs=1)

import numpy as np
import pytest
import torch

from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.errors import InputError
from cheart.evidence import Evidence
from cheart.grid import Grid
from cheart.models.base import Setting
from cheart.models.cheart import CHeart, CHeartOptions
from cheart.models.registry import model_class
from cheart.models.representation import SomeFrames
from cheart.models.voxel import VoxelBatch, VoxelRepresentation

GRID = Grid((32, 32, 32), (4.0, 5.0, 5.0))
PEOPLE = [{"age": a, "sex": s, "weight": 70.0, "height": 170.0, "sbp": 120.0} for a, s in ((25.0, "F"), (65.0, "M"))]
SETTING = Setting(GRID, 3, Encoding.fit(PAPER_SCHEMA, PEOPLE, age_decades=True))


def network(**options: object) -> CHeart:
    """An untrained network whose labels are not all background."""
    torch.manual_seed(0)
    model = CHeart(SETTING, CHeartOptions(**options), VoxelRepresentation(GRID, 3)).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        model.decoder.expand.weight.mul_(20)
        model.decoder.convs[-1].bias.zero_()
    return model


def test_the_defaults_are_the_papers() -> None:
    options = CHeartOptions()
    assert (options.representation, options.latent, options.embedding, options.beta) == ("voxel", 32, 32, 0.001)
    assert (options.motion, options.prior) == ("lstm", "standard")


def test_a_seed_gives_one_heart_and_conditions_change_it() -> None:
    model = network()
    young, old = SETTING.encoding.encode(PEOPLE)
    one = model.generate(young, seed=1)
    assert one.shape == (3, *GRID.shape)
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, model.generate(young, seed=1))
    assert (one != model.generate(young, seed=2)).any()
    assert (one != model.generate(old, seed=1)).any()


def test_completion_decodes_the_posteriors_mean(read_by_sign: None) -> None:
    model = network()
    first = torch.randint(0, 4, GRID.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    conditions = SETTING.encoding.encode(PEOPLE)[0]
    seen = np.ones(GRID.shape[0], bool)
    made = model.complete(Evidence.of_frame(first.numpy(), seen, 3), conditions)
    mean, _, embedding = model.posterior(first[None], torch.from_numpy(conditions)[None])
    logits = model.decoder(model.latents(mean, embedding), torch.arange(3))
    np.testing.assert_array_equal(made, logits[0].argmax(1).numpy().astype(np.uint8))


def test_a_seed_is_a_sample_of_the_posterior() -> None:
    model = network(motion="harmonic")
    first = torch.randint(0, 4, GRID.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).numpy()
    known, person = Evidence.of_frame(first, np.ones(len(first), bool), 3), SETTING.encoding.encode(PEOPLE)[0]
    one, same, other = (model.complete(known, person, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (one != model.complete(known, person)).any()


def test_evidence_that_the_model_does_not_take_is_refused() -> None:
    first, person = np.ones(GRID.shape, np.uint8), SETTING.encoding.encode(PEOPLE)[0]
    known = Evidence.of_frame(first, np.ones(len(first), bool), 3, {"lvef": 55.0})
    with pytest.raises(InputError, match="from the first frame: leave out the measurements"):
        network().complete(known, person)


def test_the_trajectory_is_what_a_heart_is_decoded_from(read_by_sign: None) -> None:
    model = network()
    conditions, latent = SETTING.encoding.encode(PEOPLE)[0], model.sample_latent(3)
    latents = model.trajectory(latent, conditions)
    assert latents.shape == (3, 64)
    made = model.decoder(torch.from_numpy(latents)[None], torch.arange(3))[0].argmax(1).numpy()
    np.testing.assert_array_equal(model.decode(latent, conditions), made)


def test_the_loss_is_reconstruction_plus_beta_times_kl() -> None:
    model = network(beta=0.5)
    labels = torch.randint(0, 4, (2, 3, *GRID.shape), dtype=torch.uint8)
    observed = torch.ones(2, 3, GRID.shape[0], dtype=torch.bool)
    batch = VoxelBatch(labels, observed, torch.from_numpy(SETTING.encoding.encode(PEOPLE)))
    ((group, loss, figures),) = model.losses(batch, torch.Generator().manual_seed(0))
    assert group == "all"
    assert float(loss.detach()) == pytest.approx(figures["reconstruction"] + 0.5 * figures["kl"], rel=1e-5)


def test_a_forgotten_condition_looks_as_if_it_were_missing() -> None:
    model = network(forget=0.999)
    encoded = torch.from_numpy(SETTING.encoding.encode(PEOPLE * 20))
    hidden = model._forget(encoded, torch.Generator().manual_seed(0)).numpy()
    nobody = SETTING.encoding.encode([{}])[0]
    assert np.mean((hidden == nobody).all(axis=1)) > 0.9


def test_a_task_that_a_model_cannot_do_is_refused() -> None:
    class Painter(CHeart):
        name = "painter"
        tasks = ("generate",)

    model = Painter(SETTING, CHeartOptions(), VoxelRepresentation(GRID, 3))
    with pytest.raises(InputError, match="painter model cannot complete; it can generate"):
        model.complete(
            Evidence.of_frame(np.zeros(GRID.shape, np.uint8), np.ones(32, bool), 3), SETTING.encoding.encode(PEOPLE)[0]
        )


@pytest.mark.parametrize("name", ["cheart", "cvae"])
def test_the_loss_over_some_frames_is_that_over_all_on_average(name: str) -> None:
    torch.manual_seed(0)
    kind = model_class(name)
    model = kind(SETTING, kind.Options(), VoxelRepresentation(GRID, 3)).eval()
    labels = torch.randint(0, 4, (2, 3, *GRID.shape), dtype=torch.uint8)
    observed = torch.rand(2, 3, GRID.shape[0]) < 0.5
    conditions = torch.from_numpy(SETTING.encoding.encode(PEOPLE))
    whole = model.validation_loss(VoxelBatch(labels, observed, conditions))
    each = [
        model.validation_loss(
            VoxelBatch(labels[:, [0, t]], observed, conditions, SomeFrames(torch.tensor([t]), weight=3.0))
        )
        for t in range(3)
    ]
    torch.testing.assert_close(torch.stack(each).mean(dim=0), whole)

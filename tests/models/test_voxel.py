import json
from pathlib import Path
from typing import Any

import pytest
import torch

from cheart.errors import InputError
from cheart.grid import Grid
from cheart.models.blocks import box_around, whole_box
from cheart.models.cheart import CHeartOptions
from cheart.models.voxel import VoxelRepresentation, compiled, heart_box
from cheart.models.voxel_network import FrameDecoder, VoxelEncoder, check_grid, masked_cross_entropy
from cohorts import tiny_cohort


def test_the_papers_grid_shrinks_to_4_by_8_by_8() -> None:
    assert check_grid((64, 128, 128)) == (4, 8, 8)


@pytest.mark.parametrize("shape", [(64, 128, 100), (16, 32, 32)])
def test_a_grid_that_cannot_be_halved_four_times_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(InputError, match="--grid"):
        check_grid(shape)


@pytest.mark.parametrize("norm", ["batch", "group"])
def test_frames_decoded_one_by_one_or_together_are_the_same(norm: str) -> None:
    torch.manual_seed(0)
    decoder = FrameDecoder((32, 32, 32), 3, 8, norm=norm, box=whole_box((32, 32, 32))).double().eval()
    latents = torch.randn(2, 3, 8, dtype=torch.double)
    together = decoder(latents, torch.arange(3))
    assert together.shape == (2, 3, 4, 32, 32, 32)
    one_by_one = torch.cat([decoder(latents[:, t : t + 1], torch.tensor([t])) for t in range(3)], dim=1)
    torch.testing.assert_close(together, one_by_one)


@pytest.mark.parametrize("norm", ["batch", "group"])
def test_in_training_too_each_frame_has_its_own_statistics(norm: str) -> None:
    torch.manual_seed(0)
    decoder = FrameDecoder((32, 32, 32), 3, 8, norm=norm, box=whole_box((32, 32, 32))).double().train()
    latents = torch.randn(2, 3, 8, dtype=torch.double)
    together = decoder(latents, torch.arange(3))
    one_by_one = torch.cat([decoder(latents[:, t : t + 1], torch.tensor([t])) for t in range(3)], dim=1)
    torch.testing.assert_close(together, one_by_one)


def test_a_box_is_decoded_as_it_is_in_the_whole_and_the_rest_is_background(read_by_sign: None) -> None:
    torch.manual_seed(0)
    shape, frames = (32, 32, 32), torch.arange(3)
    decoder = FrameDecoder(shape, 3, 8, norm="group", box=whole_box(shape)).eval()
    latents = torch.randn(2, 3, 8)
    torch.nn.init.normal_(decoder.convs[-1].bias)
    whole = decoder(latents, frames)
    occupied = torch.zeros(shape, dtype=torch.bool)
    occupied[4:20, 9:30, 0:11] = True
    decoder.box = box_around(occupied, 1)
    inside = torch.zeros_like(occupied)
    inside[3:21, 7:31, 0:13] = True  # the box grows to whole blocks, which begin at odd voxels
    boxed = decoder(latents, frames)
    torch.testing.assert_close(boxed[..., inside], whole[..., inside])
    assert (boxed[:, :, :, ~inside].argmax(dim=2) == 0).all()
    labels = VoxelRepresentation(Grid(shape, (1.0, 1.0, 1.0)), 3, decoder.box).frame_labels(decoder, latents[:1])
    assert (torch.from_numpy(labels) == boxed[0].argmax(dim=1)).all()


def test_the_box_of_a_cohort_is_kept_with_a_model_and_widened_for_another(tmp_path: Path) -> None:
    large, small = tiny_cohort(tmp_path / "large", n=6), tiny_cohort(tmp_path / "small", n=6, shrink=0.3)
    boxes = [heart_box(c, jobs=1) for c in (large, small)]
    assert boxes[0] != boxes[1]
    for fitted, other in ((small, large), (large, small)):
        own = VoxelRepresentation.fit(fitted, CHeartOptions(box=True), prepared=None, jobs=1)
        again = VoxelRepresentation.read(json.loads(json.dumps(own.to_config())), {}, fitted.grid, fitted.frames)
        assert again.box == own.box
        assert own.widened(other, jobs=1).box == boxes[0]


def test_the_encoder_gives_a_mean_and_a_variance_for_each_number_of_the_latent() -> None:
    encoder = VoxelEncoder((32, 32, 32), latent=6, embedding=5)
    mean, log_var = encoder(torch.randint(0, 4, (2, 32, 32, 32), dtype=torch.uint8), torch.randn(2, 5))
    assert mean.shape == log_var.shape == (2, 6)


def test_planes_that_were_not_observed_change_nothing() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, 2, 4, 6, 4, 4)
    labels = torch.randint(0, 4, (1, 2, 6, 4, 4), dtype=torch.uint8)
    observed = torch.zeros(1, 2, 6, dtype=torch.bool)
    observed[0, :, ::3] = True
    other = labels.clone()
    other[~observed] = 3 - other[~observed]
    loss = masked_cross_entropy(logits, labels, observed)
    torch.testing.assert_close(loss, masked_cross_entropy(logits, other, observed))
    seen = torch.nn.functional.cross_entropy(logits[:, :, :, ::3].flatten(0, 1), labels[:, :, ::3].flatten(0, 1).long())
    torch.testing.assert_close(loss[0], 2 * seen)


def test_without_a_compiler_the_function_itself_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def no_compiler(function: Any) -> Any:
        def call(*args: Any) -> Any:
            tried.append(args)
            raise torch._dynamo.exc.BackendCompilerFailed("inductor", RuntimeError("no C++ compiler"), None)

        return call

    monkeypatch.setattr(torch, "compile", no_compiler)
    double = compiled(lambda x: 2 * x)
    with pytest.warns(RuntimeWarning, match="nothing is compiled"):
        assert double(3) == 6
    assert double(4) == 8
    assert len(tried) == 1


def test_other_errors_are_the_functions_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function: function)

    def broken(x: float) -> float:
        raise ValueError(x)

    with pytest.raises(ValueError, match="3"):
        compiled(broken)(3)

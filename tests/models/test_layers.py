import pytest
import torch
from torch.nn import functional as F

from cheart.models.layers import FrameBatchNorm, LabelConv3d, SampleNorm


@pytest.mark.parametrize("size", [(4, 6, 8), (10, 4, 6)])
def test_condition_channels_the_cheap_way_equal_the_plain_way(size: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    conv = LabelConv3d(labels=4, conditions=5, out=3).double()
    one_hot = F.one_hot(torch.randint(0, 4, (2, *size)), 4).permute(0, 4, 1, 2, 3).double()
    code = torch.randn(2, 5, dtype=torch.double)
    channels = code[:, :, None, None, None].expand(-1, -1, *size)
    plain = F.conv3d(torch.cat([one_hot, channels], dim=1), conv.weight, conv.bias, stride=2, padding=1)
    torch.testing.assert_close(conv(one_hot, code), plain, rtol=1e-12, atol=1e-12)


def test_its_gradients_equal_the_plain_ways() -> None:
    torch.manual_seed(0)
    conv = LabelConv3d(labels=4, conditions=5, out=3).double()
    one_hot = torch.rand(2, 4, 8, 8, 8, dtype=torch.double)
    code = torch.randn(2, 5, dtype=torch.double, requires_grad=True)
    weights = (conv.weight, conv.bias, code)
    cheap = torch.autograd.grad(conv(one_hot, code).square().sum(), weights)
    channels = code[:, :, None, None, None].expand(-1, -1, 8, 8, 8)
    out = F.conv3d(torch.cat([one_hot, channels], dim=1), conv.weight, conv.bias, stride=2, padding=1)
    plain = torch.autograd.grad(out.square().sum(), weights)
    for a, b in zip(cheap, plain, strict=True):
        torch.testing.assert_close(a, b)


def test_frames_normalised_together_equal_a_layer_for_each_frame() -> None:
    torch.manual_seed(0)
    subjects, frames, channels = 3, 5, 2
    together = FrameBatchNorm(channels, frames).double().train()
    plain = [torch.nn.BatchNorm3d(channels).double().train() for _ in range(frames)]
    for _ in range(3):
        x = torch.randn(subjects * frames, channels, 4, 4, 4, dtype=torch.double) * 3 + 1
        one_by_one = [plain[t](x.unflatten(0, (subjects, frames))[:, t]) for t in range(frames)]
        torch.testing.assert_close(together(x, torch.arange(frames)), torch.stack(one_by_one, dim=1).flatten(0, 1))
    torch.testing.assert_close(together.mean, torch.stack([p.running_mean for p in plain]))
    torch.testing.assert_close(together.var, torch.stack([p.running_var for p in plain]))
    together.eval()
    used = [plain[t].eval()(x.unflatten(0, (subjects, frames))[:, t]) for t in range(frames)]
    torch.testing.assert_close(together(x, torch.arange(frames)), torch.stack(used, dim=1).flatten(0, 1))


def test_only_the_frames_that_are_there_move_their_averages() -> None:
    norm = FrameBatchNorm(2, 4).train()
    norm(torch.randn(3 * 2, 2, 4, 4, 4) + 5, torch.tensor([0, 2]))
    assert (norm.mean[[0, 2]] > 0.3).all()
    assert (norm.mean[[1, 3]] == 0).all()
    assert (norm.var[[1, 3]] == 1).all()


def test_group_normalisation_is_of_each_volume_by_itself() -> None:
    norm = SampleNorm(4).train()
    x = torch.randn(6, 4, 4, 4, 4)
    alone = torch.cat([norm(one[None]) for one in x])
    torch.testing.assert_close(norm(x, torch.arange(3)), alone)
    torch.testing.assert_close(norm.eval()(x), alone)

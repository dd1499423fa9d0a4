import pytest
import torch
from torch.nn import functional as F

from cheart.models.layers import FrameBatchNorm, LabelConv3d


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


def test_frames_normalised_together_equal_frames_one_by_one() -> None:
    torch.manual_seed(0)
    subjects, frames, channels = 3, 5, 2
    x = torch.randn(subjects * frames, channels, 4, 4, 4, dtype=torch.double) * 3 + 1
    together = FrameBatchNorm(channels).double().train()
    plain = torch.nn.BatchNorm3d(channels).double().train()
    one_by_one = [plain(x.unflatten(0, (subjects, frames))[:, t]) for t in range(frames)]
    torch.testing.assert_close(together(x, frames), torch.stack(one_by_one, dim=1).flatten(0, 1))
    torch.testing.assert_close(together.mean, plain.running_mean)
    torch.testing.assert_close(together.var, plain.running_var)
    together.eval()
    plain.eval()
    torch.testing.assert_close(together(x, frames), plain(x))

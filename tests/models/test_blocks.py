import torch
from torch.nn import functional as F

from cheart.models.blocks import (
    BlockConvTranspose3d,
    block_cross_entropy,
    box_around,
    from_blocks,
    put_blocks,
    to_blocks,
    whole_box,
)


def test_blocks_are_the_transposed_convolution() -> None:
    torch.manual_seed(0)
    conv = BlockConvTranspose3d(3, 2).double()
    x = torch.randn(2, 3, 2, 3, 4, dtype=torch.double, requires_grad=True)
    plain = F.conv_transpose3d(x, conv.weight, conv.bias, stride=2, padding=1)
    ours = from_blocks(conv(x))
    torch.testing.assert_close(ours, plain)
    slope = torch.randn_like(plain)
    wanted = torch.autograd.grad((plain * slope).sum(), (x, *conv.parameters()))
    for a, b in zip(torch.autograd.grad((ours * slope).sum(), (x, *conv.parameters())), wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_a_volume_goes_into_blocks_and_back() -> None:
    volume = torch.randint(0, 255, (2, 4, 6, 8), dtype=torch.uint8)
    blocks = to_blocks(volume)
    assert blocks.shape == (2, 8, 3, 4, 5)
    assert torch.equal(from_blocks(blocks)[:, 0], volume)
    assert int(blocks.long().sum()) == int(volume.long().sum())  # nothing but zeros beyond the border


def test_cross_entropy_in_blocks_is_the_plain_one() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 4 * 8, 3, 4, 5, dtype=torch.double, requires_grad=True)
    labels = torch.randint(0, 4, (2, 4, 6, 8), dtype=torch.uint8)
    planes = torch.rand(2, 4, dtype=torch.double)
    ours = block_cross_entropy(logits, labels, planes)
    each = F.cross_entropy(from_blocks(logits), labels.long(), reduction="none")
    plain = (each * planes[:, :, None, None]).sum(dim=(1, 2, 3))
    torch.testing.assert_close(ours, plain)
    slope = torch.tensor([1.0, -2.0], dtype=torch.double)
    (wanted,) = torch.autograd.grad((plain * slope).sum(), logits)
    torch.testing.assert_close(torch.autograd.grad((ours * slope).sum(), logits)[0], wanted)


def test_a_box_and_some_channels_are_a_part_of_the_whole() -> None:
    torch.manual_seed(0)
    conv = BlockConvTranspose3d(3, 4)
    x, volume = torch.randn(2, 3, 4, 5, 6), torch.randint(0, 4, (2, 8, 10, 12), dtype=torch.uint8)
    box, channels = [(1, 4), (0, 6), (2, 5)], torch.tensor([3, 1])
    place = (..., slice(1, 4), slice(0, 6), slice(2, 5))
    torch.testing.assert_close(conv(x, box), conv(x)[place])
    torch.testing.assert_close(conv(x, None, channels).unflatten(1, (2, 8)), conv(x).unflatten(1, (4, 8))[:, channels])
    assert torch.equal(to_blocks(volume, box), to_blocks(volume)[place])
    put = put_blocks(to_blocks(volume, box), box, torch.zeros(2, 1, 8, 10, 12, dtype=torch.uint8))[:, 0]
    assert torch.equal(put[:, 1:7, :, 3:9], volume[:, 1:7, :, 3:9])
    assert int(put.long().sum()) == int(volume[:, 1:7, :, 3:9].long().sum())


def test_cross_entropy_in_a_box_counts_its_voxels_only() -> None:
    labels, planes = torch.randint(0, 4, (1, 4, 6, 8), dtype=torch.uint8), torch.rand(1, 4)
    logits, box = torch.randn(1, 4 * 8, 3, 4, 5), [(0, 2), (1, 4), (1, 5)]
    inside = torch.zeros(1, 4, 6, 8)
    inside[:, :3, 1:, 1:] = 1
    each = F.cross_entropy(from_blocks(logits), labels.long(), reduction="none") * planes[:, :, None, None]
    ours = block_cross_entropy(logits[..., 0:2, 1:4, 1:5], labels, planes, box)
    torch.testing.assert_close(ours[0], (each * inside).sum())


def test_the_box_around_hearts_holds_them_and_a_margin() -> None:
    occupied = torch.zeros(16, 16, 16, dtype=torch.bool)
    occupied[5:9, 0:3, 13:16] = True
    for (first, end), (low, high) in zip(box_around(occupied, 2), [(3, 10), (0, 4), (11, 15)], strict=True):
        assert low - 2 < 2 * first - 1 <= low  # a block is voxels 2 i − 1 and 2 i
        assert high <= 2 * (end - 1) < high + 2 or end == 9
    assert box_around(torch.zeros(4, 4, 4, dtype=torch.bool), 2) == whole_box((4, 4, 4))


def test_half_precision_logits_are_weighed_in_single() -> None:
    logits = torch.randn(1, 4 * 8, 2, 2, 2).bfloat16().requires_grad_()
    labels = torch.randint(0, 4, (1, 2, 2, 2), dtype=torch.uint8)
    loss = block_cross_entropy(logits, labels, torch.ones(1, 2))
    assert loss.dtype == torch.float32
    loss.sum().backward()
    assert logits.grad is not None
    assert logits.grad.dtype == torch.bfloat16

import torch
from torch.nn import functional as F

from cheart.models.blocks import BlockConvTranspose3d, block_cross_entropy, from_blocks, to_blocks


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


def test_half_precision_logits_are_weighed_in_single() -> None:
    logits = torch.randn(1, 4 * 8, 2, 2, 2).bfloat16().requires_grad_()
    labels = torch.randint(0, 4, (1, 2, 2, 2), dtype=torch.uint8)
    loss = block_cross_entropy(logits, labels, torch.ones(1, 2))
    assert loss.dtype == torch.float32
    loss.sum().backward()
    assert logits.grad is not None
    assert logits.grad.dtype == torch.bfloat16

import torch

from cheart.models.chunks import sum_in_chunks


def test_a_sum_in_chunks_has_the_value_and_the_gradients_of_the_plain_sum() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(2, 5, 3, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, dtype=torch.double, requires_grad=True)
    targets = torch.randn(2, 5, dtype=torch.double)

    def term(some: torch.Tensor, frames: slice) -> torch.Tensor:
        return (torch.tanh(some @ weight) - targets[:, frames]).square().sum()

    plain = term(inputs, slice(None))
    ours = sum_in_chunks(term, inputs, (weight,), [slice(0, 2), slice(2, 4), slice(4, 6)])
    torch.testing.assert_close(ours, plain)
    wanted = torch.autograd.grad(3 * plain.square(), (inputs, weight))
    for a, b in zip(torch.autograd.grad(3 * ours.square(), (inputs, weight)), wanted, strict=True):
        torch.testing.assert_close(a, b)
    with torch.no_grad():
        torch.testing.assert_close(sum_in_chunks(term, inputs, (weight,), [slice(0, 5)]), plain.detach())

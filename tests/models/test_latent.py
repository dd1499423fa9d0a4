import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as torch_kl

from cheart.models.latent import TemporalModule, kl_divergence, sample_posterior


def test_the_kl_divergence_is_that_of_two_normals() -> None:
    torch.manual_seed(0)
    mean, log_var = torch.randn(4, 6), torch.randn(4, 6)
    known = torch_kl(Normal(mean, torch.exp(0.5 * log_var)), Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_divergence(mean, log_var), known)


def test_samples_have_the_posteriors_mean_and_spread() -> None:
    noise = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0))
    drawn = sample_posterior(torch.tensor([[2.0]]), torch.tensor([[0.25]]).log(), noise)
    assert abs(drawn.mean() - 2) < 6 * 0.5 / 200_000**0.5
    assert abs(drawn.std() - 0.5) < 0.006


def test_the_trajectory_starts_at_the_code_and_feeds_each_code_to_the_next_step() -> None:
    torch.manual_seed(0)
    module = TemporalModule(6)
    start = torch.randn(2, 6)
    codes = module(start, 4)
    assert codes.shape == (2, 4, 6)
    torch.testing.assert_close(codes[:, 0], start)
    zero = torch.zeros(2, 6)
    h, c = module.cell(start, (zero, zero))
    torch.testing.assert_close(codes[:, 1], h)
    h, c = module.cell(h, (h, c))
    torch.testing.assert_close(codes[:, 2], h)

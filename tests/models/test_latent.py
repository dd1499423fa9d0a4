import torch
from torch.distributions import MultivariateNormal, Normal
from torch.distributions import kl_divergence as torch_kl

from cheart.models.latent import HarmonicModule, LearnedPrior, StandardPrior, TemporalModule, sample_posterior


def test_the_kl_divergence_is_that_of_two_normals() -> None:
    torch.manual_seed(0)
    mean, log_var, embedding = torch.randn(4, 6), torch.randn(4, 6), torch.randn(4, 3)
    known = torch_kl(Normal(mean, torch.exp(0.5 * log_var)), Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(StandardPrior().divergence(mean, log_var, embedding), known)
    torch.testing.assert_close(LearnedPrior(6, 3).divergence(mean, log_var, embedding), known)


def moved_prior() -> LearnedPrior:
    torch.manual_seed(1)
    prior = LearnedPrior(4, 3).double()
    for parameter in prior.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return prior


def test_a_learned_prior_is_a_gaussian_that_follows_the_conditions() -> None:
    prior = moved_prior()
    mean, log_var, embedding = (torch.randn(5, n, dtype=torch.double) for n in (4, 4, 3))
    precision = prior.whitener().T @ prior.whitener()
    there = MultivariateNormal(prior.mean(embedding), precision_matrix=precision)
    here = MultivariateNormal(mean, torch.diag_embed(log_var.exp()))
    torch.testing.assert_close(prior.divergence(mean, log_var, embedding), torch_kl(here, there))
    torch.testing.assert_close(prior.place(prior.standardise(mean, embedding), embedding), mean)


def test_its_draws_have_its_covariance() -> None:
    prior = moved_prior()
    noise = torch.randn(200_000, 4, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    drawn = prior.place(noise, torch.zeros(1, 3, dtype=torch.double).expand(len(noise), -1)).detach()
    covariance = torch.linalg.inv(prior.whitener().T @ prior.whitener()).detach()
    torch.testing.assert_close(torch.cov(drawn.T), covariance, rtol=0.03, atol=0.03 * float(covariance.diag().max()))


def test_samples_have_the_posteriors_mean_and_spread() -> None:
    noise = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0))
    drawn = sample_posterior(torch.full_like(noise, 2.0), torch.full_like(noise, 0.25).log(), noise)
    assert abs(drawn.mean() - 2) < 6 * 0.5 / 200_000**0.5
    assert abs(drawn.std() - 0.5) < 0.006


def test_the_trajectory_starts_at_the_latent_and_feeds_each_latent_to_the_next_step() -> None:
    torch.manual_seed(0)
    module = TemporalModule(6)
    start = torch.randn(2, 6)
    latents = module(start, 4)
    assert latents.shape == (2, 4, 6)
    torch.testing.assert_close(latents[:, 0], start)
    zero = torch.zeros(2, 6)
    h, c = module.cell(start, (zero, zero))
    torch.testing.assert_close(latents[:, 1], h)
    h, c = module.cell(h, (h, c))
    torch.testing.assert_close(latents[:, 2], h)


def test_a_harmonic_trajectory_starts_at_the_latent_and_closes() -> None:
    torch.manual_seed(0)
    module = HarmonicModule(5, extra=2, harmonics=3, hidden=8, residual=4)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    start = torch.randn(2, 5)
    latents = module(start, 20)
    assert latents.shape == (2, 20, 7)
    torch.testing.assert_close(latents[:, 0, :5], start)
    assert latents[:, 0, 5:].abs().max() == 0
    assert latents[:, 10, 5:].abs().max() > 0
    finer = module(start, 40)  # the same curve at twice the frames
    torch.testing.assert_close(finer[:, ::2], latents, rtol=1e-4, atol=1e-5)
    waves = module.waves(20)
    after_last = torch.cat([torch.cos(torch.tensor(2 * torch.pi) * torch.arange(1, 4)) - 1, torch.zeros(3)])
    torch.testing.assert_close(waves[0], after_last, atol=1e-5, rtol=0)


def test_the_motion_residual_moves_all_frames_but_the_first() -> None:
    module = HarmonicModule(5, extra=0, harmonics=2, hidden=8, residual=3)
    module.residual.normal_(generator=torch.Generator().manual_seed(0))
    start, epsilon = torch.zeros(1, 5), torch.ones(1, 3)
    torch.testing.assert_close(module(start, 8, torch.zeros(1, 3)), module(start, 8))
    moved = module(start, 8, epsilon)
    assert moved[:, 0].abs().max() == 0
    assert moved[:, 1:].abs().amax(dim=2).min() > 0

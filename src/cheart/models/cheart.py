"""CHeart: a conditional variational autoencoder of end-diastole with an LSTM over the cycle (Qiao et al. 2023).

    z_c        = condition network (c)                        ConditionNetwork
    z_0        ~ q(z_0 | x_0, z_c), trained towards p(z_0)    the representation's encoder, StandardPrior
    z_c0       = [z_0, z_c]
    z_c1 …     = temporal module (z_c0)                       TemporalModule
    x_t        ~ p(x_t | z_ct), the same for every t          the representation's frame decoder
    loss       = Σ_t −log p(x_t | z_ct) + β KL                Eq. 8

The representation says what x is: label maps on voxels, as in the paper, or coefficients of a shape basis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn

from cheart.cohort import Cohort
from cheart.conditions import Encoding
from cheart.errors import InputError
from cheart.models.base import HeartModel, Setting, Style
from cheart.models.fine_tuning import FURTHER_MODES, REPLAYED_HEARTS, Replayed, fine_tune
from cheart.models.latent import (
    ConditionNetwork,
    HarmonicModule,
    LearnedPrior,
    StandardPrior,
    TemporalModule,
    sample_posterior,
)
from cheart.models.layer_graph import LayerGraph
from cheart.models.linear_start import LinearParts, start_linear
from cheart.models.process_group import normal, uniform
from cheart.models.registry import register
from cheart.models.representation import check_network_representation
from cheart.population import Population
from cheart.progress import Jobs


@dataclass(frozen=True)
class CHeartOptions:
    """What can be set of the network; the defaults are the paper's (section III-B).

    Attributes:
        representation: ``voxel`` (the paper's convolutions) or ``shape`` (a linear basis of signed distances).
        latent: length of z_0.
        embedding: length of z_c.
        beta: weight β of the KL term.
        motion: ``lstm`` (the paper's temporal module) or ``harmonic`` (a periodic trajectory).
        harmonics: multiples of the heart rate in a harmonic motion.
        residual: numbers by which a generated heart's harmonic motion differs from what its end-diastole predicts.
        prior: ``standard`` (the paper's N(0, 1)) or ``learned`` (a Gaussian that follows the conditions).
        modes: modes of the shape basis.
        hidden: width of the shape encoder and decoder.
        forget: chance that training hides a condition from the network, so that it learns to do without.
        norm: of the paper's decoder: ``batch`` (the paper's, with the statistics of each frame) or ``group`` (of each
            volume by itself).
        box: on voxels, make them only where hearts of the training subjects are, and background elsewhere.
    """

    representation: str = "voxel"
    latent: int = 32
    embedding: int = 32
    beta: float = 0.001
    motion: str = "lstm"
    harmonics: int = 6
    residual: int = 24
    prior: str = "standard"
    modes: int = 64
    hidden: int = 256
    forget: float = 0.0
    norm: str = "batch"
    box: bool = False

    def __post_init__(self) -> None:
        check_network_representation(self.representation)
        if self.motion not in ("lstm", "harmonic"):
            raise InputError(f"motion {self.motion!r} is neither lstm nor harmonic")
        if self.prior not in ("standard", "learned"):
            raise InputError(f"prior {self.prior!r} is neither standard nor learned")
        if self.norm not in ("batch", "group"):
            raise InputError(f"norm {self.norm!r} is neither batch nor group")
        if min(self.latent, self.embedding, self.modes, self.hidden, self.harmonics) < 1:
            raise InputError("latent, embedding, modes, hidden and harmonics must be at least 1")
        if not 0 <= self.forget < 1 or self.beta < 0:
            raise InputError(f"forget {self.forget:g} must be in [0, 1) and beta {self.beta:g} at least 0")


_SHAPE = {
    "representation": "shape", "motion": "harmonic", "prior": "learned", "beta": 0.003, "forget": 0.1, "harmonics": 9,
    "rate": 3e-5,
}  # fmt: skip


@register("cheart")
class CHeart(HeartModel):
    """The model of the paper."""

    tasks = ("complete", "generate")
    Options = CHeartOptions
    presets = {
        "quick": {**_SHAPE, "modes": 64, "latent": 64, "hidden": 32},
        "laptop": {**_SHAPE, "modes": 96, "latent": 96, "hidden": 64},
        "paper": {"norm": "group", "box": True},
    }
    latent_per_frame = True
    choices = {
        "epoch": "val",
        "motion residual": "val",
        "trust in what was known (--from)": "train, left out in turn",
    }
    style = Style("CHeart", "#00876c", "-", "o")
    seconds_per_heart = {"train": 0.1, "complete": 0.4, "generate": 0.4}

    def __init__(self, setting: Setting, options: CHeartOptions, representation: Any) -> None:
        super().__init__(setting, options, representation)
        size = options.latent + options.embedding
        harmonic = options.motion == "harmonic"
        self.nearly_linear = harmonic and representation.linear
        # where hearts are nearly linear, a harmonic motion may lead along modes that no end-diastole has
        extra = max(0, representation.basis.size - options.latent) if self.nearly_linear else 0
        self.encoder: Any = representation.make_encoder(options.latent, options.embedding, options)
        self.decoder: Any = representation.make_frame_decoder(size + extra, options)
        self.conditions = ConditionNetwork(len(setting.encoding.columns), options.embedding, straight=harmonic)
        self.temporal: Any = TemporalModule(size)
        if harmonic:
            self.temporal = HarmonicModule(
                size, extra=extra, harmonics=options.harmonics, hidden=options.hidden, residual=options.residual
            )
        self.prior = StandardPrior() if options.prior == "standard" else LearnedPrior(options.latent, options.embedding)
        self.replayed: Replayed | None = None

    def posterior(
        self, first: Shaped[Tensor, "B ..."], conditions: Float[Tensor, "B E"]
    ) -> tuple[Float[Tensor, "B latent"], Float[Tensor, "B latent"], Float[Tensor, "B C"]]:
        """Mean and log-variance of z_0, and z_c, from the encoder's input and c."""
        embedding = self.conditions(conditions)
        mean, log_var = self.encoder(first, embedding)
        return mean, log_var, embedding

    def latents(
        self,
        latent: Float[Tensor, "B latent"],
        embedding: Float[Tensor, "B C"],
        epsilon: Float[Tensor, "B residual"] | None = None,
    ) -> Float[Tensor, "B T size"]:
        """z_0, z_c and perhaps ε to the latents of all frames."""
        latents: Tensor = self.temporal(torch.cat([latent, embedding], dim=1), self.setting.frames, epsilon)
        return latents

    # -- training --------------------------------------------------------------------------------------------------

    def initialise(self, training: Any) -> None:
        """The best linear model (:mod:`cheart.models.linear_start`), where hearts are nearly linear."""
        if self.nearly_linear:
            start_linear(self._linear_parts(), training)

    def losses(self, batch: Any, generator: torch.Generator) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """Eq. 8, averaged over the batch."""
        conditions = self._forget(batch.conditions, generator)
        mean, log_var, embedding = self.posterior(self.representation.first(batch), conditions)
        epsilon = normal(*mean.shape, generator=generator).to(mean.device)
        latents = self.latents(sample_posterior(mean, log_var, epsilon), embedding)
        reconstruction = self.representation.mean_frame_reconstruction(self.decoder, latents, batch)
        kl = self.prior.divergence(mean, log_var, embedding).mean()
        figures = {"reconstruction": float(reconstruction.detach()), "kl": float(kl.detach())}
        yield "all", reconstruction + self.options.beta * kl, figures

    def validation_loss(self, batch: Any) -> Float[Tensor, " B"]:
        """Eq. 8 of each subject, decoded from the posterior's mean."""
        mean, log_var, embedding = self.posterior(self.representation.first(batch), batch.conditions)
        divergence = self.prior.divergence(mean, log_var, embedding)
        latents = self.latents(mean, embedding)
        return self.representation.frame_reconstruction(self.decoder, latents, batch) + self.options.beta * divergence

    def compile_decoder(self) -> None:
        """See :class:`HeartModel`."""
        self.representation.compile_decoder(self.decoder)

    @torch.no_grad()
    def after_training(self, validation: Any) -> None:
        """Set R of a harmonic motion (see :class:`HarmonicModule`): the principal axes of what completion gets wrong.

        The ejection fraction hardly depends on conditions or on end-diastole. A model that draws only z_0 gives all
        hearts of one shape the same motion; with the motion residual R ε the hearts that it generates differ in motion
        as real ones do. Where validation subjects were not fully observed, R stays 0.
        """
        if not self.nearly_linear or not validation.whole:
            return
        motion, sd = self.temporal, self.representation.sd
        batch = validation.batch(np.arange(len(validation)), self.device)
        mean, _, embedding = self.posterior(self.representation.first(batch), batch.conditions)
        decode = self.decoder.linear.weight  # [K, size]: what a small change of latent does to whitened coefficients
        left = batch.linear / sd - self.decoder(self.latents(mean, embedding))  # [N, T, K]
        left = left - left[:, :1]
        waves = motion.waves(left.shape[1]).to(self.device)
        harmonics = torch.einsum("kt,ntc->nkc", torch.linalg.pinv(waves), left * sd)
        amplitudes = harmonics @ torch.linalg.pinv(decode * sd[:, None]).T  # [N, 2·harmonics, size]
        flat = harmonics.flatten(1) - harmonics.flatten(1).mean(dim=0)
        u, s, _ = torch.linalg.svd(flat / max(len(flat) - 1, 1) ** 0.5, full_matrices=False)
        keep = min(len(motion.residual), len(s))
        axes = u[:, :keep].T @ (amplitudes.flatten(1) - amplitudes.flatten(1).mean(dim=0))
        motion.residual.zero_()
        motion.residual[:keep] = axes / max(len(flat) - 1, 1) ** 0.5

    # -- fine-tuning -----------------------------------------------------------------------------------------------

    def fine_tuned(
        self, setting: Setting, options: Any, cohort: Cohort, population: Population, *, seed: int, jobs: Jobs
    ) -> HeartModel:
        """See :class:`HeartModel`. Where hearts are nearly linear it is new, and learns in closed form from hearts that
        this one generates (:mod:`cheart.models.fine_tuning`), on a basis with further modes for shapes that its own
        lacks."""
        if not self.nearly_linear:
            return super().fine_tuned(setting, options, cohort, population, seed=seed, jobs=jobs)
        own = self.representation
        extended = own.extended(cohort, FURTHER_MODES, jobs=jobs)
        modes = extended.basis.size
        latent = min(options.latent + modes - own.basis.size, modes)
        network = CHeart(setting, replace(options, modes=modes, latent=latent), extended)
        network.replayed = self.replay(population, setting.encoding, modes=modes, seed=seed)
        return network

    @property
    def takes_steps(self) -> bool:
        """Unless it has replayed hearts to learn from."""
        return self.replayed is None

    def fit(self, training: Any, validation: Any) -> tuple[float, dict[str, float]]:
        """Learn from replayed hearts and new ones; nothing is chosen on the validation subjects."""
        assert self.replayed is not None
        figures = fine_tune(self._linear_parts(), self.replayed, training, self.representation.basis)
        self.eval()
        with torch.no_grad():
            return float(self.validation_loss(validation.everyone()).mean()), figures

    @torch.no_grad()
    def replay(self, population: Population, encoding: Encoding, *, modes: int, seed: int) -> Replayed:
        """Generate hearts for people like those it was trained on (``population``), as another network of this encoding
        is to learn them, on a basis of so many modes, of which the first are this one's."""
        rng = np.random.default_rng([seed, 0x3E3])
        people = [population.draw({}, rng) for _ in range(REPLAYED_HEARTS)]
        generator = torch.Generator().manual_seed(seed)
        standard = torch.randn(len(people), self.options.latent, generator=generator)
        residual = torch.randn(len(people), self.options.residual, generator=generator)
        embedding = self.conditions(torch.from_numpy(self.setting.encoding.encode(people)))
        latent = self.prior.place(standard, embedding)
        made = [self.decoder(self.latents(latent, embedding, e)) * self.representation.sd for e in (None, residual)]
        expected, beats = (np.pad(m.double().numpy(), ((0, 0), (0, 0), (0, modes - m.shape[2]))) for m in made)
        return Replayed(encoding.encode(people).astype(np.float64), expected, beats)

    # -- use -------------------------------------------------------------------------------------------------------

    def latent_size(self) -> int:
        """Length of z_0, and of ε where the motion is harmonic."""
        return self.options.latent + (self.options.residual if self.options.motion == "harmonic" else 0)

    def encode_first(self, first: Shaped[Tensor, "1 ..."], conditions: Float[Tensor, "1 E"]) -> Float[Tensor, "1 size"]:
        """The posterior's mean as N(0, 1) has it, and ε = 0."""
        mean, _, embedding = self.posterior(first, conditions)
        standard = self.prior.standardise(mean, embedding)
        return nn.functional.pad(standard, (0, self.latent_size() - standard.shape[1]))

    def sample_first(
        self, first: Shaped[Tensor, "1 ..."], conditions: Float[Tensor, "1 E"], generator: torch.Generator
    ) -> Float[Tensor, "1 size"]:
        """A draw of the posterior of z_0, and of ε: two hearts of one end-diastole beat differently."""
        mean, log_var, embedding = self.posterior(first, conditions)
        drawn = torch.randn(1, self.latent_size(), generator=generator).to(mean.device)
        epsilon, residual = drawn.split([mean.shape[1], drawn.shape[1] - mean.shape[1]], dim=1)
        z = sample_posterior(mean, log_var, epsilon)
        return torch.cat([self.prior.standardise(z, embedding), residual], dim=1)

    def decode_labels(
        self, latent: Float[Tensor, "1 size"], conditions: Float[Tensor, "1 E"]
    ) -> UInt8[np.ndarray, "T Z Y X"]:
        """See :class:`HeartModel`."""
        return self.representation.frame_labels(self.decoder, self.frame_latents(latent, conditions))

    def frame_latents(
        self, latent: Float[Tensor, "1 size"], conditions: Float[Tensor, "1 E"]
    ) -> Float[Tensor, "1 T D"]:
        """See :class:`HeartModel`."""
        standard, epsilon = latent[:, : self.options.latent], latent[:, self.options.latent :]
        embedding = self.conditions(conditions)
        return self.latents(self.prior.place(standard, embedding), embedding, epsilon)

    def coefficients(self, latent: Tensor, conditions: Tensor) -> Tensor:
        """Whitened coefficients of a shape basis [B, T, K] of latents [B, size] and conditions [B, E]."""
        made: Tensor = self.decoder(self.frame_latents(latent, conditions))
        return made

    def layer_graph(self) -> LayerGraph:
        """See :class:`HeartModel`: where the motion is harmonic and hearts are coefficients of a shape basis."""
        if not self.nearly_linear:
            return super().layer_graph()
        graph, latent, network = LayerGraph(), self.options.latent, self.conditions
        z_c = graph.sequence("z_c.mlp", "conditions", network.mlp)
        if network.straight is not None:
            z_c = graph.add("add", "z_c", z_c, graph.linear("z_c.straight", "conditions", network.straight.weight))
        z_0 = graph.add("take", "z_0", "latent", start=0, stop=latent)
        epsilon = graph.add("take", "epsilon", "latent", start=latent, stop=self.latent_size())
        start = graph.add("concat", "start", self.prior.add_place(graph, z_0, z_c), z_c)
        frames = self.temporal.add_to(graph, start, epsilon, self.setting.frames)
        straight = graph.linear("decoder.linear", frames, self.decoder.linear.weight, self.decoder.linear.bias)
        graph.add("add", "coefficients", straight, graph.sequence("decoder.mlp", frames, self.decoder.correction))
        return graph

    def _linear_parts(self) -> LinearParts:
        sizes = {"latent": self.options.latent, "embedding": self.options.embedding}
        sd = self.representation.sd.cpu().numpy().astype(np.float64)
        return LinearParts(self.encoder, self.decoder, self.conditions, self.temporal, self.prior, sd, **sizes)

    def _forget(self, conditions: Float[Tensor, "B E"], generator: torch.Generator) -> Float[Tensor, "B E"]:
        """Hide some conditions from the network: they look as if they were missing."""
        if self.options.forget == 0:
            return conditions
        columns = self.setting.encoding.columns
        forgotten = conditions.clone()
        for factor in self.setting.encoding.schema.names:
            hit = uniform(len(conditions), generator=generator) < self.options.forget
            for i, column in enumerate(columns):
                if column.split(":")[0] == factor:
                    forgotten[hit, i] = 1.0 if column == f"{factor}:missing" else 0.0
        return forgotten

"""A model of one's own: a heart is a linear function of its first frame and of its owner.

cheart train COHORT -o RUN --model examples/mine.py:Mine
cheart evaluate RUN COHORT --model examples/mine.py:Mine --task all

x_0 ~ N(A c, S Sᵀ)           first frames, whitened coefficients on a shape basis; c: 1 and the encoded conditions
x_t = x_0 + B_t [c, x_0]     how hearts move
"""

from dataclasses import dataclass

import torch
from torch.nn.functional import pad

from cheart import HeartModel, register


@dataclass(frozen=True)
class MineOptions:
    representation: str = "shape"  # or "voxel": label maps
    modes: int = 32  # of the shape basis
    penalty: float = 10.0  # of both regressions


@register("mine")
class Mine(HeartModel):
    tasks = ("complete", "generate")
    Options = MineOptions
    presets = {"quick": {"modes": 16}}  # what --preset quick changes

    def __init__(self, setting, options, representation):
        super().__init__(setting, options, representation)
        k, e = representation.basis.size, 1 + len(setting.encoding.columns)
        for name, shape in {"a": (e, k), "s": (k, k), "b": (e + k, setting.frames * k)}.items():
            self.register_buffer(name, torch.zeros(shape))  # buffers and parameters are saved and read back

    def fit(self, training, validation):  # in one go; a network that learns by steps has losses() instead
        batch = training.everyone()
        x, c = self.representation.first(batch), pad(batch.conditions, (1, 0), value=1.0)
        beats = torch.from_numpy(self.representation.whole_beats(batch)).float() / self.representation.sd
        self.a, self.b = self.ridge(c, x), self.ridge(torch.cat([c, x], 1), (beats - x[:, None]).flatten(1))
        self.s = torch.linalg.cholesky(torch.cov((x - c @ self.a).T) + 0.01 * torch.eye(x.shape[1]))
        return float(self.representation.reconstruction(self.beat(x, c), batch).mean()), {}

    def ridge(self, x, y):
        return torch.linalg.solve(x.T @ x + self.options.penalty * torch.eye(x.shape[1]), x.T @ y)

    def beat(self, x, c):  # first frames [B, K] and c [B, E] to all frames [B, T, K]
        return x[:, None] + (torch.cat([c, x], 1) @ self.b).unflatten(1, (self.setting.frames, -1))

    def latent_size(self):  # how many numbers, N(0, 1), generate() draws for a heart
        return len(self.s)

    def encode_first(self, first, conditions):  # the latent of a heart that complete() is given
        return (first - pad(conditions, (1, 0), value=1.0) @ self.a) @ torch.linalg.inv(self.s).T

    def decode_labels(self, latent, conditions):  # the heart of a latent
        c = pad(conditions, (1, 0), value=1.0)
        return self.representation.labels(self.beat(c @ self.a + latent @ self.s.T, c))

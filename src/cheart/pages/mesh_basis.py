"""A model's hearts in the vertices of the common mesh: modes of shape and motion, and the way there from its latents.

Signed distances are linear in a model's coefficients; vertices are nearly so. So the modes' scores are a ridge
regression on the coefficients and on random cosines of them (Rahimi and Recht, NIPS 2007), which stand for what is not
linear: two more dense layers after the network's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.mesh.template import load_template
from cheart.model import Model
from cheart.models.common_mesh import sampling_of
from cheart.models.find import BUNDLED_FOLDER
from cheart.models.layer_graph import LayerGraph
from cheart.progress import Jobs, parallel, track

FILE = "mesh.safetensors"
"""Beside the bundled model's weights: its mesh basis, so that nobody waits for it."""

HEARTS, FRAMES = 300, 4
"""Hearts that a basis is fitted on, and frames of each."""

MODES, COSINES, QUADRATIC = 64, 512, 12
_LENGTH, _RIDGE = 4.0, 1.0

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeshBasis:
    """Modes of the common mesh over a model's hearts, linear in their scores.

    Attributes:
        mean: [V, 3] mm.
        modes: [M, V, 3], orthonormal over all coordinates, the largest first.
        linear, bias: [M, K], [M] from whitened coefficients to scores (mm).
        angles, phases: [D, K], [D] of the cosines.
        cosines: [M, D] from them to scores.
        volumes: [3, 1 + M + Q (Q + 1) / 2] mL of LV cavity, wall, RV cavity: constant, scores, and products of the
            first Q of them.
    """

    mean: Array
    modes: Array
    linear: Array
    bias: Array
    angles: Array
    phases: Array
    cosines: Array
    volumes: Array

    @classmethod
    def of(cls, coefficients: Array, vertices: Array, *, seed: int = 0) -> MeshBasis:
        """From whitened coefficients [N, K] and meshes [N, V, 3] of frames of many hearts.

        Raises:
            InputError: fewer than 10 frames.
        """
        count = len(coefficients)
        if count < 10:
            raise InputError(f"{count} frames: a mesh basis needs at least 10")
        mean, modes = _principal(vertices.reshape(count, -1))
        step = np.abs(modes).max() / 32767
        modes = np.round(modes / step) * step
        scores = (vertices.reshape(count, -1) - mean) @ modes.T
        straight = _ridge(_with_one(coefficients), scores, 0.1 * _RIDGE)
        weight = np.sqrt(np.square(straight[1:]).sum(axis=1))
        rng = np.random.default_rng(seed)
        angles = rng.standard_normal((COSINES, coefficients.shape[1])) * (weight / weight.max()) ** 0.75 / _LENGTH
        phases = rng.uniform(0, 2 * np.pi, COSINES)
        features = np.hstack([_with_one(coefficients), np.cos(coefficients @ angles.T + phases)])
        fitted = _ridge(features, scores, _RIDGE).T
        size = coefficients.shape[1] + 1
        template = load_template()
        enclosed = np.array([list(template.volumes_ml(v).values()) for v in vertices])
        enclosed[:, 1] -= enclosed[:, 0]
        return cls(
            mean.reshape(-1, 3), modes.reshape(len(modes), -1, 3), fitted[:, 1:size], fitted[:, 0], angles, phases,
            fitted[:, size:], _ridge(_products(scores), enclosed, 1e-3).T,
        )  # fmt: skip

    @property
    def step(self) -> float:
        """What the modes' numbers are multiples of, so that they fit into 16 bits."""
        return float(np.abs(self.modes).max()) / 32767

    def vertices(self, scores: NDArray[np.floating]) -> Array:
        """Scores [..., M] to vertices [..., V, 3] in mm."""
        return np.asarray(self.mean + np.tensordot(scores, self.modes, 1))

    def add_to(self, graph: LayerGraph) -> None:
        """Append the layers from ``coefficients`` to ``scores``."""
        angle = graph.linear("mesh.angles", "coefficients", self.angles, self.phases)
        cosines = graph.linear("mesh.cosines", graph.add("cos", "mesh.cos", angle), self.cosines)
        graph.add("add", "scores", graph.linear("mesh.linear", "coefficients", self.linear, self.bias), cosines)

    def to_tensors(self) -> dict[str, NDArray[np.floating]]:
        """As a file holds it: modes as whole numbers of :attr:`step`."""
        tensors = {n: np.ascontiguousarray(v, np.float32) for n, v in vars(self).items() if n != "modes"}
        return {**tensors, "modes": np.round(self.modes / self.step).astype(np.int16), "step": np.array([self.step])}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray]) -> MeshBasis:
        """Read back what :meth:`to_tensors` gave."""
        read = {name: value.astype(np.float64) for name, value in tensors.items()}
        step = read.pop("step")
        return cls(**{**read, "modes": read["modes"] * step})


def mesh_basis(model: Model, *, hearts: int = HEARTS, jobs: Jobs = -1) -> MeshBasis:
    """The mesh basis of a model: of the bundled one it is at hand, of others it is fitted, which takes minutes.

    Args:
        model: whose.
        hearts: that it is fitted on.
        jobs: processes.
    """
    from safetensors import safe_open

    if model.folder == BUNDLED_FOLDER and (BUNDLED_FOLDER / FILE).is_file():
        with safe_open(BUNDLED_FOLDER / FILE, "numpy") as file:
            if file.metadata()["model"] == model.fingerprint:
                return MeshBasis.from_tensors({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    return fit_mesh_basis(model, hearts=hearts, jobs=jobs)


def fit_mesh_basis(model: Model, *, hearts: int = HEARTS, seed: int = 0, jobs: Jobs = -1) -> MeshBasis:
    """Fit a basis to hearts that a model generates for people like its training cohort's.

    Raises:
        InputError: its hearts are no coefficients of a shape basis.
    """
    model.network.layer_graph()
    work = partial(sample_meshes, model, seed)
    made = list(track(parallel(work, list(range(hearts)), jobs=jobs), total=hearts, title="Fitting the mesh basis"))
    coefficients, vertices = (np.concatenate(parts) for parts in zip(*made, strict=True))
    return MeshBasis.of(coefficients, vertices)


def save_mesh_basis(basis: MeshBasis, model: Model) -> None:
    """Keep it with the bundled model."""
    from safetensors.numpy import save_file

    save_file(basis.to_tensors(), BUNDLED_FOLDER / FILE, {"model": model.fingerprint})


def sample_meshes(model: Model, seed: int, index: int) -> tuple[Array, Array]:
    """Whitened coefficients [FRAMES, K] and meshes [FRAMES, V, 3] of frames of one generated heart; ED is first."""
    rng = np.random.default_rng([seed, index, 0x3E5])
    network, basis = model.network, model.network.representation.basis
    conditions = torch.from_numpy(model.encode(model.population.draw({}, rng)))[None].to(network.device)
    latent = torch.from_numpy(rng.standard_normal((1, network.latent_size())).astype(np.float32)).to(network.device)
    with torch.no_grad():
        whole = network.coefficients(latent, conditions)[0].cpu().numpy()
    frames = [0, *rng.choice(np.arange(1, model.frames), min(FRAMES, model.frames) - 1, replace=False)]
    composed = basis.compose(whole[frames] * basis.sd)
    offset, where = np.array(basis.iso_offset, np.float32)[:, None, None, None], sampling_of(basis.where)
    template = load_template()
    return whole[frames].astype(np.float64), np.stack([template.onto(fields - offset, where) for fields in composed])


def _principal(rows: Array) -> tuple[Array, Array]:
    """Mean [V·3] and principal axes [M, V·3] of meshes, by the Gram matrix."""
    mean = rows.mean(axis=0)
    centred = (rows - mean).astype(np.float32)
    centred = centred[:: max(1, len(centred) // 2000)]
    values, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    keep = min(MODES, int((values > 1e-7 * values[-1]).sum()), len(centred) - 1)
    axes = (vectors[:, ::-1][:, :keep] / np.sqrt(values[::-1][:keep])).T @ centred
    return mean, axes.astype(np.float64)


def _ridge(features: Array, targets: Array, penalty: float) -> Array:
    """Least squares [F, M] with a penalty on all weights but the first feature's."""
    lengths = np.full(features.shape[1], penalty)
    lengths[0] = 1e-9
    return np.asarray(np.linalg.solve(features.T @ features + np.diag(lengths), features.T @ targets))


def _with_one(rows: Array) -> Array:
    return np.hstack([np.ones((len(rows), 1)), rows])


def _products(scores: Array) -> Array:
    """1, scores, and products of the first of them with each other, in the order of the page's JavaScript."""
    first, second = np.triu_indices(min(QUADRATIC, scores.shape[1]))
    return np.hstack([_with_one(scores), scores[:, first] * scores[:, second]])


def volumes_of(basis: MeshBasis, scores: Array) -> dict[str, Array]:
    """Volumes in mL of frames' scores [N, M] by the regression; the page counts normal ranges by it."""
    made = _products(scores) @ basis.volumes.T
    return dict(zip(("lv", "myo", "rv"), made.T, strict=True))

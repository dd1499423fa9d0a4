"""Hearts as coefficients of a shape basis: MLPs from and to them, squared distance in mm² on observed planes.

The likelihood is Gaussian in the observed planes' signed distances. The masked squared distance between observed fields
and predicted ones is exactly a quadratic form in the predicted coefficients, computed once a frame, so a training step
never touches a voxel.

Reading a cohort into normal forms takes longer than training a small network on them, so models share a folder of
prepared data: ``basis-MODES-….safetensors`` (of the training subjects) and ``train-….safetensors``, ``val-…`` (the
normal forms of a split's subjects on a basis), where … is a digest of all that the content depends on. So an entry is
the right one or it is another's. Conditions are not kept: how they are encoded is each model's own matter. Nothing is
ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, UInt8
from numpy.typing import NDArray
from scipy.interpolate import interp1d
from torch import Tensor

from cheart.cohort import Cohort, Split
from cheart.conditions import Encoding
from cheart.errors import InputError
from cheart.files import parse_json, sha256_of_json
from cheart.grid import Grid
from cheart.models.compact import pack, unpack
from cheart.models.representation import Data, NetworkRepresentation, SomeFrames
from cheart.models.shape_basis import BASIS_FRAMES, ShapeBasis, extend_basis, fit_basis
from cheart.models.shape_network import ShapeBeatDecoder, ShapeCritic, ShapeDecoder, ShapeEncoder
from cheart.models.tensor_file import read_tensors, write_tensors
from cheart.progress import Jobs, collect
from cheart.schemas import ShapeJson, check

TITLES: dict[str, str] = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class ShapeBatch:
    """What the shape basis makes of a few subjects (see :class:`cheart.models.shape_basis.NormalForm`).

    Attributes:
        first: coefficients of end-diastole as the encoder is given it, in mm (not whitened).
        gram: None where every frame is observed whole (the identity).
        linear, constant: see there.
        weight: 1 for frames of which anything was observed.
        conditions: encoded.
    """

    first: Float[Tensor, "B K"]
    gram: Float[Tensor, "B T K K"] | None
    linear: Float[Tensor, "B T K"]
    constant: Float[Tensor, "B T"]
    weight: Float[Tensor, "B T"]
    conditions: Float[Tensor, "B E"]


@dataclass(frozen=True)
class ShapeData(Data):
    """Normal forms of every frame of some subjects, held in memory: all of them are one :class:`ShapeBatch`."""

    subjects: ShapeBatch

    @classmethod
    def of(
        cls, forms: Mapping[str, Tensor], cohort: Cohort, indices: NDArray[np.intp], encoding: Encoding
    ) -> ShapeData:
        """Of some rows of a cohort, whose normal forms are those of :func:`read_normal_forms`."""
        conditions = torch.from_numpy(encoding.encode([cohort.conditions(int(i)) for i in indices]))
        names = ("first", "linear", "constant", "weight")
        return cls(ShapeBatch(gram=forms.get("gram"), conditions=conditions, **{n: forms[n] for n in names}))

    def __len__(self) -> int:
        return len(self.subjects.first)

    @property
    def whole(self) -> bool:
        """Whether every plane of every frame of every subject was observed."""
        return self.subjects.gram is None and bool((self.subjects.weight > 0).all())

    def batch(self, which: NDArray[np.intp], device: torch.device, some: SomeFrames | None = None) -> ShapeBatch:
        """Normal forms, always of all frames, and conditions."""
        rows = torch.from_numpy(which)
        tensors: dict[str, Any] = {n: t if t is None else t[rows].to(device) for n, t in vars(self.subjects).items()}
        return ShapeBatch(**tensors)

    def everyone(self) -> ShapeBatch:
        """All subjects."""
        return self.subjects


class ShapeRepresentation(NetworkRepresentation):
    """Hearts as coefficients. Predictions and beats are whitened coefficients [B, T, K].

    A critic sees coefficients only. A frame of which some planes were observed enters as its most probable
    coefficients given those planes, a predicted one as what it would be taken for on the same planes; frames that were
    not observed are nothing, of real and of predicted beats alike.

    Args:
        basis: of frames.
        frames: T.
    """

    name = "shape"
    linear = True

    def __init__(self, basis: ShapeBasis, frames: int) -> None:
        super().__init__()
        self.basis, self.frames, self.voxels = basis, frames, basis.mean.size
        sd = torch.from_numpy(basis.sd.copy())
        self.register_buffer("sd", sd, persistent=False)
        self.register_buffer("precision", torch.diag(basis.residual_variance / sd.square()), persistent=False)
        self.sd: Tensor
        self.precision: Tensor

    @classmethod
    def fit(cls, cohort: Cohort, options: Any, *, prepared: Path | None, jobs: Jobs) -> ShapeRepresentation:
        """Principal modes of the training subjects' frames, ``options.modes`` at most."""
        return cls(prepared_basis(cohort, modes=options.modes, folder=prepared, jobs=jobs), cohort.frames)

    def extended(self, cohort: Cohort, modes: int, *, jobs: Jobs) -> ShapeRepresentation:
        """A basis with further modes, so many at most, for what this one lacks of a cohort's training subjects."""
        basis = extend_basis(self.basis, cohort, cohort.indices("train"), modes=modes, jobs=jobs)
        return ShapeRepresentation(basis, self.frames)

    def to_config(self) -> dict[str, Any]:
        """See :class:`Representation`."""
        return {"name": self.name, **self.basis.to_json()}

    def to_tensors(self) -> dict[str, Tensor]:
        """See :class:`Representation`."""
        return self.basis.to_tensors()

    def to_packed(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """The basis as :mod:`cheart.models.compact` has it."""
        how, tensors = pack(self.basis)
        return {**self.to_config(), "packed": how}, tensors

    @classmethod
    def read(
        cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor], grid: Grid, frames: int
    ) -> ShapeRepresentation:
        """See :class:`Representation`."""
        check(config, ShapeJson, "representation")
        if Grid.from_json(config["where"]["grid"]) != grid:
            raise InputError("representation: where.grid is not the grid of the setting")
        read = unpack if config.get("packed") else ShapeBasis.from_tensors
        return cls(read(config, tensors), frames)

    def data(self, cohort: Cohort, split: Split, encoding: Encoding, *, prepared: Path | None, jobs: Jobs) -> ShapeData:
        """Normal forms of every frame; every frame is read once."""
        indices = cohort.indices(split)
        read = partial(read_normal_forms, cohort, indices, self.basis, TITLES[split], jobs=jobs)
        tensors = prepared_tensors(cohort, split, self.basis, read, folder=prepared)
        return ShapeData.of(tensors, cohort, indices, encoding)

    def first(self, batch: ShapeBatch) -> Float[Tensor, "B K"]:
        """Whitened coefficients of end-diastole."""
        return batch.first / self.sd

    def describe(self, first: UInt8[np.ndarray, "Z Y X"], observed: Bool[np.ndarray, " Z"]) -> Float[Tensor, "1 K"]:
        """Whitened coefficients of end-diastole."""
        return torch.from_numpy(self.basis.describe(first, observed))[None].to(self.sd.device) / self.sd

    def labels(self, prediction: Float[Tensor, "1 T K"]) -> UInt8[np.ndarray, "T Z Y X"]:
        """The label maps of one beat."""
        return self.basis.labels((prediction[0] * self.sd).cpu().numpy())

    def whole_beats(self, batch: ShapeBatch) -> Float64[np.ndarray, "B T K"]:
        """The most probable coefficients in mm of every frame.

        Frames that were not observed lie on the straight line between the observed ones before and after, around the
        cycle: where a cohort has end-diastole and end-systole only, that is all there is to know of the others.
        """
        linear, weight = batch.linear.double().cpu().numpy(), batch.weight.cpu().numpy() > 0
        beats = linear if batch.gram is None else np.empty_like(linear)
        if batch.gram is not None:
            prior = np.diag(self.basis.residual_variance / np.square(self.basis.sd, dtype=np.float64))
            for i, t in zip(*np.nonzero(weight), strict=True):
                beats[i, t] = np.linalg.solve(batch.gram[i, t].double().cpu().numpy() + prior, linear[i, t])
        frames = np.arange(beats.shape[1])
        for beat, seen in zip(beats, weight, strict=True):
            if not seen.all():
                known = frames[seen]
                around = np.concatenate([known - len(frames), known, known + len(frames)])
                beat[:] = interp1d(around, np.tile(beat[seen], (3, 1)), axis=0)(frames)
        return beats

    # -- networks --------------------------------------------------------------------------------------------------

    def make_encoder(self, latent: int, embedding: int, options: Any) -> ShapeEncoder:
        """An MLP of width ``options.hidden``, as all networks here."""
        return ShapeEncoder(self.basis.size, latent, embedding, hidden=options.hidden)

    def make_frame_decoder(self, size: int, options: Any) -> ShapeDecoder:
        """To whitened coefficients [B, T, K]."""
        return ShapeDecoder(size, self.basis.size, hidden=options.hidden)

    def make_beat_decoder(self, size: int, options: Any) -> ShapeBeatDecoder:
        """To whitened coefficients [B, T, K]."""
        return ShapeBeatDecoder(size, self.frames, self.basis.size, hidden=options.hidden)

    def make_critic(self, out: int, options: Any, *, conditions: int = 0) -> ShapeCritic:
        """Of whitened coefficients [B, T, K]."""
        return ShapeCritic(self.frames * self.basis.size, out=out, hidden=options.hidden, conditions=conditions)

    # -- likelihood and beats --------------------------------------------------------------------------------------

    def reconstruction(self, prediction: Float[Tensor, "B T K"], batch: ShapeBatch) -> Float[Tensor, " B"]:
        """Half the mean squared distance in mm² over a frame's voxels: T times its mean over observed frames."""
        squared = squared_distance(prediction * self.sd, batch)
        mean = (squared * batch.weight).sum(1) / batch.weight.sum(1)
        return squared.shape[1] * mean / (2 * self.voxels)

    def real(self, batch: ShapeBatch) -> Float[Tensor, "B T K"]:
        """Whitened coefficients of real beats."""
        return self._seen(batch.linear, batch)

    def predicted(self, prediction: Float[Tensor, "B T K"], batch: ShapeBatch) -> Float[Tensor, "B T K"]:
        """Whitened coefficients of predicted beats."""
        mm = prediction * self.sd
        return self._seen(mm if batch.gram is None else torch.einsum("btkl,btl->btk", batch.gram, mm), batch)

    def outcome(self, beat: Float[Tensor, "B T K"]) -> Float[Tensor, "B T*K"]:
        """Coefficients in mm, per root mean square over frames and voxels."""
        return (beat * self.sd).flatten(1) / (self.frames * self.voxels) ** 0.5

    def _seen(self, linear: Float[Tensor, "B T K"], batch: ShapeBatch) -> Float[Tensor, "B T K"]:
        """Whitened most probable coefficients of the linear terms of normal forms, observed frames only."""
        if batch.gram is not None:
            linear = torch.linalg.solve(batch.gram + self.precision, linear)
        return linear / self.sd * batch.weight[..., None]


REPRESENTATION = ShapeRepresentation


def squared_distance(a: Float[Tensor, "B T K"], batch: ShapeBatch) -> Float[Tensor, "B T"]:
    """Squared distance in mm² of each frame's observed fields from those of coefficients."""
    quadratic = a.square().sum(-1) if batch.gram is None else torch.einsum("btk,btkl,btl->bt", a, batch.gram, a)
    return quadratic - 2 * (batch.linear * a).sum(-1) + batch.constant


def read_normal_forms(
    cohort: Cohort, indices: NDArray[np.intp], basis: ShapeBasis, title: str, *, jobs: Jobs
) -> dict[str, Tensor]:
    """The tensors of a :class:`ShapeBatch` of some rows of a cohort but for the conditions; each frame is read once."""
    if not cohort.observed[indices].all():
        basis.plane_grams  # noqa: B018  # once here, not once in every process
    read, which = partial(_normal_forms, cohort, basis), [int(i) for i in indices]
    rows = collect(read, which, jobs=jobs, title=f"Reading {title} subjects")
    names = ("first", "linear", "constant", "weight")
    tensors = {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in names}
    if any(row["gram"] is not None for row in rows):
        identity = np.broadcast_to(np.eye(basis.size, dtype=np.float32), (cohort.frames, basis.size, basis.size))
        tensors["gram"] = torch.from_numpy(np.stack([identity if r["gram"] is None else r["gram"] for r in rows]))
    return tensors


def _normal_forms(cohort: Cohort, basis: ShapeBasis, index: int) -> dict[str, Any]:
    labels, observed = cohort.labels(index), cohort.observed_of(index)
    frames, size = len(labels), basis.size
    partly = observed.any(axis=1) & ~observed.all(axis=1)
    row: dict[str, Any] = {
        "linear": np.zeros((frames, size), np.float32),
        "constant": np.zeros(frames, np.float32),
        "weight": observed.any(axis=1).astype(np.float32),
        "gram": np.zeros((frames, size, size), np.float32) if partly.any() else None,
    }
    whole = np.flatnonzero(observed.all(axis=1))
    forms = dict(zip(whole.tolist(), basis.whole_forms(labels[whole]), strict=True)) if whole.size else {}
    for t in map(int, np.flatnonzero(observed.any(axis=1))):
        form = forms[t] if t in forms else basis.normal_form(labels[t], observed[t])
        row["linear"][t], row["constant"][t] = form.linear, form.constant
        if row["gram"] is not None:
            row["gram"][t] = np.eye(size) if form.gram is None else form.gram
        if t == 0:
            row["first"] = basis.estimate(form) if form.gram is None else basis.describe(labels[t], observed[t])
    return row


FORMAT = 5


def prepared_basis(cohort: Cohort, *, modes: int, folder: Path | None, jobs: Jobs) -> ShapeBasis:
    """The shape basis of a cohort's training subjects, from the folder if it has it; else it is fitted and kept there.

    None keeps nothing, here and below.

    Raises:
        InputError: a file of the folder is damaged; too few frames for a basis.
    """
    key = {"kind": "basis", "cohort": cohort.fingerprint, "modes": modes, "frames": BASIS_FRAMES}
    path = _place(folder, f"basis-{modes}", key)
    found = _read(path, key)
    if found is not None:
        own = {name: value for name, value in found[1].items() if name not in key}
        return ShapeBasis.from_tensors(check(own, ShapeJson, str(path)), found[0])
    basis = fit_basis(cohort, cohort.indices("train"), modes=modes, jobs=jobs)
    _write(path, basis.to_tensors(), key, basis.to_json())
    return basis


def prepared_tensors(
    cohort: Cohort, split: Split, basis: ShapeBasis, read: Callable[[], dict[str, Tensor]], *, folder: Path | None
) -> dict[str, Tensor]:
    """A split's subjects on a shape basis, from the folder if it has them; else they are read and kept there.

    Raises:
        InputError: a file of the folder is damaged.
    """
    key = {"kind": "forms", "cohort": cohort.fingerprint, "split": split, "basis": _digest_of(basis)}
    path = _place(folder, split, key)
    found = _read(path, key)
    if found is not None:
        return found[0]
    tensors = read()
    _write(path, tensors, key, {"subjects": len(tensors["first"])})
    return tensors


Key = dict[str, Any]
"""All that the content of an entry depends on."""


def _place(folder: Path | None, name: str, key: Key) -> Path | None:
    digest = sha256_of_json({"format": FORMAT, **key})
    return None if folder is None else Path(folder) / f"{name}-{digest[:16]}.safetensors"


def _digest_of(basis: ShapeBasis) -> str:
    """SHA-256 of all that normal forms depend on."""
    about = {**basis.where.to_json(), "residual_variance": basis.residual_variance}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for array in (basis.mean, basis.modes, basis.sd):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _write(path: Path | None, tensors: dict[str, Tensor], key: Key, about: dict[str, Any]) -> None:
    if path is not None:
        write_tensors(path, tensors, about=json.dumps({**key, **about}))


def _read(path: Path | None, key: Key) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """An entry's tensors and what it says of itself; None where there is no such entry."""
    if path is None or not path.is_file():
        return None
    tensors, words = read_tensors(path, mend="delete it and it is made again")
    about = parse_json(words.get("about", "{}"), path)
    if not isinstance(about, dict) or {name: about.get(name) for name in key} != key:
        raise InputError(f"{path} holds other data than its name says; delete it and it is made again")
    return tensors, about

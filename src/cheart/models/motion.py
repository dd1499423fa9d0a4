"""Motion applied to the observed heart: end-diastole stays as it was given, and what moves is predicted plane by plane.

    φ_t(plane)    = φ_0(plane) + Σ_j b_j(t) Σ_k y_jk V_k        signed distances in the heart's own frame
    y             = f(x) + E(height) q + noise,   q ~ N(0, 1)
    f             kernel ridge regression on the plane, its neighbours, the whole heart and the conditions
    E             principal axes, over hearts, of what f gets wrong of hearts that it was not fitted to
    labels        those of the highest expected Dice (completion), or where φ < 0 for a drawn q (a sample)

V are the motion modes of planes (:mod:`cheart.models.planes`), b_j periodic curves that are 0 at end-diastole
(:mod:`cheart.models.beat_basis`). Errors of hearts left out in turn also say how uncertain a surface is by height,
structure and frame, from which the expected Dice follows (:mod:`cheart.models.expected_overlap`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cheart.cohort import Cohort
from cheart.errors import InputError
from cheart.evidence import Evidence, EvidenceKind
from cheart.models.base import HeartModel, Setting, Style
from cheart.models.beat_basis import fit_curves, numbers
from cheart.models.expected_overlap import as_fields, likely_surface, nearest_surface
from cheart.models.fields import Array
from cheart.models.heart_frame import PLANE, STEP_MM, interpolation
from cheart.models.kernel_regression import KernelRegression
from cheart.models.motion_evidence import (
    NOISE_SHARE,
    Posterior,
    carried,
    nothing,
    observed_motion,
    of_frames,
    of_volumes,
)
from cheart.models.motion_regression import MotionRegression, Widening, fit_motion
from cheart.models.motion_volumes import BeatVolumes
from cheart.models.plane_features import HEIGHTS, Wide, features_size
from cheart.models.planes import Described, PlaneData, PlaneRepresentation, PlaneSubject
from cheart.models.readout import read_out
from cheart.models.registry import register
from cheart.models.shape_basis import is_filled
from cheart.models.uncertainty import (
    LEAST_HEARTS,
    LEAST_SD_MM,
    ZONES,
    Rows,
    calibrate,
    combined_axes,
    residual_axes,
    surface_sd,
)
from cheart.population import Population
from cheart.progress import Jobs

BEYOND_MM = 8.0
"""So far beyond all surfaces nothing of a heart is looked for."""

BORROWED = 10
"""Hearts that the uncertainty of a model that is gone on from counts for."""


@dataclass(frozen=True)
class MotionOptions:
    """What can be set of the model.

    Attributes:
        landmarks: training planes that the regression keeps, at most.
        curves: numbers in time, at most.
        residual: q, numbers by which beats of one end-diastole differ, at most.
        regressions: kernel regressions that are added up: 2 where training went on from another model.
        overlap: complete to the highest expected Dice; else to surfaces that keep volumes on average.
    """

    representation: ClassVar[str] = "planes"
    landmarks: int = 1500
    curves: int = 6
    residual: int = 60
    regressions: int = 1
    overlap: bool = True

    def __post_init__(self) -> None:
        if min(self.landmarks, self.curves, self.residual, self.regressions) < 1:
            raise InputError("landmarks, curves, residual and regressions must be at least 1")


@dataclass(frozen=True)
class Conditioned:
    """A beat given the evidence: numbers expected + spread · q on the R planes in reach.

    Attributes:
        described: end-diastole.
        expected: [R, J, M].
        spread: E, [R, Q, J, M].
        posterior: of q.
    """

    described: Described
    expected: Wide
    spread: Wide
    posterior: Posterior

    def numbers(self, q: Wide) -> Wide:
        """The numbers [R, J, M] of q."""
        return np.asarray(self.expected + np.tensordot(q, self.spread, axes=(0, 1)))

    def left_open(self, curve: Wide) -> Wide:
        """By which factor the evidence narrows a surface, [R], where the curves [J] are at some frame."""
        prior, now = (np.einsum("j,rjk,k->r", curve, variance, curve) for variance in self._variances)
        return np.asarray(np.sqrt(NOISE_SHARE + (1 - NOISE_SHARE) * now / np.maximum(prior, 1e-12)))

    @cached_property
    def _variances(self) -> tuple[Wide, Wide]:
        """Of the planes' numbers, all M together, by curve and curve: before and after the evidence, [R, J, J]."""
        known = np.tensordot(self.posterior.root, self.spread, axes=(0, 1)).swapaxes(0, 1)
        before, after = (np.einsum("rqjm,rqkm->rjk", axes, axes, optimize=True) for axes in (self.spread, known))
        return np.asarray(before), np.asarray(after)


@register("motion")
class PlaneMotion(HeartModel):
    """Motion applied to the observed heart. It completes; it does not generate. Its small algebra stays on the CPU."""

    tasks = ("complete",)
    evidence: ClassVar[frozenset[EvidenceKind]] = frozenset({"later frames", "measurements"})
    Options = MotionOptions
    presets: ClassVar[dict[str, dict[str, Any]]] = {"quick": {"landmarks": 800}}
    holds = "modes of shapes and motion, weights, and the shapes of up to 1,500 planes in some dozen numbers each"
    choices = {"penalty, trust of conditions": "train, left out in turn"}
    style = Style("Motion", "#b5475d", "-", "D")
    seconds_per_heart: ClassVar[dict[str, float]] = {"train": 0.3, "complete": 0.4}

    def __init__(self, setting: Setting, options: MotionOptions, representation: PlaneRepresentation) -> None:
        super().__init__(setting, options, representation)
        self.planes = representation
        self._before: tuple[MotionRegression, ...] = ()  # of the model that training goes on from
        self._last: tuple[Evidence, NDArray[np.float32], Conditioned] | None = None  # of which samples may follow
        modes, inputs = len(representation.motion), features_size(len(representation.anatomy), self._conditions)
        outputs = options.curves * modes
        each = {
            "centre": (inputs[0],),
            "into": inputs,
            "landmarks": (options.landmarks, inputs[1]),
            "weights": (options.landmarks, outputs),
            "mean": (outputs,),
            "length": (),
        }
        shapes = {name: (options.regressions, *shape) for name, shape in each.items()} | {
            "curves": (options.curves, setting.frames),
            "axes": (options.residual, len(HEIGHTS), outputs),
            "variance": (outputs,),
            "sd": (len(ZONES), PLANE[0], setting.frames),
            "wider": (2,),
            "out": (PLANE[0], setting.frames),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape))

    @property
    def _conditions(self) -> int:
        return len(self.setting.encoding.columns)

    # -- training --------------------------------------------------------------------------------------------------

    def fit(self, training: Any, validation: Any) -> tuple[float, dict[str, float]]:
        """The regression, and what it leaves open; nothing is chosen on the validation subjects."""
        if not self._before:
            curves = fit_curves(training.subjects, self.options.curves)
            self._set(curves=_padded(curves, self.options.curves))
        rows, y = self._numbers(training)
        if not len(rows.heart):
            raise InputError("no training subject was observed after end-diastole: nothing to learn a motion from")
        known = self._numbers(self._as_known(training))[1] if self._before else None
        chosen = fit_motion(training, rows, y, most=self.options.landmarks, known=known)
        before = (replace(one, kernel=one.kernel.times(chosen.share)) for one in self._before)
        self._set_regressions((*before, chosen.regression))
        self._set(**self._left_open(training, rows, y - chosen.left, chosen.left))
        return float(self.validation_loss(validation).mean()), dict(chosen.figures)

    def _numbers(self, data: PlaneData) -> tuple[Rows, Wide]:
        """Motion of all planes that were observed, [n, J·M]."""
        curves, sd = self._get("curves"), self._curve_sd() if self._before else None
        found = [numbers(s, curves, sd) for s in data.subjects]
        seen = [planes for _, planes in found]
        rows = Rows(np.repeat(np.arange(len(found)), [planes.sum() for planes in seen]), seen)
        return rows, np.concatenate([number[planes].reshape(planes.sum(), -1) for number, planes in found])

    def _as_known(self, data: PlaneData) -> PlaneData:
        """The same subjects, on the same planes and frames, moving as was known before."""
        subjects = []
        for subject, conditions in zip(data.subjects, data.conditions, strict=True):
            moved = np.einsum("jt,pjm->tpm", self._get("curves"), self._sum(self._before, subject, conditions))
            subjects.append(replace(subject, motion=(moved * subject.seen[..., None]).astype(np.float32)))
        return replace(data, subjects=tuple(subjects))

    def _left_open(self, training: PlaneData, rows: Rows, expected: Wide, left: Wide) -> dict[str, Wide]:
        """What the regression leaves open, of left-out hearts' predictions and errors [n, J·M]; where training goes on,
        partly what was known before."""
        curves, hearts = self._get("curves"), sum(bool(seen.any()) for seen in rows.seen)
        share = hearts / (hearts + BORROWED) if self._before else 1.0
        axes = residual_axes(training, rows, left, self.options.residual)
        sd = surface_sd(self.planes, training, rows, expected, left, curves)
        variance = np.square(left).mean(axis=0)
        if share < 1:
            axes = combined_axes(axes, self._get("axes"), share)
            sd = np.sqrt(share * np.square(sd) + (1 - share) * np.square(self._get("sd")))
            variance = share * variance + (1 - share) * self._get("variance")
        values = {"axes": _padded(axes, self.options.residual), "variance": variance, "sd": sd}
        if not self._before or hearts >= LEAST_HEARTS:
            out, wider, frame = calibrate(self.planes, training, rows, expected, left, axes, curves)
            values |= {"wider": wider, "out": out[:, None] * sd.mean(axis=0) / sd.mean(axis=0)[:, [frame]]}
        return values

    def _curve_sd(self) -> Wide:
        """How much each curve's number varied from plane to plane before, [J]."""
        known = [one.kernel.predict(one.kernel.landmarks) for one in self._before]
        squares = self._get("variance") + np.square(known).mean(axis=1).sum(axis=0)
        return np.asarray(np.sqrt(squares.reshape(self.options.curves, -1).mean(axis=1)))

    def fine_tuned(
        self, setting: Setting, options: MotionOptions, cohort: Cohort, population: Population, *, seed: int, jobs: Jobs
    ) -> HeartModel:
        """See :class:`HeartModel`. A share of what this one predicts stays, and what it gets wrong of the new hearts is
        learned beside it (:mod:`cheart.models.motion_regression`), on further modes of motion."""
        more = replace(options, regressions=self.options.regressions + 1)
        planes, columns = self.planes.widened(cohort, jobs=jobs), setting.encoding.columns
        network = PlaneMotion(setting, more, planes)
        place = [columns.index(column) for column in self.setting.encoding.columns]
        anatomy = len(self.planes.anatomy), len(planes.anatomy)
        wider = Widening(anatomy, place, len(columns), options.curves, len(planes.motion))
        network._before = tuple(one.widened(wider) for one in self._regressions())
        network._set_regressions(network._before)
        network._set(**{n: wider.outputs(self._get(n)) for n in ("axes", "variance")})
        network._set(**{n: self._get(n) for n in ("curves", "sd", "wider", "out")})
        return network

    def _set_regressions(self, regressions: tuple[MotionRegression, ...]) -> None:
        """Store the regressions whose sum is f."""
        for k, one in enumerate(regressions):
            kernel, most = one.kernel, self.options.landmarks
            landmarks, weights = _padded(kernel.landmarks, most), _padded(kernel.weights, most)
            stored = {"centre": one.centre, "into": one.into, "landmarks": landmarks, "weights": weights}
            stored |= {"mean": kernel.centre, "length": np.array(kernel.length)}
            for name, value in stored.items():
                buffer = self.get_buffer(name)
                buffer[k] = torch.from_numpy(value).to(buffer)

    def _regressions(self) -> list[MotionRegression]:
        """The regressions whose sum is f."""
        names = ("landmarks", "weights", "mean", "length", "centre", "into")
        stored = zip(*(self._get(name) for name in names), strict=True)
        found = [MotionRegression(c, i, KernelRegression(x, w, m, float(ell))) for x, w, m, ell, c, i in stored]
        return [one for one in found if one.kernel.length > 0]  # the others are not fitted yet

    def widening(self) -> dict[str, float]:
        """See :class:`HeartModel`; what follows from a ventricle's end-systolic volume is as wrong as that."""
        lv, rv = self._get("wider").tolist()
        return {"lvesv": lv, "lvef": lv, "lvsv": lv, "wall_thickening": lv, "rvesv": rv, "rvef": rv}

    def validation_loss(self, batch: PlaneData) -> Tensor:
        """Mean squared distance in mm² of the observed planes' distances from the predicted ones, a sample, [B]."""
        out, curves = [], self._get("curves")
        for subject, conditions in zip(batch.subjects, batch.conditions, strict=True):
            expected = np.einsum("jt,pjm->tpm", curves, self._expected(subject, conditions))
            apart = np.square(subject.motion - expected).sum(axis=2) + subject.left
            out.append(float(apart[subject.seen].mean()) / np.prod(PLANE) if subject.seen.any() else np.nan)
        return torch.tensor(out)

    # -- use -------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def complete(
        self, evidence: Evidence, conditions: NDArray[np.float32], *, seed: int | None = None
    ) -> NDArray[np.uint8]:
        """The observed heart, moved. Frame 0 is what was given, with what lay between its planes filled in."""
        self.require_evidence(evidence)
        if self._last is None or self._last[0] is not evidence or (self._last[1] != conditions).any():
            self._last = evidence, conditions, self.conditioned(evidence, conditions)
        posterior = self._last[2].posterior
        q = posterior.mean if seed is None else posterior.draw(seed)
        return self._labels(evidence, self._last[2], q, best=seed is None and self.options.overlap)

    def conditioned(self, evidence: Evidence, conditions: NDArray[np.float32]) -> Conditioned:
        """The beat given the evidence, as a Gaussian."""
        described = self.planes.describe(evidence.first, evidence.first_observed)
        frame, subject = described.frame, described.subject
        axes = self._get("axes").reshape(self.options.residual, len(HEIGHTS), self.options.curves, -1)

        def at(relative: Wide) -> Wide:
            return np.tensordot(interpolation(relative, HEIGHTS), axes, axes=(1, 1))  # [R, Q, J, M]

        own = self._expected(subject, conditions)
        height = frame.height[frame.reach]
        expected, spread = np.tensordot(frame.between(height), own, axes=1), at(frame.relative[frame.reach])
        curves, known = self._get("curves"), nothing(self.options.residual)
        moved, seen, planes = observed_motion(self.planes, evidence, frame)
        if seen.any():
            there = np.tensordot(frame.between(frame.height[planes]), own, axes=1)
            wrong, at_planes = moved - np.einsum("jt,pjm->tpm", curves, there), at(frame.relative[planes])
            known = of_frames(wrong, seen, at_planes, curves, self._get("variance").reshape(own.shape[1:]))
            wrong -= np.einsum("jt,q,pqjm->tpm", curves, Posterior.of(known).mean, at_planes)
            expected = expected + carried(wrong, seen, curves, frame.height[planes], height)
        before = Conditioned(described, expected, spread, Posterior.of(known))
        known = of_volumes(evidence.measured, self._volumes(before), known, self.planes.ranges)
        return replace(before, posterior=Posterior.of(known))

    def _volumes(self, known: Conditioned) -> BeatVolumes:
        """Volumes of the beat as functions of q."""
        frame, curves, modes = known.described.frame, self._get("curves"), self.planes.motion
        sd = np.tensordot(interpolation(frame.relative[frame.reach], ZONES), self._get("sd"), axes=1)
        voxel = frame.grid.spacing[0] * STEP_MM**2 / 1000
        return BeatVolumes(known.described.first, known.numbers, known.spread, curves, modes, sd, voxel)

    def _expected(self, subject: PlaneSubject, conditions: NDArray[np.float32]) -> Wide:
        """f(x) of a subject's planes, [P, J, M]."""
        return self._sum(tuple(self._regressions()), subject, conditions)

    def _sum(
        self, regressions: tuple[MotionRegression, ...], subject: PlaneSubject, conditions: NDArray[np.float32]
    ) -> Wide:
        """What regressions say of a subject's planes together, [P, J, M]."""
        found = [one.predict(subject, conditions) for one in regressions]
        return np.asarray(np.sum(found, axis=0).reshape(len(subject.anatomy), self.options.curves, -1))

    def _change(self, moved: Wide, t: int) -> Array:
        """What frame t adds to distances, [R, 3, 50, 58], of numbers [R, J, M]."""
        numbers_then = np.tensordot(self._get("curves")[:, t], moved, axes=(0, 1)).astype(np.float32)
        return np.asarray((numbers_then @ self.planes.motion).reshape(-1, *PLANE), np.float32)

    def _labels(self, evidence: Evidence, known: Conditioned, q: Wide, *, best: bool) -> NDArray[np.uint8]:
        """Label maps [T, Z, Y, X] of q, read out: those of the highest expected Dice, or of the nearest surfaces."""
        frame, first, moved = known.described.frame, known.described.first, known.numbers(q)
        changes = [self._change(moved, t) for t in range(self.setting.frames)]
        window = frame.window(np.min([first + change for change in changes], axis=0).min(axis=1) < BEYOND_MM)
        box = slice(int(frame.reach[0]), int(frame.reach[-1]) + 1), window.y, window.x
        fields = (window.to_voxels(first + change) for change in changes)
        decided = ((as_fields(*self._decided(known, f, t, best=best and t > 0)), box) for t, f in enumerate(fields))
        given, grid = evidence.observed.copy(), self.setting.grid
        given[0] |= is_filled(evidence.first, evidence.first_observed)
        end_diastole = read_out([next(decided)], grid)
        end_diastole[given[:1]] = evidence.labels[:1][given[:1]]
        later = read_out(decided, grid, ranges=self.planes.ranges.of_wall, end_diastole=end_diastole[0])
        return np.where(given[:, :, None, None], evidence.labels, np.concatenate([end_diastole, later]))

    def _decided(self, known: Conditioned, fields: Array, t: int, *, best: bool) -> tuple[NDArray[np.uint8], Array]:
        """Labels [R, y, x] of frame t by its distances [R, 3, y, x], and the distances that they follow."""
        left = known.left_open(self._get("curves")[:, t])[:, None]
        if best:
            zones = interpolation(known.described.frame.relative[known.described.frame.reach], ZONES)
            sd = np.maximum(zones @ self._get("sd")[:, :, t] * left, LEAST_SD_MM).astype(np.float32)
            return likely_surface(fields / sd[:, :, None, None]), fields
        further = left * self._get("out")[:, t] if t > 0 else np.zeros((1, PLANE[0]))
        fields = fields - further.astype(np.float32)[:, :, None, None]
        return nearest_surface(fields), fields

    # -- what is stored --------------------------------------------------------------------------------------------

    def _set(self, **values: Wide) -> None:
        for name, value in values.items():
            buffer = self.get_buffer(name)
            buffer.copy_(torch.from_numpy(np.array(value)).to(buffer))

    def _get(self, name: str) -> Wide:
        return self.get_buffer(name).double().cpu().numpy()


def _padded(rows: Wide, length: int) -> Wide:
    """Rows with zeros after them, up to ``length`` of them."""
    return np.pad(rows, [(0, length - len(rows)), *[(0, 0)] * (rows.ndim - 1)])

"""Drawing clinical hearts: a beat given the person, and a beat given the person and end-diastole. Both are exact."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.conditions import Conditions
from cheart.errors import InputError
from cheart.grid import Grid
from cheart.heart import Heart, whole
from cheart.simulation.clinical.anatomy import ClinicalAnatomy, build_anatomy, draw_detail
from cheart.simulation.clinical.beat import ClinicalSurfaces, surfaces_at, timings
from cheart.simulation.clinical.coupling import Geometry, draw_beat, geometry, motion_numbers
from cheart.simulation.clinical.form import SCALARS, Posterior, draw_form, posterior, prior
from cheart.simulation.clinical.people import KINDS, clinical_schema, prevalence
from cheart.simulation.clinical.voxels import voxelise
from cheart.simulation.heart import Seed, refuse_to_clip
from cheart.simulation.phenotypes import Phenotypes, expected_sizes

_MAX_DRAWS = 500
_FARTHEST = {"length": 118.0, "lvedv": 420.0, "rvedv": 310.0}
"""Above these no heart fits the template's box; such draws are repeated, with all that is hidden behind them."""


@dataclass(frozen=True, eq=False)
class ClinicalTruth:
    """What is exactly known of a clinical heart.

    Attributes:
        conditions: its owner's, as they were given.
        phenotypes: of the continuous surfaces, not of voxels.
        kind, severity: what is hidden (:data:`cheart.simulation.clinical.people.KINDS`).
        form: [N_FORM], end-diastole. anatomy: its surfaces.
        beat: how it beats, by the names of :func:`cheart.simulation.clinical.coupling.draw_beat`; lvedv and rvedv too.
        amplitude: [17], how much each segment contracts.
        lv_ml, rv_ml: [T] volume-time curves in mL.
    """

    conditions: Conditions
    phenotypes: Phenotypes
    kind: int
    severity: float
    form: NDArray[np.float64]
    anatomy: ClinicalAnatomy
    beat: dict[str, float]
    amplitude: NDArray[np.float64]
    lv_ml: NDArray[np.float64]
    rv_ml: NDArray[np.float64]

    @property
    def group(self) -> str:
        """The diagnosis."""
        return KINDS[self.kind].group

    @property
    def cycle_s(self) -> float:
        """Duration of the cycle, s."""
        return 60.0 / self.beat["heart_rate"]

    def to_row(self) -> dict[str, Any]:
        """Diagnosis, phenotypes and generating parameters under one name each, for a table."""
        hidden = {"group": self.group, "kind": KINDS[self.kind].name, "severity": self.severity}
        form = {f"form_{name}": float(v) for name, v in zip(SCALARS, self.form, strict=False)}
        beat = {k: v for k, v in self.beat.items() if k not in ("lvedv", "lvesv", "rvedv", "rvesv")}
        return {**hidden, **self.phenotypes.to_row(), "length": self.anatomy.frame.length, **form, **beat} | {
            f"amplitude_{i + 1}": float(v) for i, v in enumerate(self.amplitude)
        }


def draw_heart(conditions: Conditions, *, seed: Seed, frames: int = 20) -> ClinicalTruth:
    """Draw one of the hearts that a person of these conditions may have; another seed gives another heart.

    Args:
        conditions: age, sex, weight, height and sbp, all known; heart_rate and group where they are.
        seed: the same seed gives the same heart.
        frames: T, of the volume-time curves.

    Raises:
        InputError: a condition is missing or refused, or no such heart fits the template's box.
    """
    person = complete(conditions)
    form_rng, beat_rng = (np.random.default_rng([*_words(seed), i]) for i in range(2))
    kinds = prevalence(person)
    for _ in range(_MAX_DRAWS):
        kind, severity, form = _draw_forms(person, kinds, form_rng, 1)
        g = _geometry(form, person)
        size = Phenotypes(g.lvedv[0], g.lvedv[0], g.rvedv[0], g.rvedv[0], g.lvm[0])
        anatomy = build_anatomy(form[0], size, float(g.length[0]), draw_detail(form_rng))
        if anatomy.fits():
            beats = draw_beat(g, kind, severity, beat_rng, _rate(person))
            return _truth(conditions, g, kind[0], severity[0], form[0], anatomy, beats, 0, frames)
    raise InputError(f"no heart of a person of {conditions} fits the template's box: give a smaller person")


def simulate_heart(conditions: Conditions, *, seed: Seed, grid: Grid, frames: int = 20) -> tuple[Heart, ClinicalTruth]:
    """Draw one beating heart for a person, as label maps; see :func:`cheart.simulation.heart.simulate_heart`."""
    truth = draw_heart(conditions, seed=seed, frames=frames)
    return to_labels(truth, grid), truth


def to_labels(truth: ClinicalTruth, grid: Grid) -> Heart:
    """The label maps of a heart, in as many frames as its volume curves have.

    Raises:
        InputError: the grid is too small for the heart.
    """
    refuse_to_clip(*truth.anatomy.extent(), grid)
    frames = truth.lv_ml.size
    labels = np.stack([voxelise(surfaces_of(truth, t / frames), grid) for t in range(frames)])
    return whole(labels, grid, truth.cycle_s, kind="simulated", conditions=dict(truth.conditions))


def surfaces_of(truth: ClinicalTruth, phase: float) -> ClinicalSurfaces:
    """The continuous surfaces at a phase of the cycle, 0 (end-diastole) to 1."""
    return surfaces_at(truth.anatomy, truth.beat, truth.amplitude, phase)


def true_distribution(conditions: Conditions, *, n: int, seed: int) -> pd.DataFrame:
    """What hearts a person of these conditions may have: draws of p(beat | conditions).

    Args:
        conditions: age, sex, weight, height and sbp, all known; heart_rate and group where they are.
        n: draws.
        seed: the same seed gives the same draws.

    Returns:
        n rows: lvedv, lvesv, rvedv, rvesv (mL), lvm (g), lvef, rvef (%), group and kind.
    """
    person, rng = complete(conditions), np.random.default_rng(seed)
    kind, severity, form = _draw_forms(person, prevalence(person), rng, n)
    g = _geometry(form, person)
    return _table(g, kind, draw_beat(g, kind, severity, rng, _rate(person)))


def true_posterior(truth: ClinicalTruth, conditions: Conditions | None = None) -> Posterior:
    """What end-diastole and the conditions (those of the heart where none are given) tell of kind and severity."""
    return posterior(truth.form, prevalence(complete(truth.conditions if conditions is None else conditions)))


def geometry_of(truth: ClinicalTruth) -> Geometry:
    """What the end-diastole of a heart measures, as of one heart."""
    return _geometry(truth.form[None], complete(truth.conditions))


def true_completions(truth: ClinicalTruth, *, n: int, seed: int, conditions: Conditions | None = None) -> pd.DataFrame:
    """How else a heart of this end-diastole may beat: exact draws of p(beat | end-diastole, conditions).

    Args:
        truth: a heart; only its end-diastole is used.
        n: draws, independent and equally weighted (the effective sample size is n).
        seed: the same seed gives the same draws.
        conditions: what is known of its owner; those of the heart where None.

    Returns:
        As :func:`true_distribution`, and ``motion_0`` … by :data:`cheart.simulation.clinical.coupling.MOTION_NUMBERS`.
    """
    g, kind, beats = _completions(truth, n, seed, conditions)
    numbers = motion_numbers(g, beats)
    table = _table(g, kind, beats)
    return table.assign(**{f"motion_{i}": column for i, column in enumerate(numbers.T)})


def complete_heart(
    truth: ClinicalTruth, *, n: int, seed: int, conditions: Conditions | None = None
) -> list[ClinicalTruth]:
    """As :func:`true_completions`, but whole hearts; :func:`to_labels` makes their label maps."""
    g, kind, beats = _completions(truth, n, seed, conditions)
    return [
        replace(
            _truth(truth.conditions, g, kind[i], np.nan, truth.form, truth.anatomy, beats, i, truth.lv_ml.size),
            severity=float(beats["severity"][i]),
        )
        for i in range(n)
    ]


def _completions(
    truth: ClinicalTruth, n: int, seed: int, conditions: Conditions | None
) -> tuple[Geometry, NDArray[np.intp], dict[str, NDArray[np.float64]]]:
    person, rng = complete(truth.conditions if conditions is None else conditions), np.random.default_rng(seed)
    kind, severity = posterior(truth.form, prevalence(person)).draw(rng, n)
    one = _geometry(truth.form[None], person)
    g = Geometry(*(np.repeat(getattr(one, f.name), n, axis=0) for f in fields(one)))
    return g, kind, draw_beat(g, kind, severity, rng, _rate(person)) | {"severity": severity}


def complete(conditions: Conditions) -> dict[str, Any]:
    """Check that what drawing a clinical heart needs is known.

    Raises:
        InputError: a condition is missing, or a value that its factor refuses.
    """
    person = clinical_schema(heart_rate=True, group=True).read(conditions)
    missing = [k for k, v in person.items() if v is None and k not in ("heart_rate", "group")]
    if missing:
        raise InputError(
            f"to simulate a heart, {', '.join(missing)} must be known (given: "
            f"{', '.join(f'{k} {v}' for k, v in conditions.items())})"
        )
    return dict(person)


def _words(seed: Seed) -> NDArray[np.unsignedinteger]:
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return sequence.generate_state(4)


def _rate(person: Conditions) -> float | None:
    rate = person.get("heart_rate")
    return None if rate is None else float(rate)


def _geometry(form: NDArray[np.float64], person: Conditions) -> Geometry:
    n = len(form)
    expected = np.broadcast_to(np.array(expected_sizes(person)), (n, 3))
    age, sbp = (np.full(n, float(person[name])) for name in ("age", "sbp"))  # type: ignore[arg-type]
    return geometry(form, expected, age, sbp)


def _draw_forms(
    person: Conditions, kinds: NDArray[np.float64], rng: np.random.Generator, n: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Kinds, severities and forms [n].

    What no box would hold is drawn again whole, so that the posterior of what is hidden needs no correction:
    p(k, τ | e) is that of the draws before any was refused.
    """
    kind, severity = prior(kinds).draw(rng, n)
    form = draw_form(kind, severity, rng)
    for _ in range(_MAX_DRAWS):
        g = _geometry(form, person)
        far = np.any([getattr(g, name) > most for name, most in _FARTHEST.items()], axis=0)
        if not far.any():
            return kind, severity, form
        kind[far], severity[far] = prior(kinds).draw(rng, int(far.sum()))
        form[far] = draw_form(kind[far], severity[far], rng)
    raise InputError(f"no heart of a person of {dict(person)} fits the template's box: give a smaller person")


def _table(g: Geometry, kind: NDArray[np.intp], beats: dict[str, NDArray[np.float64]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "lvedv": g.lvedv, "lvesv": beats["lvesv"], "rvedv": g.rvedv, "rvesv": beats["rvesv"], "lvm": g.lvm,
            "lvef": 100 * (1 - beats["lvesv"] / g.lvedv), "rvef": 100 * (1 - beats["rvesv"] / g.rvedv),
            "group": [KINDS[k].group for k in kind], "kind": [KINDS[k].name for k in kind],
        }
    )  # fmt: skip


def _truth(
    conditions: Conditions,
    g: Geometry,
    kind: int,
    severity: float,
    form: NDArray[np.float64],
    anatomy: ClinicalAnatomy,
    beats: dict[str, NDArray[np.float64]],
    which: int,
    frames: int,
) -> ClinicalTruth:
    beat = {k: float(v[which]) for k, v in beats.items() if k not in ("amplitude", "severity")}
    beat |= {"lvedv": float(g.lvedv[which]), "rvedv": float(g.rvedv[which])}
    phase = np.arange(frames) / frames
    lv, rv = timings(beat)
    return ClinicalTruth(
        conditions=dict(conditions),
        phenotypes=Phenotypes(beat["lvedv"], beat["lvesv"], beat["rvedv"], beat["rvesv"], float(g.lvm[which])),
        kind=int(kind),
        severity=float(severity),
        form=form,
        anatomy=anatomy,
        beat=beat,
        amplitude=beats["amplitude"][which],
        lv_ml=beat["lvedv"] - (beat["lvedv"] - beat["lvesv"]) * lv.emptied(phase),
        rv_ml=beat["rvedv"] - (beat["rvedv"] - beat["rvesv"]) * rv.emptied(phase),
    )

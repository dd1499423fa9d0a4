"""What the latent space of a model does: used dimensions, the prior against where hearts are, the latents' own beat."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from cheart.cohort import Cohort, Split
from cheart.evaluation.completion import chosen_subjects, encoded_conditions
from cheart.evaluation.tables import UNKNOWN, Table
from cheart.hearts import heart_seed
from cheart.metrics.overlap import dice
from cheart.model import Model
from cheart.progress import Jobs, collect
from cheart.validity import measure

DRAWS = 16
"""Latents drawn of each posterior."""

ACTIVE = 0.01
"""A dimension is used if its posterior's mean varies by more than this over people (Burda et al. 2016)."""

WHOLE = 0.99
"""Of a heart's voxels, what the largest pieces of its structures must hold."""

DEFINITIONS = (
    "Latent z_0, standardised so that its prior is N(0, 1). KL: of the posterior given end-diastole from the prior, in "
    f"nats, summed over dimensions, mean over people, from {DRAWS} draws each. used: dimensions whose posterior mean "
    f"varies by more than {ACTIVE} over people; the others have collapsed. spread: variance of latents over people "
    "and draws, least and greatest dimension; the prior says 1. whole: hearts of which each structure is there in "
    f"every frame and in one piece (but for {1 - WHOLE:.0%} of the heart's voxels), of latents drawn from the "
    "posterior and from the prior, with the same people's conditions. SD of LVEDV and LVEF: over hearts decoded from "
    "the posterior's mean (completed), from the prior (generated), and of real ones. seam: Dice of a generated heart's "
    "last frame with its first, in brackets the least of any two neighbours before; for the latents of frames the "
    "last step over the median step. Dice no less than the least, steps about 1: the beat closes."
)


def evaluate_latent(
    model: Model,
    cohort: Cohort,
    *,
    split: Split = "test",
    subjects: int | None = None,
    seed: int = 0,
    jobs: Jobs = 1,
) -> dict[str, Any] | None:
    """Where a model's latents are, how they go around the cycle, and what the prior's make; None without an encoder.

    Args, Raises: as :func:`cheart.evaluation.generation.evaluate_generation`; ``seed`` is of the random latents.
    """
    if not {"complete", "generate"} <= set(model.network.tasks):
        return None
    indices = chosen_subjects(model, cohort, split, subjects)
    people = list(enumerate(indices))
    rows = collect(partial(_looked_into, model, cohort, seed), people, jobs=jobs, title="Looking into the latent")
    means, draws = (np.stack([row[name] for row in rows]) for name in ("mean", "draws"))  # [N, D], [N, DRAWS, D]
    kl = divergence(means, draws)
    spread = draws.reshape(-1, draws.shape[2]).var(axis=0)
    hearts = {whose: [row[whose] for row in rows] for whose in ("real", "completed", "posterior", "prior")}
    return {
        "dimensions": means.shape[1],
        "kl": sorted(map(float, kl), reverse=True),
        "used": int((means.var(axis=0) > ACTIVE).sum()),
        "spread": [float(spread.min()), float(spread.max())],
        "whole": {whose: float(np.mean([h["whole"] for h in hearts[whose]])) for whose in ("posterior", "prior")},
        "sd": {
            whose: {name: _sd([h[name] for h in hearts[whose]]) for name in ("lvedv", "lvef")}
            for whose in ("real", "completed", "prior")
        },
        "seam": float(np.mean([h["seam"][-1] for h in hearts["prior"]])),
        "least_before_seam": float(np.mean([min(h["seam"][:-1]) for h in hearts["prior"]])),
        "latent_seam": float(np.median([row["latent_seam"] for row in rows])) if "latent_seam" in rows[0] else None,
    }


def divergence(means: NDArray[np.floating], draws: NDArray[np.floating]) -> NDArray[np.float64]:
    """KL of each dimension's posterior from N(0, 1) in nats, mean over people, [D].

    Args:
        means: posterior means, [N, D].
        draws: of each posterior, [N, n, D]; the logarithm of a variance of n draws is corrected for its bias.
    """
    freedom = draws.shape[1] - 1
    variance = np.maximum(draws.var(axis=1, ddof=1), 1e-12)
    logs = np.log(variance) - (digamma(freedom / 2) - np.log(freedom / 2))
    kl: NDArray[np.float64] = 0.5 * (np.square(means) + variance - 1 - logs).mean(axis=0)
    return kl


def latent_table(models: Mapping[str, Mapping[str, Any]]) -> Table:
    """Latents of models side by side.

    Args:
        models: by model, of :func:`evaluate_latent`.
    """
    heads = (
        "", "KL, nats", "used", "spread", "whole, posterior", "whole, prior", "SD LVEDV, mL: real", "completed",
        "generated", "SD LVEF, %: real", "completed", "generated", "seam, Dice", "seam, latent",
    )  # fmt: skip
    rows = []
    for name, one in models.items():
        sds = [_shown(one["sd"][whose][p], 1) for p in ("lvedv", "lvef") for whose in ("real", "completed", "prior")]
        rows.append(
            (
                name, f"{sum(one['kl']):.1f}", f"{one['used']} of {one['dimensions']}",
                f"{one['spread'][0]:.2f} to {one['spread'][1]:.2f}", f"{one['whole']['posterior']:.0%}",
                f"{one['whole']['prior']:.0%}", *sds, f"{one['seam']:.3f} ({one['least_before_seam']:.3f})",
                _shown(one["latent_seam"], 2),
            )
        )  # fmt: skip
    return Table("Latents", heads, tuple(rows), "latent")


def _looked_into(model: Model, cohort: Cohort, seed: int, person: tuple[int, int]) -> dict[str, Any]:
    """Of one person: the posterior, and the hearts of its mean, of a draw of it, and of a draw of the prior."""
    n, index = person
    network, conditions = model.network, encoded_conditions(model, cohort, index)
    heart = cohort.heart(index)
    seeds = [heart_seed(seed, n * DRAWS + k) for k in range(DRAWS)]
    mean = network.encode(heart.labels[0], heart.observed[0], conditions)
    draws = [network.encode(heart.labels[0], heart.observed[0], conditions, seed=s) for s in seeds]
    latents = {"completed": mean, "posterior": draws[0], "prior": network.sample_latent(seeds[0])}
    row: dict[str, Any] = {"mean": mean[0].cpu().numpy(), "draws": np.stack([d[0].cpu().numpy() for d in draws])}
    row["real"] = heart.phenotypes.row()
    row |= {whose: _described(model, network.decode(z, conditions)) for whose, z in latents.items()}
    if network.latent_per_frame:
        around = network.trajectory(mean, conditions)
        steps = np.linalg.norm(np.roll(around, -1, axis=0) - around, axis=1)  # the last is from the last to the first
        row["latent_seam"] = float(steps[-1] / max(float(np.median(steps[:-1])), 1e-12))
    return row


def _described(model: Model, labels: NDArray[np.uint8]) -> dict[str, Any]:
    """Phenotypes, whether it is whole, and the Dice of each frame with the next, the last with the first."""
    heart = model.heart(labels)
    found = measure(labels, heart.curves)
    whole = not found.empty and found.island_voxels <= (1 - WHOLE) * np.count_nonzero(labels)
    alike = np.nan_to_num(dice(labels, np.roll(labels, -1, axis=0)), nan=1.0)  # neither frame has the structure
    seam = alike.mean(axis=1).tolist()
    return {**heart.phenotypes.row(), "whole": whole, "seam": seam}


def _sd(values: list[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else None


def _shown(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f"{value:.{digits}f}"

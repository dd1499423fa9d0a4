"""An atlas that moves: a model in one HTML file, for anyone to turn and to try.

The network's layers, those of the mesh basis and the mesh are in the page as plain numbers; its JavaScript runs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Conditions, Value
from cheart.errors import InputError
from cheart.files import refuse_existing
from cheart.model import PAPER_CYCLE_S, Model
from cheart.models.layer_graph import LayerGraph
from cheart.pages.mesh_basis import HEARTS, QUADRATIC, MeshBasis, mesh_basis, volumes_of
from cheart.pages.shell import packed, png_of, template_arrays, template_spans, write_page
from cheart.progress import Jobs

SLIDERS = 5
"""Leading modes that have a slider, beside the ejection fraction."""

_TRIALS = 4  # latents a direction that the leading modes are found with

_WORDS = {"age": "Age", "sex": "Sex", "weight": "Weight", "height": "Height", "sbp": "Systolic pressure"}


def atlas(
    model: Model | Path | str, out: Path | str, *, hearts: int = HEARTS, jobs: Jobs = -1, overwrite: bool = False
) -> Path:
    """Write a model as one page that opens in any browser, offline: conditions and modes in, beating hearts out.

    Args:
        model: a trained model, or where it lies; ``bundled`` is the one that comes with cheart.
        out: ends with ``.html``.
        hearts: that the mesh basis is fitted on; that of the bundled model is at hand.
        jobs: processes that fit it.
        overwrite: replace what is there.

    Returns:
        ``out``.

    Raises:
        InputError: another suffix, ``out`` exists; the model has no form that runs in a browser.
    """
    from cheart.model import load

    out = Path(out)
    refuse_existing(out, overwrite=overwrite, file=True)
    network = model if isinstance(model, Model) else load(model)
    graph, basis = network.network.layer_graph(), mesh_basis(network, hearts=hearts, jobs=jobs)
    basis.add_to(graph)
    person = typical(network)
    about = describe_model(network, graph, basis)
    directions, fractions = leading(network, graph, basis, person)
    about |= {"person": person, "fractions": fractions}
    arrays = model_arrays(graph, basis) | {"directions": packed(directions)}
    mean = network.network.decode(_zeros(network), network.encode(person))
    still = network.heart(mean, conditions=person)
    title = f"Beating hearts by a {network.name} model"
    write_page(out, "atlas", title, about, arrays, picture=png_of(still), overwrite=overwrite)
    return out


def describe_model(model: Model, graph: LayerGraph, basis: MeshBasis) -> dict[str, Any]:
    """What the page needs to know of a model beside its numbers."""
    encoding = model.encoding
    if encoding.age_decades:
        raise InputError("this model knows age as decades, which the page cannot slide: train with --set age=number")
    columns: list[dict[str, Any]] = []
    for column in encoding.columns:
        name, _, level = column.partition(":")
        numbers = {} if level else {"centre": encoding.centre[name], "scale": encoding.scale[name]}
        columns.append({"name": name, "level": level or None, **numbers})
    conditions = [
        {
            "name": f.name, "title": _WORDS.get(f.name, f.name.capitalize()), "unit": f.unit, "levels": list(f.levels),
            "range": list(encoding.trained.get(f.name, (0, 0))),
        }
        for f in encoding.schema.factors
    ]  # fmt: skip
    return {
        "steps": graph.steps, "columns": columns, "conditions": conditions, "frames": model.frames,
        "latent": model.network.latent_size(), "quadratic": min(QUADRATIC, len(basis.modes)),
        "cycle": model.config.get("cycle_s") or PAPER_CYCLE_S, "trained": model.trained_on,
        "simulated": model.config["trained_on"]["kind"] == "simulated", "fingerprint": model.fingerprint[:12],
        "spans": template_spans(),
    }  # fmt: skip


def model_arrays(graph: LayerGraph, basis: MeshBasis) -> dict[str, dict[str, Any]]:
    """The numbers: of the layers, of the mesh basis, of the template."""
    return {
        **{name: packed(tensor) for name, tensor in graph.tensors.items()},
        "mesh.mean": packed(basis.mean.ravel()),
        "mesh.modes": packed(basis.modes.reshape(len(basis.modes), -1), scale=basis.step),
        "mesh.volumes": packed(basis.volumes),
        **template_arrays(),
    }


def typical(model: Model) -> dict[str, Value]:
    """A person in the middle of the training cohort: means of numbers, rounded, and the first of levels."""
    population = model.population
    middle = population.fraction @ population.mean
    numbers = {name: round(float(v)) for name, v in zip(population.numbers, middle, strict=True)}
    schema = model.encoding.schema
    return {f.name: numbers[f.name] if f.kind == "number" else f.levels[0] for f in schema.factors}


def leading(
    model: Model, graph: LayerGraph, basis: MeshBasis, person: Conditions
) -> tuple[NDArray[np.float64], list[float]]:
    """Orthonormal directions of the latent: that of the ejection fraction, then those along which hearts differ most.

    Both are regressions on random latents: of the ejection fraction, and of the mesh at end-diastole and at
    end-systole. Steps along orthonormal directions of N(0, 1) are N(0, 1) themselves.

    Returns:
        [1 + SLIDERS, latent], and the fraction of the hearts' variance along each.
    """
    size = model.network.latent_size()
    latents = np.random.default_rng(0).standard_normal((_TRIALS * size, size)).astype(np.float32)
    conditions = model.encode(person)[None]
    scores = np.stack([graph.run(conditions=conditions, latent=z[None])["scores"] for z in latents]).astype(np.float64)
    cavity = volumes_of(basis, scores.reshape(-1, scores.shape[2]))["lv"].reshape(scores.shape[:2])
    es = cavity.argmin(axis=1)
    fraction = 1 - cavity.min(axis=1) / cavity[:, 0]
    shapes = np.hstack([scores[:, 0], scores[np.arange(len(scores)), es]])
    known = np.hstack([np.ones((len(latents), 1)), latents])
    fits = np.linalg.lstsq(known, np.hstack([fraction[:, None], shapes - shapes.mean(axis=0)]), rcond=None)[0][1:]
    first = fits[:, 0] / np.linalg.norm(fits[:, 0])
    rest = fits[:, 1:] - np.outer(first, first @ fits[:, 1:])
    axes = np.linalg.svd(rest, full_matrices=False)[0][:, :SLIDERS].T
    directions = np.vstack([first, axes])
    along = np.square(directions @ fits[:, 1:]).sum(axis=1) / np.square(fits[:, 1:]).sum()
    return directions, [round(float(v), 4) for v in along]


def _zeros(model: Model) -> Any:
    import torch

    return torch.zeros(1, model.network.latent_size(), device=model.network.device)

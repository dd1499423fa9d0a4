"""Any heart as the common mesh (:mod:`cheart.mesh.template`): its label maps by their soft signed distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cheart.errors import InputError
from cheart.heart import Heart
from cheart.labels import LV, MYO, RV
from cheart.mesh.surface import PARTS
from cheart.mesh.template import Sampling, Template, load_template
from cheart.models.fields import FieldGrid, fields
from cheart.progress import track

_LEVEL_MM = 0.3  # blur rounds edges: at this level bodies are nearly as large as their voxels


def sampling_of(where: FieldGrid) -> Sampling:
    """Where fields are sampled, in mm of the template pose."""
    spacing, factor = np.array(where.grid.spacing), np.array(where.factor)
    corner = np.array([axis[0] for axis in where.grid.axes()])
    first = corner + (factor - 1) / 2 * spacing + np.array(where.start) * factor * spacing
    return Sampling(tuple(first.tolist()), tuple((factor * spacing).tolist()))


def mesh_of(heart: Heart) -> NDArray[np.float64]:
    """The common mesh in every frame of a heart: vertex i is the same place in everybody and at all times.

    Each closed part encloses the volume of its voxels.

    Returns:
        Vertices [T, V, 3] (x, y, z) in mm of the template pose; nan in frames of which nothing was imaged.

    Raises:
        InputError: a frame lacks a part.
    """
    template, where = load_template(), FieldGrid.whole(heart.grid)
    sampling, voxel_ml = sampling_of(where), heart.grid.voxel_ml
    out = np.full((heart.frames, len(template.vertices), 3), np.nan)
    frames = heart.observed_frames
    for t in track(frames, total=len(frames), title="Meshes"):
        distances = fields(heart.labels[t : t + 1], where)[0]
        try:
            vertices = template.onto(distances - np.float32(_LEVEL_MM), sampling)
        except InputError as error:
            raise InputError(f"frame {t}: {error}") from None
        counts = np.bincount(heart.labels[t].ravel(), minlength=4) * voxel_ml
        wanted = (counts[LV], counts[LV] + counts[MYO], counts[RV])
        out[t] = with_volumes(template, vertices, dict(zip(PARTS, wanted, strict=True)))
    return out


def with_volumes(template: Template, vertices: NDArray[np.float64], wanted_ml: dict[str, float]) -> NDArray[np.float64]:
    """Move each part's vertices along their normals, all as far, until it encloses its volume."""
    out = vertices.copy()
    for part, wanted in wanted_ml.items():
        for _ in range(2):
            surface = template.surface(out, part)
            step = (wanted - surface.volume_ml) * 1000 / surface.face_areas.sum()
            out[template.spans[part]] += np.clip(step, -2.0, 2.0) * surface.normals
    return out

"""The mean heart of people of given conditions, and how far such people differ from it, on the common mesh.

The vertices of every heart at end-diastole and at end-systole are regressed on the conditions that are asked for (least
squares); what is not asked for is as people with those conditions have it in the cohort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cheart.cohort import Cohort, write_table
from cheart.conditions import Encoding, Schema, Value, describe
from cheart.errors import InputError
from cheart.export.bids import write_label_file
from cheart.files import new_folder, refuse_existing, write_checksums, write_json
from cheart.grid import Grid
from cheart.heart import Heart, Kind
from cheart.io.nifti import write_image, write_labels
from cheart.labels import MYOCARDIUM_G_PER_ML, STRUCTURES
from cheart.mesh.files import write_vtp
from cheart.mesh.surface import PARTS
from cheart.mesh.template import load_template
from cheart.normal.groups import two_meshes
from cheart.normal.shape_images import likely_labels, mean_labels
from cheart.plot.picture import save_picture
from cheart.progress import Jobs, collect
from cheart.provenance import provenance

MIN_HEARTS = 10
"""Hearts of which all conditions asked for are known, at least."""

_PHASES = ("ed", "es")


@dataclass(frozen=True, eq=False)
class ConditionalShapes:
    """Mean shapes of a grid of conditions.

    Attributes:
        people: P combinations of conditions.
        means: [P, 2, V, 3] mm, end-diastole and end-systole; nan where no end-systole was imaged.
        sd: [2, V] mm, of what the conditions leave open, along the mean's outward normals.
        hearts: how many were used.
        grid: of the images that are made of them.
        cohort: its ``title``, ``kind`` and ``fingerprint``.
    """

    people: tuple[Mapping[str, Value], ...]
    means: NDArray[np.float64]
    sd: NDArray[np.float64]
    hearts: int
    grid: Grid
    cohort: Mapping[str, str]

    def table(self) -> pd.DataFrame:
        """A row a combination: its conditions; volumes (mL), mass (g) and ejection fraction (%) of its mean shape."""
        template = load_template()
        inner, outer, right = PARTS
        rows = []
        for person, shapes in zip(self.people, self.means, strict=True):
            ed, es = (template.volumes_ml(shape) for shape in shapes)
            mass = (ed[outer] - ed[inner]) * MYOCARDIUM_G_PER_ML
            function = {"lvesv": es[inner], "rvesv": es[right], "lvef": 100 * (1 - es[inner] / ed[inner])}
            rows.append({**person, "lvedv": ed[inner], "rvedv": ed[right], "lvm": mass, **function})
        return pd.DataFrame(rows)

    def save(self, folder: Path | str, *, overwrite: bool = False) -> None:
        """Write ``shapes.tsv``, ``picture.png``, and of each combination meshes (VTP) and images (NIfTI).

        Meshes: each part at end-diastole and at end-systole, with the SD at its vertices. Images: the label map
        ``…_dseg.nii.gz`` and the probability of each structure ``…_probability-lv.nii.gz``, both phases in one file.

        Raises:
            InputError: ``folder`` exists and ``overwrite`` is false.
        """
        template = load_template()
        with new_folder(Path(folder), overwrite=overwrite) as out:
            write_table(out / "shapes.tsv", self.table())
            hearts = self.hearts_of_means()
            save_picture(out / "picture.png", hearts, titles=[_words(p) for p in self.people], caption=self._caption)
            write_label_file(out)
            for person, shapes, heart in zip(self.people, self.means, hearts, strict=True):
                name = "_".join(f"{n}-{v if isinstance(v, str) else format(v, 'g')}" for n, v in person.items())
                write_labels(out / f"{name}_dseg.nii.gz", heart.labels, self.grid.affine, space="template")
                likely = np.stack([likely_labels(*of, self.grid) for of in self._phases(shapes)], axis=1)
                for structure, values in zip(STRUCTURES, likely, strict=True):
                    path = out / f"{name}_probability-{structure}.nii.gz"
                    write_image(path, values, self.grid.affine, space="template")
                for phase, shape, sd in zip(_PHASES, shapes, self.sd, strict=True):
                    for part, span in template.spans.items() if np.isfinite(shape).all() else ():
                        path = out / f"{name}_{phase}_{part}.vtp"
                        write_vtp(path, template.surface(shape, part), at_points={"sd": sd[span]}, at_faces={})
            about = {"kind": "mean shapes", "people": [dict(p) for p in self.people], "used": self.hearts}
            write_json(out / "result.json", {**about, "cohort": dict(self.cohort), "provenance": provenance()})
            write_checksums(out)

    def hearts_of_means(self) -> list[Heart]:
        """The mean shape of each combination as label maps: end-diastole and, where it was imaged, end-systole."""
        hearts = []
        for person, shapes in zip(self.people, self.means, strict=True):
            labels = np.stack([mean_labels(shape, self.grid) for shape, _ in self._phases(shapes)])
            seen = np.ones(labels.shape[:2], bool)
            kind: Kind = "simulated" if self.cohort["kind"] == "simulated" else "imported"
            hearts.append(Heart(labels, seen, self.grid, kind=kind, conditions=person))
        return hearts

    def _phases(self, shapes: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Mean and SD of the phases that were imaged."""
        return [(shape, sd) for shape, sd in zip(shapes, self.sd, strict=True) if np.isfinite(shape).all()]

    @property
    def _caption(self) -> str:
        return f"Means of {self.hearts} hearts ({self.cohort['title']})"


def _words(person: Mapping[str, Value]) -> str:
    return "mean shape, " + ", ".join(f"{n} {v if isinstance(v, str) else format(v, 'g')}" for n, v in person.items())


def conditional_shapes(
    cohort: Cohort,
    at: Mapping[str, Sequence[object]],
    *,
    out: Path | str | None = None,
    overwrite: bool = False,
    jobs: Jobs = -1,
) -> ConditionalShapes:
    """The mean shape of every combination of some values of some conditions.

    Args:
        cohort: label maps and conditions.
        at: values by condition, such as ``{"age": [30, 50, 70], "sex": ["F", "M"]}``; hearts of which one of these
            conditions is not known are left out.
        out: a folder to write (:meth:`ConditionalShapes.save`).
        overwrite: replace what is there.
        jobs: processes (−1: one a core) or a Dask scheduler.

    Raises:
        InputError: no such condition, a value beyond those of the cohort, too few hearts, or ``out`` exists.
    """
    if out is not None:
        refuse_existing(Path(out), overwrite=overwrite)
    schema = Schema(tuple(cohort.schema[name] for name in at))
    grid = {name: [schema[name].read(value) for value in values] for name, values in at.items()}
    people = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    owners = [{name: cohort.conditions(i)[name] for name in at} for i in range(len(cohort))]
    use = [i for i, owner in enumerate(owners) if None not in owner.values()]
    if not people or len(use) < MIN_HEARTS:
        raise InputError(f"{len(use)} hearts have all of {', '.join(at)}: at least {MIN_HEARTS} are needed (--at)")
    encoding = Encoding.fit(schema, [owners[i] for i in use])
    for person in people:
        beyond = encoding.outside(person)
        seen = all(any(owners[i][n] == v for i in use) for n, v in person.items() if schema[n].kind == "level")
        if beyond or not seen:
            raise InputError(f"--at {describe(person, schema)}: the cohort has nobody like that ({'; '.join(beyond)})")
    meshes = np.stack(collect(partial(two_meshes, cohort), use, jobs=jobs, title="Meshes"))
    means, sd = _regressed(_design(encoding, [owners[i] for i in use]), meshes, _design(encoding, people))
    about = {name: str(cohort.info[name]) for name in ("title", "kind", "fingerprint")}
    found = ConditionalShapes(tuple(people), means, sd, len(use), cohort.grid, about)
    if out is not None:
        found.save(out, overwrite=overwrite)
    return found


def _design(encoding: Encoding, people: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    x = encoding.encode(people).astype(float)
    return np.column_stack([np.ones(len(x)), x])


def _regressed(
    design: NDArray[np.float64], meshes: NDArray[np.float64], asked: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means [P, 2, V, 3] and SDs [2, V] of meshes [N, 2, V, 3], of each phase by the hearts that show it."""
    template = load_template()
    means, sd = np.full((len(asked), *meshes.shape[1:]), np.nan), np.full(meshes.shape[1:3], np.nan)
    for phase in range(meshes.shape[1]):
        known = np.isfinite(meshes[:, phase]).all((1, 2))
        if known.sum() < MIN_HEARTS:
            continue
        own, x = meshes[known, phase], design[known]
        beta = np.linalg.pinv(x, rcond=1e-9) @ own.reshape(len(own), -1)
        means[:, phase] = (asked @ beta).reshape(len(asked), *own.shape[1:])
        left = own - (x @ beta).reshape(own.shape)
        mean = own.mean(0)
        normals = np.concatenate([template.surface(mean, part).normals for part in PARTS])
        free = len(own) - np.linalg.matrix_rank(x)
        sd[phase] = np.sqrt(np.square(np.einsum("nvi,vi->nv", left, normals)).sum(0) / free)
    return means, sd

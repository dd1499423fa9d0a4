"""One group against another, vertex by vertex of the common mesh: form at end-diastole, wall, and motion.

Of every heart of a cohort the common mesh (:mod:`cheart.models.common_mesh`) gives three fields:

    form        distance of each vertex from the cohort's mean, along the mean's outward normal, mm
    thickness   distance of the two ends of each column through the LV's wall, mm
    excursion   how far each vertex moves from end-diastole to end-systole, mm (of hearts of which both were imaged)

and each vertex's value is regressed on group and covariates (ordinary least squares). Student's t of the group, two
sided; the false discovery rate over a field's vertices is held by Benjamini & Hochberg's procedure (J R Stat Soc B
57:289, 1995), which holds for vertices that go together positively, as neighbours do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from cheart.cohort import Cohort, write_table
from cheart.errors import InputError
from cheart.files import new_folder, refuse_existing, write_checksums, write_json
from cheart.mesh.files import write_vtp
from cheart.mesh.surface import PARTS
from cheart.mesh.template import Template, load_template
from cheart.models.common_mesh import mesh_of
from cheart.progress import Jobs, collect
from cheart.provenance import provenance

FIELDS = {"form": "form at end-diastole", "thickness": "wall thickness", "excursion": "motion to end-systole"}
"""What is compared, in words."""

MIN_GROUP = 5
"""Hearts of each group, at least."""

_ENDO, _EPI = "lv_endocardium", "lv_epicardium"


@dataclass(frozen=True, eq=False)
class FieldDifference:
    """One field, second group less first, at the covariates' means.

    Attributes:
        name: of :data:`FIELDS`.
        vertices: [W] of the common mesh.
        difference: [W] mm.
        t, p, q: [W] Student's t, its two-sided p, and the false discovery rate at which the vertex would be called.
        means, sds: [2, W] of the groups, not adjusted, mm.
        counts: hearts of the first and of the second group.
    """

    name: str
    vertices: NDArray[np.intp]
    difference: NDArray[np.float64]
    t: NDArray[np.float64]
    p: NDArray[np.float64]
    q: NDArray[np.float64]
    means: NDArray[np.float64]
    sds: NDArray[np.float64]
    counts: tuple[int, int]

    @property
    def title(self) -> str:
        """In words."""
        return FIELDS[self.name]


@dataclass(frozen=True, eq=False)
class GroupDifference:
    """Two groups of a cohort.

    Attributes:
        by: the condition that parts them, and the two levels.
        groups: first and second.
        covariates: that were allowed for.
        fields: what was compared.
        shapes: [2, V, 3] mean mesh of each group at end-diastole, mm.
        rate: the false discovery rate.
        cohort: its ``title``, ``kind`` and ``fingerprint``.
    """

    by: str
    groups: tuple[str, str]
    covariates: tuple[str, ...]
    fields: tuple[FieldDifference, ...]
    shapes: NDArray[np.float64]
    rate: float
    cohort: Mapping[str, str]

    def table(self) -> pd.DataFrame:
        """A row a field and part: how much of it differs, and by how much, mm."""
        template = load_template()
        rows = []
        for field in self.fields:
            for part in PARTS if field.name != "thickness" else (_ENDO,):
                inside = np.isin(field.vertices, np.arange(len(template.vertices))[template.spans[part]])
                called = inside & (field.q <= self.rate)
                rows.append(
                    {
                        "field": field.name, "part": "lv_wall" if field.name == "thickness" else part,
                        "hearts": "/".join(map(str, field.counts)), "called_percent": 100 * called.sum() / inside.sum(),
                        "mean_mm": field.difference[inside].mean(), "least_mm": field.difference[inside].min(),
                        "most_mm": field.difference[inside].max(), "largest_t": np.abs(field.t[inside]).max(),
                    }
                )  # fmt: skip
        return pd.DataFrame(rows)

    def save(self, folder: Path | str, *, overwrite: bool = False) -> None:
        """Write ``differences.tsv``, a picture, and for each part and group its mean mesh with the maps (VTP).

        Raises:
            InputError: ``folder`` exists and ``overwrite`` is false.
        """
        from cheart.normal.group_picture import save_group_picture

        with new_folder(Path(folder), overwrite=overwrite) as out:
            template = load_template()
            write_table(out / "differences.tsv", self.table())
            for part, span in template.spans.items():
                for group, shape in zip(self.groups, self.shapes, strict=True):
                    arrays = self._at(np.arange(len(template.vertices))[span])
                    write_vtp(out / f"{part}-{group}.vtp", template.surface(shape, part), at_points=arrays, at_faces={})
            save_group_picture(out / "picture.png", self)
            result = {
                "kind": "comparison", "by": self.by, "groups": list(self.groups), "covariates": list(self.covariates),
                "rate": self.rate, "counts": {field.name: list(field.counts) for field in self.fields},
                "cohort": dict(self.cohort), "provenance": provenance(),
            }  # fmt: skip
            write_json(out / "result.json", result)
            write_checksums(out)

    def _at(self, vertices: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
        """The maps at these vertices, nan where a field is not defined."""
        out = {}
        for field in self.fields:
            place = {int(v): i for i, v in enumerate(field.vertices)}
            index = np.array([place.get(int(v), -1) for v in vertices])
            for name in ("difference", "t", "q"):
                values = getattr(field, name)
                out[f"{field.name}_{name}"] = np.where(index >= 0, values[index], np.nan)
        return out


def cohort_atlas(
    cohort: Cohort,
    by: str,
    *,
    groups: Sequence[str] | None = None,
    covariates: Sequence[str] = (),
    rate: float = 0.05,
    out: Path | str | None = None,
    overwrite: bool = False,
    jobs: Jobs = -1,
) -> GroupDifference:
    """Compare two groups of a cohort, vertex by vertex.

    Args:
        cohort: label maps and conditions.
        by: the condition that parts the groups; one with levels, such as ``sex``.
        groups: the two levels, the second less the first; the condition's own two where there are no more.
        covariates: conditions that are numbers, allowed for; hearts of which one is not known are left out.
        rate: the false discovery rate.
        out: a folder to write (:meth:`GroupDifference.save`).
        overwrite: replace what is there.
        jobs: processes (−1: one a core) or a Dask scheduler.

    Raises:
        InputError: no such condition or level, too few hearts, or ``out`` exists.
    """
    if out is not None:
        refuse_existing(Path(out), overwrite=overwrite)
    first, second = _levels(cohort, by, groups)
    for name in covariates:
        if cohort.schema[name].kind != "number":
            raise InputError(f"covariate {name!r} has levels: expected a number, such as age (--allow-for)")
    people = [cohort.conditions(i) for i in range(len(cohort))]
    use = [
        i for i, p in enumerate(people) if p[by] in (first, second) and all(p[name] is not None for name in covariates)
    ]
    member = np.array([people[i][by] == second for i in use])
    if min(member.sum(), (~member).sum()) < MIN_GROUP:
        count = f"{(~member).sum()} of {first} and {member.sum()} of {second}"
        raise InputError(f"{count}: at least {MIN_GROUP} hearts of each are needed, all covariates known")
    meshes = np.stack(collect(partial(two_meshes, cohort), use, jobs=jobs, title="Meshes"))
    numbers = np.array([[float(people[i][name] or 0) for name in covariates] for i in use]).reshape(len(use), -1)
    fields = tuple(
        _compare(name, vertices, values, member, numbers) for name, vertices, values in _fields(meshes, load_template())
    )
    shapes = np.stack([meshes[~member, 0].mean(0), meshes[member, 0].mean(0)])
    about = {name: str(cohort.info[name]) for name in ("title", "kind", "fingerprint")}
    found = GroupDifference(by, (first, second), tuple(covariates), fields, shapes, rate, about)
    if out is not None:
        found.save(out, overwrite=overwrite)
    return found


def _levels(cohort: Cohort, by: str, groups: Sequence[str] | None) -> tuple[str, str]:
    factor = cohort.schema[by]
    if factor.kind != "level":
        raise InputError(f"{by} is a number: groups are levels of a condition, such as sex (--by)")
    asked = [str(factor.read(group)) for group in groups or factor.levels]
    if len(asked) != 2 or asked[0] == asked[1]:
        raise InputError(f"{by} has the levels {', '.join(factor.levels)}: name two of them (--groups A,B)")
    return asked[0], asked[1]


def two_meshes(cohort: Cohort, index: int) -> NDArray[np.float64]:
    """[2, V, 3] at end-diastole and at end-systole; nan where that was not imaged."""
    heart = cohort.heart(index)
    es = heart.phenotypes.es_frame
    frames = [0] if es is None else [0, es]
    short = replace(heart, labels=heart.labels[frames], observed=heart.observed[frames])
    found = mesh_of(short)
    return found if len(found) == 2 else np.concatenate([found, np.full_like(found, np.nan)])


def _fields(meshes: NDArray[np.float64], template: Template) -> list[tuple[str, NDArray[np.intp], NDArray[np.float64]]]:
    """Name, vertices [W] and values [N, W] of every field."""
    everywhere = np.arange(len(template.vertices))
    mean = meshes[:, 0].mean(0)
    normals = np.concatenate([template.surface(mean, part).normals for part in PARTS])
    inner, outer = (everywhere[template.spans[part]] for part in (_ENDO, _EPI))
    return [
        ("form", everywhere, np.einsum("nvi,vi->nv", meshes[:, 0] - mean, normals)),
        ("thickness", inner, np.linalg.norm(meshes[:, 0, outer] - meshes[:, 0, inner], axis=2)),
        ("excursion", everywhere, np.linalg.norm(meshes[:, 1] - meshes[:, 0], axis=2)),
    ]


def _compare(
    name: str, vertices: NDArray[np.intp], values: NDArray[np.float64], member: NDArray[np.bool_], numbers: NDArray[Any]
) -> FieldDifference:
    """Least squares at every vertex at once."""
    known = np.isfinite(values).all(1)
    y, group, extra = values[known], member[known], numbers[known]
    if not known.any() or min(group.sum(), (~group).sum()) < 2:
        empty = np.full(len(vertices), math.nan)
        return FieldDifference(
            name, vertices, empty, empty, empty, empty, np.stack([empty] * 2), np.stack([empty] * 2), (0, 0)
        )
    centred = (extra - extra.mean(0)) / np.maximum(extra.std(0), 1e-9)
    design = np.column_stack([group.astype(float), np.ones(len(y)), centred])
    inverse = np.linalg.pinv(design.T @ design)
    beta = inverse @ design.T @ y
    free = len(y) - np.linalg.matrix_rank(design)
    variance = np.square(y - design @ beta).sum(0) / free
    t = beta[0] / np.sqrt(np.maximum(variance * inverse[0, 0], 1e-18))
    p = 2 * student.sf(np.abs(t), free)
    means, sds = (np.stack([f(y[~group], axis=0), f(y[group], axis=0)]) for f in (np.mean, np.std))
    counts = (int((~group).sum()), int(group.sum()))
    return FieldDifference(name, vertices, beta[0], t, p, discovery_rates(p), means, sds, counts)


def discovery_rates(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least false discovery rate at which each test would be called (Benjamini & Hochberg).

    >>> discovery_rates(np.array([0.01, 0.04, 0.03, 0.5])).round(3).tolist()
    [0.04, 0.053, 0.053, 0.5]
    """
    order = np.argsort(p)
    raised = p[order] * len(p) / np.arange(1, len(p) + 1)
    out = np.empty_like(p)
    out[order] = np.minimum.accumulate(raised[::-1])[::-1].clip(max=1)
    return out

"""Hearts that a model makes when they are asked for, one after the other; and what to do with all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from cheart.conditions import Conditions
from cheart.errors import InputError, show_warnings
from cheart.evidence import Evidence
from cheart.heart import Heart
from cheart.progress import Jobs, parallel, track

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from cheart.cohort import Split
    from cheart.export.hearts import Layout
    from cheart.model import Model
    from cheart.plot.style import Picture
    from cheart.simulation.acquisition import Acquisition

Unknown = Literal["draw", "missing"]
"""What to do with conditions that are not given: draw them as the training cohort has them, or let the network know
that they are missing."""

SHOWN = 6
"""Hearts that one picture holds."""

_PERFECT = (
    "each image is its own label map: put images of your own in their place, or degrade them (--slice-thickness, "
    "--missing-slices …)"
)


@dataclass(frozen=True, eq=False)
class Request:
    """One heart to be made; a worker can make it (:func:`make_heart`).

    Attributes:
        conditions: those that are given.
        seed: of the latent, and of conditions that are drawn.
        unknown: conditions that are not given are drawn, or missing.
        latent: z_0 [1, size] to be decoded, in place of one drawn with the seed; then all conditions are resolved.
        evidence: what is known of its beat, which is then completed: one sample, with the seed.
        about: what else is known of the heart, as attributes of :class:`cheart.heart.Heart`.
    """

    conditions: Conditions
    seed: int = 0
    unknown: Unknown = "draw"
    latent: Tensor | None = None
    evidence: Evidence | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Requests(Sequence[Request]):
    """``n`` requests for each of some people, none of which is made before it is asked for.

    Attributes:
        people: their conditions.
        n: hearts a person.
        seed: heart k of a single person depends on (seed, k) only; of several, those of each on its number too.
        unknown: as in :class:`Request`.
        several: whether it is a table of people, even of one, and no single person.
    """

    people: Sequence[Conditions]
    n: int
    seed: int
    unknown: Unknown
    several: bool

    def __len__(self) -> int:
        return len(self.people) * self.n

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        person, k = divmod(range(len(self))[index], self.n)
        seed = heart_seed(self.seed, person) % 2**31 if self.several else self.seed
        return Request(self.people[person], heart_seed(seed, k), self.unknown)


class Hearts(Sequence[Heart]):
    """Hearts that are made when they are asked for: memory does not grow with their number.

    Made by :meth:`cheart.model.Model.generate` and :meth:`cheart.model.Model.vary`; or of hearts that are there, to be
    saved in one folder.

    >>> hearts = model.generate({"age": 63}, n=100)                                              # doctest: +SKIP
    >>> hearts[0].phenotypes.lvef, hearts[:10].table(), hearts.save("made/", jobs=-1)            # doctest: +SKIP

    Args:
        model: that makes them.
        items: what each is made of, or the heart itself.
        warnings: what to be careful about.
        about: how they came to be, for result.json: ``seed`` …
    """

    def __init__(
        self,
        model: Model,
        items: Sequence[Request | Heart],
        *,
        warnings: Sequence[str] = (),
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.model, self.items, self.warnings, self.about = model, items, tuple(warnings), dict(about or {})

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> Heart: ...
    @overload
    def __getitem__(self, index: slice) -> Hearts: ...
    def __getitem__(self, index: int | slice) -> Heart | Hearts:
        if isinstance(index, slice):
            return Hearts(self.model, self.items[index], warnings=self.warnings, about=self.about)
        return make_heart(self.model, self.items[index])

    def save(
        self,
        folder: Path | str,
        *,
        layout: Layout = "bids",
        acquisition: Acquisition | None = None,
        splits: Sequence[Split] | None = None,
        who: Sequence[str] | None = None,
        shard: str | None = None,
        resume: bool = False,
        overwrite: bool = False,
        jobs: Jobs = 1,
        mesh: Literal["solid"] | None = None,
        rv_wall: float = 3.0,
    ) -> int:
        """Write them into a folder (:mod:`cheart.export.hearts`) heart by heart, and a picture of the first ones.

        Args:
            folder: to be written.
            layout: ``bids``, a folder of cycles that ``cheart import nifti`` reads; ``nnunet`` or ``monai``, a set
                for training other networks.
            acquisition: what is imaged of each heart, and how well; without one every plane of every frame
                (``bids``) or of end-diastole and end-systole.
            splits: ``train``, ``val`` or ``test`` for each; without them in the paper's proportions.
            who: whose each heart is, by the name that a table has for the person; names the files. Without it they
                are numbered.
            shard: such as ``3/16``: that part only; the parts add up to the whole, in any order and at any time.
            resume: go on with what stands in ``folder``.
            overwrite: replace what is there.
            jobs: processes (−1: one a core) or a Dask scheduler; the files do not depend on them.
            mesh: ``solid`` writes each heart's walls as tetrahedra as well (:meth:`cheart.heart.Heart.mesh`), into
                ``solids/``, and a row of each into ``solids.tsv``.
            rv_wall: thickness in mm that a solid's RV wall has at end-diastole, 1 to 10.

        Returns:
            How many hearts are still missing: those of other shards.

        Raises:
            InputError: the folder is there, or was begun with other settings; no heart; another thickness or mesh.
        """
        from cheart.cohort import split_subjects
        from cheart.export.hearts import HeartFolder, parse_shard
        from cheart.files import locked, sha256_of_json, write_checksums
        from cheart.plot.picture import save_picture
        from cheart.simulation.acquisition import Acquisition

        if not len(self):
            raise InputError(f"{folder}: there is no heart to save")
        part = parse_shard(shard)
        beside = _beside(mesh, rv_wall)
        acquisition = acquisition or Acquisition(observed="all" if layout == "bids" else "ed,es")
        uses: list[Any] = list(splits or split_subjects(len(self), seed=self.about.get("seed", 0)))
        kind = self.items[0].kind if isinstance(self.items[0], Heart) else "generated"
        settings = {
            "model": self.model.fingerprint,
            "number of hearts": len(self),
            "seed": self.about.get("seed"),
            "layout": layout,
            "acquisition": asdict(acquisition),
            "conditions": self._digest(uses),
        }
        if mesh is not None:
            settings["mesh"] = {mesh: {"rv_wall": rv_wall}}
        if who is not None:
            settings["people"] = sha256_of_json(list(who))
        title = f"{len(self)} hearts {kind} by a {self.model.name} model trained on {self.model.trained_on}"
        target = HeartFolder(
            Path(folder), uses, splits is not None, layout, self.model.encoding.schema, self.model.name, title,
            settings, self.model.result(kind=kind, hearts=len(self), **self.about), who,
            beside,
        )  # fmt: skip
        make = partial(_make_and_image, self.model, acquisition)
        with locked(target.folder) if shard is None else nullcontext():  # shards write into one folder together
            target.begin(join=shard is not None, resume=resume, overwrite=overwrite)
            if layout != "bids" and acquisition == Acquisition(observed=acquisition.observed):
                show_warnings([_PERFECT])
            missing = target.write(self.items, make, shard=part, jobs=jobs)
            if not missing:
                seen = [make(item)[1] for item in self.items[:SHOWN]]
                save_picture(target.folder / "picture.png", seen, caption=self._caption)
                write_checksums(target.folder)
        return missing

    def table(self, *, jobs: Jobs = 1) -> pd.DataFrame:
        """A row a heart: conditions, what was drawn of them, seed, phenotypes, and whether it is valid. It makes every
        heart once.

        Args:
            jobs: processes (−1: one a core) or a Dask scheduler.
        """
        import pandas as pd

        rows = parallel(partial(_row, self.model), self.items, jobs=jobs)
        return pd.DataFrame(list(track(rows, total=len(self), title="Making hearts")))

    def plot(self, *, titles: Sequence[str] | None = None) -> Picture:
        """End-diastole and end-systole of the first few, and their volume curves."""
        from cheart.plot.picture import picture

        return picture(list(self[:SHOWN]), titles=titles, caption=self._caption)

    def animate(self, path: Path | str, *, titles: Sequence[str] | None = None, overwrite: bool = False) -> None:
        """Write the first few as they beat beside each other (.gif, .webp, .mp4)."""
        from cheart.plot.animation import save_animation

        save_animation(path, list(self[:SHOWN]), titles=titles, caption=self._caption, overwrite=overwrite)

    def __repr__(self) -> str:
        return f"<{len(self)} hearts by a {self.model.name} model trained on {self.model.trained_on}>"

    def _repr_html_(self) -> str:
        rows = self[:SHOWN].table().to_html(float_format="{:.4g}".format, na_rep="n/a", index=False)
        more = f"<p>The first {SHOWN} of {len(self)}.</p>" if len(self) > SHOWN else ""
        return f"{rows}{more}"

    @property
    def _caption(self) -> str:
        return f"Model {self.model.name}, trained on {self.model.trained_on}"

    def _digest(self, splits: Sequence[str]) -> str:
        """SHA-256 over what each heart is made of and is for."""
        digest = hashlib.sha256()
        for item, split in zip(self.items, splits, strict=True):
            digest.update(json.dumps([dict(item.conditions), item.seed, split]).encode())
            if isinstance(item, Heart):
                digest.update(item.labels.tobytes())
            else:
                digest.update(item.unknown.encode())
                if item.evidence is not None:
                    digest.update(item.evidence.labels.tobytes() + item.evidence.observed.tobytes())
                    digest.update(json.dumps(sorted(item.evidence.measured.items())).encode())
                digest.update(b"" if item.latent is None else item.latent.cpu().numpy().tobytes())
        return digest.hexdigest()


def heart_seed(seed: int, k: int) -> int:
    """The seed of heart k of a run."""
    return int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0] >> 1)


def person_seed(seed: int, number: int, k: int) -> int:
    """The seed of heart k of person ``number`` of those who are judged or shown together."""
    return heart_seed(heart_seed(seed, number), k)


def complete_from(
    model: Model, evidence: Evidence, encoded: NDArray[np.float32], *, seed: int | None = None, **about: Any
) -> Heart:
    """The best completion of what is known of a beat, or with a seed one sample.

    Args:
        model: one that completes.
        evidence: on its grid.
        encoded: the owner's conditions, as :meth:`cheart.model.Model.encode` gives them.
        seed: of the latent.
        about: what else is known of it, as attributes of :class:`cheart.heart.Heart`.
    """
    labels = model.network.complete(evidence, encoded, seed=seed)
    heart = model.heart(labels, kind="completed", seed=seed, given=evidence.frames_in(labels), **about)
    if seed is not None or not evidence.measured:
        return heart
    astray = evidence.astray(heart.phenotypes)
    show_warnings(astray)
    return replace(heart, warnings=(*heart.warnings, *astray))


def make_heart(model: Model, item: Request | Heart) -> Heart:
    """Make one heart: z_0 from N(0, 1), then the temporal module and the decoder (section II-C)."""
    if isinstance(item, Heart):
        return item
    if item.latent is not None:
        labels = model.network.decode(item.latent, model.encode(item.conditions))
        return model.heart(labels, conditions=item.conditions, **item.about)
    if item.evidence is not None:
        about = {"conditions": item.conditions, **item.about}
        return complete_from(model, item.evidence, model.encode(item.conditions), seed=item.seed, **about)
    rng = np.random.default_rng(item.seed)
    conditions, drawn = model.resolve_conditions(item.conditions, unknown=item.unknown, rng=rng)
    labels = model.network.generate(model.encode(conditions), seed=item.seed)
    warnings = tuple(model.encoding.outside(conditions))
    return model.heart(labels, conditions=conditions, drawn=drawn, seed=item.seed, warnings=warnings)


def _make_and_image(model: Model, acquisition: Acquisition, item: Request | Heart) -> tuple[Heart, Heart]:
    """A heart, and what is imaged of it; chance depends on the heart's seed only."""
    from cheart.simulation.acquisition import Acquisition, acquire

    heart = make_heart(model, item)
    if acquisition == Acquisition():
        return heart, heart
    return heart, acquire(heart, acquisition, rng=np.random.default_rng([heart.seed or 0, 0xACC]))


def _beside(mesh: str | None, rv_wall: float) -> dict[str, Any]:
    """What is written beside the label maps of each heart.

    Raises:
        InputError: another mesh, or a thickness that no RV's wall has.
    """
    from cheart.mesh.write_solids import check_rv_wall

    if mesh is None:
        return {}
    if mesh != "solid":
        raise InputError(f"mesh {mesh!r}: expected solid, or nothing; for surfaces heart.mesh(...) or cheart mesh")
    check_rv_wall(rv_wall)
    return {"solids": partial(_write_solid, rv_wall)}


def _write_solid(rv_wall: float, heart: Heart, folder: Path) -> dict[str, Any]:
    """Its row of solids.tsv."""
    from cheart.mesh.write_solids import summary

    folder.parent.mkdir(exist_ok=True)
    return summary(heart.mesh(folder, solid=True, rv_wall=rv_wall, overwrite=True))


def _row(model: Model, item: Request | Heart) -> dict[str, Any]:
    heart = make_heart(model, item)
    drawn = {"drawn": ", ".join(heart.drawn), "seed": heart.seed}
    found = heart.validity.row()
    return {**heart.conditions, **drawn, **heart.phenotypes.row(), "valid": found["valid"], "failed": found["failed"]}

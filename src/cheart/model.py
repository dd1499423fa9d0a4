"""What a person holds: a trained model, ready to complete, generate and vary hearts; and how to train one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from cheart.cohort import Cohort
from cheart.completions import Completions, widening_for
from cheart.conditions import Conditions, Encoding, Person, Value
from cheart.errors import InputError, check_seed, show_warnings
from cheart.evidence import Evidence
from cheart.grid import Grid
from cheart.heart import Heart, Kind, whole
from cheart.hearts import Hearts, Request, Requests, Unknown, complete_from, heart_seed
from cheart.io import hub
from cheart.models.base import HeartModel
from cheart.models.device import choose_device
from cheart.models.find import BUNDLED, find_model
from cheart.models.registry import ModelName, passport
from cheart.models.store import WEIGHTS, read_model
from cheart.population import Population
from cheart.progress import Jobs
from cheart.provenance import provenance, short_title

Beside = Mapping[str, float | str]
"""What is known beside the first frame, by name (:meth:`cheart.evidence.Evidence.of_heart`)."""

PAPER_CYCLE_S = 0.96
"""20 frames of 0.048 s (section III-A): the cycle of a generated heart where the training cohort's is not known."""


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained network with what is known of its training. Made by :func:`load` and :func:`train`.

    Attributes:
        network: in evaluation mode.
        config: what its config.json says.
        folder: that it was read from.
    """

    network: HeartModel
    config: Mapping[str, Any]
    folder: Path | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, a model is its folder: a worker reads it once, and no weights travel with every task."""
        if self.folder is None:
            return Model, (self.network, self.config)
        written = (self.folder / WEIGHTS).stat().st_mtime_ns
        return _reload, (self.folder.absolute(), str(self.network.device), written, passport(type(self.network)))

    @property
    def name(self) -> str:
        """The model's name, such as ``cheart``."""
        return self.network.name

    @property
    def grid(self) -> Grid:
        """The voxel grid of the hearts that it makes."""
        return self.network.setting.grid

    @property
    def frames(self) -> int:
        """T, frames a cycle."""
        return self.network.setting.frames

    @property
    def encoding(self) -> Encoding:
        """How conditions enter, with the ranges of training."""
        return self.network.setting.encoding

    @cached_property
    def population(self) -> Population:
        """The training cohort's joint distribution of conditions."""
        return Population.from_json(self.config["population"], self.encoding)

    @property
    def trained_on(self) -> str:
        """The training cohort in words; it says so if it was simulated (how it was imaged: ``cheart info``)."""
        cohort = self.config["trained_on"]
        return f"{short_title(cohort['title'])} ({cohort['kind']}, {cohort['subjects']} training subjects)"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the weights."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def result(self, **how: Any) -> dict[str, Any]:
        """What the result.json of something that was made with it says; ``how`` it was made is added."""
        about = {"name": self.name, "trained_on": self.config["trained_on"], "fingerprint": self.fingerprint}
        return {"format": 1, "model": about, **how, "provenance": provenance()}

    def resolve_conditions(
        self, given: Person, *, unknown: Unknown, rng: np.random.Generator
    ) -> tuple[dict[str, Value], tuple[str, ...]]:
        """All conditions that the network takes, and the names of those that were drawn.

        Raises:
            InputError: a condition that the model does not know, or a value that its factor refuses.
        """
        known = self._read(given)
        if unknown == "missing":
            return known, ()
        drawn = self.population.draw(known, rng)
        return drawn, tuple(n for n in known if known[n] is None and drawn[n] is not None)

    def encode(self, conditions: Conditions) -> NDArray[np.float32]:
        """Conditions as the network takes them, [E]."""
        return self.encoding.encode([conditions])[0]

    def heart(
        self,
        labels: NDArray[np.uint8],
        cycle_s: float = float("nan"),
        *,
        kind: Kind = "generated",
        conditions: Conditions | None = None,
        **about: Any,
    ) -> Heart:
        """Label maps [T, Z, Y, X] that the network made, as a heart; its cycle is the training cohort's usual.

        Args:
            labels: on the model's grid.
            cycle_s: in s; nan where it is not known.
            kind, conditions, about: what else is known of it, as attributes of :class:`cheart.heart.Heart`.
        """
        usual = self.config.get("cycle_s") or PAPER_CYCLE_S
        cycle_s = cycle_s if np.isfinite(cycle_s) else usual
        return whole(labels, self.grid, cycle_s, kind=kind, conditions=conditions or {}, **about)

    @overload
    def complete(
        self, heart: Heart | Path | str, conditions: Person | None = None, *, given: Beside | None = None,
        n: None = None, unknown: Unknown = "missing", seed: int = 0,
    ) -> Heart: ...  # fmt: skip
    @overload
    def complete(
        self, heart: Heart | Path | str, conditions: Person | None = None, *, given: Beside | None = None,
        n: int, unknown: Unknown = "missing", seed: int = 0,
    ) -> Completions: ...  # fmt: skip
    def complete(
        self,
        heart: Heart | Path | str,
        conditions: Person | None = None,
        *,
        given: Beside | None = None,
        n: int | None = None,
        unknown: Unknown = "missing",
        seed: int = 0,
    ) -> Heart | Completions:
        """Complete a cycle from end-diastole: the first frame and conditions in, the whole cycle out (section II-C).

        Args:
            heart: in the template pose on the model's grid; or a NIfTI file that needs no more words than its name
                (see :func:`cheart.read_heart`).
            conditions: what is known of the owner, such as ``{"age": 63, "sex": "F"}``.
            given: what else is known, where the model takes it: measurements such as ``{"lvef": 55}``, and
                ``{"frames": "observed"}`` for all frames of ``heart`` that were imaged.
            n: samples of what else is possible, at least 2; None for the best completion alone.
            unknown: conditions that are not given are missing to the network, or drawn as the training cohort has
                them.
            seed: of what is drawn.

        Returns:
            The heart in the template pose, with the origin of the one that was given, and its warnings and more; with
            ``n`` the :class:`cheart.completions.Completions`, which have intervals and probabilities too.

        Raises:
            InputError: the model cannot complete, or not from what is given; the file or a condition is not
                understood; another grid.
        """
        if n is not None and n < 2:
            raise InputError(f"n {n}: expected at least 2 samples, or none for the best completion alone")
        seed = check_seed(seed)
        self.network.require("complete")
        first = self._first_frame(heart)
        resolved, drawn = self.resolve_conditions(conditions or {}, unknown=unknown, rng=np.random.default_rng(seed))
        beyond = self._warn([resolved])
        evidence, warnings = Evidence.of_heart(first, given), (*first.warnings, *beyond)
        about: dict[str, Any] = {"cycle_s": first.cycle_s, "drawn": drawn, "origin": first.origin, "warnings": warnings}
        best = complete_from(self, evidence, self.encode(resolved), conditions=resolved, **about)
        if n is None:
            return best
        widen = widening_for(first, self.network.widening(), str(self.config["trained_on"]["kind"]))
        requests = [Request(resolved, heart_seed(seed, k), evidence=evidence, about=about) for k in range(n)]
        how = {"seed": seed, "given": dict(given or {})}
        return Completions(best, Hearts(self, requests, warnings=warnings, about=how), widen)

    def generate(
        self,
        conditions: Person | Sequence[Person] | None = None,
        *,
        n: int = 1,
        seed: int = 0,
        unknown: Unknown = "draw",
    ) -> Hearts:
        """Hearts for given conditions: conditions in, beating hearts out (section II-C).

        Args:
            conditions: what is known of the owner, such as ``{"age": 63, "sex": "F"}``; or of several people.
            n: hearts a person; each is made when it is asked for.
            seed: heart k of a person depends on (seed, k) only, of one of several people on the person's number too.
            unknown: conditions that are not given are drawn anew for each heart, as the training cohort has them with
                those that are given, or missing to the network.

        Raises:
            InputError: the model cannot generate, or a condition is not understood.
        """
        self.network.require("generate")
        several = conditions is not None and not isinstance(conditions, Mapping)
        people: Any = conditions if several else [conditions or {}]
        known = [self._read(person, whole=False) for person in people]
        requests = Requests(known, n, check_seed(seed), unknown, several)
        return Hearts(self, requests, warnings=self._warn(known), about={"seed": seed})

    def vary(
        self,
        condition: str,
        values: Sequence[object],
        *,
        heart: Heart | Path | str | None = None,
        conditions: Person | None = None,
        unknown: Unknown = "draw",
        seed: int = 0,
    ) -> Hearts:
        """The same heart as one condition changes: a 30-year-old heart at 40, 50, 60 … (section III-F, Fig. 7).

        Args:
            condition: the one that changes; the latent z_0 and all other conditions stay as they are.
            values: what it becomes, one heart each.
            heart: whose heart it is: z_0 is that of its end-diastole, under its own conditions. Without one, z_0 is
                drawn. As in :meth:`complete`.
            conditions: the owner's conditions; with ``heart``, its own value of ``condition`` belongs to them.
            unknown: other conditions that are not given are drawn once, for the middle value, or missing.
            seed: of the latent and of what is drawn.

        Raises:
            InputError: the model cannot do it, or a condition, a value or the file is not understood.
        """
        self.network.require("generate")
        factor = self.encoding.schema[condition]
        read = [factor.read(value) for value in values]
        if not read:
            raise InputError(f"vary {condition}: no value was given")
        own = self._read(conditions or {}, whole=False)
        key = heart_seed(check_seed(seed), 0)
        middle = {condition: read[len(read) // 2], **own}
        resolved, drawn = self.resolve_conditions(middle, unknown=unknown, rng=np.random.default_rng(key))
        people = [{**resolved, condition: value} for value in read]
        warnings = self._warn(people)
        about: dict[str, Any] = {"drawn": drawn}
        known: tuple[str, ...] = ()
        if heart is None:
            latent, about["seed"] = self.network.sample_latent(key), key
        else:
            self.network.require("complete")
            first = self._first_frame(heart)
            embedded = self.encode({**resolved, condition: own.get(condition)})
            latent = self.network.encode(first.labels[0], first.observed[0], embedded)
            about |= {"cycle_s": first.cycle_s, "origin": first.origin}
            known, warnings = first.warnings, (*first.warnings, *warnings)
        requests = [
            Request(p, key, latent=latent, about={**about, "warnings": (*known, *self.encoding.outside(p))})
            for p in people
        ]
        return Hearts(self, requests, warnings=warnings, about={"seed": seed, "varied": condition})

    def push(self, repository: str, *, public: bool = False) -> str:
        """Send it and its card, as :func:`cheart.pack` writes them, to the Hugging Face Hub.

        Args:
            repository: ``owner/name``; it is made where it is not there yet.
            public: a repository that is made is for everyone to see.

        Returns:
            The address by which :func:`load` takes it.

        Raises:
            InputError: it has no folder or no card there, or the Hub refuses.
        """
        if self.folder is None:
            raise InputError("a model that lies in no folder cannot be sent: pack it first, cheart.pack")
        return hub.push(self.folder, repository, public=public)

    def _first_frame(self, heart: Heart | Path | str) -> Heart:
        if not isinstance(heart, Heart):
            from cheart.datasets.posing import read_heart

            return read_heart(heart, grid=self.grid, frames=self.frames)
        if heart.grid != self.grid:
            raise InputError(
                f"the heart is on the grid {heart.grid.name}, the model on {self.grid.name}: read it on that, "
                "cheart.read_heart(…, grid=model.grid)"
            )
        return heart

    def _read(self, given: Person, *, whole: bool = True) -> dict[str, Value]:
        """Conditions that were given, checked: all that the model knows, or those that were given alone."""
        schema = self.encoding.schema
        for name in given:
            schema[name]  # refuses what the model does not know
        known = schema.read(given)
        return known if whole else {name: known[name] for name in given}

    def _warn(self, people: Sequence[Conditions]) -> tuple[str, ...]:
        """Show and return what lies beyond the training's range."""
        warnings = tuple(sorted({warning for person in people for warning in self.encoding.outside(person)}))
        show_warnings(warnings, stacklevel=4)
        return warnings

    def __repr__(self) -> str:
        spans = [f"{name} {low:g} to {high:g}" for name, (low, high) in self.encoding.trained.items()]
        levels = [f"{f.name} {'/'.join(f.levels)}" for f in self.encoding.schema.factors if f.kind == "level"]
        return (
            f"<{self.name} model, preset {self.config.get('preset', '?')}: {' and '.join(self.network.tasks)}, "
            f"{self.frames} frames on {self.grid.name}\n"
            f" conditions: {', '.join(spans + levels)}\n"
            f" trained on {self.trained_on}>"
        )


def load(folder: Path | str = BUNDLED, *, model: ModelName | None = None, device: str = "cpu") -> Model:
    """Read a trained model.

    Args:
        folder: that ``cheart train`` wrote, or ``bundled``, the model that comes with cheart.
        model: ``path/to/file.py:Class`` where the model is one of your own file, which is then executed; otherwise
            nothing of the folder ever is.
        device: where to put it; ``auto`` takes a GPU where there is one.

    Raises:
        InputError: it is no model of this version.
    """
    folder = find_model(folder)
    stored = read_model(folder, model)
    return Model(stored.network.to(choose_device(device)), stored.config, folder)


@lru_cache(maxsize=1)
def _reload(folder: Path, device: str, written: int, model: ModelName) -> Model:
    """A model in a worker, read again only when its weights were ``written`` anew."""
    return load(folder, model=model, device=device)


def train(
    cohort: Cohort,
    out: Path | str,
    *,
    model: ModelName = "cheart",
    preset: str = "laptop",
    settings: Mapping[str, Any] | Sequence[str] = (),
    start_from: Path | str | None = None,
    seed: int = 0,
    device: str = "auto",
    jobs: Jobs = -1,
    resume: bool = False,
) -> Model:
    """Train a model on a cohort's training subjects, watched on its validation subjects.

    Args:
        cohort: label maps and conditions.
        out: the folder to write.
        model: a registered name, a class, or ``path/to/file.py:Class``.
        preset: ``quick``, ``laptop`` or ``paper``.
        settings: changes to the preset, as ``{"epochs": 20}`` or ``["epochs=20"]``.
        start_from: a trained model to fine-tune with this cohort, such as ``bundled``.
        seed: of weights, order and latents.
        device: ``auto``, ``cpu``, ``cuda`` …
        jobs: processes that prepare data (−1: one a core).
        resume: go on with what stands in ``out``, with the model, preset, settings and seed that it was started with;
            ``settings`` change them from here on.

    Returns:
        The trained model, in evaluation mode.

    Raises:
        InputError: something about the cohort, the options or the folder that does not go together.
    """
    from cheart.training.train import train as run_training

    changes = [f"{k}={v}" for k, v in settings.items()] if isinstance(settings, Mapping) else settings
    run_training(
        cohort, Path(out), model=model, preset=preset, settings=changes, start_from=start_from,
        seed=check_seed(seed), device=device, jobs=jobs, resume=resume,
    )  # fmt: skip
    return load(out, device=device)

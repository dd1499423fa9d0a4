"""Models whose answers are known, for tests of their judges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bodies import ellipsoid_heart
from cheart.cohort import Cohort
from cheart.conditions import Conditions, Encoding
from cheart.evidence import Evidence
from cheart.model import Model
from cheart.models.base import HeartModel, Setting
from cheart.models.voxel import VoxelRepresentation
from cheart.population import Population


class Oracle(HeartModel):
    """It knows the cohort: completion gives the real heart, generation that of the nearest conditions."""

    name = "oracle"
    tasks = ("complete", "generate")

    def __init__(self, setting: Setting, cohort: Cohort) -> None:
        super().__init__(setting, None, VoxelRepresentation(setting.grid, setting.frames))
        self.cohort = cohort
        self.known = setting.encoding.encode([cohort.conditions(i) for i in range(len(cohort))])

    def complete(
        self, evidence: Evidence, conditions: NDArray[np.float32], *, seed: int | None = None
    ) -> NDArray[np.uint8]:
        return self.nearest(conditions)

    def generate(self, conditions: NDArray[np.float32], *, seed: int) -> NDArray[np.uint8]:
        return self.nearest(conditions)

    def nearest(self, conditions: NDArray[np.float32]) -> NDArray[np.uint8]:
        return self.cohort.labels(int(np.square(self.known - conditions).sum(1).argmin()))


class Painter(Oracle):
    """Hearts whose size grows with the seed alone: deaf to conditions; they do not beat."""

    name = "painter"

    def generate(self, conditions: NDArray[np.float32], *, seed: int) -> NDArray[np.uint8]:
        shrink = 0.2 * np.random.default_rng(seed).uniform()
        one = ellipsoid_heart(grid=self.setting.grid, shrink=shrink)
        return np.stack([one] * self.setting.frames)


def stub(kind: type[Oracle], cohort: Cohort, *, fingerprint: str | None = None) -> Model:
    """A stub as a trained model."""
    people: list[Conditions] = [cohort.conditions(i) for i in range(len(cohort))]
    encoding = Encoding.fit(cohort.schema, people, age_decades=False)
    config: dict[str, Any] = {
        "population": Population.fit(encoding, people).to_json(),
        "trained_on": {
            "fingerprint": fingerprint or cohort.fingerprint,
            "title": "a stub",
            "kind": "simulated",
            "subjects": len(people),
        },
    }
    return Model(kind(Setting(cohort.grid, cohort.frames, encoding), cohort), config)

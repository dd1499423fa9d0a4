from pathlib import Path

import numpy as np
import pytest
import torch

from cheart.conditions import Encoding
from cheart.models import voxel
from cheart.models.voxel import ResidentVoxels, VoxelData
from cheart.training.frames import draw_frames
from cohorts import tiny_cohort


def test_batches_from_a_device_are_those_from_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = tiny_cohort(tmp_path / "cohort", n=6)
    indices = np.arange(5)
    encoding = Encoding.fit(cohort.schema, [cohort.conditions(int(i)) for i in indices])
    data, cpu = (
        VoxelData(cohort, indices, encoding.encode([cohort.conditions(int(i)) for i in indices])),
        torch.device("cpu"),
    )
    held = ResidentVoxels.of(data, cpu)
    assert len(held) == len(data)
    which = np.array([3, 0, 2])
    for some in (None, draw_frames(cohort.frames, 3, np.random.default_rng(0))):
        read, lying = data.batch(which, cpu, some), held.batch(which, cpu, some)
        assert lying.labels.dtype == torch.uint8
        assert lying.labels.shape[1] == 4  # of 4, or end-diastole and 3
        for name in ("labels", "observed", "conditions"):
            torch.testing.assert_close(getattr(lying, name), getattr(read, name))
    assert isinstance(data.near(cpu), ResidentVoxels)
    monkeypatch.setattr(voxel, "RESIDENT_FRACTION", 0.0)
    assert data.near(cpu) is data

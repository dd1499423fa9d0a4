from pathlib import Path

import numpy as np
import torch

from cheart.conditions import Encoding
from cheart.models.voxel import ResidentVoxels, VoxelData
from cohorts import tiny_cohort


def test_batches_from_a_device_are_those_from_the_store(tmp_path: Path) -> None:
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
    read, lying = data.batch(which, cpu), held.batch(which, cpu)
    assert lying.labels.dtype == torch.uint8
    for name in ("labels", "observed", "conditions"):
        torch.testing.assert_close(getattr(lying, name), getattr(read, name))
    assert data.near(cpu) is data  # a CPU reads from the store

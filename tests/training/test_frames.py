"""Some frames of a cycle stand for all of them."""

import numpy as np
import pytest

from cheart.training.frames import draw_frames


@pytest.mark.parametrize(("frames", "some"), [(20, 5), (20, 19), (7, 3), (4, 1)])
def test_the_weighted_sum_over_some_frames_is_the_sum_over_all_on_average(frames: int, some: int) -> None:
    rng = np.random.default_rng(0)
    counted = np.zeros(frames)
    for _ in range(4000):
        drawn = draw_frames(frames, some, rng)
        assert len(set(drawn.which.tolist())) == some
        counted[drawn.which.numpy()] += drawn.weight
    np.testing.assert_allclose(counted / 4000, 1, atol=0.15)

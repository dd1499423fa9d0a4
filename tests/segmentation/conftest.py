import numpy as np
import pytest

from cheart.io.cine import Cine
from hearts import random_motion, sample, volume_around
from networks import SCALE


def beat(*, frames=10, spacing=(10.0, 2.5, 2.0), seed=0):
    """Canonical labels [T, Z, Y, X] of a beating heart in a scanner's space, and the affine."""
    motion = random_motion(np.random.default_rng(seed), tilt=0)
    affine, shape = volume_around(motion, spacing)
    phase = np.arange(frames) / frames
    shrinks = 0.3 * np.sin(np.pi * np.where(phase < 0.4, phase / 0.8, 0.5 + (phase - 0.4) / 1.2)) ** 2
    return np.stack([sample(motion, affine, shape, shrink=float(s)) for s in shrinks]), affine


@pytest.fixture(scope="session")
def truth():
    return beat()


@pytest.fixture(scope="session")
def cine(truth):
    """An image whose intensity says the label."""
    labels, affine = truth
    return Cine(labels.astype(np.int16) * SCALE, affine, 0.08)


@pytest.fixture
def image(cine, tmp_path):
    cine.save(tmp_path / "cine.nii.gz")
    return tmp_path / "cine.nii.gz"

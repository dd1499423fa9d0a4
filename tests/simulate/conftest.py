import numpy as np
import pytest

from cheart.simulate import draw_heart, draw_person
from cheart.simulate.heart import Surfaces
from cheart.simulate.measure import HEIGHTS_ED, Rays
from cheart.simulate.surfaces import ANGLES, S


@pytest.fixture(scope="session")
def truths():
    """Three hundred hearts as continuous surfaces: enough to decide on shapes and motion."""
    people = [draw_person(np.random.default_rng([77, i])) for i in range(300)]
    return [draw_heart(person, seed=[77, i]) for i, person in enumerate(people)]


@pytest.fixture(scope="session")
def rays_of():
    """From exact surfaces to what :func:`cheart.simulate.measure.rays` would find in endlessly fine voxels."""

    def convert(surfaces: Surfaces) -> Rays:
        def at(field):
            return np.sqrt(
                np.stack([np.interp(HEIGHTS_ED, S, column) for column in field[:, :: ANGLES // 60].T], axis=1)
            )

        centre = np.stack([np.interp(HEIGHTS_ED, S, c) for c in surfaces.centre.T], axis=1)
        z = surfaces.apex + HEIGHTS_ED * (surfaces.base - surfaces.apex)
        return Rays(z, centre, at(surfaces.cavity), at(surfaces.outer), at(surfaces.free_wall))

    return convert

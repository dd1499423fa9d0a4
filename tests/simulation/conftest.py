import numpy as np
import pytest

from cheart.simulation import draw_heart, draw_person


@pytest.fixture(scope="session")
def truths():
    """Three hundred hearts as continuous surfaces: enough to decide on shapes and motion."""
    people = [draw_person(np.random.default_rng([77, i])) for i in range(300)]
    return [draw_heart(person, seed=[77, i]) for i, person in enumerate(people)]

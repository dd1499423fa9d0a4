from dataclasses import replace

import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.evaluation.latent import divergence, evaluate_latent, latent_table
from cheart.model import Model


def test_the_divergence_is_that_of_gaussians() -> None:
    mean, sd = np.array([0.0, 1.5, 0.0]), np.array([1.0, 0.5, 0.1])
    draws = mean + sd * np.random.default_rng(0).standard_normal((4000, 16, 3))
    exact = 0.5 * (mean**2 + sd**2 - 1 - 2 * np.log(sd))
    assert divergence(np.tile(mean, (4000, 1)), draws) == pytest.approx(exact, abs=0.02)


def test_a_model_says_what_its_latents_do(model: Model, cohort: Cohort) -> None:
    found = evaluate_latent(model, cohort)
    assert found is not None
    assert 0 < found["used"] <= found["dimensions"] == len(found["kl"]) == model.network.latent_size()
    assert found["kl"] == sorted(found["kl"], reverse=True)
    assert 0.5 < found["seam"] <= 1
    assert found["latent_seam"] > 0
    cells = latent_table({"cheart": {**found, "latent_seam": None}}).rows[0]
    assert cells[0] == "cheart"
    assert cells[-1] == "n/a"


def test_a_model_without_an_encoder_has_nothing_to_say(model: Model, cohort: Cohort) -> None:
    network = type("Silent", (), {"tasks": ("generate",)})()
    assert evaluate_latent(replace(model, network=network), cohort) is None

"""Simulated hearts whose true conditional distribution is known. Simulated is called simulated wherever it is seen."""

from cheart.simulate.demographics import HEART_RATE_SCHEMA, draw_person
from cheart.simulate.heart import Truth, draw_heart, simulate_heart
from cheart.simulate.phenotypes import Phenotypes, draw_phenotypes, true_distribution

__all__ = [
    "HEART_RATE_SCHEMA",
    "Phenotypes",
    "Truth",
    "draw_heart",
    "draw_person",
    "draw_phenotypes",
    "simulate_heart",
    "true_distribution",
]

"""Simulated hearts whose true conditional distribution is known. Simulated is called simulated wherever it is seen."""

from cheart.simulation.demographics import HEART_RATE_SCHEMA, draw_person
from cheart.simulation.heart import Truth, draw_heart, simulate_heart
from cheart.simulation.phenotypes import Phenotypes, draw_phenotypes, true_distribution

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

"""Networks: CHeart and its baselines, one interface."""

from tiny import cohort, model, run

__all__ = ["cohort", "model", "run"]

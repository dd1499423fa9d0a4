"""The paper's experiments: models compared on one cohort, tables, figures and a report."""

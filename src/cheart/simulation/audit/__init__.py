"""A cohort held against published figures of healthy hearts."""

"""Bring hearts to the template: pose, space and time, and back again."""

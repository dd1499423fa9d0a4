"""Surfaces and solids of beating hearts, with one correspondence over the cycle."""

"""Makes tests/bodies.py importable from every folder of tests."""

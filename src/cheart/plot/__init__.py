"""Pictures and animations of hearts."""

"""Training: data, options, the loop, checkpoints."""

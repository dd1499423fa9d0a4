"""What a trained model is for: complete, generate, vary, evaluate."""

"""cheart: complete, generate, vary and evaluate beating hearts (CHeart, Qiao et al., IEEE TMI 2023)."""

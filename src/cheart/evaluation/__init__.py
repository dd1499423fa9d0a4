"""How good a model is: completion, generation, response to conditions, memorisation, truth."""

"""Measures: numpy in, numbers out. Overlap, surface distances, phenotypes, distributions and what is made of them."""

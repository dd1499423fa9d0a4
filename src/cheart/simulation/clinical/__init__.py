"""The clinical population: hidden diseases, function coupled to form, and both truths known."""

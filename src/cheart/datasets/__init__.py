"""Label maps of other people: the importers, and the way into the template pose."""

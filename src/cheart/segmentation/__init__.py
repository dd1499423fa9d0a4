"""Label maps of cine images: other people's networks, run on every frame, joined, steadied and checked."""

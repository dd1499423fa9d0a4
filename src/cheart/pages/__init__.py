"""Pages that open in a browser: one file each, which asks nothing of any server."""

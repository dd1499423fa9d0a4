"""Files in and out: NIfTI, tables, and the public cohorts."""

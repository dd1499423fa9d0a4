"""Pictures, tables and pages: what a person looks at."""

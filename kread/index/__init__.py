"""The facts of a scope: found, read in processes, kept per content."""

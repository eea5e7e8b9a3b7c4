"""Paths for readers: ways through the call graph with their guards, in families; declared reading paths."""

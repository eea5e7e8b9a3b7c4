"""The call graph of a release's scope, and the searches on it."""

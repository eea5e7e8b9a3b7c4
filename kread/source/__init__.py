"""Releases and trees: by git, from a Debian package, an archive or a directory. The only importer of git."""

"""What a release, a compiler and a running kernel say against what kread says."""

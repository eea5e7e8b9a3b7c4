"""kread: how control gets from one kernel function to another, read from the source of a real release."""

__version__ = "0.1.0"

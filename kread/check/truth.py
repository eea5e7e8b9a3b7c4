"""A truth as it lies in a folder: tables that a compiler's answer was written to, tab-separated and packed by gzip."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

from kread.errors import UsageError


def prefixes(truth: Path) -> list[str]:
    """The parts that a truth has, e.g. "net-ipv4"."""
    found = sorted(file.name.removesuffix(".calls.tsv.gz") for file in truth.glob("*.calls.tsv.gz"))
    if not found:
        raise UsageError(
            "no-truth",
            "there are no calls of a compiler",
            where=str(truth),
            hint="give a folder that holds NAME.calls.tsv.gz, NAME.functions.tsv.gz and NAME.inactive.tsv.gz",
        )
    return found


def rows(file: Path) -> list[dict[str, str]]:
    """The rows of one table, by the names of its columns, which its first line gives."""
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))

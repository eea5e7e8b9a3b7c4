"""Whether `kread slot` knows every place where a function is put into a field, by what a compiler says of the same source.

A truth may hold PREFIX.fptr_inits.tsv.gz and PREFIX.fptr_assigns.tsv.gz: the functions in initialisers and in assignments, with
the record and the field that each gets into (columns function, file, line, record, field). A place is known if
the graph has the function in that slot from a line of the same file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kread.check.truth import rows
from kread.graph.callgraph import CallGraph

_FILES = ("fptr_inits", "fptr_assigns")

#: (record, field, function, file)
Place = tuple[str, str, str, str]


def known_places(graph: CallGraph, truth: Path, prefix: str) -> tuple[int, tuple[tuple[str, ...], ...]]:
    """(how many places the truth has in files that the graph has read, those of them that the graph lacks)."""
    read = frozenset(graph.files)
    mine = {
        (_tag(record), field, function, file)
        for record, field, function, file, cond in graph.store.query(
            "SELECT s.record, s.field, f.name, s.file, s.presence FROM slot s JOIN function f ON f.id = s.function"
        )
        if graph.compiled(cond)
    }
    told = [(place, line) for place, line in _told(truth, prefix) if place[3] in read]
    missed = {
        ("field", file, function, f"{record}.{field}", f"{file}:{line}")
        for (record, field, function, file), line in told
        if (record, field, function, file) not in mine
    }
    return len(told), tuple(sorted(missed))


def _told(truth: Path, prefix: str) -> Iterator[tuple[Place, str]]:
    for name in _FILES:
        file = truth / f"{prefix}.{name}.tsv.gz"
        if file.is_file():
            for row in rows(file):
                if row["record"] and row.get("kind", "assign_field").startswith("assign_field"):
                    field = row["field"].rpartition(".")[2].partition("[")[0]
                    yield (_tag(row["record"]), field, row["function"], row["file"]), row["line"]


def _tag(record: str) -> str:
    """A record's name without `struct` or `union`."""
    return record.rpartition(" ")[2]

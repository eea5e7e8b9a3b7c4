"""Every edge as rows for other programs: tab-separated with a header, or one JSON object a line.

Theory of operation: a scope has a hundred thousand edges, so rows are tuples as SQLite gives them, not nouns, and
both writers stream: text comes out in blocks, and neither the rows nor the text are ever whole in memory. The caller
gives rows in the order in which they are to stand. Names and places hold no tab and no line feed; a presence
condition is a text of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from kread.facts import Edge

#: The columns, in order. `call_line` is a number, the rest are text.
COLUMNS = (
    "caller_file",
    "caller",
    "callee_file",
    "callee",
    "call_file",
    "call_line",
    "kind",
    "grade",
    "presence",
)

EdgeRow = tuple[str, str, str, str, str, int, str, str, str]

#: Rows in one block of text: large enough that writing costs nothing, small enough to start at once.
BLOCK = 4096


def edge_row(edge: Edge) -> EdgeRow:
    """The row of an edge."""
    caller, callee, site = edge.caller, edge.callee, edge.site
    return (
        caller.file,
        caller.name,
        callee.file,
        callee.name,
        site.file,
        site.line,
        edge.kind,
        edge.grade,
        edge.presence,
    )


def edges_tsv(rows: Iterable[EdgeRow]) -> Iterator[str]:
    """Blocks of tab-separated lines, the header first."""
    yield "\t".join(COLUMNS) + "\n"
    pattern = "\t".join("%s" for _ in COLUMNS) + "\n"
    for block in _blocks(rows):
        yield "".join([pattern % row for row in block])


def edges_jsonl(rows: Iterable[EdgeRow]) -> Iterator[str]:
    """Blocks of lines, each a JSON object with the keys of COLUMNS."""
    quoted = [f'"{name}": ' + ("%d" if name == "call_line" else '"%s"') for name in COLUMNS]
    pattern = "{" + ", ".join(quoted) + "}\n"
    bare = "%s" * len(COLUMNS)
    for block in _blocks(rows):
        everything = "".join([bare % row for row in block])
        if everything.isprintable() and not ('"' in everything or "\\" in everything):
            yield "".join([pattern % row for row in block])  # nothing in it needs an escape: the usual case
        else:
            yield "".join(
                [json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n" for row in block]
            )


def _blocks(rows: Iterable[EdgeRow]) -> Iterator[list[EdgeRow]]:
    remaining = iter(rows)
    while block := list(islice(remaining, BLOCK)):
        yield block

"""Edges for other programs: read back with the csv and json modules."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import samples

from kread.render.edges import BLOCK, COLUMNS, edge_row, edges_jsonl, edges_tsv

EDGES = [samples.RECEIVE_EDGE, samples.TABLE_EDGE, samples.OTHER_EDGE, samples.ANSWER_INSERT]


def test_tsv_read_by_csv() -> None:
    text = "".join(edges_tsv(edge_row(edge) for edge in EDGES))
    rows = list(csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert " ".join(rows[0]) == "caller_file caller callee_file callee call_file call_line kind grade presence"
    assert rows[1] == [
        *["net/thing/input.c", "thing_receive", "net/thing/input.c", "thing_dispatch", "net/thing/input.c", "2349"],
        *["direct", "certain", ""],
    ]
    assert rows[3][-3:] == ["ops_table", "object", "CONFIG_THING6"]
    assert len(rows) == 1 + len(EDGES)


def test_jsonl_has_the_same_columns() -> None:
    lines = "".join(edges_jsonl(edge_row(edge) for edge in EDGES)).splitlines()
    found = [json.loads(line) for line in lines]
    assert all(tuple(one) == COLUMNS for one in found)
    assert [tuple(one.values()) for one in found] == [edge_row(edge) for edge in EDGES]


def test_what_needs_an_escape_gets_one() -> None:
    row = ("a.c", "f", "b.c", "g", "a.c", 1, "direct", "certain", 'X == "y\\n" && é')
    assert tuple(json.loads("".join(edges_jsonl([row]))).values()) == row


def test_rows_are_streamed_in_blocks() -> None:
    asked = 0

    def rows():  # type: ignore[no-untyped-def]
        nonlocal asked
        for _ in range(10 * BLOCK):
            asked += 1
            yield edge_row(samples.RECEIVE_EDGE)

    blocks = edges_tsv(rows())
    next(blocks)
    next(blocks)
    assert asked == BLOCK

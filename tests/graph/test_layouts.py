"""Structures against a compiler: the members, their types, and what begins with what, as Clang laid them out.

The layouts are of one configuration, with every record of net/ipv4's units; kread reads the headers under that
configuration. Left out are members of typedefs of anonymous records (atomic_t's counter), which the layouts flatten
and a reader of the structure does not see.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import defaultdict
from pathlib import Path

import pytest

from kread.graph.callgraph import CallGraph
from kread.graph.records import Records
from kread.presence import Config

TRUTH = Path(__file__).resolve().parents[3] / "shared" / "truth" / "6.12"

Row = dict[str, str]

#: What a reader of the way from listen() to accept() meets: each must be right to the last member.
MET = (
    "sock",
    "sock_common",
    "socket",
    "inet_sock",
    "inet_connection_sock",
    "request_sock",
    "inet_request_sock",
    "tcp_request_sock",
    "request_sock_queue",
    "fastopen_queue",
    "inet_hashinfo",
    "inet_ehash_bucket",
    "inet_listen_hashbucket",
    "inet_timewait_sock",
    "tcp_timewait_sock",
    "proto_ops",
    "proto",
    "inet_connection_sock_af_ops",
    "request_sock_ops",
    "tcp_request_sock_ops",
)


def _plain(text: str) -> str:
    """A type without what is written in several ways: qualifiers, blanks, the length of arrays."""
    text = re.sub(r"\b(?:const|volatile)\b", "", text).replace("unsigned int", "unsigned")
    return re.sub(r"\[[^\]]*\]", "[]", text).replace(" ", "")


def _own(rows: list[Row]) -> list[Row]:
    """The members that stand in the record itself, those of its anonymous records included."""
    rows = [row for row in rows if not row["field"].startswith("__cacheline_group_")]  # marks of no size
    anonymous = {row["field"] for row in rows if "unnamed" in row["type"]}
    return [row for row in rows if "." not in row["field"] or row["field"].rsplit(".", 1)[0] in anonymous]


@pytest.fixture(scope="module")
def layouts() -> dict[str, list[Row]]:
    """Record -> its members, for the records of the network's headers."""
    file = TRUTH / "structs.layouts.tsv.gz"
    if not file.is_file():
        pytest.skip("the compiler's layouts are not beside the checkout; to enable, put shared/truth/6.12 there")
    found: dict[str, list[Row]] = defaultdict(list)
    with gzip.open(file, "rt") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["file"].startswith(("include/net/", "include/linux/net.h", "include/linux/tcp.h")):
                row["type"] = row["type"].replace(
                    "struct callback_head", "struct rcu_head"
                )  # one is a macro for the other
                found[f"{row['tag']} {row['record']}"].append(row)
    return {record: _own(rows) for record, rows in found.items()}


@pytest.fixture(scope="module")
def configured(graph: CallGraph) -> CallGraph:
    return CallGraph(graph.file, Config.parse((TRUTH / "config").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def records(configured: CallGraph) -> Records:
    return Records(configured)


def _members(records: Records, record: str, file: str) -> dict[str, str]:
    """name -> type of the members that the configuration compiles, in their order; empty for another file's record."""
    found = records.members(record)
    if not found or found[0].file != file:
        return {}
    return {member.name: member.type for member in found if member.name and records.graph.compiled(member.presence)}


@pytest.mark.parametrize("name", MET)
def test_a_structure_that_a_reader_meets(name: str, records: Records, layouts: dict[str, list[Row]]) -> None:
    rows = layouts[f"struct {name}"]
    mine = _members(records, f"struct {name}", rows[0]["file"])
    names = [row["field"].rsplit(".", 1)[-1] for row in rows]
    assert sorted(mine) == sorted(names)
    if len({row["offset_bits"] for row in rows}) == len(rows):
        assert list(mine) == names  # where nothing shares a place, they stand in this order
    for row in rows:
        if "(" not in row["type"]:
            assert _plain(mine[row["field"].rsplit(".", 1)[-1]]) == _plain(row["type"]), row


def test_nearly_all_structures_of_the_network(records: Records, layouts: dict[str, list[Row]]) -> None:
    asked = exact = 0
    for record, rows in layouts.items():
        mine = _members(records, record, rows[0]["file"])
        if mine:
            asked += 1
            exact += sorted(mine) == sorted({row["field"].rsplit(".", 1)[-1] for row in rows})
    assert asked > 500
    assert exact > 0.96 * asked


def test_what_begins_with_what(records: Records, layouts: dict[str, list[Row]]) -> None:
    """A member at offset 0 that is a structure held by value: its record is told who begins with it."""
    asked = 0
    wrong = []
    for record, rows in layouts.items():
        first = rows[0]
        if not re.fullmatch(r"struct \w+", first["type"]) or not _members(records, record, first["file"]):
            continue
        if not records.members(first["type"]):
            continue
        asked += 1
        held = [(one.record, one.member) for one in records.holders(first["type"]) if one.first and not one.pointer]
        if (record, first["field"]) not in held:
            wrong.append((record, first["field"]))
    assert asked > 100
    assert not wrong

"""Structures: what begins with what, who points where, and the casts between them, on C whose answers are written here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kread.errors import UnknownSymbol
from kread.graph.callgraph import CallGraph
from kread.graph.records import Records

HEADER = """
struct base { int state; struct base *next; };
struct middle { struct base base; int more; };
struct outer { struct middle middle; union { struct base spare; long word; }; };
struct late { long first; struct base base; };
struct user { struct base *base; struct base *many[4]; int (*act)(struct base *base); };
struct ops { int (*open)(struct base *base); int (*close)(struct base *base); };
union either { struct base base; long word; };

static inline struct middle *middle_of(struct base *base)
{
	return (struct middle *)base;
}
static inline struct base *next_of(struct base *base)
{
	return base->next;
}
static inline struct user *user_of(struct base *base)
{
	return 0;
}
#define outer_of(p) container_of(p, struct outer, middle.base)
#define any_base(p) ((struct base *)(p))
#define two(a, b) container_of(a, struct outer, b)
"""

SOURCE = """
#include <linux/records.h>
static int base_open(struct base *base) { return 0; }
static int base_close(struct base *base) { return 1; }
static struct ops base_ops = { .open = base_open, .close = base_close };
#ifdef CONFIG_EXTRA
static struct ops extra_ops = { .open = base_open };
#endif
"""


@pytest.fixture(scope="module")
def records(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> Records:
    return Records(graph_of_files({"include/linux/records.h": HEADER, "net/ipv4/records.c": SOURCE}))


def holders(records: Records, record: str, pointer: bool) -> set[tuple[str, str, bool]]:
    return {
        (holder.record, holder.member, holder.first) for holder in records.holders(record) if holder.pointer is pointer
    }


def test_who_holds_a_structure_and_who_begins_with_it(records: Records) -> None:
    assert holders(records, "struct base", pointer=False) == {
        ("struct middle", "base", True),
        ("struct outer", "middle.base", True),
        ("struct outer", "spare", False),
        ("struct late", "base", False),
        ("union either", "base", True),
    }


def test_who_points_to_it(records: Records) -> None:
    assert holders(records, "struct base", pointer=True) == {
        ("struct base", "next", False),
        ("struct user", "base", False),
        ("struct user", "many", False),
    }


def test_members_stand_in_order_with_those_of_anonymous_records(records: Records) -> None:
    assert [(member.name, member.depth) for member in records.members("struct outer")] == [
        ("middle", 0),
        ("", 0),
        ("spare", 1),
        ("word", 1),
    ]


def test_a_record_is_held_by_value_and_not_by_a_pointer(records: Records) -> None:
    held = {
        record: [member.name for member in records.members(f"struct {record}") if member.embeds]
        for record in ("base", "middle", "late", "user", "ops")
    }
    assert held == {"base": [], "middle": ["base"], "late": ["base"], "user": [], "ops": []}


def test_casts_are_conversions_and_not_lookups(records: Records) -> None:
    found = {(cast.source, cast.target, cast.name) for cast in records.casts("struct base")}
    assert found == {
        ("struct base", "struct middle", "middle_of"),
        ("struct base", "struct outer", "outer_of"),
        ("", "struct base", "any_base"),
    }


def test_tables_with_their_conditions(records: Records) -> None:
    tables = {(value.table, value.field, value.function.name, value.presence) for value in records.tables("struct ops")}
    assert tables == {
        ("base_ops", "open", "base_open", ""),
        ("base_ops", "close", "base_close", ""),
        ("extra_ops", "open", "base_open", "CONFIG_EXTRA"),
    }


def test_a_name_is_found_with_and_without_its_keyword(records: Records) -> None:
    assert records.require("base") == records.require("struct base") == "struct base"
    assert records.require("either") == "union either"
    with pytest.raises(UnknownSymbol, match="bas") as error:
        records.require("bas")
    assert "struct base" in error.value.hint


def test_on_a_real_release(graph: CallGraph) -> None:
    records = Records(graph)
    begins = {holder.record: holder.member for holder in records.holders("struct sock") if holder.first}
    # as include/linux/tcp.h, include/net/inet_sock.h and include/net/inet_connection_sock.h say
    assert begins["struct tcp_sock"] == "inet_conn.icsk_inet.sk"
    assert begins["struct inet_connection_sock"] == "icsk_inet.sk"
    assert "struct request_sock" not in begins
    casts = {(cast.name, cast.target) for cast in records.casts("struct sock")}
    assert {("tcp_sk", "struct tcp_sock"), ("inet_csk", "struct inet_connection_sock")} <= casts
    assert ("inet_reqsk", "struct request_sock") in casts  # they share their first member


def test_the_drawing_is_drawn_by_graphviz(kread: Callable[..., object], tmp_path: Path) -> None:
    import shutil
    import subprocess

    dot = shutil.which("dot") or pytest.skip("no dot; to enable, install the package graphviz")
    drawn = kread("struct", "request_sock", "--format", "dot")
    done = subprocess.run([dot, "-Tsvg"], input=drawn.stdout, capture_output=True, text=True, check=True)
    assert "tcp_request_sock" in done.stdout

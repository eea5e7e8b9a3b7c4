"""Subsystems that have their own twins of each other's functions do not meet through the fields of objects."""

from __future__ import annotations

from pathlib import Path

from kread.index.scope import find_scope
from kread.index.units import read_scope
from kread.resolve.direct import Definitions
from kread.resolve.pointers import pointer_targets
from kread.resolve.program import Program
from kread.source.progress import Silent
from kread.source.tree import open_tree

FILES = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n",
    "include/linux/fixture.h": """
struct sock;
struct af_ops { int (*conn)(struct sock *sk); };
struct sock { const struct af_ops *ops; };
int tcp_state(struct sock *sk);
int tcp_common(struct sock *sk);
""",
    "net/ipv4/tcp_input.c": """
#include <linux/fixture.h>
static int tcp_conn(struct sock *sk) { return 0; }
static const struct af_ops tcp_ops = { .conn = tcp_conn };
void tcp_open(struct sock *sk) { sk->ops = &tcp_ops; }
int tcp_state(struct sock *sk) { return sk->ops->conn(sk); }
int tcp_common(struct sock *sk) { return sk->ops->conn(sk); }
""",
    "net/ipv6/tcp_ipv6.c": """
#include <linux/fixture.h>
int tcp_v6_rcv(struct sock *sk) { return tcp_state(sk); }
""",
    "net/dccp/ipv4.c": """
#include <linux/fixture.h>
static int dccp_conn(struct sock *sk) { return tcp_common(sk); }
static const struct af_ops dccp_ops = { .conn = dccp_conn };
void dccp_open(struct sock *sk) { sk->ops = &dccp_ops; }
int dccp_state(struct sock *sk) { return sk->ops->conn(sk); }
""",
}


def test_what_has_twins_reaches_its_own_unless_the_other_names_it(tmp_path: Path) -> None:
    for name, text in FILES.items():
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    tree = open_tree(tmp_path / "tree")
    indexed = read_scope(tree, find_scope(tree, ["net"]), tmp_path / "facts.sqlite", Silent())
    program = Program(indexed.units, indexed.closures, {}, indexed.macros.field_aliases())
    found = {
        program.row(caller).name: {target.function.name for target in targets}
        for caller, _, targets, _ in pointer_targets(program, Definitions(program), indexed.macros.lookup)
    }
    assert found == {
        "tcp_state": {"tcp_conn"},
        "tcp_common": {"tcp_conn", "dccp_conn"},
        "dccp_state": {"tcp_conn", "dccp_conn"},
    }

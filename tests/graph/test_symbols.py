"""What names mean, on a real release: functions of one name, macros, slots; and who calls, against cscope."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kread.errors import UnknownSymbol
from kread.graph import symbols
from kread.graph.callgraph import CallGraph


def test_functions_of_one_name_are_told_apart(graph: CallGraph) -> None:
    found = {function.file for function, _ in symbols.neighbours(graph, "compute_score", "callers")}
    assert {"net/ipv4/udp.c", "net/ipv4/inet_hashtables.c", "net/ipv6/udp.c", "net/ipv6/inet6_hashtables.c"} <= found
    for function, edges in symbols.neighbours(graph, "compute_score", "callers"):
        assert edges, function.key
        assert {edge.caller.file for edge in edges} == {function.file}  # each is static
    ((one, _),) = symbols.neighbours(graph, "ipv4/udp.c:compute_score", "callers")
    assert one.file == "net/ipv4/udp.c"


def test_a_system_call_goes_by_the_name_that_people_use(graph: CallGraph) -> None:
    ((function, edges),) = symbols.neighbours(graph, "sys_listen", "callees")
    assert function.file == "net/socket.c"
    assert "__sys_listen" in {edge.callee.name for edge in edges}


def test_macros_with_their_definitions(graph: CallGraph) -> None:
    functions, macros = symbols.describe(graph, "tcp_sk")
    assert functions == ()
    assert any("struct tcp_sock" in macro.body and macro.params == "ptr" for macro in macros)


def test_a_function_tells_the_slots_that_it_fills(graph: CallGraph) -> None:
    ((shown,), _) = symbols.describe(graph, "tcp_v4_conn_request")
    assert ("inet_connection_sock_af_ops", "conn_request", "ipv4_specific") in {
        (value.record, value.field, value.table) for value in shown.slots
    }


def test_slots_by_structure_and_without(graph: CallGraph) -> None:
    one = symbols.slot_values(graph, "inet_connection_sock_af_ops.conn_request")
    every = symbols.slot_values(graph, "conn_request")
    assert {value.function.name for value in one} >= {"tcp_v4_conn_request", "tcp_v6_conn_request"}
    assert set(one) <= set(every)
    assert all(value.function.signature and not value.function.signature.startswith("extern") for value in one)
    with pytest.raises(UnknownSymbol):
        symbols.slot_values(graph, "inet_connection_sock_af_ops.no_such_slot")


#: Functions of one definition that are called by name alone.
CALLED = (
    "inet_ehash_insert",
    "tcp_conn_request",
    "reqsk_queue_hash_req",
    "inet_csk_reqsk_queue_hash_add",
    "tcp_try_rmem_schedule",
)


@pytest.mark.parametrize("name", CALLED)
def test_callers_are_those_that_cscope_finds(graph: CallGraph, name: str, tmp_path: Path) -> None:
    cscope = shutil.which("cscope") or pytest.skip("no cscope; to enable, install the package cscope")
    files = [file for file in graph.files if file.endswith((".c", ".h"))]
    (tmp_path / "files").write_text("".join(f"{graph.root / file}\n" for file in files))
    done = subprocess.run(
        [cscope, "-k", "-L3", name, "-i", str(tmp_path / "files"), "-f", str(tmp_path / "cscope.out")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = {tuple(line.split(" ")[:2]) for line in done.stdout.splitlines()}
    ((_, edges),) = symbols.neighbours(graph, name, "callers")
    ours = {(str(graph.root / edge.site.file), edge.caller.name) for edge in edges if edge.kind == "direct"}
    assert ours == theirs

"""Accuracy and the census: a truth of a few rows with one call missed and one wrong, on a real release."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kread.check.accuracy import compare
from kread.check.census import census, reason_class
from kread.check.truth import prefixes
from kread.errors import UsageError
from kread.graph.callgraph import CallGraph

#: A function of one definition, and what it calls by name.
CALLER = ("net/ipv4/inet_connection_sock.c", "reqsk_queue_hash_req")
CALLS = [
    "caller_file",
    "caller",
    "callee",
    "callee_file",
    "callee_kind",
    "class",
    "file",
    "line",
    "outer_macro",
    "inner_macro",
]
Run = Callable[..., subprocess.CompletedProcess[str]]


def write(file: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with gzip.open(file, "wt", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter="\t", lineterminator="\n").writerows([columns, *rows])


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Says of the caller that it calls inet_ehash_insert, as it does, and a function that there is not; nothing else."""
    hashing = [*CALLER, "inet_ehash_insert", "net/ipv4/inet_hashtables.c", "fn", "src", CALLER[0], "1204", "", ""]
    wrong = [*CALLER, "no_such_callee", "net/ipv4/tcp.c", "fn", "body", CALLER[0], "1205", "M", "M"]
    builtin = [*CALLER, "__builtin_expect", "", "builtin", "src", CALLER[0], "1205", "", ""]
    write(tmp_path / "few.calls.tsv.gz", CALLS, [hashing, wrong, builtin])
    write(tmp_path / "few.functions.tsv.gz", ["file", "name"], [CALLER])
    write(tmp_path / "few.inactive.tsv.gz", ["file", "begin_line", "end_line"], [])
    return tmp_path


def test_what_is_missed_and_what_is_not_in_the_truth(graph: CallGraph, truth: Path) -> None:
    found = compare(graph, truth, "few")
    shares = {share.name: (share.hits, share.total) for share in found.recall}
    assert shares["recall, written"] == (1, 1)
    assert shares["recall, macro-made"] == (0, 1)
    assert [row[:4] for row in found.missed] == [("body", *CALLER, "no_such_callee")]
    extra = {row[3] for row in found.extra}
    assert "timer_setup" in extra or "init_timer_key" in extra  # by the source: it sets up the request's timer
    assert "inet_ehash_insert" not in extra


def test_places_where_a_function_is_put_into_a_field(graph: CallGraph, truth: Path) -> None:
    """In initialisers, by a choice (tcp_output.c), by an accessor macro (udp.c), by a registrar, made by a macro."""
    columns = ["function", "file", "line", "kind", "record", "field"]
    told = [
        ["tcp_v4_conn_request", "net/ipv4/tcp_ipv4.c", "2467", "", "inet_connection_sock_af_ops", "conn_request"],
        ["devinet_conf_proc", "net/ipv4/devinet.c", "2545", "", "ctl_table", "proc_handler"],
    ]
    write(
        truth / "few.fptr_inits.tsv.gz", [each for each in columns if each != "kind"], [[*r[:3], *r[4:]] for r in told]
    )
    write(
        truth / "few.fptr_assigns.tsv.gz",
        columns,
        [
            ["tcp_wfree", "net/ipv4/tcp_output.c", "1378", "assign_field", "sk_buff", "destructor"],
            ["tcp_pace_kick", "net/ipv4/tcp_timer.c", "878", "assign_field", "hrtimer", "function"],
            ["xfrm4_udp_encap_rcv", "net/ipv4/udp.c", "2798", "assign_field", "udp_sock", "encap_rcv"],
            ["tcp_wfree", "net/ipv4/tcp_output.c", "1", "assign_field", "sk_buff", "dev"],
            ["tcp_wfree", "net/ipv4/tcp_output.c", "2", "compare", "sk_buff", "cb"],
        ],
    )
    found = compare(graph, truth, "few")
    (share,) = (share for share in found.recall if share.name == "recall, functions put into fields")
    assert (share.hits, share.total) == (5, 6)
    assert [row[:4] for row in found.missed if row[0] == "field"] == [
        ("field", "net/ipv4/tcp_output.c", "tcp_wfree", "sk_buff.dev")
    ]


def test_an_inactive_region_sets_its_edges_aside(graph: CallGraph, truth: Path) -> None:
    write(truth / "few.inactive.tsv.gz", ["file", "begin_line", "end_line"], [[CALLER[0], "1", "999999"]])
    found = compare(graph, truth, "few")
    assert (found.extra, len(found.missed)) == ((), 2)


def test_a_folder_without_truth_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no calls"):
        prefixes(tmp_path)


def test_the_doctor_tells_all_of_it(kread: Run, graph: CallGraph, truth: Path) -> None:
    done = kread("doctor", "--truth", str(truth), "--format", "json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["schema"] == "kread.doctor/1"
    assert [row[3] for row in report["accuracy"]["few"]["missed"]] == ["no_such_callee"]
    assert len(report["unresolved"]) == sum(row["count"] for row in report["reasons"])
    assert report["versions"]["tree-sitter"] != "missing"
    text = kread("doctor", "--list", "--truth", str(truth)).stdout
    assert "no_such_callee" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_census_counts_what_there_is(kread: Run, graph: CallGraph) -> None:
    found = census(graph)
    assert sum(count for _, _, count in found.edges) == len(kread("edges").stdout.splitlines()) - 1
    assert found.files > 1000
    assert all(call.reason for call in found.unresolved)


def test_reasons_are_counted_without_the_names_in_them() -> None:
    reason = "no call in the scope hands a function to the parameter cmp"
    assert reason_class(reason) == "no call in the scope hands a function to the parameter ..."
    assert reason_class("something else") == "something else"

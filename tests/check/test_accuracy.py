"""Accuracy and the census: a truth of a few rows with one call missed and one wrong, on a real release."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kread.check.accuracy import compare, prefixes
from kread.check.census import census, reason_class
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

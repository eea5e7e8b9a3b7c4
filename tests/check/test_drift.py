"""The source against the model: real releases agree, and each change of a decision is found."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
from collections.abc import Callable

import pytest
from releases import changed

from kread.check import drift
from kread.check.bodies import Bodies
from kread.check.drift import check_source, rows
from kread.check.policy import policy_of
from kread.data import load
from kread.graph.callgraph import CallGraph
from kread.model import RULES
from kread.model.policy import Policy, policies

RELEASES = ("5.10", "6.1", "6.12", "7.2")

#: What a reader would call a change of a decision: the file, what stands there, what it becomes, the rules it decides.
CHANGES = [
    ("include/net/sock.h", "sk_ack_backlog) > READ_ONCE(sk->sk_max", "sk_ack_backlog) < READ_ONCE(sk->sk_max", "4.3"),
    ("net/ipv4/tcp_input.c", "(max_syn_backlog >> 2)", "(max_syn_backlog >> 1)", "4.5"),
    ("net/ipv4/tcp_input.c", "(syncookies == 2 ||", "(syncookies == 2 &&", "4.1"),
    ("net/ipv4/tcp_minisocks.c", "paws_reject || !tcp_in_window(", "!tcp_in_window(", "R6.3"),
    ("net/ipv4/inet_connection_sock.c", "(qlen << 1) > max(8U,", "(qlen << 1) >= max(8U,", "8.2"),
    ("net/ipv4/inet_hashtables.c", "if (score > hiscore)", "if (score >= hiscore)", "2.5"),
    ("net/ipv4/tcp_fastopen.c", "fastopenq->qlen >= max_qlen", "fastopenq->qlen > max_qlen", "9.2"),
    ("net/socket.c", "(unsigned int)backlog > somaxconn", "(unsigned int)backlog >= somaxconn", "1.1"),
    ("include/linux/socket.h", "SOMAXCONN\t4096", "SOMAXCONN\t128", "1.1"),
    ("include/net/tcp.h", "TCP_SYNACK_RETRIES 5", "TCP_SYNACK_RETRIES 3", "8.1"),
    ("net/ipv4/tcp_ipv4.c", "sysctl_tcp_syncookies = 1;", "sysctl_tcp_syncookies = 0;", "4.2"),
    ("net/ipv4/tcp_input.c", "LINUX_MIB_TCPREQQFULLDROP", "LINUX_MIB_LISTENDROPS", "4.1"),
    ("net/ipv4/tcp_minisocks.c", "LINUX_MIB_EMBRYONICRSTS", "LINUX_MIB_LISTENDROPS", "R6.5"),
    ("include/net/request_sock.h", "atomic_inc(&queue->young);", "atomic_dec(&queue->young);", "4.8"),
    (
        "net/ipv4/inet_hashtables.c",
        "ipv4_portaddr_hash(net, htonl(INADDR_ANY), hnum)",
        "ipv4_portaddr_hash(net, 0, 0)",
        "2.3:any",
    ),
]

#: The rules without a condition of their own: what is left when no other applies, and what nobody does.
WITHOUT_ANCHOR = {"3.2:other", "11.3"}


@pytest.mark.parametrize("release", RELEASES)
def test_a_real_release_agrees(graph_of: Callable[[str], CallGraph], release: str) -> None:
    found = check_source(Bodies(graph_of(release)))
    assert (found.drifts, found.unmapped, found.unread) == ((), (), ())
    assert len({each.rule.id for each in found.found}) > 100
    assert found.passed


@pytest.mark.parametrize("release", RELEASES)
def test_the_policy_read_is_the_one_kept(graph_of: Callable[[str], CallGraph], release: str) -> None:
    kept = policies(load("policies"))[release]
    assert dataclasses.replace(policy_of(graph_of(release)), name=release) == kept


@pytest.mark.parametrize(("file", "old", "new", "rule"), CHANGES)
def test_a_change_of_a_decision_is_drift(graph: CallGraph, file: str, old: str, new: str, rule: str) -> None:
    found = check_source(changed(graph, file, old, new))
    assert not found.passed
    assert rule in {each.rule.id for each in found.drifts}
    assert all(each.expected and each.found for each in found.drifts if each.why == "text")


def test_two_tests_in_another_order_are_drift(graph: CallGraph) -> None:
    one = "if (sk_acceptq_is_full(sk)) {"
    other = "if (!req)"
    text = (graph.root / "net/ipv4/tcp_input.c").read_text(encoding="utf-8")
    start = text.index(one, text.index("want_cookie = tcp_syn_flood_action("))
    end = text.index(other, start) + len(other)
    between = text[start + len(one) : end - len(other)]
    swapped = other + between + one
    found = check_source(changed(graph, "net/ipv4/tcp_input.c", text[start:end], swapped))
    assert "order" in {each.why for each in found.drifts}


def test_a_comparison_that_other_trees_have_is_a_reading_and_not_drift(graph: CallGraph) -> None:
    bodies = changed(
        graph,
        "include/net/inet_connection_sock.h",
        "inet_csk_reqsk_queue_len(sk) > READ_ONCE",
        "inet_csk_reqsk_queue_len(sk) >= READ_ONCE",
    )
    found = check_source(bodies)
    assert found.passed
    assert found.reading.policy.request_queue_full == ">="
    assert found.reading.policy.accept_queue_full == ">"


def test_a_statement_that_is_gone_is_drift(graph: CallGraph) -> None:
    found = check_source(
        changed(graph, "net/ipv4/tcp_ipv4.c", "\ttcp_listendrop(sk);\n\treturn 0;", "\t;\n\treturn 0;")
    )
    assert [(each.rule.id, each.why, each.found) for each in found.drifts] == [("3.3", "missing", "")]


def test_the_wildcard_before_the_exact_address_is_drift(graph: CallGraph) -> None:
    old, new = "ipv4_portaddr_hash(net, daddr, hnum)", "ipv4_portaddr_hash(net, htonl(INADDR_ANY), hnum)"
    file = "net/ipv4/inet_hashtables.c"
    text = (graph.root / file).read_text(encoding="utf-8")
    start, end = text.index(old), text.index(new) + len(new)
    found = check_source(changed(graph, file, text[start:end], new + text[start + len(old) : end - len(new)] + old))
    assert "order" in {each.why for each in found.drifts}


def test_a_function_or_a_constant_that_is_gone_is_told(graph: CallGraph) -> None:
    gone = changed(graph, "include/linux/socket.h", "#define SOMAXCONN\t4096", "")
    gone._read["tcp_v4_conn_request"] = ()
    found = {(each.rule.id, each.why) for each in check_source(gone).drifts}
    assert {("1.1", "no function"), ("3.3", "no function")} <= found


def test_every_rule_has_a_place_in_the_source() -> None:
    assert {rule.id for rule in RULES.values() if not rule.guards} == WITHOUT_ANCHOR


def test_a_new_test_is_unmapped(graph: CallGraph) -> None:
    old = "want_cookie = tcp_syn_flood_action("
    found = check_source(changed(graph, "net/ipv4/tcp_input.c", old, f"if (x > 3) goto drop; {old}"))
    assert [each.statement.text for each in found.unmapped] == ["if(x>3)"]
    assert not found.passed


def test_a_check_of_nothing_does_not_pass(graph: CallGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "RULES", {})
    assert not check_source(Bodies(graph)).passed
    assert not dataclasses.replace(check_source(Bodies(graph)), found=(), branches=()).passed


def test_every_row_speaks_of_a_real_branch_and_of_real_rules(graph_of: Callable[[str], CallGraph]) -> None:
    checks = [check_source(Bodies(graph_of(release))) for release in RELEASES]
    assert drift.stale_rows(checks) == []
    assert {rule for row in rows() for rule in row.rules} <= set(RULES)
    assert all(bool(row.rules) != bool(row.reason) for row in rows())


def test_the_command_says_what_it_found(kread: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = kread("check", "source")
    assert done.returncode == 0, done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    match = re.search(r"(\d+)/(\d+)", done.stdout)
    assert match is not None
    assert match[1] == match[2]
    assert int(match[1]) > 200
    parts = json.loads(kread("check", "--format", "json").stdout)["parts"]
    assert [(part["check"], part["agrees"]) for part in parts] == [("source", True), ("walks", True), ("tours", True)]


def test_a_policy_field_that_no_tree_answers_is_told(graph: CallGraph) -> None:
    bodies = changed(
        graph, "include/net/sock.h", "sk_ack_backlog) > READ_ONCE(sk->sk_max", "sk_ack_backlog) == READ_ONCE(sk->sk_max"
    )
    found = check_source(bodies)
    assert [answer.question.field for answer in found.unread] == ["accept_queue_full"]
    assert isinstance(found.reading.policy, Policy)

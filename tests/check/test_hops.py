"""The tours against the model: every hop gone, every guard held, and both can fail."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from kread.check import values
from kread.check.bodies import canonical
from kread.check.hops import ToursCheck, check_tours, watched
from kread.check.policy import policy_of
from kread.check.values import held, taken_apart
from kread.data import load
from kread.graph.callgraph import CallGraph
from kread.model.play import play
from kread.model.policy import policies
from kread.model.script import parse

RELEASES = ("5.10", "6.1", "6.12", "7.2")
POLICY = policies(load("policies"))["6.12"]


def checked(graph: CallGraph) -> ToursCheck:
    return check_tours(graph, watched(policy_of(graph)))


@pytest.mark.parametrize("release", RELEASES)
def test_the_model_goes_every_hop_and_every_guard_holds(release: str, graph_of: Callable[[str], CallGraph]) -> None:
    found = checked(graph_of(release))
    assert [(hop.caller, hop.callee) for hop in found.differing] == []
    assert len(found.hops) >= 85
    assert len(found.known) >= 60
    assert found.passed


def test_every_row_of_values_is_of_use_and_so_is_each_hop_beyond(graph_of: Callable[[str], CallGraph]) -> None:
    checks = [checked(graph_of(release)) for release in RELEASES]
    spoken = {
        (guard.function, text)
        for check in checks
        for tour in check.tours
        for hop in tour.hops
        for guard in hop.guards
        for text in _parts(guard.guard.text)
    }
    unused = []
    for row in load("values")["value"]:
        wanted = {canonical(text) for text in row["texts"]}
        functions = row.get("functions")
        if not any(text in wanted and (not functions or function in functions) for function, text in spoken):
            unused.append(row["texts"])
    assert unused == []
    gone = {(hop.caller, hop.callee) for check in checks for tour in check.tours for hop in tour.hops if hop.beyond}
    assert gone == {tuple(hop) for row in load("walks")["beyond"] for hop in row["hops"]}


def _parts(text: str) -> set[str]:
    """The innermost parts of a condition, with and without what negates them."""
    text = values.bare(text.strip())
    outer = values.outermost(text)
    found = {canonical(text)}
    for sign in ("||", "&&"):
        if sign in outer:
            return found.union(*(_parts(part) for part in values._parts(text, outer, sign)))
    return found | (_parts(text[1:]) if text.startswith("!") else set())


def test_a_guard_that_says_otherwise_and_a_hop_that_nobody_goes_are_found(
    graph: CallGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = check_tours(graph, [play(parse("listen(8)\nSYN from=a", "one"), POLICY, values.Watch)])
    assert not few.passed
    assert {"tcp_syn_flood_action", "tcp_fastopen_create_child"} <= {hop.callee for hop in few.differing}
    turned = dict(values._rows()) | {("", canonical("sk_acceptq_is_full(sk)")): "A <= B"}
    monkeypatch.setattr(values, "_rows", lambda: turned)
    taken_apart.cache_clear()
    try:
        found = checked(graph)
    finally:
        taken_apart.cache_clear()
    assert ("tcp_conn_request", "inet_reqsk_alloc") in {(hop.caller, hop.callee) for hop in found.differing}
    assert not found.passed


@pytest.mark.parametrize(
    ("text", "numbers", "holds", "told"),
    [
        ("sk_acceptq_is_full(sk)", {"A": 0, "B": 128}, False, "A = 0 <= B = 128"),
        ("!sk_acceptq_is_full(sk)", {"A": 2, "B": 1}, False, "A = 2 > B = 1"),
        ("sk_acceptq_is_full(sk)", {}, None, ""),
        ("unheard_of(sk) || sk_acceptq_is_full(sk)", {"A": 2, "B": 1}, True, "A = 2 > B = 1"),
        ("unheard_of(sk) && sk_acceptq_is_full(sk)", {"A": 2, "B": 1}, None, "A = 2 > B = 1"),
        ("unheard_of(sk) && sk_acceptq_is_full(sk)", {"A": 1, "B": 1}, False, "A = 1 <= B = 1"),
        ("!(th->syn && th->ack)", {"SYN": 1, "ACK": 1}, False, "SYN = 1, ACK = 1"),
        (
            "!syncookies && (max_syn_backlog - inet_csk_reqsk_queue_len(sk) < (max_syn_backlog >> 2))",
            {"syncookies": 0, "M": 128, "Q": 97},
            True,
            "syncookies = 0, M - Q = 31 < M >> 2 = 32",
        ),
        ("flg == TCP_FLAG_SYN", {"SYN": 1, "ACK": 1, "RST": 0}, False, "SYN - ACK - RST = 0 != 1"),
    ],
)
def test_a_condition_in_the_model_s_values(text: str, numbers: dict[str, int], holds: bool | None, told: str) -> None:
    found = held(taken_apart(text, "somewhere"), numbers)
    assert (found.holds, found.told) == (holds, told)


def test_the_command_shows_the_numbers(kread: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = kread("check", "tours", "--list")
    assert done.returncode == 0, done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert "    not sk_acceptq_is_full(sk)\n        A = 0 <= B = " in done.stdout
    told = json.loads(kread("check", "tours", "--format", "json").stdout)
    assert told["agrees"]
    hops = [hop for tour in told["tours"] for hop in tour["hops"]]
    assert any(guard["values"].startswith("A = 0 <= B = ") for hop in hops for guard in hop["guards"])

"""Hand-overs: verified in four releases, never taken from a comment, and told where no call leads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kread.graph.callgraph import CallGraph
from kread.paths.across import crossings
from kread.paths.find import Finder, Request
from kread.paths.handovers import Handovers, mention, names

GraphOf = Callable[[str], CallGraph]

RELEASES = ("5.10", "6.1", "6.12", "7.2")

#: From reading the source: who gives and who takes. What differs between releases follows.
SIDES = {
    "accept-queue": ({"inet_csk_reqsk_queue_add"}, {"reqsk_queue_remove", "inet_csk_accept"}),
    "ehash-request": ({"reqsk_queue_hash_req"}, {"__inet_lookup_established"}),
    "ehash-child": ({"inet_ehash_insert"}, {"__inet_lookup_established"}),
    "listener-hash": ({"__inet_hash"}, {"inet_lhash2_lookup"}),
    "request-timer": ({"reqsk_queue_hash_req"}, {"reqsk_timer_handler"}),
    "retransmit-timer": ({"inet_csk_reset_xmit_timer"}, {"tcp_write_timer"}),
    "wakeup": ({"sock_def_readable"}, {"inet_csk_wait_for_connect"}),
    "syn": ({"tcp_connect"}, {"tcp_rcv_state_process"}),
    "syn-ack": ({"tcp_make_synack"}, {"tcp_rcv_synsent_state_process"}),
    "final-ack": ({"__tcp_send_ack"}, {"tcp_check_req"}),
    "cookie": ({"tcp_make_synack"}, {"cookie_v4_check"}),
}
DIFFERENT = {
    ("5.10", "listener-hash"): ({"inet_hash2"}, {"inet_lhash2_lookup"}),
    ("7.2", "listener-hash"): ({"inet_hash"}, {"inet_lhash2_lookup"}),
    ("6.12", "cookie"): ({"tcp_make_synack"}, {"__cookie_v4_check"}),
    ("7.2", "cookie"): ({"tcp_make_synack"}, {"__cookie_v4_check"}),
}


def test_each_hand_over_is_tested() -> None:
    assert set(names()) == set(SIDES)


@pytest.mark.parametrize("release", RELEASES)
def test_both_sides_are_verified(release: str, graph_of: GraphOf) -> None:
    finder = Finder(graph_of(release))
    handovers = Handovers(finder.graph, finder.sites)
    for name in names():
        found = handovers.get(name)
        assert found is not None, name
        givers, takers = DIFFERENT.get((release, name), SIDES[name])
        assert {side.function.name for side in found.givers} == givers, name
        assert {side.function.name for side in found.takers} == takers, name
        for side in (*found.givers, *found.takers):
            line = finder.sites.lines(side.file)[side.line - 1].decode()
            assert any(part in line for part in found.meets.split(" and ")), (name, str(side))


@pytest.mark.parametrize(
    ("text", "wanted", "line"),
    [
        ("a->next = b;\n", "next", 7),
        ("int nextdoor;\n\nx.next = 1;\n", "next", 9),
        ("/* next\n next */ next\n", "next", 8),
        ("// next\n", "next", 0),
        ("th->syn = 1;\n", "th->syn", 7),
        ("th -> syn = 1;\n", "th -> syn", 7),
        ("mth->syn = 1;\n", "th->syn", 0),
        ("f(a,\n  b >> 2);\n", "b >> 2", 8),
        ("f(a, b>>2);\n", "b >> 2", 7),
    ],
)
def test_what_a_text_mentions(text: str, wanted: str, line: int) -> None:
    lines = [row.encode() for row in text.splitlines(keepends=True)]
    assert mention(lines, 7, wanted) == line


def test_a_hand_over_without_its_field_is_not_told(graph_of: GraphOf, monkeypatch: pytest.MonkeyPatch) -> None:
    from kread.paths import handovers as module

    rows = dict(module._rows())
    rows["accept-queue"] = {**rows["accept-queue"], "meets": ["rskq_no_such_member"]}
    monkeypatch.setattr(module, "_rows", lambda: rows)
    finder = Finder(graph_of("6.12"))
    assert Handovers(finder.graph, finder.sites).get("accept-queue") is None


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("caller", "callee", "name", "lead"),
    [
        ("inet_csk_reqsk_queue_add", "inet_csk_accept", "accept-queue", None),
        ("sock_def_readable", "inet_csk_wait_for_connect", "wakeup", None),
        ("reqsk_queue_hash_req", "__inet_lookup_established", "ehash-request", None),
        ("tcp_v4_rcv", "inet_csk_accept", "accept-queue", "tcp_check_req"),
    ],
)
def test_no_call_leads_there_but_a_hand_over_does(
    release: str, caller: str, callee: str, name: str, lead: str | None, graph_of: GraphOf
) -> None:
    answer = Finder(graph_of(release)).answer(Request(caller, callee))
    assert answer.trails == ()
    crossing = answer.crossings[0]
    assert crossing.handover.name == name
    assert (crossing.lead is None) == (lead is None)
    if lead and crossing.lead:
        assert lead in [step.function.name for step in crossing.lead.steps]


def test_far_sides_of_a_hand_over_are_not_searched_for(graph_of: GraphOf) -> None:
    finder = Finder(graph_of("6.12"))
    asked: list[str] = []

    def way(caller: str, callee: str) -> None:
        asked.append(caller)

    ends = ("tcp_v4_rcv", "inet_csk_accept")
    handovers = Handovers(finder.graph, finder.sites)
    for near in (True, False):
        crossings(handovers, *ends, lambda symbol, side: symbol == side.function.name, lambda a, b, n=near: n, way)
        assert bool(asked) is near
        asked.clear()


def test_a_hand_over_of_the_ends_is_told_beside_a_path(graph_of: GraphOf) -> None:
    answer = Finder(graph_of("6.12")).answer(Request("inet_csk_reqsk_queue_add", "reqsk_queue_remove"))
    assert [crossing.handover.name for crossing in answer.crossings] == ["accept-queue"]

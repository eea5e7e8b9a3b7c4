"""Conditions in plain words: taken apart as C does it, complete or not at all, in both languages."""

from __future__ import annotations

import re

import pytest

from kread import data
from kread.facts import Guard
from kread.graph.callgraph import CallGraph
from kread.paths.find import Finder
from kread.paths.tour_file import read_tour, shipped
from kread.paths.tours import show_tour
from kread.render.wording import in_words

#: Of the conditions on the shipped tours, so many have words; the rest speak of variables that only their function knows.
ENOUGH = 0.9


@pytest.mark.parametrize(
    ("text", "holds", "said"),
    [
        ("th->syn", True, "the segment has SYN set"),
        ("!th->syn", True, "the segment does not have SYN set"),
        ("!(flg & TCP_FLAG_SYN)", False, "the segment has SYN set"),
        ("sk->sk_state != TCP_LISTEN", False, "the socket is a listener"),
        ("sk->sk_state == TCP_CLOSE_WAIT", False, "the socket is not in state CLOSE_WAIT"),
        ("th->syn && !th->ack", True, "the segment has SYN set, and the segment does not have ACK set"),
        ("th->syn && !th->ack", False, "the segment does not have SYN set, or the segment has ACK set"),
        ("!th->ack || th->rst", False, "the segment has ACK set, and the segment does not have RST set"),
        (
            "th->syn && (th->ack || th->rst)",
            True,
            "the segment has SYN set; and the segment has ACK set, or the segment has RST set",
        ),
        ("(dst = inet_csk_route_req(sk, &fl4, req)) == NULL", False, "there is a route to the peer"),
        ("th->syn && nobody_knows(this)", True, ""),
        ("a <= 3", True, ""),
        ("a >= b && a != b", True, ""),
    ],
)
def test_what_a_condition_says(text: str, holds: bool, said: str) -> None:
    assert in_words(Guard(1, text, holds), "some_function") == said


def test_a_row_of_a_function_comes_before_the_general_one() -> None:
    guard = Guard(1, "nsk == sk", True)
    assert in_words(guard, "tcp_v4_do_rcv") != in_words(guard, "tcp_v4_rcv") != ""
    assert in_words(Guard(1, "isn", True), "tcp_conn_request") != ""
    assert in_words(Guard(1, "isn", True), "some_function") == ""


def test_every_row_says_both_in_every_language() -> None:
    rows = data.load("wording")["say"]
    languages = [name.rpartition("/")[2] for name in data.names("lang")]
    for row in rows:
        assert ("text" in row) != ("pattern" in row), row
        for lang in languages:
            yes, no = row[lang]
            assert yes != no
            assert not re.search(r"[.。]$", yes + no)
            assert sorted(re.findall(r"\{\w+\}", yes)) == sorted(re.findall(r"\{\w+\}", row["en"][0]))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nearly_every_condition_on_the_tours_has_words(graph: CallGraph, lang: str) -> None:
    finder = Finder(graph)
    shown = [show_tour(read_tour(name), finder) for name in shipped()]
    trails = [trail for one in shown for stop in one.stops for trail in (stop.lead, stop.trail) if trail]
    guards = {(guard, step.function.name) for trail in trails for step in trail.steps for guard in step.guards}
    said = [in_words(guard, function, lang) for guard, function in guards]
    assert len(said) > 100
    assert sum(map(bool, said)) >= ENOUGH * len(said)
    assert not any("{" in one for one in said)

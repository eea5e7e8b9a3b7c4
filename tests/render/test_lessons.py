"""What the model adds to a tour. Expected values are those of shared observations of real kernels, not of our output:
a backlog of 5 lets 6 connections wait; SYN+ACKs leave 0, 1, 3, 7, 15 and 31 seconds after the SYN."""

from __future__ import annotations

import re

import pytest

from kread import data
from kread.model.policy import Policy, policies
from kread.model.rules import Rule
from kread.paths.tour_file import read_tour, shipped
from kread.render.course import index_page, references, steps
from kread.render.lessons import NOTHING, lesson

POLICIES = policies(data.load("policies"))
POLICY = POLICIES["6.12"]


def place(rule: Rule) -> str:
    return f"{rule.function}.c:1"


def answers(tour: str, policy: Policy = POLICY, lang: str = "en") -> list[str]:
    return [answer for _, answer in lesson(tour, policy, place, lang).asked]


def test_a_backlog_of_five_drops_the_seventh_syn() -> None:
    full, flood = answers("tcp-syn")
    assert full.startswith("SYN number 7: ListenDrops+1 ListenOverflows+1. tcp_conn_request: ")
    assert "(tcp_conn_request.c:1)" in full
    assert flood.startswith("SYN number 7: ListenDrops+1 TCPReqQFullDrop+1.")


def test_the_answer_follows_the_release() -> None:
    other = Policy("other", accept_queue_full=">=")
    assert answers("tcp-syn", other)[0].startswith("SYN number 6: ")


def test_somaxconn_bounds_the_backlog() -> None:
    assert answers("tcp-listen")[0].startswith("SYN number 5: ")


def test_the_syn_ack_is_repeated_in_doubling_times_and_the_end_is_silent() -> None:
    assert "At 0, 1, 3, 7, 15, 31 s" in answers("tcp-synack")[0]


def test_a_cookie_keeps_nothing() -> None:
    (answer,) = answers("tcp-syncookies")
    assert answer.startswith("SYN-ACK ")
    assert "Q=2 " in answer
    assert "SyncookiesSent+1" in answer


def test_only_the_accepted_queue_is_told_of_a_close() -> None:
    (answer,) = answers("tcp-listener-close")
    assert re.match(r"RST\|ACK seq=\d+ ack=\d+ to c1\. ", answer)
    assert "OutRsts+1" in answer


@pytest.mark.parametrize("release", POLICIES)
@pytest.mark.parametrize("tour", shipped())
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_tour_is_played_on_every_release_and_no_blank_is_left(tour: str, release: str, lang: str) -> None:
    played = lesson(tour, POLICIES[release], place, lang)
    for question, answer in played.asked:
        assert not re.search(r"[{}]", question + answer)
        assert not re.search(rf"(^|[ :：第]){NOTHING}([ .。;；]|$)", answer), answer
    assert played.rules
    assert "tcp_conn_request" in played.values or tour == "tcp-listener-close"


def test_the_handshake_is_drawn_in_its_order() -> None:
    sequence = lesson("tcp-syn", POLICY, place, "en").sequence
    arrows = [line.split(":", 1)[1].split()[0] for line in sequence.splitlines() if ">>" in line]
    assert arrows == ["bind(L,", "bind", "listen(L,", "listen", "SYN", "SYN-ACK", "ACK", "accept(L)", "accept"]


def test_the_values_of_a_function_are_those_of_its_moment() -> None:
    values = lesson("tcp-syn", POLICY, place, "en").values
    assert ("a", "none > NEW_SYN_RECV") in values["inet_csk_reqsk_queue_hash_add"]
    assert ("PassiveOpens", "+1") in values["inet_csk_complete_hashdance"]


def test_the_data_speak_of_tours_that_there_are() -> None:
    course, known = data.load("course"), set(shipped())
    for row in (*course["step"], *data.load("references")["reference"]):
        assert set(row["tours"]) <= known
        assert row["reason"]
    claims = {row["name"] for row in data.load("claims")["claim"]}
    for row in course["claim"]:
        assert row["name"] in claims
        assert set(row["tours"]) <= known
        said = {one.says for tour in row["tours"] for one in read_tour(tour).statements}
        assert set(row["states"]) <= said
    assert {row["tour"] for row in course["question"]} <= known
    assert set(course["scenario"]) - {"default"} <= known
    assert [text.lstrip("▸ ")[0] for text in steps("tcp-syn", "zh")] == list("123456")
    assert [text[0] for text in steps("tcp-accept", "en")].count("▸") == 1
    for tour in known:
        assert len(references(tour)) >= 2
        assert all(url.startswith("https://") for _, url in references(tour))


def test_the_index_leads_to_each_tour() -> None:
    html = index_page([("a.html", "A <b>", "Explain & see")], "zh")
    assert '<a href="a.html">A &lt;b&gt;</a><p>Explain &amp; see</p>' in html
    assert 'lang="zh-CN"' in html

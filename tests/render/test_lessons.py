"""What the model adds to a tour. Expected values are those of shared observations of real kernels, not of our output:
a backlog of 5 lets 6 connections wait; SYN+ACKs leave 0, 1, 3, 7, 15 and 31 seconds after the SYN."""

from __future__ import annotations

import re

import pytest

from kread import data
from kread.model.policy import Policy, policies
from kread.model.rules import Rule
from kread.model.story import sequence_diagram
from kread.paths.tour_file import read_tour, shipped
from kread.render.course import references, steps
from kread.render.index_page import index_page
from kread.render.lessons import NOTHING, lesson
from kread.render.texts import texts

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
    assert played.played
    assert any("tcp_conn_request" in walked for walked in played.walked) or tour == "tcp-listener-close"


def test_the_handshake_is_drawn_in_its_order() -> None:
    sequence = sequence_diagram(lesson("tcp-syn", POLICY, place, "en").sequence)
    arrows = [line.split(":", 1)[1].split()[0] for line in sequence.splitlines() if ">>" in line]
    assert arrows == ["bind(L,", "bind", "listen(L,", "listen", "SYN", "SYN-ACK", "ACK", "accept(L)", "accept"]


def test_the_sequence_names_the_six_steps() -> None:
    notes = [arrow.text for arrow in lesson("tcp-syn", POLICY, place, "en").sequence.arrows if arrow.note]
    acts = [note for note in notes if note.startswith("Step")]
    assert [int(digit) for act in acts for digit in re.findall(r"\d", act)] == [1, 2, 3, 4, 5, 6]


def test_the_values_of_a_function_are_those_of_its_moment() -> None:
    played = lesson("tcp-syn", POLICY, place, "en")
    hashed = played.at("inet_csk_reqsk_queue_hash_add", [], texts("en"))
    assert hashed is not None
    assert ("a", "none > NEW_SYN_RECV") in hashed.moves
    assert (hashed.before, hashed.after) == ((("L", "Q=0 Y=0 A=0 B=8"),), (("L", "Q=1 Y=1 A=0 B=8"),))
    assert [(fired, rule) for fired, rule, _, _ in hashed.rules] == [(True, "4.8")]
    completed = played.at("inet_csk_complete_hashdance", [], texts("en"))
    assert completed is not None
    assert ("PassiveOpens", "+1") in completed.moves


def test_the_moment_of_a_function_is_that_of_those_told_beside_it() -> None:
    """tcp_v4_cookie_check() is walked by the SYN too; beside the functions that read a cookie its moment is the ACK."""
    played, text = lesson("tcp-syncookies", POLICY, place, "en"), texts("en")
    shown = ["if (!th->syn)"]
    alone = played.at("tcp_v4_cookie_check", shown, text)
    beside = played.at("tcp_v4_cookie_check", shown, text, ["tcp_v4_cookie_check", "cookie_v4_check"])
    assert alone is not None
    assert beside is not None
    assert alone.event.startswith("SYN ")
    assert beside.event.startswith("ACK ")
    assert [(fired, rule) for fired, rule, _, _ in beside.rules] == [(True, "3.1")]


def test_a_rule_that_is_asked_and_is_not_so_stands_where_its_condition_is_shown() -> None:
    played = lesson("tcp-syn", POLICY, place, "en")
    shown = ["if (sk_acceptq_is_full(sk)) {"]
    asked = played.at("tcp_conn_request", shown, texts("en"))
    assert asked is not None
    assert [(fired, rule) for fired, rule, _, _ in asked.rules] == [(False, "4.3")]
    assert played.at("tcp_conn_request", ["return 0;"], texts("en")) is None


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
    assert [text[0] for text, _ in steps(["tcp-syn"], "zh")] == list("123456")
    assert [walked for _, walked in steps(["tcp-accept"], "en")] == [False] * 5 + [True]
    for tour in known:
        assert len(references(tour, texts("en"))) >= 2
        assert all(url.startswith("https://") for _, url in references(tour, texts("en")))


def test_the_index_leads_to_each_tour() -> None:
    html = index_page("All", ["1. B"], [("a.html", "A <b>", "Explain & see")], "zh")
    assert '<a href="a.html">A &lt;b&gt;</a><p>Explain &amp; see</p>' in html
    assert 'lang="zh-CN"' in html

"""The scenario language: what it takes, and errors that name the line."""

from __future__ import annotations

import pytest

from kread.model.events import Flag
from kread.model.play import Run, play
from kread.model.policy import Policy
from kread.model.script import ScriptError, flags, parse

POLICY = Policy("test")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("listen(1)\nNONSENSE from=a", 2, "neither a happening nor an expectation begins with NONSENSE"),
        ("# head\n\nlisten(1) colour=red", 3, "listen takes on=, as=,"),
        ("SYN from=a seqq=1", 1, "segment takes from=,"),
        ("frobnicate(1)", 1, "no call frobnicate()"),
        ("wait", 1, "wait what"),
        ("close(L) now", 1, "close takes nothing, not now"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, line: int, why: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse(text)
    assert caught.value.line == line
    assert caught.value.why.startswith(why)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("listen(1)\nclose(M)", 2, "no socket is called M"),
        ("listen(1)\nnosuchsysctl=1", 2, "no sysctl tcp_nosuchsysctl"),
        ("listen(1)\nSYN from=a seq=zzz", 2, "invalid literal"),
        ("listen(1)\nSYN from=a\n-> FOO", 3, "FOO names no segment"),
        ("listen(1)\nSYN from=a\n-> SYN-ACK colour=red", 3, "a segment has no colour"),
        ("listen(1)\nqueues Q=0 of M", 2, "no socket is called M"),
        ("listen(1)\npeer zoe none", 2, "nobody is called zoe"),
        ("listen(1)\n[colour] -> nothing", 2, "no policy field 'colour'"),
        ("only colour\nlisten(1)", 1, "no policy field 'colour'"),
        ("with colour=true\nlisten(1)", 1, "no policy field 'colour'"),
        ("given Q=1", 1, "no listener is called L"),
        ("at 5s\nat 4s", 2, "time cannot go back"),
        ("setsockopt(L)", 1, "not enough values"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(text: str, line: int, why: str) -> None:
    with pytest.raises(ScriptError) as caught:
        play(parse(text), POLICY)
    assert caught.value.line == line
    assert why in caught.value.why


def test_the_words_of_a_segment() -> None:
    assert flags("SYN|ACK") == flags("SYN-ACK") == flags("SYN+ACK") == Flag.SYN | Flag.ACK
    assert flags("none") == Flag(0)
    assert flags("SIN") is None


def _segments(text: str) -> list[str]:
    run: Run = play(parse(text), POLICY)
    return [outcome.event for outcome in run.outcomes if " from " in outcome.event]


def test_a_peer_remembers_its_numbers() -> None:
    told = _segments(
        "listen(1)\nSYN from=10.0.0.9:5 seq=77\nACK from=10.0.0.9:5\n"
        "PSH|ACK from=10.0.0.9:5 data=3\nFIN|ACK from=10.0.0.9:5"
    )
    assert [each.split(" ack=")[0] for each in told] == [
        "SYN seq=77 from 10.0.0.9:5",
        "ACK seq=78",
        "PSH|ACK seq=78",
        "FIN|ACK seq=81",
    ]


def test_what_people_write_is_understood() -> None:
    assert len(_segments("listen(9)\n3 SYNs")) == 3
    assert len(_segments("listen(9)\n3 x full handshake attempts")) == 6
    run = play(parse("syncookies=0,max_syn_backlog=77\nlisten(9) on 10.0.0.1:p"), POLICY)
    assert run.host is not None
    assert (run.host.sysctl["tcp_syncookies"], run.host.sysctl["tcp_max_syn_backlog"]) == (0, 77)


def test_a_refusal_must_be_expected() -> None:
    with pytest.raises(ScriptError, match="no socket is called X"):
        play(parse("close(X)\nlisten(1)"), POLICY)
    assert play(parse("close(X)\nrefused\nlisten(1)"), POLICY).passed
    assert not play(parse("listen(1)\nrefused"), POLICY).passed


def test_lines_for_other_policies_are_left_out() -> None:
    text = "[migration] listen(1)\n[!migration] listen(2)\n[migration & !tsecr_checked] listen(3, L)"
    run = play(parse(text), Policy("x", tsecr_checked=False))
    assert run.queues()["L"].B == 3
    assert play(parse("only !migration\nlisten(1)"), POLICY).skipped == "only !migration"

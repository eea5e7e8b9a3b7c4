"""Scenarios written for packetdrill: what is written, read back and played, says the same; and it can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from packet_grammar import refusal

from kread.check.packetdrill import FAILED, PASSED, check_script
from kread.check.scenarios import bundled
from kread.data import load
from kread.model.policy import Policy, policies
from kread.model.script import Script, parse
from kread.render.packet_script import NotWritable, packet_script

POLICIES = policies(load("policies"))
BY_NAME = {script.name: script for script in bundled()}

#: What no script of a kernel tree covers, and has to be written.
WANTED = (
    "the-accept-queue-holds-backlog-plus-one",
    "without-cookies-requests-beyond-the-backlog-are-dropped",
    "with-cookies-requests-beyond-the-backlog-get-a-cookie-and-nothing-is-kept",
    "the-last-quarter-of-max-syn-backlog-is-for-the-proven",
    "with-abort-on-overflow-the-last-ack-is-reset",
    "the-last-ack-meets-a-full-accept-queue-and-is-forgotten",
    "the-syn-ack-is-sent-six-times-and-the-request-goes-silently-at-63-s",
)


def written(script: Script, policy: Policy) -> str:
    try:
        return packet_script(script, policy)
    except NotWritable:
        return ""


@pytest.mark.parametrize("release", POLICIES)
def test_what_is_written_and_read_back_says_the_same(tmp_path: Path, release: str) -> None:
    compared = 0
    for script in bundled():
        text = written(script, POLICIES[release])
        if text:
            file = tmp_path / "script.pkt"
            file.write_text(text, encoding="utf-8")
            found = check_script(file, POLICIES[release])
            assert found.verdict == PASSED, (script.name, found)
            compared += found.compared
    assert compared > 350


@pytest.mark.parametrize("name", WANTED)
def test_what_no_public_script_covers_can_be_written(name: str) -> None:
    text = packet_script(BY_NAME[name], POLICIES["6.12"])
    assert refusal(text) == "", text
    assert "nstat" in text
    assert "> S." in text or "< S" in text


@pytest.mark.parametrize("release", POLICIES)
def test_packetdrill_s_grammar_takes_every_script(release: str) -> None:
    texts = {script.name: written(script, POLICIES[release]) for script in bundled()}
    assert {name: why for name, text in texts.items() if text and (why := refusal(text))} == {}
    assert sum(1 for text in texts.values() if text) >= 60
    assert sum(text.count(" < ") for text in texts.values()) > 300


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("    0 `sysctl", "    1 `sysctl", "at time 0"),
        ("--local_ip=192.168.0.1", "--local_ip=", "wanted"),
        ("win 65535 <mss", "win 65536 <mss", "out of range"),
        (" win 65535 <mss 1460>", "", "wants a window"),
        ("<mss 1460>", "<...>", "left open"),
        ("> S. 0:0(0)", "> S. 0:1(0)", "do not agree"),
        ("< S 0:0(0)", "< ack 0:0(0)", "no flags"),
        ("< S 0:0(0)", "< S 4294967295:4294967297(2)", "out of range"),
        ("+0 < S", "+0~+1 < S", "a range of time for"),
        ("+0 > S.", "+1~+0 > S.", "backwards"),
        ("listen(3, 1) = 0", "listen(3, 1) = -1 EINVAL (Invalid id)", "word of the language"),
        ("listen(3, 1) = 0", "listen(3, 1)", "= wanted"),
    ],
)
def test_the_grammar_refuses_what_packetdrill_refuses(old: str, new: str, why: str) -> None:
    text = packet_script(BY_NAME["with-abort-on-overflow-the-last-ack-is-reset"], POLICIES["6.12"])
    assert refusal(text) == ""
    assert old in text
    assert why in refusal(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("with-abort-on-overflow-the-last-ack-is-reset", "tcp_abort_on_overflow=1", "tcp_abort_on_overflow=0"),
        ("the-accept-queue-holds-backlog-plus-one", "listen(3, 5)", "listen(3, 6)"),
        ("the-last-quarter-of-max-syn-backlog-is-for-the-proven", "ListenDrops | awk", "ListenOverflows | awk"),
        ("without-cookies-requests-beyond-the-backlog-are-dropped", "tcp_syncookies=0", "tcp_syncookies=1"),
    ],
)
def test_a_script_with_one_change_fails(tmp_path: Path, name: str, old: str, new: str) -> None:
    text = packet_script(BY_NAME[name], POLICIES["6.12"])
    assert old in text
    file = tmp_path / "script.pkt"
    file.write_text(text.replace(old, new), encoding="utf-8")
    assert check_script(file, POLICIES["6.12"]).verdict == FAILED


def test_what_cannot_be_told_ends_the_script_and_says_so() -> None:
    text = packet_script(parse("listen(1)\nSYN from=a\nproven a\nSYN from=a"), POLICIES["6.12"])
    assert text.count("< S") == 1
    assert "is proven" in text
    with pytest.raises(NotWritable, match="no segment comes in"):
        packet_script(parse("listen(1)\nwait 1s"), POLICIES["6.12"])
    with pytest.raises(NotWritable, match="second socket"):
        packet_script(parse("listen(1) as A reuseport\nlisten(1) as B reuseport\nSYN"), POLICIES["6.12"])

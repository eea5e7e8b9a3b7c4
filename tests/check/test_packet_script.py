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
from kread.model.socks import SECOND
from kread.render.packet_clock import LATE, TOLERANCE
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


def scripted(lines: str) -> str:
    return packet_script(parse(lines), POLICIES["7.2"])


def test_a_client_on_the_same_machine_finds_the_loopback_device_up() -> None:
    text = packet_script(BY_NAME["the-accept-queue-holds-backlog-plus-one"], POLICIES["6.12"])
    assert text.index("ip link set lo up") < text.index("create_connection")


def test_a_timer_that_fires_unseen_is_waited_for() -> None:
    # The request ends at 63 s without a segment; its last timer was armed at 31 s, so a kernel's may be 4 s late.
    text = scripted("listen(8)\nSYN from=a\nat 63s\nACK from=a")
    assert f"+{32 + (4 * SECOND + LATE) / SECOND:g} < ." in text
    text = scripted("listen(8)\nSYN from=a\nat 63s")
    assert f"+{32 + (4 * SECOND + 2 * LATE) / SECOND:g} `true`" in text


def test_each_repetition_has_the_time_that_a_kernel_takes_for_it() -> None:
    text = scripted("listen(8)\nSYN from=a\nat 8s")
    assert [line.split()[0] for line in text.splitlines() if line.count("> S.")] == [
        "+0",
        "+1~+1.325",
        "+2~+2.45",
        "+4~+4.7",
    ]


def test_a_moment_too_near_to_a_timer_ends_the_script() -> None:
    """The first SYN-ACK is repeated at 1 s: shortly before it is no moment for a script."""
    near, far = SECOND - TOLERANCE, SECOND - TOLERANCE - 1
    assert "so near to a timer" in scripted(f"listen(8)\nSYN from=a\nat {near / SECOND}s\nSYN from=b")
    text = scripted(f"listen(8)\nSYN from=a\nat {far / SECOND}s\nSYN from=b")
    assert "so near to a timer" not in text
    assert f"+{far / SECOND:g} < S" in text


def test_a_script_that_waited_is_nearer_to_the_timers_of_others() -> None:
    """Waiting for one peer's timers takes up to half a second of the time that another's have left."""
    lines = "listen(8)\nSYN from=a\nat 3.1s\nSYN from=b\nat {}s\nSYN from=c"
    assert "so near to a timer" not in scripted(lines.format(3.3))
    assert "so near to a timer" in scripted(lines.format(3.8))


def test_data_that_a_kernel_keeps_and_the_model_does_not_end_the_script() -> None:
    text = scripted("listen(8)\nhandshake from=a\nPSH|ACK from=a seq=irs+11 data=1\nPSH|ACK from=a seq=irs+1 data=10")
    assert "P. 11:12(1)" in text
    assert "P. 1:11(10)" not in text
    assert "data that came out of order" in text


def test_timers_of_one_moment_of_which_some_are_pruned_end_the_script() -> None:
    name = "old-requests-are-pruned-to-two-timeouts-when-they-clog-the-queue"
    assert "which of the timers of one moment" in packet_script(BY_NAME[name], POLICIES["7.2"])


def test_what_cannot_be_told_ends_the_script_and_says_so() -> None:
    text = packet_script(parse("listen(1)\nSYN from=a\nproven a\nSYN from=a"), POLICIES["6.12"])
    assert text.count("< S") == 1
    assert "is proven" in text
    with pytest.raises(NotWritable, match="no segment comes in"):
        packet_script(parse("listen(1)\nwait 1s"), POLICIES["6.12"])
    with pytest.raises(NotWritable, match="second socket"):
        packet_script(parse("listen(1) as A reuseport\nlisten(1) as B reuseport\nSYN"), POLICIES["6.12"])

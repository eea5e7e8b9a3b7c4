"""Packetdrill scripts against the model: those of real trees, and scripts of ours that say what is not so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kread.check.packet_lines import SEGMENT, lines
from kread.check.packetdrill import FAILED, OUTSIDE, PASSED, check_folder, check_script
from kread.data import load
from kread.model.policy import policies

POLICY = policies(load("policies"))["7.2"]
SCRIPTS = "tools/testing/selftests/net/packetdrill"

HANDSHAKE = """
    0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 accept(3, ..., ...) = -1 EAGAIN (nobody)
   +0 < S 0:0(0) win 1000 <mss 1000>
   +0 > S. 0:0(0) ack 1 <...>
   +1 > S. 0:0(0) ack 1 <...>
   +0 < . 1:1(0) ack 1 win 1000
   +0 accept(3, ..., ...) = 4
"""


@pytest.mark.parametrize(("release", "least"), [("6.12", 19), ("7.2", 116)])
def test_the_scripts_of_a_tree_agree(tree: Callable[[str], Path], release: str, least: int) -> None:
    found = check_folder(tree(release) / SCRIPTS, policies(load("policies"))[release])
    assert [each for each in found.verdicts if each.verdict == FAILED] == []
    assert found.counts[PASSED] >= least
    assert all(each.why for each in found.verdicts)


def test_a_script_that_tells_releases_apart_fails_on_the_other_reading(tree: Callable[[str], Path]) -> None:
    file = tree("7.2") / SCRIPTS / "tcp_rfc5961_rst-syn-recv.pkt"
    assert check_script(file, POLICY).why == "followed to its end"
    other = check_script(file, replace(POLICY, rst_must_be_exact=False))
    assert other.verdict == FAILED


def test_a_call_over_several_lines_is_one_and_urgent_data_are_read() -> None:
    text = "+0 f(3, {a(...)=...,\n     b=`x`}, 0) = 0\n+0 < U. 1:2(1) ack 1 win 9 urg 1 <nop>\n+1 g() = 1"
    found = [(number, line) for number, line in lines(text) if not line.startswith("`")]
    assert found == [(1, "+0 f(3, {a(...)=..., b=}, 0) = 0"), (3, text.splitlines()[2]), (4, "+1 g() = 1")]
    urgent = SEGMENT.match(found[1][1], 3)
    assert urgent is not None
    assert (urgent["flags"], urgent["options"]) == ("U.", "nop")


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("listen(3, 1)", "listen(3, 1)", PASSED),
        ("> S. 0:0(0) ack 1", "> S. 0:0(0) ack 2", FAILED),
        ("   +1 > S. 0:0(0) ack 1 <...>\n", "", PASSED),
        ("   +1 > S.", "  +.5 > S.", FAILED),
        ("   +0 > S. 0:0(0) ack 1 <...>\n   +1", "   +1", FAILED),
        ("   +1 > S.", "  +.5 ~+1.2 > S.", PASSED),
        ("   +1 > S.", "  +.5 ~+.9 > S.", FAILED),
        ("< S 0:0", "< [ect0] SEWA 0:0", PASSED),
        ("= -1 EAGAIN", "= 4", FAILED),
        ("   +0 < . 1", "   +0 < icmp unreachable host_unreachable [0:1(1)]\n   +0 < . 1", FAILED),
        ("   +0 < . 1", "   +0 < icmp unreachable port_unreachable [0:1(1)]\n   +0 < . 1", PASSED),
        ("   +0 < . 1", "   +0 < icmp unreachable host_unreachable [9:10(1)]\n   +0 < . 1", PASSED),
        ("   +0 < S 0:0(0) win 1000 <mss 1000>\n", "   +0 connect(3, ..., ...) = 0\n", OUTSIDE),
        ("    0 socket", "--ip_version=ipv6\n    0 socket", OUTSIDE),
    ],
)
def test_a_script_of_ours(tmp_path: Path, old: str, new: str, verdict: str) -> None:
    assert old in HANDSHAKE
    file = tmp_path / "ours.pkt"
    file.write_text(HANDSHAKE.replace(old, new, 1), encoding="utf-8")
    found = check_script(file, POLICY)
    assert found.verdict == verdict, found


@pytest.mark.parametrize(("acks", "verdict"), [(True, PASSED), (False, FAILED)])
def test_an_accept_that_waits_returns_when_somebody_comes(tmp_path: Path, *, acks: bool, verdict: str) -> None:
    waits = HANDSHAKE.replace("|SOCK_NONBLOCK", "").replace("+0 accept(3, ..., ...) = -1 EAGAIN (nobody)", "")
    waits = waits.replace("   +0 accept(3, ..., ...) = 4\n", "").replace(
        "1) = 0\n", "1) = 0\n   +0...2 accept(3, ..., ...) = 4\n"
    )
    file = tmp_path / "one.pkt"
    file.write_text(waits if acks else waits.replace("   +0 < . 1:1(0) ack 1 win 1000\n", ""), encoding="utf-8")
    found = check_script(file, POLICY)
    assert found.verdict == verdict, found


def test_no_script_is_no_agreement(tmp_path: Path) -> None:
    assert not check_folder(tmp_path, POLICY).passed

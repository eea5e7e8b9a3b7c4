"""The scenarios on this machine's kernel, where it lets an unprivileged user have namespaces."""

from __future__ import annotations

import dataclasses
import os

import pytest

from kread.check import live, live_host, wire
from kread.check.scenarios import bundled
from kread.data import load
from kread.model.events import Flag, Key, Segment
from kread.model.policy import policies
from kread.model.script import parse

POLICY = policies(load("policies"))["7.2"]

#: Scenarios without a timer: a loaded machine does not change them.
TIMELESS = (
    "the-accept-queue-holds-backlog-plus-one",
    "a-backlog-beyond-somaxconn-is-clamped",
    "a-negative-backlog-becomes-somaxconn",
    "with-abort-on-overflow-the-last-ack-is-reset",
    "with-cookies-requests-beyond-the-backlog-get-a-cookie-and-nothing-is-kept",
    "without-cookies-requests-beyond-the-backlog-are-dropped",
    "the-last-ack-meets-a-full-accept-queue-and-is-forgotten",
)


@pytest.fixture
def _namespaces() -> None:
    why = live_host.unavailable()
    if why:
        pytest.skip(f"{why}; to enable, allow unprivileged user namespaces")


@pytest.mark.usefixtures("_namespaces")
def test_this_kernel_does_what_the_model_says() -> None:
    scripts = [script for script in bundled() if script.name in TIMELESS]
    assert len(scripts) == len(TIMELESS)
    found = live.run_all(scripts, POLICY)
    assert [run.scenario for run in found.differing] == []
    assert len(found.ran) == len(TIMELESS)
    assert found.passed


@pytest.mark.usefixtures("_namespaces")
def test_a_model_of_another_comparison_differs_from_this_kernel() -> None:
    scripts = [script for script in bundled() if script.name == "a-negative-backlog-becomes-somaxconn"]
    scripts.append(parse("listen(2)\n5 x handshake", "five"))
    found = live.run_all(scripts, dataclasses.replace(POLICY, accept_queue_full=">="))
    assert [run.scenario for run in found.differing] == ["five"]
    assert not found.passed


@pytest.mark.usefixtures("_namespaces")
def test_nothing_outside_of_the_namespaces_is_touched() -> None:
    names = ("/proc/sys/net/core/somaxconn", "/proc/sys/net/ipv4/tcp_syncookies")

    def state() -> list[str]:
        return [open(name, encoding="ascii").read() for name in names] + [os.readlink("/proc/self/ns/net")]

    before = state()
    live.run_all([parse("somaxconn=3 syncookies=2\nlisten(9)\nSYN", "one")], POLICY)
    assert state() == before


def test_without_namespaces_all_is_skipped_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_host, "unavailable", lambda: "not allowed here")
    found = live.run_all(bundled(), POLICY)
    assert found.passed
    assert not found.ran
    assert found.reasons == {"not allowed here": len(bundled())}


def test_running_nothing_where_something_could_be_run_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_host, "unavailable", lambda: "")
    assert not live.run_all([parse("with accept_queue_full=>=\nlisten(1)", "own")], POLICY).passed


def test_a_packet_has_the_checksum_that_rfc_1071_asks_for() -> None:
    segment = Segment(Key("10.1.0.1", 40000, "10.0.0.1", 80), Flag.SYN | Flag.ACK, 7, 9, 3)
    data = wire.packet(segment, 1)
    ends = data[12:20] + b"\x00\x06" + (len(data) - 20).to_bytes(2, "big")
    assert wire.checksum(ends + data[20:]) == 0
    heard = wire.heard(data[:2] + len(data).to_bytes(2, "big") + data[4:])
    assert heard is not None
    assert (heard.flags, heard.seq, heard.ack, heard.length) == (Flag.SYN | Flag.ACK, 7, 10, 3)
    assert (heard.key.saddr, heard.key.sport) == ("10.0.0.1", 80)

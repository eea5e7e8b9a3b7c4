"""The scenarios on this machine's kernel, where it lets an unprivileged user have namespaces."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kread.check import live, live_space, wire
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


#: One timer fires at 1 s, another will at 1.5 s.
NEAR = "listen(2)\nSYN from=a\nat 0.5s\nSYN from=b\nat 1.2s\n2 x handshake\nACK from=a\nSYN"


@pytest.fixture
def _namespaces() -> None:
    why = live_space.offer().unavailable
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
def test_a_kernel_that_reads_as_another_release_is_told_and_no_difference() -> None:
    script = parse(
        "listen(8)\nSYN from=a ts=9\nACK from=a tsecr=5000\n[tsecr_checked] -> ACK\n[!tsecr_checked] -> nothing", "echo"
    )
    checked, unchecked = (dataclasses.replace(POLICY, tsecr_checked=value) for value in (True, False))
    runs = [live.run_all([script], policy).runs[0] for policy in (checked, unchecked)]
    assert [run.difference for run in runs] == [None, None]
    assert sum(bool(run.reading) for run in runs) == 1


@pytest.mark.usefixtures("_namespaces")
def test_what_a_kernel_s_namespaces_cannot_set_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    # In 5.10 and 6.1 the network of a user namespace has nothing of net/core: a backlog is cut to 4096 there, always.
    offered = live_space.offer()
    monkeypatch.setattr(live_space, "offer", lambda machine: live_space.Offer("", offered.sysctls - {"somaxconn"}))
    names = {"cut": "somaxconn=3\nlisten(100)", "uncut": "listen(100)"}
    found = live.run_all([parse(text, name) for name, text in names.items()], POLICY)
    assert [run.scenario for run in found.ran] == ["uncut"]
    assert found.reasons == {"sets a sysctl that namespaces do not have here": 1}
    assert found.passed


@pytest.mark.usefixtures("_namespaces")
def test_peers_that_are_known_devices_and_filters_are_the_kernel_s_own() -> None:
    scripts = [
        parse(
            "syncookies=0 max_syn_backlog=4\nlisten(8)\n4 x SYN\nSYN from=x\n-> nothing\nproven y\nSYN from=y\n-> SYN-ACK",
            "proven",
        ),
        parse(
            "listen(8) on 0.0.0.0:80 as A reuseport\nlisten(8) on 10.0.0.1:80 as B reuseport dev=eth0\nSYN from=a\n"
            "setsockopt(B, SO_BINDTODEVICE, none)\nSYN from=b",
            "bound",
        ),
        parse("listen(8)\nsetsockopt(L, SO_ATTACH_FILTER, 1)\nSYN from=a\n-> nothing", "filtered"),
        parse("listen(8) as A reuseport\nlisten(8) as B reuseport\nSYN from=a", "by hash"),
        parse("listen(8)\naccept(M) nonblock\nrefused\nhandshake\naccept(L) as A\nclose(A)", "refused"),
    ]
    found = live.run_all(scripts, POLICY)
    assert found.reasons == {"needs a BPF program, or the kernel's own hash": 1}
    assert found.passed, found.differing


@pytest.mark.usefixtures("_namespaces")
def test_a_wait_ends_before_the_next_timer_and_after_the_last() -> None:
    # The request's timer fires at 1 s and at 3 s.
    found = live.run_all([parse("listen(8)\nSYN from=a\nat 2.7s\n-> SYN-ACK", "before"), parse(NEAR, "near")], POLICY)
    assert found.passed, found.differing


@pytest.mark.usefixtures("_namespaces")
def test_what_differs_after_timers_too_near_to_each_other_is_not_told() -> None:
    # Where both have fired nobody knows, as late as the kernel's timers are: what comes after may be another queue's.
    found = live.run_all([parse(NEAR, "near")], dataclasses.replace(POLICY, accept_queue_full=">="))
    assert found.reasons == {"has timers nearer to each other than the kernel's may be late": 1}


@pytest.mark.usefixtures("_namespaces")
def test_timestamps_and_fast_open_are_the_kernel_s_own() -> None:
    names = ("fast-open-makes-the-child-when-the-syn-comes", "a-fast-open-cookie-is-given-and-a-wrong-one-replaced")
    scripts = [script for script in bundled() if script.name in names]
    scripts.append(parse("listen(8)\nSYN from=a ts=100\nACK from=a ts=99\nACK from=a ts=101\nSYN from=a ts=7", "paws"))
    found = live.run_all(scripts, POLICY)
    assert len(found.ran) == 3
    assert found.passed, found.differing


@pytest.mark.usefixtures("_namespaces")
def test_nothing_outside_of_the_namespaces_is_touched() -> None:
    names = ("/proc/sys/net/core/somaxconn", "/proc/sys/net/ipv4/tcp_syncookies")

    def state() -> list[str]:
        return [open(name, encoding="ascii").read() for name in names] + [os.readlink("/proc/self/ns/net")]

    before = state()
    live.run_all([parse("somaxconn=3 syncookies=2\nlisten(9)\nSYN", "one")], POLICY)
    assert state() == before


def test_without_namespaces_all_is_skipped_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_space, "offer", lambda machine: live_space.Offer("not allowed here"))
    found = live.run_all(bundled(), POLICY)
    assert found.passed
    assert not found.ran
    assert found.reasons == {"not allowed here": len(bundled())}


@pytest.mark.usefixtures("_namespaces")
def test_the_command_says_so_where_namespaces_are_used_up(indexed_home: Path) -> None:
    none_more = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    command = [sys.executable, "-c", "from kread.cli.main import main; main()", "check", "--live"]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", none_more, "sh", *command],
        env={**os.environ, "KREAD_HOME": str(indexed_home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "nothing was run" in done.stdout
    assert str(len(bundled())) in done.stdout


def test_running_nothing_where_something_could_be_run_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_space, "offer", lambda machine: live_space.Offer())
    assert not live.run_all([parse("with accept_queue_full=>=\nlisten(1)", "own")], POLICY).passed


def test_siphash_is_that_of_its_authors() -> None:
    # The vector of the paper's appendix A.
    key = tuple(int.from_bytes(bytes(range(n, n + 8)), "little") for n in (0, 8))
    assert wire.siphash(bytes(range(15)), (key[0], key[1])) == 0xA129CA6149BE45E5


def test_the_options_of_a_packet_are_read_again() -> None:
    segment = Segment(Key("10.1.0.1", 1000, "10.0.0.1", 80), Flag.SYN, seq=7, length=3, tsval=12345, fastopen="valid")
    data = wire.packet(segment, 0, tsecr=9)
    found = wire.heard(data)
    assert found is not None
    assert (found.seq, found.length, found.tsval) == (7, 3, 12345)
    assert bytes([34, 10]) + wire.cookie(segment.key) in data
    bare = wire.heard(wire.packet(Segment(segment.key, Flag.ACK, 1, 2), 0))
    assert bare is not None
    assert bare.tsval is None


def test_a_packet_has_the_checksum_that_rfc_1071_asks_for() -> None:
    segment = Segment(Key("10.1.0.1", 40000, "10.0.0.1", 80), Flag.SYN | Flag.ACK, 7, 9, 3)
    data = wire.packet(segment, 1)
    ends = data[12:20] + b"\x00\x06" + (len(data) - 20).to_bytes(2, "big")
    assert wire.checksum(ends + data[20:]) == 0
    heard = wire.heard(data[:2] + len(data).to_bytes(2, "big") + data[4:])
    assert heard is not None
    assert (heard.flags, heard.seq, heard.ack, heard.length) == (Flag.SYN | Flag.ACK, 7, 10, 3)
    assert (heard.key.saddr, heard.key.sport) == ("10.0.0.1", 80)

"""The model's walks against what a running kernel was seen to do: functions in order, counters, times.

The traces hold call trees; a function that was inlined there is missing, so the model's walk without the inlined ones
must be a subsequence of the observed one. Which are inlined the trace says itself: what never occurs in it. The
compiler chooses by the caller, so each trace speaks for itself.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kread.data import load
from kread.model.expect import subsequence
from kread.model.play import play
from kread.model.policy import policies
from kread.model.script import parse

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "dynamic" / "v6.12"
FILES = {file.name.split(".")[0]: file for file in sorted(FOLDER.glob("*.json.gz"))}
needs_traces = pytest.mark.skipif(not FILES, reason="no traces beside the checkout, in shared/dynamic/v6.12")

HANDSHAKE = "listen(16) on 0.0.0.0:80\nSYN from=a\nACK from=a\naccept(L)"
ROOTS = {"__x64_sys_listen", "tcp_v4_rcv", "__x64_sys_accept", "__x64_sys_accept4", "reqsk_timer_handler"}


def _trace(name: str) -> dict[str, Any]:
    with gzip.open(FILES[name], "rt") as lines:
        found: dict[str, Any] = json.load(lines)
    return found


def _names(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree.split(".")[0]
    elif isinstance(tree, list):
        for each in tree:
            yield from _names(each)


def _walk(trace: dict[str, Any], roots: set[str]) -> list[str]:
    found: list[str] = []
    for entry in trace["order"]:
        if entry.get("call") in roots:
            found += _names(trace["shapes"][entry["shape"]]["tree"])
    return found


def _visible(trace: dict[str, Any]) -> set[str]:
    return {name for shape in trace["shapes"] for name in _names(shape["tree"])}


def _counters(trace: dict[str, Any]) -> dict[str, int]:
    pairs = (word.split("=") for word in trace["counters_delta"].split())
    return {name.split(".")[1]: int(n) for name, n in pairs}


def _model(text: str) -> tuple[list[str], dict[str, int]]:
    run = play(parse(text), policies(load("policies"))["6.12"])
    assert run.host is not None
    return [name for outcome in run.outcomes for name in outcome.functions], dict(run.host.counters)


def _after_listen(walk: list[str]) -> list[str]:
    """The walk from inet_listen() on; later lookups in ehash were made by early demux, outside of these roots."""
    walk = walk[walk.index("inet_listen") :]
    first = walk.index("__inet_lookup_established")
    early = {"__inet_lookup_established", "inet_ehashfn"}
    return walk[: first + 2] + [name for name in walk[first + 2 :] if name not in early]


@needs_traces
def test_a_handshake_walks_as_it_was_seen_to() -> None:
    walk, counters = _model(HANDSHAKE)
    trace = _trace("t_plain_tun")
    visible = _visible(trace)
    wanted = _after_listen([name for name in walk if name in visible])
    assert len(wanted) > 35
    assert subsequence(wanted, _walk(trace, ROOTS)) == ""
    assert counters["PassiveOpens"] == _counters(trace)["PassiveOpens"]


@needs_traces
def test_cookies_walk_and_count_as_they_were_seen_to() -> None:
    text = (
        "syncookies=2; listen(16) on 0.0.0.0:80; SYN from=a ts=1; ACK from=a; accept(L); "
        "SYN from=b; ACK from=b ack=wrong; SYN from=c ts=1; PSH|ACK from=c data=5; accept(L)"
    ).replace("; ", "\n")
    walk, counters = _model(text)
    trace = _trace("t_cookie")
    seen = _counters(trace)
    for name in ("SyncookiesSent", "SyncookiesRecv", "SyncookiesFailed", "TCPReqQFullDoCookies", "PassiveOpens"):
        assert counters[name] == seen[name], name
    visible = _visible(trace)
    wanted = _after_listen([name for name in walk if name in visible])
    assert subsequence(wanted, _walk(trace, ROOTS)) == ""


@needs_traces
def test_syn_acks_are_sent_again_as_they_were_seen_to_be() -> None:
    walk, counters = _model("synack_retries=1\nlisten(16)\nSYN from=a\nat 9s")
    trace = _trace("t_synack_rtx2")
    seen = _counters(trace)
    for name in ("TCPTimeouts", "TCPSynRetrans", "RetransSegs"):
        assert counters[name] == seen[name], name
    visible = _visible(trace)
    wanted = [name for name in walk if name in visible]
    timer = wanted[wanted.index("reqsk_timer_handler") :]
    assert subsequence(timer, _walk(trace, {"reqsk_timer_handler"})) == ""

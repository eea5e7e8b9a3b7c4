"""The scenarios on this machine's own kernel: which of them can be run, and how what it does compares with the model.

Theory of operation: a child process in namespaces of its own (kread.check.live_space) plays a scenario twice at once: the
model takes each event, the kernel takes the same one, and what both did is compared: the segments sent (flags, peer,
what they acknowledge), what calls returned, the queues of the listeners, and the counters that moved. Initial sequence
numbers are the kernel's own; what acknowledges the model's is shifted to acknowledge those. The first difference ends a
scenario, for from there on the two are in different states.

The kernel may be none of the release that is read. Where a scenario says other things of other releases, and the
kernel does what it says of one of them, that is told and no difference.

A scenario is run where every event of it can be made by an unprivileged user from outside, and where it waits no longer
than a few seconds. Others are skipped, and the reasons are counted. Several children run at a time; each is ended
when its time is over.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kread.check.live_player import Difference, run_here
from kread.data import load
from kread.model import events as ev
from kread.model.events import Event
from kread.model.host import SYSCTLS
from kread.model.play import Run, play
from kread.model.policy import Policy, policies
from kread.model.record import record
from kread.model.script import Script
from kread.model.socks import SECOND

#: How often a scenario that differs is run again, alone: what differs only on a loaded machine was late, no more.
RETRIES = 2


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a run may go on a machine that others use; a machine of one's own may have others.

    wait    -- the longest time that one scenario may wait, in ms: what is longer is left to the model
    events  -- the most events of one scenario: more of the same say nothing new
    seconds -- how long one scenario may take
    at_once -- how many scenarios run at a time
    machine -- the whole machine is ours: `live_space.enter` needs no user namespace
    """

    wait: int = 8 * SECOND
    events: int = 600
    seconds: int = 25
    at_once: int = 8
    machine: bool = False


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One scenario on the kernel: why it was skipped ("" = it was run), how many events agreed, and the difference.

    reading -- the release that the kernel reads as, where that is not the one whose readings were asked for
    """

    scenario: str
    skipped: str
    events: int = 0
    difference: Difference | None = None
    reading: str = ""


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """All scenarios on this machine's kernel. `unavailable` says why none could be run, if so."""

    kernel: str
    policy: str
    runs: tuple[LiveRun, ...]
    unavailable: str = ""

    @property
    def ran(self) -> tuple[LiveRun, ...]:
        """The scenarios that were run."""
        return tuple(run for run in self.runs if not run.skipped)

    @property
    def differing(self) -> tuple[LiveRun, ...]:
        """Those of them where the kernel did otherwise."""
        return tuple(run for run in self.ran if run.difference is not None)

    @property
    def otherwise(self) -> tuple[LiveRun, ...]:
        """Those where it did as another release reads than the one that was asked for."""
        return tuple(run for run in self.ran if run.reading)

    @property
    def reasons(self) -> Counter[str]:
        """Why scenarios were skipped, and how many for each reason."""
        return Counter(run.skipped for run in self.runs if run.skipped)

    @property
    def passed(self) -> bool:
        """Whether nothing differs; where namespaces can be had, something must have been run."""
        return bool(self.unavailable) or (bool(self.ran) and not self.differing)


def run_all(scripts: Sequence[Script], policy: Policy, bounds: Bounds = Bounds()) -> LiveCheck:
    """Run the scenarios on this machine's kernel, each in namespaces of its own."""
    from kread.check.live_space import offer

    kernel = os.uname().release
    offered = offer(bounds.machine)
    if offered.unavailable:
        skipped = tuple(LiveRun(script.name, offered.unavailable) for script in scripts)
        return LiveCheck(kernel, policy.name, skipped, offered.unavailable)
    found: dict[str, LiveRun] = {}
    wanted = []
    for script in scripts:
        reason = why_not(play(script, policy), bounds, offered.sysctls)
        if reason:
            found[script.name] = LiveRun(script.name, reason)
        else:
            wanted.append(script)
    found |= run_some(wanted, policy, bounds)
    for script in wanted:
        if found[script.name].difference is not None and any(each.conditions for each in script.statements):
            found[script.name] = _as_another(script, policy, found[script.name], bounds, offered.sysctls)
    return LiveCheck(kernel, policy.name, tuple(found[script.name] for script in scripts))


def run_some(scripts: Sequence[Script], policy: Policy, bounds: Bounds = Bounds()) -> dict[str, LiveRun]:
    """Run scenarios that can be run, several at a time, and those that differ again; what came of each, by name."""
    found: dict[str, LiveRun] = {}
    for start in range(0, len(scripts), bounds.at_once):
        some = scripts[start : start + bounds.at_once]
        for script, pipe in [(script, _start(script, policy, bounds)) for script in some]:
            found[script.name] = _result(script, *pipe)
    for script in scripts:
        for _ in range(RETRIES):
            if found[script.name].difference is not None:
                found[script.name] = _result(script, *_start(script, policy, bounds))
    return found


def _as_another(script: Script, policy: Policy, differing: LiveRun, bounds: Bounds, sysctls: frozenset[str]) -> LiveRun:
    """A scenario that tells releases apart, on a kernel that is none of the one asked for: as which one it reads."""
    known = [each for each in policies(load("policies")).values() if replace(each, name=policy.name) != policy]
    for other in reversed(known):
        run = LiveRun(script.name, why_not(play(script, other), bounds, sysctls))
        if not run.skipped:
            run = _result(script, *_start(script, other, bounds))
        if not run.skipped and run.difference is None:
            return replace(run, reading=other.name)
    return differing


def why_not(run: Run, bounds: Bounds, sysctls: frozenset[str]) -> str:
    """Why a scenario cannot be run on a kernel from outside, where namespaces have these sysctls; "" where it can."""
    if run.skipped:
        return "does not apply to the release"
    beyond = {row["scenario"]: row["reason"] for row in load("live")["beyond"]}
    if run.script.name in beyond:
        return str(beyond[run.script.name])
    if any(statement.verb == "with" for statement in run.script.statements):
        return "has a reading of its own"
    seen = record(run.script, run.policy)
    if len(seen) > bounds.events:
        return "has too many events"
    waited = 0
    for each in seen:
        waited += each.event.to - each.before if isinstance(each.event, ev.Advance) else 0
        if waited > bounds.wait:
            return f"waits longer than {bounds.wait // SECOND} s"
        if {name for name, value in each.sysctls.items() if value != SYSCTLS[name]} - sysctls:
            return "sets a sysctl that namespaces do not have here"
        reason = "needs a BPF program, or the kernel's own hash" if each.hashed else _reason(each.event)
        if reason:
            return reason
    asleep = any(result.value == "sleeps" for outcome in run.outcomes for result in outcome.results)
    return "has a task that sleeps in accept()" if asleep else ""


def _reason(event: Event) -> str:
    """Why one event cannot be made from outside; "" where it can."""
    from kread.check.live_host import OPTIONS
    from kread.check.live_space import ADDRESSES, DEVICE, NETWORK

    if isinstance(event, ev.Receive):
        if event.raced or event.closing:
            return "is a race of two processors"
        if event.assigned or event.bpf_cookie or event.hash is not None:
            return "needs a BPF program, or the kernel's own hash"
        if event.dev != DEVICE or event.cpu not in os.sched_getaffinity(0) or event.broadcast or not event.local:
            return "needs another device, processor or kind of address"
        if event.segment.key.daddr not in ADDRESSES:
            return "needs more addresses"
        return ""
    if isinstance(event, ev.Listen):
        return "has a listener of the kernel itself" if event.in_kernel else ""
    if isinstance(event, ev.Bind):
        return "" if event.addr in (*ADDRESSES, "0.0.0.0") and event.port else "needs more addresses"
    if isinstance(event, ev.Open):
        return "has a socket of another user or kind" if event.uid or not event.stream or event.connected else ""
    if isinstance(event, ev.SetOption):
        if isinstance(event.value, str):
            return "" if event.value in (DEVICE, "none") else "needs another device, processor or kind of address"
        return "" if event.option in OPTIONS else "sets an option that needs a privilege or a program"
    if isinstance(event, ev.Metric):
        return "" if event.addr.partition(".")[0] == NETWORK.partition(".")[0] else "needs more addresses"
    if isinstance(event, ev.Accept):
        return "" if event.task == "main" else "has several tasks"
    harmless = (ev.Advance, ev.Close, ev.Shutdown, ev.Icmp, ev.Sysctl)
    return "" if isinstance(event, harmless) else "makes something fail"


def _start(script: Script, policy: Policy, bounds: Bounds) -> tuple[int, int]:
    """Start a child that runs a scenario; its process and the pipe on which it tells what came of it."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    try:
        os.close(read)
        told = run_here(script, policy, bounds.seconds, bounds.machine)
    except BaseException as error:
        told = {"failed": f"{type(error).__name__}: {error}"}
    try:
        os.write(write, json.dumps(told).encode())
    finally:
        os._exit(0)


def _result(script: Script, child: int, pipe: int) -> LiveRun:
    """What a child told; a child that ended without a word was ended by its alarm."""
    with os.fdopen(pipe, "rb") as file:
        text = file.read()
    os.waitpid(child, 0)
    told: dict[str, Any] = json.loads(text) if text else {"failed": "was ended, for it took too long"}
    if "failed" in told:
        return LiveRun(script.name, "", 0, Difference(0, "", "the run itself", "", told["failed"]))
    if "skipped" in told:
        return LiveRun(script.name, told["skipped"])
    difference = Difference(**told["difference"]) if told["difference"] else None
    return LiveRun(script.name, "", told["events"], difference)

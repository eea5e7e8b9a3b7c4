"""The scenarios on this machine's own kernel: which of them can be run, and how what it does compares with the model.

Theory of operation: a child process in namespaces of its own (kread.check.live_host) plays a scenario twice at once: the
model takes each event, the kernel takes the same one, and what both did is compared: the segments sent (flags, peer,
what they acknowledge), what calls returned, the queues of the listeners, and the counters that moved. Initial sequence
numbers are the kernel's own; what acknowledges the model's is shifted to acknowledge those. The first difference ends a
scenario, for from there on the two are in different states.

A scenario is run where every event of it can be made by an unprivileged user from outside, and where it waits no longer
than a few seconds. Others are skipped, and the reasons are counted. Several children run at a time; each is ended
when its time is over.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from kread.check.wire import Heard
from kread.data import load
from kread.model import events as ev
from kread.model.events import Event, Flag, Outcome, Segment
from kread.model.host import Host, queues
from kread.model.machine import step
from kread.model.play import Player, Run, play
from kread.model.policy import Policy
from kread.model.script import EXPECT, Script, Statement
from kread.model.socks import SECOND, Request, State

#: The longest time that one scenario may wait, in ms: what is longer is left to the model.
LONGEST_WAIT = 8 * SECOND
#: The most events of one scenario: more of the same say nothing new.
MOST_EVENTS = 600
#: How many children run at a time, and how long one may take, in seconds.
AT_ONCE = 8
CHILD_SECONDS = 25
#: How often a scenario that differs is run again, alone: what differs only on a loaded machine was late, no more.
RETRIES = 2
#: Sysctls that a network namespace has of its own.
SYSCTLS = frozenset(
    {
        "somaxconn",
        "tcp_max_syn_backlog",
        "tcp_syncookies",
        "tcp_synack_retries",
        "tcp_abort_on_overflow",
        "tcp_migrate_req",
        "tcp_invalid_ratelimit",
        "tcp_fastopen",
        "tcp_rfc1337",
    }
)
#: The counters that are compared; the others move for reasons beside the scenario too.
COUNTERS = frozenset(
    {
        "ListenOverflows",
        "ListenDrops",
        "TCPReqQFullDrop",
        "TCPReqQFullDoCookies",
        "SyncookiesSent",
        "SyncookiesRecv",
        "SyncookiesFailed",
        "EmbryonicRsts",
        "PassiveOpens",
        "AttemptFails",
        "TCPDeferAcceptDrop",
        "TCPTimeouts",
        "TCPSynRetrans",
        "OutRsts",
        "TCPACKSkippedSynRecv",
        "TCPMigrateReqSuccess",
        "TCPMigrateReqFailure",
    }
)


_Sent = TypeVar("_Sent", Segment, Heard)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the kernel did otherwise: the script's line, what happened, what the model said and what was seen."""

    line: int
    event: str
    what: str
    model: str
    kernel: str


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One scenario on the kernel: why it was skipped ("" = it was run), how many events agreed, and the difference."""

    scenario: str
    skipped: str
    events: int = 0
    difference: Difference | None = None


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
    def reasons(self) -> Counter[str]:
        """Why scenarios were skipped, and how many for each reason."""
        return Counter(run.skipped for run in self.runs if run.skipped)

    @property
    def passed(self) -> bool:
        """Whether nothing differs; where namespaces can be had, something must have been run."""
        return bool(self.unavailable) or (bool(self.ran) and not self.differing)


def run_all(scripts: Sequence[Script], policy: Policy) -> LiveCheck:
    """Run the scenarios on this machine's kernel, each in namespaces of its own."""
    from kread.check.live_host import unavailable

    kernel = os.uname().release
    why = unavailable()
    if why:
        skipped = tuple(LiveRun(script.name, why) for script in scripts)
        return LiveCheck(kernel, policy.name, skipped, why)
    found: dict[str, LiveRun] = {}
    wanted = []
    for script in scripts:
        reason = why_not(play(script, policy))
        if reason:
            found[script.name] = LiveRun(script.name, reason)
        else:
            wanted.append(script)
    for start in range(0, len(wanted), AT_ONCE):
        children = [(script, _start(script, policy)) for script in wanted[start : start + AT_ONCE]]
        for script, (child, pipe) in children:
            found[script.name] = _result(script, child, pipe)
    for script in wanted:
        for _ in range(RETRIES):
            if found[script.name].difference is not None:
                found[script.name] = _result(script, *_start(script, policy))
    return LiveCheck(kernel, policy.name, tuple(found[script.name] for script in scripts))


def why_not(run: Run) -> str:
    """Why a scenario cannot be run on a kernel from outside; "" where it can."""
    if run.skipped:
        return "does not apply to the release"
    beyond = {row["scenario"]: row["reason"] for row in load("live")["beyond"]}
    if run.script.name in beyond:
        return str(beyond[run.script.name])
    if any(statement.verb == "with" for statement in run.script.statements):
        return "has a reading of its own"
    if any(statement.verb == "refused" for statement in run.script.statements):
        return "asks for what the state refuses"
    recorder = _Recorder(Run(run.script, run.policy), Host(run.policy))
    for statement in _happenings(run):
        recorder.play(statement)
    recorder.end()
    if len(recorder.events) > MOST_EVENTS:
        return "has too many events"
    waited = 0
    for event, before in recorder.events:
        waited += event.to - before if isinstance(event, ev.Advance) else 0
        reason = _reason(event, waited)
        if reason:
            return reason
    asleep = any(result.value == "sleeps" for outcome in run.outcomes for result in outcome.results)
    return "has a task that sleeps in accept()" if asleep else ""


def _happenings(run: Run) -> list[Statement]:
    """The lines of a script that let something happen under its policy."""
    return [
        each
        for each in run.script.statements
        if each.verb not in (*EXPECT, "with", "only")
        and all(bool(run.policy.answer(name)) is wanted for name, wanted in each.conditions)
    ]


def _reason(event: Event, waited: int) -> str:
    """Why one event cannot be made from outside; "" where it can."""
    from kread.check.live_host import ADDRESS, OPTIONS

    if isinstance(event, ev.Receive):
        if event.raced or event.closing:
            return "is a race of two processors"
        if event.assigned or event.bpf_cookie or event.hash is not None:
            return "needs a BPF program, or the kernel's own hash"
        if event.dev != "eth0" or event.cpu or event.broadcast or not event.local:
            return "needs another device, processor or kind of address"
        if event.segment.key.daddr != ADDRESS:
            return "needs more addresses"
        if event.segment.fastopen or event.segment.tsval is not None:
            return "needs Fast Open's secret, or timestamps"
        return ""
    if isinstance(event, ev.Advance):
        return f"waits longer than {LONGEST_WAIT // SECOND} s" if waited > LONGEST_WAIT else ""
    if isinstance(event, ev.Listen):
        return "has a listener of the kernel itself" if event.in_kernel else ""
    if isinstance(event, ev.Bind):
        return "" if event.addr in (ADDRESS, "0.0.0.0") and event.port else "needs more addresses"
    if isinstance(event, ev.Open):
        return "has a socket of another user or kind" if event.uid or not event.stream or event.connected else ""
    if isinstance(event, ev.SetOption):
        return "" if event.option in OPTIONS else "sets an option that needs a privilege or a program"
    if isinstance(event, ev.Accept):
        return "" if event.task == "main" else "has several tasks"
    if isinstance(event, ev.Sysctl):
        return "" if event.name in SYSCTLS else "sets a sysctl of the whole machine"
    return "" if isinstance(event, (ev.Close, ev.Shutdown)) else "makes something fail"


class _Recorder(Player):
    """A player that also keeps the events that it was given, each with the time before it."""

    def __init__(self, run: Run, host: Host) -> None:
        super().__init__(run, host)
        self.events: list[tuple[Event, int]] = []

    def happen(self, event: Event) -> None:
        self.events.append((event, self.host.now))
        super().happen(event)


def _start(script: Script, policy: Policy) -> tuple[int, int]:
    """Start a child that runs a scenario; its process and the pipe on which it tells what came of it."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    try:
        os.close(read)
        told = _child(script, policy)
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
    told: dict[str, Any] = json.loads(text) if text else {"failed": f"took longer than {CHILD_SECONDS} s"}
    if "failed" in told:
        return LiveRun(script.name, "", 0, Difference(0, "", "the run itself", "", told["failed"]))
    difference = Difference(**told["difference"]) if told["difference"] else None
    return LiveRun(script.name, "", told["events"], difference)


def _child(script: Script, policy: Policy) -> dict[str, object]:
    from kread.check.live_host import LiveHost, enter, limit

    limit(CHILD_SECONDS)
    enter()
    player = _LivePlayer(Run(script, policy), Host(policy), LiveHost())
    try:
        for statement in _happenings(play(script, policy)):
            player.play(statement)
        player.end()
    except _Differs as found:
        return {"events": player.events, "difference": asdict(found.difference)}
    return {"events": player.events, "difference": None}


class _Differs(Exception):
    """The kernel did otherwise than the model."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(str(difference))
        self.difference = difference


class _LivePlayer(Player):
    """Plays a scenario on the model and on the kernel, event by event."""

    def __init__(self, run: Run, host: Host, live: object) -> None:
        from kread.check.live_host import LiveHost, counters

        super().__init__(run, host)
        assert isinstance(live, LiveHost)
        self.live = live
        self.line = 0
        self.events = 0
        self.counts = counters()
        self.wanted: Counter[str] = Counter()
        self.last: Event | None = None

    def happen(self, event: Event) -> None:
        """Let an event happen to both and compare."""
        # `given` sets sysctls beside the events, for as long as it makes what is given.
        self.live.tune(self.host.sysctl)
        outcomes = step(self.host, event)
        self.step.outcomes += outcomes
        self.live.tune(self.host.sysctl)
        if not isinstance(event, ev.Advance):
            self.live.note(self.host.now)
        result = self.live.act(event)
        self.events += 1
        for outcome in outcomes:
            for segment in outcome.segments:
                self.peers.hear(segment)
        sent = [segment for outcome in outcomes for segment in outcome.segments]
        heard = self.live.heard(len(sent))
        # Timers of one moment fire in any order, and who is late meets another queue: there only the kinds are compared.
        many = isinstance(event, ev.Advance) and len({each.key for each in sent}) > 1
        said = [str(each.flags) if many else f"{each.flags} to {each.key.saddr}" for each in sent]
        seen = [str(each.flags) if many else f"{each.flags} to {each.key.saddr}" for each in heard]
        self.compare(event, "segments", "; ".join(sorted(said)) or "nothing", "; ".join(sorted(seen)) or "nothing")
        for segment, real in zip(_by_peer(sent), _by_peer(heard), strict=True):
            if segment.key != real.key:
                continue
            if segment.flags == Flag.SYN | Flag.ACK:
                self.live.isns[segment.key] = (segment.seq, real.seq)
            if segment.flags & Flag.ACK:
                self.compare(event, "acknowledges", str(segment.ack), str(real.ack))
        returned = _returned(outcomes)
        if returned and result:
            accepted = isinstance(event, ev.Accept) and event.name == returned
            self.compare(event, "returns", "a socket" if accepted else returned, _accepted(result, accepted))
        for outcome in outcomes:
            self.wanted.update({name: n for name, n in outcome.counters.items() if name in COUNTERS})
        self.last = event

    def play(self, statement: Statement) -> None:
        """One line, and when it is done, how everything stands."""
        from kread.check.live_host import counters, half_open

        self.line = statement.line
        super().play(statement)
        if self.last is None:
            return
        now = counters()
        moved = {name: now[name] - self.counts.get(name, 0) for name in COUNTERS if name in now}
        wanted = {name: n for name, n in self.wanted.items() if name in moved}
        self.counts = now
        self.wanted.clear()
        self.compare(self.last, "counters", _moved(wanted), _moved(moved))
        listening = {sk.name: queues(sk) for sk in self.host.socks.values() if sk.state is State.LISTEN}
        mine = {name: (each.B, each.A) for name, each in listening.items()}
        self.compare(self.last, "backlog and accept queue", str(mine), str(self.live.queues(list(listening))))
        held = sum(isinstance(entry, Request) for chain in self.host.ehash.values() for entry in chain)
        self.compare(self.last, "half-open requests", str(held), str(half_open()))

    def compare(self, event: Event, what: str, model: str, kernel: str) -> None:
        """Nothing where both say the same, else the end of the scenario."""
        if model != kernel:
            raise _Differs(Difference(self.line, ev.describe(event), what, model, kernel))


def _returned(outcomes: Sequence[Outcome]) -> str:
    results = [result.value for outcome in outcomes for result in outcome.results]
    return results[-1] if results else ""


def _accepted(result: str, accepted: bool) -> str:
    return "a socket" if accepted and not result.startswith("-") else result


def _by_peer(segments: Sequence[_Sent]) -> list[_Sent]:
    """Segments in the order of their peers: timers of one moment fire in any order."""
    return sorted(segments, key=lambda each: (str(each.key), int(each.flags)))


def _moved(counts: dict[str, int] | Counter[str]) -> str:
    return " ".join(f"{name}+{n}" for name, n in sorted(counts.items()) if n) or "none"

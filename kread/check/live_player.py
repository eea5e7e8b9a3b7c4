"""One scenario on the model and on the kernel of this process's namespaces, event by event.

Theory of operation: the player of scenarios hands each event to both, and compares the segments that left, their numbers
and options, and what calls returned; after each line of the script also the counters that moved, the listeners' queues,
and of each connection its state, what is unread, how often its timer fired and when it will again. The first difference
ends the scenario.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from kread.check.live_host import LiveHost
from kread.check.live_look import Connection, connections, counters
from kread.check.live_space import enter, limit
from kread.check.wire import Heard
from kread.model import events as ev
from kread.model.events import Event, Flag, Key, Outcome, Segment
from kread.model.host import Host, queues
from kread.model.machine import due, step
from kread.model.play import Player, Run, play
from kread.model.policy import Policy
from kread.model.record import happenings, in_any_order
from kread.model.script import Script, Statement
from kread.model.socks import Entry, Request, Sock, State, add, state_name

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
        "RetransSegs",
        "OutRsts",
        "TCPACKSkippedSynRecv",
        "PAWSEstab",
        "PAWSTimewait",
        "PAWSOldAck",
        "TSEcrRejected",
        "TCPChallengeACK",
        "TCPFastOpenCookieReqd",
        "TCPFastOpenListenOverflow",
        "TCPFastOpenPassive",
        "TCPFastOpenPassiveFail",
        "TCPMigrateReqSuccess",
        "TCPMigrateReqFailure",
        "EstabResets",
        "InErrs",
        "InCsumErrors",
        "OutOfWindowIcmps",
        "BeyondWindow",
        "TCPSYNChallenge",
        "TCPACKSkippedPAWS",
        "TCPACKSkippedSeq",
        "TCPACKSkippedFinWait2",
        "TCPACKSkippedTimeWait",
        "TCPACKSkippedChallenge",
        "TCPAbortOnClose",
        "TCPAbortOnData",
        "TCPAbortOnTimeout",
    }
)


#: By how much the time that a timer has left may be another than the model's, in ms, beside a sixteenth of that time; what
#: fired before may have been late by a sixteenth too.
EARLY_OR_LATE = 400
#: The states in which what is unread is still somebody's.
READABLE = frozenset({State.SYN_RECV, State.ESTABLISHED, State.CLOSE_WAIT})

_Sent = TypeVar("_Sent", Segment, Heard)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the kernel did otherwise: the script's line, what happened, what the model said and what was seen."""

    line: int
    event: str
    what: str
    model: str
    kernel: str


def run_here(script: Script, policy: Policy, seconds: int, machine: bool) -> dict[str, object]:
    """Run a scenario in this process, which leaves its namespaces for it: the events that agreed, and the difference.

    The process is ended where that takes longer than so many seconds. machine=True: as `live_space.enter` says.
    """
    limit(seconds)
    enter(machine)
    player = _LivePlayer(Run(script, policy), Host(policy), LiveHost())
    try:
        for statement in happenings(play(script, policy)):
            player.play(statement)
        player.end()
    except _Differs as found:
        if player.live.close:
            return {"skipped": "has timers nearer to each other than the kernel's may be late"}
        return {"events": player.events, "difference": asdict(found.difference)}
    return {"events": player.events, "difference": None}


class _Differs(Exception):
    """The kernel did otherwise than the model."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(str(difference))
        self.difference = difference


class _LivePlayer(Player):
    """Plays a scenario on the model and on the kernel, event by event."""

    def __init__(self, run: Run, host: Host, live: LiveHost) -> None:
        super().__init__(run, host)
        self.live = live
        self.line = 0
        self.events = 0
        self.counts = counters()
        self.wanted: Counter[str] = Counter()
        self.last: Event | None = None
        self.fins: set[tuple[Key, int]] = set()
        self.mingled = False
        """Whether pruning chose among timers of one moment, which fire in any order: who is left may be another."""

    def happen(self, event: Event) -> None:
        """Let an event happen to both and compare."""
        # `given` sets sysctls beside the events, for as long as it makes what is given.
        self.live.tune(self.host.sysctl)
        outcomes = step(self.host, event)
        self.step.outcomes += outcomes
        self.live.tune(self.host.sysctl)
        if isinstance(event, ev.Advance):
            fired = [outcome.time for outcome in outcomes[:-1]]
            self.live.wait(event.to, max(fired, default=0), due(self.host))
        else:
            self.live.note(self.host.now)
        result = self.live.act(event)
        if isinstance(event, ev.Metric):
            # How the kernel came to know the peer is beside the scenario.
            self.counts = counters()
        self.events += 1
        for outcome in outcomes:
            for segment in outcome.segments:
                self.peers.hear(segment)
        sent = [segment for outcome in outcomes for segment in outcome.segments]
        heard = [each for each in self.live.heard(len(sent)) if not self.repeats(each)]
        # Timers of one moment fire in any order, and who is late meets another queue: there only the kinds are compared.
        many = isinstance(event, ev.Advance) and len({each.key for each in sent}) > 1
        self.mingled |= in_any_order(outcomes)
        said = [str(each.flags) if many else f"{each.flags} to {each.key.saddr}" for each in sent]
        seen = [str(each.flags) if many else f"{each.flags} to {each.key.saddr}" for each in heard]
        self.compare(event, "segments", "; ".join(sorted(said)) or "nothing", "; ".join(sorted(seen)) or "nothing")
        for segment, real in zip(_by_peer(sent), _by_peer(heard), strict=True):
            if segment.key == real.key:
                self.alike(event, segment, real)
        returned = _returned(outcomes)
        if returned and result:
            accepted = isinstance(event, ev.Accept) and event.name == returned
            self.compare(event, "returns", "a socket" if accepted else returned, _accepted(result, accepted))
        for outcome in outcomes:
            self.wanted.update({name: n for name, n in outcome.counters.items() if name in COUNTERS})
        self.last = event

    def play(self, statement: Statement) -> None:
        """One line, and when it is done, how everything stands."""
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
        mine = {name: (each.B, each.A, each.D) for name, each in listening.items()}
        self.compare(self.last, "backlog, accept queue and drops", str(mine), str(self.live.queues(list(listening))))
        self.hold(self.last)

    def hold(self, event: Event) -> None:
        """Compare the connections that both hold."""
        held = {key: chain[0] for key, chain in self.host.ehash.items()}
        seen = {key: each for key, each in connections().items() if each.state != "CLOSE"}
        # A half-open request is shown in the state of the connection that it becomes.
        told = [(str(key), state_name(entry).removeprefix("NEW_")) for key, entry in held.items()]
        shown = [(str(key), each.state) for key, each in seen.items()]
        if self.mingled:
            told, shown = ([("some peer", state) for _, state in each] for each in (told, shown))
        lag = self.live.lag(self.host.now)
        self.compare(event, "connections", _beyond(told, shown), _beyond(shown, told))
        for key, entry in () if self.mingled else held.items():
            self.compare(event, f"data and timer of {key}", *_kept(entry, self.host.now, seen[key], lag))

    def repeats(self, segment: Heard) -> bool:
        """Whether the kernel sends a FIN again, as it does until it is acknowledged and the model does not."""
        seen = (segment.key, segment.seq)
        if not segment.flags & Flag.FIN or seen in self.fins:
            return bool(segment.flags & Flag.FIN)
        self.fins.add(seen)
        return False

    def alike(self, event: Event, segment: Segment, real: Heard) -> None:
        """Compare the numbers and the options of a segment; what the kernel chose itself is learnt from it."""
        if segment.flags == Flag.SYN | Flag.ACK:
            self.live.isns[segment.key] = (segment.seq, real.seq)
            self.fins = {each for each in self.fins if each[0] != segment.key}
            option = segment.fastopen == "cookie"
            self.compare(event, "brings a Fast Open cookie", str(option), str(real.cookie))
        if segment.tsval is not None and real.tsval is not None:
            self.live.stamps.setdefault(segment.key, []).append((segment.tsval, real.tsval))
            self.compare(event, "echoes", str(segment.tsecr), str(real.tsecr))
        if segment.flags & Flag.ACK:
            self.compare(event, "acknowledges", str(segment.ack), str(real.ack))
        mine, its = self.live.isns.get(segment.key, (0, 0))
        if segment.seq:
            self.compare(event, "numbered from the first", str(add(segment.seq, -mine)), str(add(real.seq, -its)))

    def compare(self, event: Event, what: str, model: str, kernel: str) -> None:
        """Nothing where both say the same, else the end of the scenario."""
        if model != kernel:
            raise _Differs(Difference(self.line, ev.describe(event), what, model, kernel))


def _beyond(found: list[tuple[str, str]], other: list[tuple[str, str]]) -> str:
    """What is found beyond what the other has."""
    more = Counter(found) - Counter(other)
    return "; ".join(sorted(f"{key} {state}" for key, state in more.elements())) or "as the other"


def _kept(entry: Entry, now: int, seen: Connection, lag: int) -> tuple[str, str]:
    """What is compared of a connection, as the model has it and as it was seen; the kernel's clock is `lag` ms ahead."""
    told: list[str] = []
    shown: list[str] = []
    request = entry.fastopen_rsk if isinstance(entry, Sock) else entry if isinstance(entry, Request) else None
    if request is not None:
        told.append(f"fired {request.num_timeout}")
        shown.append(f"fired {seen.fired}")
    if isinstance(entry, Sock) and entry.state in READABLE:
        told.append(f"unread {entry.unread + (entry.state is State.CLOSE_WAIT)}")
        shown.append(f"unread {seen.unread}")
    if entry.deadline is not None:
        left = entry.deadline - now
        spare = EARLY_OR_LATE + left // 16
        near = seen.timer is not None and left - lag - spare <= seen.timer <= left + spare + now // 16
        told.append(f"fires in {left} ms")
        shown.append(f"fires in {left if near else seen.timer} ms")
    return ", ".join(told), ", ".join(shown)


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

"""One scenario on the model and on the kernel of this process's namespaces, event by event.

Theory of operation: the player of scenarios hands each event to both, and compares the segments that left, what they
acknowledge and what calls returned; after each line of the script also the counters that moved, the listeners' queues and
the number of half-open requests. The first difference ends the scenario.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from kread.check.live_host import LiveHost, counters, enter, half_open, limit
from kread.check.wire import Heard
from kread.model import events as ev
from kread.model.events import Event, Flag, Outcome, Segment
from kread.model.host import Host, queues
from kread.model.machine import step
from kread.model.play import Player, Run, play
from kread.model.policy import Policy
from kread.model.record import happenings
from kread.model.script import Script, Statement
from kread.model.socks import Request, State

#: How long one scenario may take, in seconds.
CHILD_SECONDS = 25
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
        "PAWSEstab",
        "PAWSTimewait",
        "TSEcrRejected",
        "TCPChallengeACK",
        "TCPFastOpenCookieReqd",
        "TCPFastOpenListenOverflow",
        "TCPFastOpenPassive",
        "TCPFastOpenPassiveFail",
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


def run_here(script: Script, policy: Policy) -> dict[str, object]:
    """Run a scenario in this process, which leaves its namespaces for it: the events that agreed, and the difference."""
    limit(CHILD_SECONDS)
    enter()
    player = _LivePlayer(Run(script, policy), Host(policy), LiveHost())
    try:
        for statement in happenings(play(script, policy)):
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

    def __init__(self, run: Run, host: Host, live: LiveHost) -> None:
        super().__init__(run, host)
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
            if segment.tsval is not None and real.tsval is not None:
                self.live.stamps.setdefault(segment.key, []).append((segment.tsval, real.tsval))
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
        held = sum(isinstance(each, Request) or each.state is State.SYN_RECV for each in self.host.entries())
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

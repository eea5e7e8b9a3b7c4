"""A scenario as a script for packetdrill, which runs it on a real kernel: queues that overflow, cookies, aborts.

Theory of operation: packetdrill follows one connection. So the script follows one of the scenario's, the last that it
lets do something, and makes the others by other means: a peer that only sends SYNs is a packet with a port of its own,
a whole handshake is a client on the same machine. What the model sends on the connection followed is what the script
expects, with numbers relative to the first ones; after all that come the counters, in a network namespace of its own
counted from zero. Where a scenario goes beyond that, the script ends before, and says why; where nothing can be
written at all, NotWritable says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from kread.model import events as ev
from kread.model.events import Flag, Key, Segment
from kread.model.happenings import DEFAULT_PORT
from kread.model.host import SYSCTLS
from kread.model.peers import FIRST_ISN
from kread.model.policy import Policy
from kread.model.record import Happened, in_any_order, record
from kread.model.script import Script
from kread.model.socks import SECOND, TCP_RTO_MAX, add
from kread.render.packet_clock import COMMAND, LATE, Beyond, Timeline
from kread.render.packet_words import (
    ADDRESS,
    ERRORS,
    OPTIONS,
    PORT,
    end,
    head,
    is_last_ack,
    offer,
    returned,
    sysctl,
    told,
)

#: The port of the first other peer; packetdrill's own are much higher.
FIRST_PORT = 20001


class NotWritable(Exception):
    """Nothing of the scenario can be written as a script: why."""


def packet_script(scenario: Script, policy: Policy) -> str:
    """The scenario as packetdrill takes it; NotWritable where nothing of it can be written."""
    verbs = {statement.verb for statement in scenario.statements}
    if "refused" in verbs:
        raise NotWritable("it asks for what the state refuses")
    if "with" in verbs:
        raise NotWritable("it has a reading of its own")
    seen = record(scenario, policy)
    if not seen:
        raise NotWritable(f"it does not apply to {policy.name}")
    reason = ""
    while seen:
        writer = _Writer(seen, _followed(seen), policy)
        try:
            writer.write()
            break
        except Beyond as beyond:
            # Which connection is followed depends on where the script ends: begin anew with what comes before.
            reason = str(beyond)
            seen = seen[: writer.place]
    if not any(isinstance(each.event, ev.Receive) for each in seen):
        raise NotWritable(reason or "no segment comes in")
    return "\n".join([*head(scenario, policy), *writer.script.lines, *end(writer.rest, writer.counters, reason), ""])


def _followed(seen: Sequence[Happened]) -> Key | None:
    """The connection of the last segment that comes in."""
    keys = [each.event.segment.key for each in seen if isinstance(each.event, ev.Receive)]
    return keys[-1] if keys else None


@dataclass(slots=True)
class _Writer:
    """A scenario's events as lines. `place` is the event at hand, `now` the model's time."""

    seen: list[Happened]
    key: Key | None
    policy: Policy
    script: Timeline = field(default_factory=Timeline)
    counters: Counter[str] = field(default_factory=Counter)
    place: int = 0
    now: int = 0
    #: How long it takes after the last line until all that is counted has happened, in ms.
    rest: int = 0
    irs: int = 0
    isn: int | None = None
    #: What the model has acknowledged on the connection followed, and where data begin that came ahead of that.
    acked: int = 1
    ahead: int | None = None
    fds: dict[str, int] = field(default_factory=dict)
    next_fd: int = 3
    listener: str = ""
    sysctls: dict[str, int] = field(default_factory=lambda: dict(SYSCTLS))
    ports: dict[Key, int] = field(default_factory=dict)
    clients: set[Key] = field(default_factory=set)

    def write(self) -> None:
        """All events and the rest, or up to the event that raises Beyond."""
        while self.place < len(self.seen):
            happened = self.seen[self.place]
            self._tune(happened)
            taken = _EVENTS.get(type(happened.event), _beyond)(self, happened) or 1
            for each in self.seen[self.place : self.place + taken]:
                for outcome in each.outcomes:
                    self.now = outcome.time
                    self.counters.update(outcome.counters)
                    if not isinstance(each.event, ev.Advance):
                        self.script.arm(outcome)
            self.place += taken
        self.place = len(self.seen) - 1
        self.rest = self.script.wait(self.now) + LATE

    def call(self, text: str, happened: Happened, call: str) -> None:
        """A system call with what it returns."""
        value = returned(happened, call)
        if value.startswith("-"):
            if value not in ERRORS:
                raise Beyond(f"a call that returns {value}")
            value = f"-1 {ERRORS[value]}"
        self.script.line(f"{text} = {value}", happened.before)

    def _tune(self, happened: Happened) -> None:
        changed = {name: n for name, n in happened.sysctls.items() if self.sysctls[name] != n}
        if changed:
            self.sysctls |= changed
            self.script.line(f"`{sysctl(changed, self.policy)}`", happened.before)

    # Calls

    def open(self, happened: Happened) -> None:
        event = happened.event
        assert isinstance(event, ev.Open)
        if self.listener:
            raise Beyond("a second socket that listens")
        if event.uid or not event.stream or event.connected:
            raise Beyond("a socket of another user or kind")
        self.listener = event.sock
        self.fds[event.sock] = self.next_fd
        nonblock = any(isinstance(each.event, ev.Accept) and each.event.nonblock for each in self.seen)
        kind = "SOCK_STREAM|SOCK_NONBLOCK" if nonblock else "SOCK_STREAM"
        self.script.line(f"socket(..., {kind}, IPPROTO_TCP) = {self.next_fd}", happened.before)
        self.next_fd += 1

    def bind(self, happened: Happened) -> None:
        event = happened.event
        assert isinstance(event, ev.Bind)
        self.call(f"bind({self.fds[event.sock]}, ..., ...)", happened, "bind")

    def listen(self, happened: Happened) -> None:
        event = happened.event
        assert isinstance(event, ev.Listen)
        if event.in_kernel:
            raise Beyond("a listener of the kernel itself")
        self.call(f"listen({self._fd(event.sock)}, {event.backlog})", happened, "listen")

    def set_option(self, happened: Happened) -> None:
        event = happened.event
        assert isinstance(event, ev.SetOption)
        name, value = event.option, event.value
        if name == "rskq_defer_accept" and isinstance(value, int) and value.bit_length() <= TCP_RTO_MAX // SECOND:
            # So many doubling timeouts are this many seconds.
            name, value = "TCP_DEFER_ACCEPT", (1 << value) - 1
        if name not in OPTIONS:
            raise Beyond(f"the option {name}")
        self.call(f"setsockopt({self._fd(event.sock)}, {OPTIONS[name]}, {name}, [{value}], 4)", happened, "setsockopt")

    def accept(self, happened: Happened) -> None:
        event = happened.event
        assert isinstance(event, ev.Accept)
        value = returned(happened, "accept")
        if value == "sleeps" or (event.timeout is not None and not event.nonblock):
            raise Beyond("accept() that waits")
        call = f"accept({self._fd(event.sock)}, ..., ...)"
        if value.startswith("-"):
            return self.call(call, happened, "accept")
        mine = self.key is not None and value in (event.name, f"{self.key.saddr}:{self.key.sport}")
        if not mine or not self._is_mine(happened):
            raise Beyond("accept() of a connection that packetdrill does not follow")
        self.fds[value] = self.next_fd
        self.script.line(f"{call} = {self.next_fd}", happened.before)
        self.next_fd += 1
        return None

    def _is_mine(self, happened: Happened) -> bool:
        """Whether the child that was accepted is that of the connection followed: the others came before it."""
        others = sum(
            1
            for each in self.seen[: self.place]
            for outcome in each.outcomes
            if isinstance(each.event, ev.Receive) and each.event.segment.key != self.key
            if outcome.counters.get("PassiveOpens")
        )
        return others == 0

    def close(self, happened: Happened) -> None:
        event = happened.event
        assert isinstance(event, ev.Close)
        self.call(f"close({self._fd(event.sock)})", happened, "close")
        if event.sock == self.listener:
            self.listener = ""
        self.expect(happened)

    def shutdown(self, happened: Happened) -> None:
        event = happened.event
        assert isinstance(event, ev.Shutdown)
        how = {"RD": "SHUT_RD", "WR": "SHUT_WR", "RDWR": "SHUT_RDWR"}[event.how]
        self.call(f"shutdown({self._fd(event.sock)}, {how})", happened, "shutdown")
        self.expect(happened)

    def _fd(self, name: str) -> int:
        if name not in self.fds:
            raise Beyond(f"a call on {name}, which packetdrill does not have")
        return self.fds[name]

    # Segments and time

    def receive(self, happened: Happened) -> int:
        event = happened.event
        assert isinstance(event, ev.Receive)
        segment = event.segment
        if event.raced or event.closing:
            raise Beyond("a race of two processors")
        if event != ev.Receive(segment, event.dev) or event.dev != "eth0":
            raise Beyond("a packet that packetdrill cannot make")
        if segment.fastopen or segment.tsval is not None:
            raise Beyond("timestamps that echo the kernel's own" if segment.tsval is not None else "Fast Open's secret")
        if segment.key.dport != DEFAULT_PORT:
            raise Beyond("another port")
        if segment.key != self.key:
            return self._other(happened, segment)
        if segment.flags & Flag.SYN and not segment.flags & Flag.ACK and not self.irs:
            self.irs = segment.seq
        start = add(segment.seq, -self.irs)
        if segment.length and self.isn is not None and start > self.acked:
            self.ahead = min(self.ahead or start, start)
        said = told(segment, segment.seq - self.irs, segment.ack - (self.isn or 0))
        self.script.line(f"< {said}{offer(segment)}", happened.before)
        self.expect(happened)
        return 1

    def _other(self, happened: Happened, segment: Segment) -> int:
        """A segment of a peer that is not followed; how many events that is."""
        after = self.seen[self.place + 1 : self.place + 2]
        answered = bool(happened.outcomes[-1].segments)
        follows = after and isinstance(after[0].event, ev.Receive) and after[0].event.segment
        if segment.flags == Flag.SYN and answered and follows and is_last_ack(follows, segment.key, after[0]):
            self.clients.add(segment.key)
            return self._client(happened, after[0])
        if segment.flags & Flag.ACK or segment.key in self.clients:
            raise Beyond("more than one connection that goes beyond its SYN")
        port = self.ports.setdefault(segment.key, FIRST_PORT + len(self.ports))
        said = told(segment, segment.seq - FIRST_ISN, 0)
        self.script.line(f"< {port}>{PORT} {said}{offer(segment)}", happened.before)
        return 1

    def _client(self, syn: Happened, ack: Happened) -> int:
        """A handshake of a client on this machine, which closes; its child waits to be accepted all the same."""
        if not ack.outcomes[-1].counters.get("PassiveOpens") and "R6.8" not in ack.outcomes[-1].rules:
            raise Beyond("a handshake whose last ACK makes no child")
        if "R6.8" in ack.outcomes[-1].rules:
            raise Beyond("a client whose ACK is deferred")
        connect = f'import socket; socket.create_connection(("{ADDRESS}", {PORT})).close()'
        self.script.line(f"`python3 -c '{connect}' # a handshake of another peer`", syn.before)
        self.script.lag += COMMAND
        return 2

    def expect(self, happened: Happened) -> None:
        """What the model sent on the connection followed."""
        for outcome in happened.outcomes:
            for segment in outcome.segments:
                if segment.key == self.key:
                    if segment.flags & Flag.SYN:
                        if self.isn not in (None, segment.seq):
                            raise Beyond("a second initial number")
                        self.isn = segment.seq
                    if segment.flags == Flag.RST | Flag.ACK and not segment.seq and self.isn is not None:
                        raise Beyond("a RST whose number is 0, where a script has relative ones")
                    if segment.flags & Flag.ACK:
                        self._acknowledged(add(segment.ack, -self.irs))
                    text = f"> {told(segment, segment.seq - (self.isn or 0), segment.ack - self.irs)} <...>"
                    if outcome.time > happened.before:
                        self.script.line_of_timer(text, segment.key, outcome.time)
                    else:
                        self.script.line(text, outcome.time)

    def _acknowledged(self, ack: int) -> None:
        if self.ahead is not None and ack >= self.ahead:
            raise Beyond("data that came out of order, which the kernel has kept and the model has not")
        self.acked = max(self.acked, ack)

    def advance(self, happened: Happened) -> None:
        if in_any_order(happened.outcomes):
            raise Beyond("which of the timers of one moment fires first")
        for outcome in happened.outcomes:
            self.expect(replace(happened, outcomes=(outcome,)))
            self.script.fired(outcome, self.key)
        self.script.due = happened.due

    def sysctl(self, happened: Happened) -> None:
        """Written before the next event, with all others that changed."""


def _beyond(writer: _Writer, happened: Happened) -> int:
    raise Beyond(ev.describe(happened.event))


_EVENTS: dict[type, Callable[[_Writer, Happened], int | None]] = {
    ev.Open: _Writer.open,
    ev.Bind: _Writer.bind,
    ev.Listen: _Writer.listen,
    ev.SetOption: _Writer.set_option,
    ev.Accept: _Writer.accept,
    ev.Close: _Writer.close,
    ev.Shutdown: _Writer.shutdown,
    ev.Receive: _Writer.receive,
    ev.Advance: _Writer.advance,
    ev.Sysctl: _Writer.sysctl,
}

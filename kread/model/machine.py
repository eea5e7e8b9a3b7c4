"""The machine: one event in, outcomes out.

Theory of operation: `step` hands an event to the module whose idea it is, by a plain table, and returns what the host
recorded. Advancing the clock is an event as well: the timers due by then fire one after another in order of time, each
with an outcome of its own. Whatever refuses an event does so before it changes anything; `step` makes sure of it by
looking at what can be wrong first.
"""

from __future__ import annotations

from collections.abc import Callable

from kread.model import accept, close, fastopen, host, listen, options, rcv, reqsk_timer, timewait
from kread.model.events import (
    Accept,
    Advance,
    Bind,
    Close,
    Event,
    Fault,
    Icmp,
    IllegalEvent,
    Listen,
    Metric,
    Open,
    Outcome,
    Receive,
    SetOption,
    Shutdown,
    Signal,
    Sysctl,
)
from kread.model.host import Host, Waiter
from kread.model.socks import Request, Sock, TimeWait


def step(state: Host, event: Event) -> tuple[Outcome, ...]:
    """Let one event happen; IllegalEvent, and nothing changed, where the state does not allow it.

    An Advance gives an outcome for each timer that fired, and one more for the moment reached.
    """
    if isinstance(event, Advance):
        return _advance(state, event)
    state.begin(event)
    _HANDLERS[type(event)](state, event)
    return (state.outcome(),)


def _receive(state: Host, event: Receive) -> None:
    for name in (event.assigned, event.closing):
        if name and name not in state.socks:
            raise IllegalEvent(f"no socket is called {name}")
    if any(waiter.listener.name == event.closing for waiter in state.waiters):
        raise IllegalEvent(f"a task sleeps in accept() on {event.closing}: its file cannot go")
    key = event.segment.key
    raced = event.raced and state.snapshot[0] == key
    state.stale = state.snapshot[1] if raced else None
    if not event.raced:
        state.snapshot = (key, list(state.ehash.get(key, ())))
    state.closing = event.closing
    rcv.tcp_v4_rcv(state, event)
    state.closing = ""


def _icmp(state: Host, event: Icmp) -> None:
    for entry in state.ehash.get(event.key, ()):
        if isinstance(entry, Request):
            return rcv.icmp_error(state, entry, event.seq, event.abort)
        if isinstance(entry, Sock):
            return rcv.icmp_established(state, entry, event.seq)


def _sysctl(state: Host, event: Sysctl) -> None:
    if event.name not in state.sysctl:
        raise IllegalEvent(f"no sysctl {event.name}; there are: {', '.join(sorted(state.sysctl))}")
    state.sysctl[event.name] = event.value


def _fault(state: Host, event: Fault) -> None:
    if event.what not in host.FAULTS:
        raise IllegalEvent(f"{event.what} cannot fail; these can: {', '.join(sorted(host.FAULTS))}")
    (state.faults.add if event.on else state.faults.discard)(event.what)


def _metric(state: Host, event: Metric) -> None:
    state.proven.add(event.addr)


_HANDLERS: dict[type, Callable[[Host, object], None]] = {
    Receive: _receive,  # type: ignore[dict-item]  # each handler takes the event that it is filed under
    Icmp: _icmp,  # type: ignore[dict-item]
    Open: options.open_socket,  # type: ignore[dict-item]
    Bind: listen.bind,  # type: ignore[dict-item]
    Listen: listen.listen,  # type: ignore[dict-item]
    SetOption: options.set_option,  # type: ignore[dict-item]
    Accept: accept.accept,  # type: ignore[dict-item]
    Signal: accept.signal,  # type: ignore[dict-item]
    Close: close.close,  # type: ignore[dict-item]
    Shutdown: close.shutdown,  # type: ignore[dict-item]
    Sysctl: _sysctl,  # type: ignore[dict-item]
    Fault: _fault,  # type: ignore[dict-item]
    Metric: _metric,  # type: ignore[dict-item]
}


def due(state: Host) -> int | None:
    """When the next timer fires, in ms; None where none is armed."""
    armed = _armed(state)
    return min(armed)[0] if armed else None


Timed = Request | Sock | TimeWait | Waiter


def _advance(state: Host, event: Advance) -> tuple[Outcome, ...]:
    if event.to < state.now:
        raise IllegalEvent(f"time cannot go back from {state.now} to {event.to} ms")
    outcomes = []
    while (at := due(state)) is not None and at <= event.to:
        state.now = at
        outcomes.append(_fire(state, min(_armed(state))[2]))
    state.now = event.to
    state.begin(event)
    outcomes.append(state.outcome())
    return tuple(outcomes)


def _armed(state: Host) -> list[tuple[int, int, Timed]]:
    """The timers that are armed: when each is due, a number that is lower the older it is among equals, whose it is."""
    timed: list[Timed] = [*state.entries(), *state.waiters]
    return [(each.deadline, i, each) for i, each in enumerate(timed) if each.deadline is not None]


def _fire(state: Host, due: Timed) -> Outcome:
    if isinstance(due, Waiter):
        state.begin("SO_RCVTIMEO")
        accept.timed_out(state, due)
    elif isinstance(due, TimeWait):
        state.begin("TIME_WAIT over")
        timewait.deschedule(state, due)
    elif isinstance(due, Request):
        state.begin("rsk_timer")
        reqsk_timer.fire(state, due)
    else:
        assert due.fastopen_rsk is not None
        state.begin("retransmit timer")
        fastopen.synack_timer(state, due, due.fastopen_rsk)
    return state.outcome()

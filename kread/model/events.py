"""What happens to the model and what it answers: frozen events in, frozen outcomes out.

Theory of operation: the model does no input or output and knows no clock. Whoever drives it hands it one event at a
time, a segment that arrives, a system call, a moment to advance to, and gets outcomes back: the segments sent, what
the call returned, how the counters moved, how long each queue is, which rules fired and which kernel functions were
walked. Time is in milliseconds since the start. An event that the state does not allow, such as listen() on a socket
that nobody opened, is an IllegalEvent and leaves the state as it was.

The counters are named as /proc/net/netstat and /proc/net/snmp name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag


class ModelError(Exception):
    """The model was asked for something that it cannot do."""


class IllegalEvent(ModelError):
    """The state does not allow the event; nothing was changed."""


class Flag(IntFlag):
    """The control bits of a TCP header, with the header's values."""

    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    PSH = 0x08
    ACK = 0x10

    def __str__(self) -> str:
        return "|".join(each.name or "" for each in _WRITTEN if each in self) or "none"


_WRITTEN = (Flag.SYN, Flag.FIN, Flag.RST, Flag.PSH, Flag.ACK)
_MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Key:
    """A connection seen from this host: the peer's address and port, then ours. In the order of a packet coming in."""

    saddr: str
    sport: int
    daddr: str
    dport: int

    def __str__(self) -> str:
        return f"{self.saddr}:{self.sport} > {self.daddr}:{self.dport}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A TCP segment, in or out, on the connection `key` (whose peer is the sender of one that comes in).

    ack      -- 0 where the ACK bit is not set
    tsval    -- the timestamp option, None where there is none; tsecr is its echo
    fastopen -- the Fast Open option: "" none, "request" (empty cookie), "valid", "invalid", "cookie" (one is sent)
    """

    key: Key
    flags: Flag
    seq: int = 0
    ack: int = 0
    length: int = 0
    tsval: int | None = None
    tsecr: int = 0
    fastopen: str = ""

    @property
    def end_seq(self) -> int:
        """The sequence number after the segment; SYN and FIN take one each."""
        return (self.seq + self.length + bool(self.flags & Flag.SYN) + bool(self.flags & Flag.FIN)) & _MASK

    def __str__(self) -> str:
        parts = ["SYN-ACK" if self.flags == Flag.SYN | Flag.ACK else str(self.flags), f"seq={self.seq}"]
        if self.flags & Flag.ACK:
            parts.append(f"ack={self.ack}")
        if self.length:
            parts.append(f"data={self.length}")
        if self.fastopen:
            parts.append(f"fastopen={self.fastopen}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Receive:
    """A segment arrives.

    dev, cpu    -- the device it came in on, the CPU that handles it
    hash        -- the 32-bit hash by which a reuseport group chooses; None: one made from the 4-tuple
    raced       -- another CPU handled the segment before while this one had already looked in the tables as they were
    checksum_ok -- whether the checksum is right
    broadcast   -- sent to a broadcast or multicast address
    local       -- whether the route of the destination is a local one
    assigned    -- the listener that a BPF program attached to the packet, by name
    bpf_cookie  -- a BPF program vouches for the cookie in it
    closing     -- the listener that another CPU closes while the segment is handled, by name
    """

    segment: Segment
    dev: str = "eth0"
    cpu: int = 0
    hash: int | None = None
    raced: bool = False
    checksum_ok: bool = True
    broadcast: bool = False
    local: bool = True
    assigned: str = ""
    bpf_cookie: bool = False
    closing: str = ""


@dataclass(frozen=True, slots=True)
class Icmp:
    """An ICMP error about a segment that we sent: its sequence number, and whether the error ends a request."""

    key: Key
    seq: int
    abort: bool = True


@dataclass(frozen=True, slots=True)
class Open:
    """socket(): a TCP socket, or with stream=False one that is not; connected=True one that is in use."""

    sock: str
    uid: int = 0
    stream: bool = True
    connected: bool = False


@dataclass(frozen=True, slots=True)
class Bind:
    """bind(); port 0 leaves the choice to the kernel."""

    sock: str
    addr: str
    port: int


@dataclass(frozen=True, slots=True)
class Listen:
    """listen(); in_kernel is kernel_listen(), which nobody clamps."""

    sock: str
    backlog: int
    in_kernel: bool = False


@dataclass(frozen=True, slots=True)
class SetOption:
    """setsockopt(), and what BPF programs attached to the socket decide; the options are those of `socks.OPTIONS`."""

    sock: str
    option: str
    value: int | str


@dataclass(frozen=True, slots=True)
class Accept:
    """accept() by a task; timeout is SO_RCVTIMEO in ms, None for ever. `name` is what the new socket is called."""

    sock: str
    nonblock: bool = False
    timeout: int | None = None
    task: str = "main"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal for a task that sleeps in accept()."""

    task: str


@dataclass(frozen=True, slots=True)
class Close:
    """close() of the last descriptor of a socket."""

    sock: str


@dataclass(frozen=True, slots=True)
class Shutdown:
    """shutdown(); how is "RD", "WR" or "RDWR"."""

    sock: str
    how: str = "RD"


@dataclass(frozen=True, slots=True)
class Sysctl:
    """A sysctl of the network namespace is written."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Fault:
    """From now on, or no longer, something fails; the names are those of `host.FAULTS`."""

    what: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Metric:
    """The metrics cache learns a round trip time of a peer's address: the peer is proven."""

    addr: str


@dataclass(frozen=True, slots=True)
class Advance:
    """Time passes up to a moment, in ms; the timers due by then fire in order."""

    to: int


Event = (
    Receive
    | Icmp
    | Open
    | Bind
    | Listen
    | SetOption
    | Accept
    | Signal
    | Close
    | Shutdown
    | Sysctl
    | Fault
    | Metric
    | Advance
)


@dataclass(frozen=True, slots=True)
class Result:
    """What a call returned to a task: 0, an error's name such as "-EAGAIN", "sleeps", or the socket accepted."""

    call: str
    value: str
    task: str = "main"
    state: str = ""

    def __str__(self) -> str:
        return f"{self.call} = {self.value}" + (f" ({self.state})" if self.state else "")


@dataclass(frozen=True, slots=True)
class Queues:
    """A listener's queues: its backlog B, the accept queue's length A, half-open requests Q, of them young Y, TFO T.

    D is how many segments it dropped, as `ss -m` shows it.
    """

    B: int
    A: int
    Q: int
    Y: int
    T: int
    D: int = 0

    def __str__(self) -> str:
        rare = "".join(f" {name}={n}" for name, n in (("T", self.T), ("D", self.D)) if n)
        return f"Q={self.Q} Y={self.Y} A={self.A} B={self.B}{rare}"


@dataclass(frozen=True, slots=True)
class Move:
    """A connection's entry of ehash went from one state to another; "none" is no entry."""

    key: Key
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one event, or one timer that fired, led to.

    counters  -- by how much each counter that moved has grown
    queues    -- of every listener, by name, afterwards
    rules     -- the ids of the rules that fired, in order
    functions -- the kernel functions walked, in order, as the release names them
    messages  -- what the kernel log got
    moves     -- the connections whose entry of ehash changed its state, appeared or went
    """

    time: int
    event: str
    segments: tuple[Segment, ...] = ()
    results: tuple[Result, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    queues: Mapping[str, Queues] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()


def describe(event: Event) -> str:
    """What an event is, as one would say it."""
    if isinstance(event, Receive):
        marks = "".join(f" ({word})" for word, on in (("raced", event.raced), ("broadcast", event.broadcast)) if on)
        return f"{event.segment} from {event.segment.key.saddr}:{event.segment.key.sport}{marks}"
    if isinstance(event, Advance):
        return f"time passes to {event.to / 1000:g} s"
    if isinstance(event, Sysctl):
        return f"{event.name}={event.value}"
    if isinstance(event, Listen):
        return f"listen({event.sock}, {event.backlog})"
    if isinstance(event, Bind):
        return f"bind({event.sock}, {event.addr}:{event.port})"
    if isinstance(event, SetOption):
        return f"setsockopt({event.sock}, {event.option}, {event.value})"
    if isinstance(event, Icmp):
        return f"ICMP error about seq={event.seq} for {event.key.saddr}:{event.key.sport}"
    if isinstance(event, Fault):
        return f"{event.what} {'fails' if event.on else 'works'} from now on"
    if isinstance(event, Metric):
        return f"{event.addr} is proven"
    if isinstance(event, Signal):
        return f"signal for {event.task}"
    names = {Open: "socket", Accept: "accept", Close: "close", Shutdown: "shutdown"}
    return f"{names[type(event)]}({event.sock})"

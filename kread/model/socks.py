"""The three things that a segment can belong to: full socks, request socks, TIME_WAIT socks.

Theory of operation: the kernel keeps one hash of connections, `ehash`, with three kinds of members that share only
their 4-tuple. A connection is a Request between the SYN and the final ACK, a Sock after it, a TimeWait in the end. A
listener is a Sock too, but lives in `lhash2` and holds the queues. These are the model's only mutable nouns; their
fields keep the kernel's names where the kernel has them, without its prefixes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from kread.model.events import Key

INADDR_ANY = "0.0.0.0"

#: Milliseconds; the model's clock ticks in them.
SECOND = 1000
TCP_TIMEOUT_INIT = 1 * SECOND
TCP_RTO_MAX = 120 * SECOND
TCP_TIMEWAIT_LEN = 60 * SECOND
FASTOPEN_RST_WAIT = 60 * SECOND
#: What tcp_select_initial_window() offers with the default receive buffer: the segments of 1460 bytes in 64 KiB.
DEFAULT_WINDOW = 64240
#: The same where each segment carries a timestamp, of 12 bytes.
STAMPED_WINDOW = 65160
#: The largest window that a SYN-ACK can offer, for windows in SYN segments are never scaled (RFC 7323).
WIDEST_UNSCALED = 65535
#: The largest number that the kernel keeps a TCP_DEFER_ACCEPT in, a u8.
MOST_RETRANS = 255
#: What C keeps of a number that it compares with an unsigned one.
MASK = 0xFFFFFFFF


class State(Enum):
    """The states of a sock, as `ss` and the kernel call them."""

    CLOSE = "CLOSE"
    LISTEN = "LISTEN"
    NEW_SYN_RECV = "NEW_SYN_RECV"
    SYN_RECV = "SYN_RECV"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT1 = "FIN_WAIT1"
    FIN_WAIT2 = "FIN_WAIT2"
    CLOSE_WAIT = "CLOSE_WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST_ACK"
    TIME_WAIT = "TIME_WAIT"


@dataclass(slots=True, eq=False)
class Group:
    """A reuseport group: the members that listen, those that were closed and can still migrate, and its program.

    prog    -- the index that an attached program answers, None without one; an index outside the group means none
    migrate -- the program is of the kind that also chooses where to migrate
    """

    socks: list[Sock] = field(default_factory=list)
    closed: list[Sock] = field(default_factory=list)
    prog: int | None = None
    prog_migrates: bool = False
    synq_overflow_ts: int | None = None

    @property
    def incoming_cpu(self) -> int:
        """How many listening members have SO_INCOMING_CPU set."""
        return sum(1 for sk in self.socks if sk.incoming_cpu >= 0)


@dataclass(slots=True, eq=False)
class Request:
    """A half-open connection, or one that waits in the accept queue with its child in `sk`.

    hash -- of its 4-tuple, by which a reuseport group chooses who takes it over
    """

    key: Key
    listener: Sock
    rcv_isn: int
    snt_isn: int
    rcv_nxt: int
    tstamp_ok: bool = False
    ts_recent: int = 0
    rcv_wnd: int = DEFAULT_WINDOW
    hash: int = 0
    bound_dev_if: str = ""
    acked: bool = False
    num_timeout: int = 0
    num_retrans: int = 0
    timeout: int = TCP_TIMEOUT_INIT
    deadline: int | None = None
    last_oow: int | None = None
    tsval_first: int = 0
    tsval_last: int = 0
    tfo_listener: bool = False
    sk: Sock | None = None

    state = State.NEW_SYN_RECV


@dataclass(slots=True, eq=False)
class TimeWait:
    """What is left of a connection that we closed first; substate is TIME_WAIT or FIN_WAIT2."""

    key: Key
    rcv_nxt: int
    snd_nxt: int
    substate: State
    deadline: int
    rcv_wnd: int = DEFAULT_WINDOW
    ts_recent: int = 0
    ts_recent_stamp: int | None = None
    bound_dev_if: str = ""
    reuse: bool = False
    reuseport: bool = False
    uid: int = 0
    last_oow: int | None = None

    state = State.TIME_WAIT

    @property
    def rcv_saddr(self) -> str:
        """Our address."""
        return self.key.daddr

    @property
    def num(self) -> int:
        """Our port."""
        return self.key.dport


@dataclass(slots=True, eq=False)
class Sock:
    """A full sock: a listener with its queues, or a connection with its numbers.

    name       -- what the scenario calls it; a child is called after its peer until somebody accepts it
    stream     -- SOCK_STREAM
    rcv_wnd    -- the window to offer; 0 in a listener: the usual one
    rto_max    -- the longest wait of a timer, in ms, where the release keeps one for each socket
    connected  -- the struct socket is not SS_UNCONNECTED
    snd_wl1    -- the number of the segment that last told the peer's window
    orphan     -- nobody holds it any more; shut_rd, shut_wr: shutdown() was called for reading, for writing
    drops      -- segments that died at this listener
    ack_backlog, qlen, young -- kept beside the queues as the kernel keeps them, so that a wrong count would show
    """

    name: str
    state: State = State.CLOSE
    uid: int = 0
    stream: bool = True
    connected: bool = False
    key: Key | None = None
    rcv_saddr: str = INADDR_ANY
    num: int = 0
    bound_dev_if: str = ""
    incoming_cpu: int = -1
    reuse: bool = False
    reuseport: bool = False
    reuseport_cb: Group | None = None
    filter_drops: bool = False
    orphan: bool = False
    shut_rd: bool = False
    shut_wr: bool = False
    accepted: bool = False

    max_ack_backlog: int = 0
    ack_backlog: int = 0
    accept_queue: list[Request] = field(default_factory=list)
    qlen: int = 0
    young: int = 0
    drops: int = 0
    defer_accept: int = 0
    syn_retries: int = 0
    rto_max: int = 0
    timeout_init: int = 0
    rcv_wnd: int = 0
    synflood_warned: bool = False
    synq_overflow_ts: int | None = None
    fastopen_max_qlen: int = 0
    fastopen_qlen: int = 0
    fastopen_rst: list[Request] = field(default_factory=list)
    fastopen_no_cookie: bool = False

    parent: Sock | None = None
    rcv_nxt: int = 0
    snd_una: int = 0
    snd_nxt: int = 0
    snd_wl1: int = 0
    tstamp_ok: bool = False
    ts_recent: int = 0
    unread: int = 0
    last_oow: int | None = None
    fastopen_rsk: Request | None = None
    deadline: int | None = None


#: A member of ehash.
Entry = Request | TimeWait | Sock


def state_name(entry: Entry) -> str:
    """The state of an entry of ehash; a TIME_WAIT sock in its substate."""
    return (entry.substate if isinstance(entry, TimeWait) else entry.state).value


#: What SetOption takes, and the field that it sets. TCP_DEFER_ACCEPT is in seconds, rskq_defer_accept what they become;
#: SO_RCVBUF is the window offered; SO_ATTACH_FILTER a filter that drops everything; the last four stand for BPF programs and
#: what they answer.
OPTIONS = {
    "SO_REUSEADDR": "reuse",
    "SO_REUSEPORT": "reuseport",
    "SO_BINDTODEVICE": "bound_dev_if",
    "SO_INCOMING_CPU": "incoming_cpu",
    "SO_RCVBUF": "rcv_wnd",
    "SO_ATTACH_FILTER": "filter_drops",
    "TCP_DEFER_ACCEPT": "defer_accept",
    "rskq_defer_accept": "defer_accept",
    "TCP_SYNCNT": "syn_retries",
    "TCP_FASTOPEN": "fastopen_max_qlen",
    "TCP_FASTOPEN_NO_COOKIE": "fastopen_no_cookie",
    "TCP_RTO_MAX_MS": "rto_max",
    "TCP_TIMEOUT_INIT": "timeout_init",
    "SO_ATTACH_REUSEPORT": "prog",
    "SO_ATTACH_REUSEPORT_MIGRATE": "prog",
    "SK_LOOKUP": "sk_lookup",
}


def secs_to_retrans(seconds: int) -> int:
    """secs_to_retrans(): after how many doubling timeouts, from TCP_TIMEOUT_INIT, that many seconds have passed."""
    count, step, period = 0, 1, 0
    while seconds > period and count < MOST_RETRANS:
        count, period, step = count + 1, period + step, min(2 * step, TCP_RTO_MAX // SECOND)
    return count


def before(a: int, b: int) -> bool:
    """Whether sequence number a comes before b, modulo 2**32."""
    return (a - b) & 0x80000000 != 0


def after(a: int, b: int) -> bool:
    """Whether sequence number a comes after b, modulo 2**32."""
    return before(b, a)


def between(a: int, low: int, high: int) -> bool:
    """Whether low <= a <= high, modulo 2**32."""
    return (high - low) & 0xFFFFFFFF >= (a - low) & 0xFFFFFFFF


def add(a: int, n: int) -> int:
    """Sequence number a moved by n."""
    return (a + n) & 0xFFFFFFFF


def in_window(seq: int, end_seq: int, start: int, end: int) -> bool:
    """tcp_in_window(): whether [seq, end_seq) touches [start, end)."""
    if seq == start:
        return True
    if after(end_seq, start) and before(seq, end):
        return True
    return seq == end and seq == end_seq


def older(ts_recent: int, tsval: int, window: int = 0) -> bool:
    """Whether tcp_paws_check() fails: a timestamp is older than the one known, by more than a window.

    A remembered stamp of zero says nothing. (The wrap after 24 days lies outside the model.)
    """
    return after(ts_recent, add(tsval, window)) and ts_recent != 0


def paws_reject(ts_recent: int, tsval: int, age: int, *, rst: bool) -> bool:
    """tcp_paws_reject(): an older timestamp is refused, unless on a RST after `age` >= 60 s."""
    return older(ts_recent, tsval) and not (rst and age >= 60 * SECOND)

"""One network namespace: its sysctls, tables, counters and clock, and the record of the event at work.

Theory of operation: every other module's functions take a Host and change it. While an event is handled the host also
keeps its record: `called` notes a kernel function that control goes through, `fire` a rule that decided, `count` a
counter, `send` a segment. The record becomes the event's Outcome. A function that the policy calls absent is left out
of the record, so the walk reads as the release at hand would show it.
"""

from __future__ import annotations

import zlib
from collections import Counter

from kread.model.events import Event, Flag, Key, Move, Outcome, Queues, Result, Segment, describe
from kread.model.policy import Policy
from kread.model.socks import Entry, Request, Sock, State, state_name

#: The sysctls that the model reads, with their defaults; max_syn_backlog is the least that the boot code gives it.
SYSCTLS = {
    "somaxconn": 4096,
    "tcp_max_syn_backlog": 128,
    "tcp_syncookies": 1,
    "tcp_synack_retries": 5,
    "tcp_fastopen": 1,
    "tcp_abort_on_overflow": 0,
    "tcp_migrate_req": 0,
    "tcp_invalid_ratelimit": 500,
    "tcp_rto_max_ms": 120_000,
    "tcp_rfc1337": 0,
}

#: What can be made to fail: an allocation, a route, a transmission, a port.
FAULTS = frozenset(
    {"reqsk_alloc", "route_req", "send_synack", "clone", "route_child", "inherit_port", "get_port", "hash", "security"}
)


class Host:
    """The state of the model. Events change it through `machine.step`, nothing else does."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.now = 0
        self.sysctl = dict(SYSCTLS)
        self.counters: Counter[str] = Counter()
        self.socks: dict[str, Sock] = {}
        self.ehash: dict[Key, list[Entry]] = {}
        self.lhash2: dict[tuple[str, int], list[Sock]] = {}
        self.waiters: list[Waiter] = []
        self.proven: set[str] = set()
        self.faults: set[str] = set()
        self.sk_lookup: Sock | None = None
        self.snapshot: tuple[Key | None, list[Entry]] = (None, [])
        """The chain of the last segment's 4-tuple as it was before that segment: what a racing CPU still sees."""
        self.stale: list[Entry] | None = None
        self.closing = ""
        """The listener that another CPU closes before the segment at hand gets to its accept queue."""
        self._begin("")

    def _begin(self, event: str) -> None:
        self._event = event
        self._before = self.counters.copy()
        self._segments: list[Segment] = []
        self._results: list[Result] = []
        self._rules: list[str] = []
        self._functions: list[str] = []
        self._messages: list[str] = []
        self._touched: dict[Key, str] = {}

    def begin(self, event: Event | str) -> None:
        """Start the record of an event, or of a timer named by a string."""
        self._begin(event if isinstance(event, str) else describe(event))

    def outcome(self) -> Outcome:
        """What the event at work has led to so far."""
        moved = {name: n - self._before[name] for name, n in sorted(self.counters.items()) if n != self._before[name]}
        return Outcome(
            self.now,
            self._event,
            tuple(self._segments),
            tuple(self._results),
            moved,
            {sk.name: queues(sk) for sk in self.socks.values() if sk.state is State.LISTEN},
            tuple(self._rules),
            tuple(name for name in self._functions if name not in self.policy.absent),
            tuple(self._messages),
            tuple(
                Move(key, before, self._state(key))
                for key, before in self._touched.items()
                if before != self._state(key)
            ),
        )

    def _state(self, key: Key) -> str:
        chain = self.ehash.get(key)
        return state_name(chain[0]) if chain else "none"

    def touch(self, entry: Entry) -> None:
        """An entry of ehash is about to change: remember the state that its connection has."""
        assert entry.key is not None
        if entry.key not in self._touched:
            self._touched[entry.key] = self._state(entry.key)

    def called(self, *functions: str) -> None:
        """Control goes through these functions, in this order."""
        self._functions += functions

    def fire(self, rule: str) -> None:
        """A rule decided."""
        self._rules.append(rule)

    def count(self, *counters: str) -> None:
        """Each of these counters grows by one."""
        for name in counters:
            self.counters[name] += 1

    def send(self, segment: Segment) -> None:
        """A segment leaves the host."""
        self._segments.append(segment)

    def returned(self, call: str, value: str, task: str = "main", state: str = "") -> None:
        """A call returned a value to a task."""
        self._results.append(Result(call, value, task, state))

    def log(self, message: str) -> None:
        """The kernel log gets a line."""
        self._messages.append(message)

    def failing(self, what: str) -> bool:
        """Whether this was made to fail."""
        return what in self.faults

    def listendrop(self, sk: Sock, *more: str) -> None:
        """tcp_listendrop(): a SYN or an ACK died at the listener, which keeps a count of its own."""
        self.called("tcp_listendrop")
        sk.drops += 1
        self.count(*more, "ListenDrops")

    def hashed(self, entry: Entry) -> bool:
        """Whether an entry is in ehash."""
        return entry.key is not None and any(each is entry for each in self.ehash.get(entry.key, ()))

    def twin(self, entry: Entry) -> bool:
        """inet_ehash_lookup_by_sk(): whether an entry of the same 4-tuple, and of a device that fits, is hashed."""
        chain = self.ehash.get(entry.key, []) if entry.key is not None else []
        return any(each.bound_dev_if in ("", entry.bound_dev_if) for each in chain)

    def insert(self, entry: Entry) -> None:
        """Put an entry at the head of its chain."""
        assert entry.key is not None
        self.touch(entry)
        self.ehash.setdefault(entry.key, []).insert(0, entry)

    def unlink(self, entry: Entry) -> bool:
        """Take an entry out of ehash; whether it was there."""
        found = self.hashed(entry)
        if found and entry.key is not None:
            self.touch(entry)
            chain = self.ehash[entry.key] = [each for each in self.ehash[entry.key] if each is not entry]
            if not chain:
                del self.ehash[entry.key]
        return found

    def entries(self) -> list[Entry]:
        """Every entry of ehash, in the order of its chains' creation."""
        return [entry for chain in self.ehash.values() for entry in chain]

    def requests(self, listener: Sock) -> list[Request]:
        """The half-open requests of a listener."""
        return [each for each in self.entries() if isinstance(each, Request) and each.listener is listener]

    def isn(self, key: Key) -> int:
        """secure_tcp_seq(): an initial sequence number for a 4-tuple; here always the same one."""
        return zlib.crc32(str(key).encode())

    def tsval(self) -> int:
        """The timestamp that a segment sent now carries; it starts at 1, for 0 means none."""
        return self.now + 1


class Waiter:
    """A task that sleeps in accept() on a listener until `deadline` (None: for ever)."""

    __slots__ = ("deadline", "listener", "name", "task")

    def __init__(self, task: str, listener: Sock, deadline: int | None, name: str) -> None:
        self.task, self.listener, self.deadline, self.name = task, listener, deadline, name


def queues(sk: Sock) -> Queues:
    """The lengths of a listener's queues."""
    return Queues(sk.max_ack_backlog, sk.ack_backlog, sk.qlen, sk.young, sk.fastopen_qlen, sk.drops)


def reply(segment: Segment, flags: Flag, seq: int, ack: int) -> Segment:
    """A bare segment back to the sender of one."""
    return Segment(segment.key, flags, seq, ack)

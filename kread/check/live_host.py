"""A scenario's events on the machine's own kernel: raw segments in and out, and the calls of its sockets.

Theory of operation: in the namespaces of this process (kread.check.live_space) a raw socket stands for all peers, a packet
socket hears what is sent to them, and no machine answers by itself. Segments over the loopback device are handled before
the sending call returns, so nothing has to be waited for but timers.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from kread.check.live_space import ADDRESS, ADDRESSES, DEVICE, libc, write_sysctl
from kread.check.wire import Heard, heard, packet, unreachable
from kread.model import events as ev
from kread.model.events import Event, Flag, Segment
from kread.model.host import SYSCTLS as DEFAULTS
from kread.model.socks import SECOND, secs_to_retrans

_PACKET_OUTGOING = 4
#: All protocols: the kernel shows what leaves to nobody who asks for one.
_ETH_P_ALL = 3
_ETH_P_IP = 0x0800
_IP_HDRINCL = 3
#: Where struct tcp_info has, for a listener, the length of its accept queue and its backlog.
_TCP_INFO_QUEUES = 24
#: An option of sockets: numbers of 4 bytes, the ninth of them what was dropped.
_SO_MEMINFO, _MEMINFO, _DROPS = 55, 36, 32
#: A timer of the kernel fires after its time, by a sixteenth of it at most for those that TCP has, and by a little more.
LATE, SLACK = 1 / 16, 0.3
#: The longest tick of the kernel's clock, in seconds.
TICK = 0.01
#: An acknowledgement may be delayed by 40 ms, and a loaded machine delays all; and how often to look, in seconds.
DELAYED_ACK, POLL = 0.25, 0.002

#: Python has no names for these.
_TCP_FASTOPEN_NO_COOKIE, _TCP_RTO_MAX_MS, _SO_INCOMING_CPU, _SO_ATTACH_REUSEPORT_CBPF = 34, 44, 49, 51
_SO_BINDTODEVICE, _SO_ATTACH_FILTER = 25, 26
#: A port that no scenario has.
_ELSEWHERE = 9
#: A classic BPF program of one instruction that answers a constant, and its header: struct sock_filter, sock_fprog.
_BPF_RET = 0x06

_OPTIONS = {
    "TCP_DEFER_ACCEPT": (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT),
    "TCP_SYNCNT": (socket.IPPROTO_TCP, socket.TCP_SYNCNT),
    "TCP_FASTOPEN": (socket.IPPROTO_TCP, socket.TCP_FASTOPEN),
    "TCP_FASTOPEN_NO_COOKIE": (socket.IPPROTO_TCP, _TCP_FASTOPEN_NO_COOKIE),
    "TCP_RTO_MAX_MS": (socket.IPPROTO_TCP, _TCP_RTO_MAX_MS),
    "SO_INCOMING_CPU": (socket.SOL_SOCKET, _SO_INCOMING_CPU),
    "SO_REUSEADDR": (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    "SO_REUSEPORT": (socket.SOL_SOCKET, socket.SO_REUSEPORT),
}
_REUSEPORT = "SO_ATTACH_REUSEPORT"
#: What takes a program: it answers a member of the group, or how much of a segment to keep, and the model's filters keep none.
_PROGRAMS = {_REUSEPORT: _SO_ATTACH_REUSEPORT_CBPF, "SO_ATTACH_FILTER": _SO_ATTACH_FILTER}
_TIMEOUTS, _DEVICE = "rskq_defer_accept", "SO_BINDTODEVICE"
#: The options that a socket of the test takes: as they are, a program that answers a constant, timeouts as seconds, and a
#: name.
OPTIONS = frozenset({*_OPTIONS, *_PROGRAMS, _TIMEOUTS, _DEVICE})


def _set(sock: socket.socket, option: str, value: int | str) -> None:
    """setsockopt(), for an option of the model."""
    if isinstance(value, str):
        sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, (b"" if value == "none" else value.encode()) + b"\0")
    elif option in _PROGRAMS:
        value = value if option == _REUSEPORT else 0
        code = ctypes.create_string_buffer(struct.pack("HBBI", _BPF_RET, 0, 0, value))
        program = struct.pack("HL", 1, ctypes.addressof(code))
        sock.setsockopt(socket.SOL_SOCKET, _PROGRAMS[option], program)
    elif option == _TIMEOUTS:
        seconds = next(each for each in count() if secs_to_retrans(each) >= value)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)
    else:
        sock.setsockopt(*_OPTIONS[option], value)


@dataclass(slots=True)
class LiveHost:
    """The kernel of this process's network namespace, driven by the model's events.

    socks -- the sockets that it holds, by the scenario's names
    isns  -- for each connection the initial number that the model chose, and the kernel's
    stamps -- for each connection the timestamps that the model sent, each with the kernel's
    late  -- by how many seconds this process is behind the model's clock, at the worst so far
    lead  -- by how many more it is on purpose, since timers were waited for
    close -- whether a timer was due so soon after another that it is not known which of them have fired
    """

    socks: dict[str, socket.socket] = field(default_factory=dict)
    isns: dict[ev.Key, tuple[int, int]] = field(default_factory=dict)
    stamps: dict[ev.Key, list[tuple[int, int]]] = field(default_factory=dict)
    tuned: dict[str, int] = field(default_factory=lambda: dict(DEFAULTS))
    start: float = field(default_factory=time.monotonic)
    late: float = 0.0
    lead: float = 0.0
    close: bool = False
    raw: socket.socket = field(init=False)
    tap: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.raw.setsockopt(socket.IPPROTO_IP, _IP_HDRINCL, 1)
        self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self.tap.bind((DEVICE, _ETH_P_ALL))
        self.tap.setblocking(False)

    def tune(self, values: Mapping[str, int]) -> None:
        """Set the sysctls that are not as they are to be."""
        for name, value in values.items():
            if self.tuned.get(name) != value:
                self.tuned[name] = value
                write_sysctl(name, value)

    def note(self, now: int) -> None:
        """What happens next is at `now` by the model's clock: see how late this is by ours."""
        self.late = max(self.late, time.monotonic() - self.start - now / SECOND - self.lead)

    def lag(self, now: int) -> int:
        """By how many ms our clock is ahead of the model's."""
        return round((time.monotonic() - self.start) * SECOND) - now

    def wait(self, to: int, fired: int, due: int | None) -> None:
        """Sleep until `to` by the model's clock, and a while longer where a timer fired shortly before: the kernel's are late.

        fired -- when the last timer fired by then, by the model (0 = none did); due -- when the next will
        """
        done = fired / SECOND * (1 + LATE) + SLACK if fired else 0.0
        until = max(to / SECOND + TICK, done)
        if due is not None:
            until = min(until, (to + due) / 2 / SECOND)
        self.close |= until < done
        moment = self.start + self.late + until
        time.sleep(max(0.0, moment - time.monotonic()))
        self.lead = until - to / SECOND

    def act(self, event: Event) -> str:
        """Carry an event out that is no setting of a sysctl and no wait; what a call returned, as the model writes it."""
        if isinstance(event, ev.Receive):
            # What is sent over the loopback device is handled on the processor that sent it.
            os.sched_setaffinity(0, {event.cpu})
            self._send(event.segment, event.checksum_ok)
        elif isinstance(event, ev.Icmp):
            model, kernel = self.isns.get(event.key, (0, 0))
            self.raw.sendto(unreachable(event.key, event.seq + kernel - model, event.abort), (event.key.daddr, 0))
        elif isinstance(event, ev.Metric):
            self._meet(event.addr)
        elif not isinstance(event, (ev.Advance, ev.Sysctl)):
            try:
                return self._call(event)
            except OSError as error:
                return "-" + errno.errorcode.get(error.errno or 0, str(error.errno))
        return ""

    def _send(self, segment: Segment, right: bool) -> None:
        model, kernel = self.isns.get(segment.key, (0, 0))
        # What is echoed lies as far beside a timestamp of the kernel as it does beside the model's nearest, the latest of equals.
        known = self.stamps.get(segment.key, [(0, 0)])
        mine, its = min(reversed(known), key=lambda pair: abs(pair[0] - segment.tsecr))
        tsecr = its + segment.tsecr - mine if segment.tsecr else 0
        self.raw.sendto(packet(segment, (kernel - model) & 0xFFFFFFFF, right, tsecr), (segment.key.daddr, 0))

    def _meet(self, addr: str) -> None:
        """Let a peer come and go, on a port beside the scenario's: what its connection measured is kept by its address."""
        key = ev.Key(addr, _ELSEWHERE, ADDRESS, _ELSEWHERE)
        cookies = self.tuned["tcp_syncookies"]
        self.tune({"tcp_syncookies": 0})
        with socket.create_server((ADDRESS, _ELSEWHERE)) as door:
            self._send(Segment(key, Flag.SYN), True)
            (answer,) = self.heard(1)
            self.isns[key] = (0, answer.seq)
            self._send(Segment(key, Flag.ACK, 1, 1), True)
            child, _ = door.accept()
            self._send(Segment(key, Flag.FIN | Flag.ACK, 1, 1), True)
            child.close()
            self._send(Segment(key, Flag.ACK, 2, 2), True)
        self.heard(2)
        self.tune({"tcp_syncookies": cookies})

    def _call(self, event: Event) -> str:
        if isinstance(event, ev.Open):
            self.socks[event.sock] = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.socks[event.sock].setblocking(False)
        elif isinstance(event, ev.Bind):
            self.socks[event.sock].bind((event.addr, event.port))
        elif isinstance(event, ev.Listen):
            # Not the method: it makes 0 of a negative backlog.
            if libc().listen(self.socks[event.sock].fileno(), event.backlog):
                raise OSError(ctypes.get_errno(), "listen")
        elif isinstance(event, ev.SetOption):
            _set(self.socks[event.sock], event.option, event.value)
        elif isinstance(event, ev.Accept):
            child, (addr, port) = self.socks[event.sock].accept()
            self.socks[event.name or f"{addr}:{port}"] = child
            return f"{addr}:{port}"
        elif isinstance(event, ev.Close):
            self.socks.pop(event.sock).close()
        elif isinstance(event, ev.Shutdown):
            how = {"RD": socket.SHUT_RD, "WR": socket.SHUT_WR, "RDWR": socket.SHUT_RDWR}[event.how]
            self.socks[event.sock].shutdown(how)
        return "0"

    def heard(self, wanted: int) -> list[Heard]:
        """The segments that left since this was last asked; where they are fewer than wanted, late ones too."""
        found: list[Heard] = []
        patience = time.monotonic() + DELAYED_ACK
        while True:
            try:
                data, where = self.tap.recvfrom(65535)
            except BlockingIOError:
                if len(found) >= wanted or time.monotonic() > patience:
                    return found
                time.sleep(POLL)
                continue
            if where[1:3] == (_ETH_P_IP, _PACKET_OUTGOING) and socket.inet_ntoa(data[12:16]) in ADDRESSES:
                segment = heard(data)
                if segment is not None:
                    found.append(segment)

    def queues(self, names: list[str]) -> dict[str, tuple[int, int, int]]:
        """The backlog, the accept queue's length and the count of drops of these listeners."""
        found = {}
        for name in names:
            info = self.socks[name].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            length, backlog = struct.unpack_from("II", info, _TCP_INFO_QUEUES)
            (drops,) = struct.unpack_from(
                "I", self.socks[name].getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO), _DROPS
            )
            found[name] = (backlog, length, drops)
        return found

"""A scenario on the machine's own kernel: namespaces of its own, raw segments in and out, and what it looks like.

Theory of operation: a forked child unshares a user and a network namespace, so that it needs no privilege and nothing
that it does is seen outside. In there the loopback device has one address, all other addresses of its network are
routed to it as well, and what the kernel answers to them is dropped there after it was seen. So a raw socket stands for
all peers, a packet socket hears what is sent to them, and no machine answers by itself. Segments over the loopback
device are handled before the sending call returns, so nothing has to be waited for but timers. The child ends with an
alarm, and with it all that it made.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count

from kread.check.wire import FAST_OPEN_KEY, Heard, heard, packet, unreachable
from kread.model import events as ev
from kread.model.events import Event, Segment
from kread.model.host import SYSCTLS as DEFAULTS
from kread.model.socks import SECOND, secs_to_retrans

ADDRESS = "10.0.0.1"
#: Other addresses of the device, for listeners that are bound to one and not found by another.
MORE_ADDRESSES = ("10.0.0.2",)
ADDRESSES = (ADDRESS, *MORE_ADDRESSES)
NETWORK = "10.0.0.0"
NETMASK = "255.0.0.0"

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCADDRT, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x890B, 0x8914, 0x8916, 0x891C
_SIOCSIFMTU, _MTU = 0x8922, 1500
_UP_AND_RUNNING = 0x41
_RTF_UP = 1
_PACKET_OUTGOING = 4
#: All protocols: the kernel shows what leaves to nobody who asks for one.
_ETH_P_ALL = 3
_ETH_P_IP = 0x0800
_IP_HDRINCL = 3
#: Where struct tcp_info has, for a listener, the length of its accept queue and its backlog.
_TCP_INFO_QUEUES = 24
_SO_MEMINFO, _MEMINFO, _DROPS = 55, 36, 32
"""An option of sockets: numbers of 4 bytes, the ninth of them what was dropped."""
#: A timer of the kernel fires a little after its time.
SLACK = 0.3
#: The kernel's timers are the later the longer they are: an eighth of a timer at most, and far less for all together.
DRIFT = 0.03
#: An acknowledgement may be delayed by 40 ms, and a loaded machine delays all; and how often to look, in seconds.
DELAYED_ACK, POLL = 0.25, 0.002

#: Python has no names for these.
_TCP_FASTOPEN_NO_COOKIE, _TCP_RTO_MAX_MS, _SO_INCOMING_CPU, _SO_ATTACH_REUSEPORT_CBPF = 34, 44, 49, 51
#: A classic BPF program of one instruction that answers a constant, and its header: struct sock_filter, sock_fprog.
_BPF_RET = 0x06

_SYSCTL_DIRS = {"somaxconn": "/proc/sys/net/core/"}
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
_PROGRAM, _TIMEOUTS = "SO_ATTACH_REUSEPORT", "rskq_defer_accept"
OPTIONS = frozenset({*_OPTIONS, _PROGRAM, _TIMEOUTS})
"""The options that a socket of the test takes: as they are, a program that answers a constant, and timeouts as seconds."""


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def unavailable() -> str:
    """Why no namespaces can be had here; "" where they can."""
    child = os.fork()
    if not child:
        code = 0
        try:
            enter()
        except OSError as error:
            code = error.errno or errno.EPERM
        except Exception:
            code = errno.EPERM
        os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if not code:
        return ""
    why = "user.max_user_namespaces is used up" if code == errno.ENOSPC else os.strerror(abs(code))
    return f"a user and a network namespace are not allowed here ({why})"


def enter() -> None:
    """Go into a user and a network namespace of our own, and set up its one device."""
    user = os.getuid()
    if _libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        # As on Ethernet, for the window that is offered depends on it.
        _request(control, _SIOCSIFMTU, struct.pack("16si20x", b"lo", _MTU))
        _request(control, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _UP_AND_RUNNING))
        for number, address in enumerate(ADDRESSES):
            label = f"lo:{number}".encode() if number else b"lo"
            for request, part in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, "255.255.255.255")):
                _request(control, request, struct.pack("16s16s8x", label, _sockaddr(part)))
        device = ctypes.create_string_buffer(b"lo")
        route = struct.pack(
            "L16s16s16sHhLPhxxxxxxPLLHxxxxxx",
            *(0, _sockaddr(NETWORK), _sockaddr("0.0.0.0"), _sockaddr(NETMASK), _RTF_UP, 0, 0, 0, 0),
            *(ctypes.addressof(device), 0, 0, 0),
        )
        _request(control, _SIOCADDRT, route)
    for name, value in DEFAULTS.items():
        _write(name, value)
    _write("tcp_fastopen_key", "-".join(f"{word:08x}" for word in FAST_OPEN_KEY))


def _request(control: socket.socket, request: int, data: bytes) -> None:
    fcntl.ioctl(control.fileno(), request, data)


def _sockaddr(address: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))


def _write(name: str, value: int | str) -> bool:
    """Set a sysctl; False where this kernel has none of that name in a network namespace."""
    try:
        with open(_SYSCTL_DIRS.get(name, "/proc/sys/net/ipv4/") + name, "w", encoding="ascii") as file:
            file.write(str(value))
    except OSError:
        return False
    return True


def _set(sock: socket.socket, option: str, value: int) -> None:
    """setsockopt(), for an option of the model."""
    if option == _PROGRAM:
        code = ctypes.create_string_buffer(struct.pack("HBBI", _BPF_RET, 0, 0, value))
        program = struct.pack("HL", 1, ctypes.addressof(code))
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)
    elif option == _TIMEOUTS:
        seconds = next(each for each in count() if secs_to_retrans(each) >= value)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)
    else:
        sock.setsockopt(*_OPTIONS[option], value)


def limit(seconds: int) -> None:
    """End this process after so many seconds, whatever it does."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)


@dataclass(slots=True)
class LiveHost:
    """The kernel of this process's network namespace, driven by the model's events.

    socks -- the sockets that it holds, by the scenario's names
    isns  -- for each connection the initial number that the model chose, and the kernel's
    stamps -- for each connection the timestamps that the model sent, each with the kernel's
    """

    socks: dict[str, socket.socket] = field(default_factory=dict)
    isns: dict[ev.Key, tuple[int, int]] = field(default_factory=dict)
    stamps: dict[ev.Key, list[tuple[int, int]]] = field(default_factory=dict)
    tuned: dict[str, int] = field(default_factory=lambda: dict(DEFAULTS))
    start: float = field(default_factory=time.monotonic)
    late: float = 0.0
    raw: socket.socket = field(init=False)
    tap: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.raw.setsockopt(socket.IPPROTO_IP, _IP_HDRINCL, 1)
        self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self.tap.bind(("lo", _ETH_P_ALL))
        self.tap.setblocking(False)

    def tune(self, values: Mapping[str, int]) -> None:
        """Set the sysctls that are not as they are to be."""
        for name, value in values.items():
            if self.tuned.get(name) != value:
                self.tuned[name] = value
                _write(name, value)

    def note(self, now: int) -> None:
        """What happens next is at `now` by the model's clock: see how late this is by ours."""
        self.late = max(self.late, time.monotonic() - self.start - now / SECOND)

    def lag(self, now: int) -> int:
        """By how many ms our clock is ahead of the model's."""
        return round((time.monotonic() - self.start) * SECOND) - now

    def act(self, event: Event) -> str:
        """Carry an event out; what a call returned, as the model writes it."""
        if isinstance(event, ev.Receive):
            # What is sent over the loopback device is handled on the processor that sent it.
            os.sched_setaffinity(0, {event.cpu})
            self._send(event.segment, event.checksum_ok)
        elif isinstance(event, ev.Icmp):
            model, kernel = self.isns.get(event.key, (0, 0))
            self.raw.sendto(unreachable(event.key, event.seq + kernel - model, event.abort), (event.key.daddr, 0))
        elif isinstance(event, ev.Advance):
            until = self.start + self.late + event.to / SECOND * (1 + DRIFT) + SLACK
            time.sleep(max(0.0, until - time.monotonic()))
        elif not isinstance(event, ev.Sysctl):
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

    def _call(self, event: Event) -> str:
        if isinstance(event, ev.Open):
            self.socks[event.sock] = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.socks[event.sock].setblocking(False)
        elif isinstance(event, ev.Bind):
            self.socks[event.sock].bind((event.addr, event.port))
        elif isinstance(event, ev.Listen):
            # Not the method: it makes 0 of a negative backlog.
            if _libc().listen(self.socks[event.sock].fileno(), event.backlog):
                raise OSError(ctypes.get_errno(), "listen")
        elif isinstance(event, ev.SetOption):
            assert isinstance(event.value, int)
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

"""The namespaces that a scenario runs in on the machine's own kernel: whether they can be had, and how they are set up.

Theory of operation: a forked child unshares a user and a network namespace, so that it needs no privilege and nothing
that it does is seen outside. In there the loopback device, called as the model's is, has few addresses; all others of
their network are routed to it as well, and what the kernel answers to them is dropped there after it was seen. The child
ends with an alarm, and with it all that it made.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
from dataclasses import dataclass
from functools import cache

from kread.check.wire import FAST_OPEN_KEY
from kread.model.host import SYSCTLS as DEFAULTS

ADDRESS = "10.0.0.1"
#: Other addresses of the device, for listeners that are bound to one and not found by another.
MORE_ADDRESSES = ("10.0.0.2",)
ADDRESSES = (ADDRESS, *MORE_ADDRESSES)
NETWORK = "10.0.0.0"
DEVICE = "eth0"
NETMASK = "255.0.0.0"

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCADDRT, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x890B, 0x8914, 0x8916, 0x891C
_SIOCSIFMTU, _SIOCSIFNAME, _MTU = 0x8922, 0x8923, 1500
_UP_AND_RUNNING = 0x41
_RTF_UP = 1
_SYSCTL_DIRS = {"somaxconn": "/proc/sys/net/core/"}


@cache
def libc() -> ctypes.CDLL:
    """The C library, for what Python has no call for."""
    return ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Offer:
    """What this machine offers: why no namespaces can be had here ("" = they can), and which sysctls those have."""

    unavailable: str = ""
    sysctls: frozenset[str] = frozenset(DEFAULTS)


def offer(machine: bool = False) -> Offer:
    """Try to enter namespaces, in a child, and see what they have. machine=True: as `enter` says."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        code = 0
        try:
            enter(machine)
            os.write(write, " ".join(name for name in DEFAULTS if os.path.exists(_place(name))).encode())
        except OSError as error:
            code = error.errno or errno.EPERM
        except Exception:
            code = errno.EPERM
        os._exit(code)
    os.close(write)
    with os.fdopen(read) as file:
        sysctls = frozenset(file.read().split())
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if not code:
        return Offer("", sysctls)
    why = "user.max_user_namespaces is used up" if code == errno.ENOSPC else os.strerror(abs(code))
    return Offer(f"a user and a network namespace are not allowed here ({why})")


def enter(machine: bool = False) -> None:
    """Go into a user and a network namespace of our own, and set up its one device.

    machine=True: the whole machine is ours, and so is root: without a user namespace older kernels show more sysctls
    """
    user = os.getuid()
    if libc().unshare(_CLONE_NEWNET if machine else _CLONE_NEWUSER | _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    for name, text in () if machine else (("setgroups", "deny"), ("uid_map", f"0 {user} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        device = DEVICE.encode()
        _request(control, _SIOCSIFNAME, struct.pack("16s16s8x", b"lo", device))
        # As on Ethernet, for the window that is offered depends on it.
        _request(control, _SIOCSIFMTU, struct.pack("16si20x", device, _MTU))
        _request(control, _SIOCSIFFLAGS, struct.pack("16sH22x", device, _UP_AND_RUNNING))
        for number, address in enumerate(ADDRESSES):
            label = f"{DEVICE}:{number}".encode() if number else device
            for request, part in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, "255.255.255.255")):
                _request(control, request, struct.pack("16s16s8x", label, _sockaddr(part)))
        named = ctypes.create_string_buffer(device)
        route = struct.pack(
            "L16s16s16sHhLPhxxxxxxPLLHxxxxxx",
            *(0, _sockaddr(NETWORK), _sockaddr("0.0.0.0"), _sockaddr(NETMASK), _RTF_UP, 0, 0, 0, 0),
            *(ctypes.addressof(named), 0, 0, 0),
        )
        _request(control, _SIOCADDRT, route)
    for sysctl, value in DEFAULTS.items():
        write_sysctl(sysctl, value)
    write_sysctl("tcp_fastopen_key", "-".join(f"{word:08x}" for word in FAST_OPEN_KEY))


def _request(control: socket.socket, request: int, data: bytes) -> None:
    fcntl.ioctl(control.fileno(), request, data)


def _sockaddr(address: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))


def _place(sysctl: str) -> str:
    return _SYSCTL_DIRS.get(sysctl, "/proc/sys/net/ipv4/") + sysctl


def write_sysctl(sysctl: str, value: int | str) -> None:
    """Set a sysctl, where this kernel has one of that name in a network namespace."""
    try:
        with open(_place(sysctl), "w", encoding="ascii") as file:
            file.write(str(value))
    except OSError:
        return


def limit(seconds: int) -> None:
    """End this process after so many seconds, whatever it does."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)

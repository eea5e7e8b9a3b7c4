"""What the running kernel shows of itself: the counters and the connections of this process's network namespace.

Theory of operation: /proc/self/net/netstat and snmp are pairs of lines, names above values. /proc/self/net/tcp is a line for
each entry of the hash of connections: both ends, the state, what is unread, the timer's remaining time, and how often it
fired. A half-open request stands there as SYN_RECV, what is left in TIME_WAIT with its substate.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

from kread.model.events import Key
from kread.model.socks import SECOND

#: The numbers of include/net/tcp_states.h, with the model's names; a listener is no connection.
_STATES = {
    1: "ESTABLISHED",
    3: "SYN_RECV",
    4: "FIN_WAIT1",
    5: "FIN_WAIT2",
    6: "TIME_WAIT",
    7: "CLOSE",
    8: "CLOSE_WAIT",
    9: "LAST_ACK",
    11: "CLOSING",
}


@dataclass(frozen=True, slots=True)
class Connection:
    """An entry of the hash of connections.

    unread -- bytes that nobody read, a FIN among them
    fired  -- how often its timer has fired
    timer  -- the time until it fires next, in ms; None where none runs
    """

    state: str
    unread: int
    fired: int
    timer: int | None


def connections() -> dict[Key, Connection]:
    """Every connection of this namespace, by its two ends."""
    tick = SECOND // os.sysconf("SC_CLK_TCK")
    found = {}
    with open("/proc/self/net/tcp", encoding="ascii") as file:
        for line in file.readlines()[1:]:
            words = line.split()
            state = _STATES.get(int(words[3], 16))
            if state is None:
                continue
            (here, port), (there, far) = _end(words[1]), _end(words[2])
            kind, _, left = words[5].partition(":")
            timer = int(left, 16) * tick if int(kind, 16) else None
            unread = int(words[4].partition(":")[2], 16)
            found[Key(there, far, here, port)] = Connection(state, unread, int(words[6], 16), timer)
    return found


def _end(text: str) -> tuple[str, int]:
    addr, _, port = text.partition(":")
    return socket.inet_ntoa(struct.pack("=I", int(addr, 16))), int(port, 16)


def counters() -> dict[str, int]:
    """The counters of this namespace, by the names that /proc gives them."""
    found: dict[str, int] = {}
    for name in ("netstat", "snmp"):
        with open(f"/proc/self/net/{name}", encoding="ascii") as file:
            lines = file.read().splitlines()
        for heads, values in zip(lines[::2], lines[1::2], strict=True):
            if heads.startswith(("TcpExt:", "Tcp:")):
                found |= {head: int(value) for head, value in zip(heads.split()[1:], values.split()[1:], strict=True)}
    return found

"""The happenings of a script as events: what each verb of the language does.

Theory of operation: a table from verb to function. Each function hands the player one event after another; what a
line leaves out, a name, an address, a number, is filled in here and in `peers`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from kread.model import events as ev
from kread.model import script
from kread.model.events import Flag
from kread.model.script import Statement
from kread.model.socks import SECOND

if TYPE_CHECKING:
    from kread.model.play import Player

DEFAULT_ADDRESS = "10.0.0.1"
DEFAULT_PORT = 80
#: A backlog and a limit that `given` cannot reach.
MANY = 1 << 20


def names(text: str) -> list[str]:
    """The peers that `a,b` or `p1..p9` names."""
    found: list[str] = []
    for part in text.split(","):
        first, dots, last = part.partition("..")
        stem = first.rstrip("0123456789")
        if dots:
            found += [f"{stem}{n}" for n in range(int(first[len(stem) :]), int(last[len(stem) :]) + 1)]
        else:
            found.append(part)
    return found


def place(text: str) -> tuple[str, int]:
    """ADDR:PORT as a pair; without a port, or with p, the usual one."""
    addr, _, port = text.partition(":")
    return addr, DEFAULT_PORT if port in ("", "p") else int(port)


def _seconds(text: str) -> int:
    return round(float(text.removesuffix("s")) * SECOND)


def _segment(player: Player, statement: Statement) -> None:
    flags = script.flags(statement.words[0])
    assert flags is not None
    for peer in player.senders(statement):
        player.arrive(peer, flags, statement)


def _handshake(player: Player, statement: Statement) -> None:
    for peer in player.senders(statement):
        peer.answered = False
        player.arrive(peer, Flag.SYN, statement)
        if peer.answered:
            player.arrive(peer, Flag.ACK, replace(statement, options=_without(statement.options, "seq", "data")))


def _without(options: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: value for key, value in options.items() if key not in keys}


_LISTEN_OPTIONS = {
    "dev": "SO_BINDTODEVICE",
    "cpu": "SO_INCOMING_CPU",
    "defer": "TCP_DEFER_ACCEPT",
    "D": "rskq_defer_accept",
    "syncnt": "TCP_SYNCNT",
    "fastopen": "TCP_FASTOPEN",
    "rcvbuf": "SO_RCVBUF",
    "rto_max": "TCP_RTO_MAX_MS",
    "reuseport": "SO_REUSEPORT",
    "reuseaddr": "SO_REUSEADDR",
    "filter": "SO_ATTACH_FILTER",
    "nocookie": "TCP_FASTOPEN_NO_COOKIE",
    "sk_lookup": "SK_LOOKUP",
}


#: Attached once the group is there: a socket that brings a program shares its port with nobody.
_PROGRAMS = {"prog": "SO_ATTACH_REUSEPORT", "migrate_prog": "SO_ATTACH_REUSEPORT_MIGRATE"}


def _listen(player: Player, statement: Statement) -> None:
    options, words = statement.options, statement.words
    backlog = int(words[0])
    name = options.get("as", words[1] if len(words) > 1 and words[1] not in script.LISTEN_WORDS else "L")
    if name not in player.host.socks:
        player.happen(ev.Open(name, int(options.get("uid", "0")), "dgram" not in words, "connected" in words))
        for key in [each for each in _LISTEN_OPTIONS if each in words]:
            player.happen(ev.SetOption(name, _LISTEN_OPTIONS[key], 1))
        for key, value in options.items():
            if key in _LISTEN_OPTIONS:
                player.happen(ev.SetOption(name, _LISTEN_OPTIONS[key], value if key == "dev" else int(value)))
        if "timeout" in options:
            player.happen(ev.SetOption(name, "TCP_TIMEOUT_INIT", _seconds(options["timeout"])))
        player.happen(ev.Bind(name, *place(options.get("on", f"{DEFAULT_ADDRESS}:{DEFAULT_PORT}"))))
    player.happen(ev.Listen(name, backlog, "kernel" in words))
    for key in [each for each in _PROGRAMS if each in options]:
        player.happen(ev.SetOption(name, _PROGRAMS[key], int(options[key])))


def _given(player: Player, statement: Statement) -> None:
    """Half-open requests and queued children, made under limits that let them pass, then not counted."""
    host, options = player.host, statement.options
    name = options.get("on", "L")
    if name not in host.socks:
        raise ValueError(f"no listener is called {name}")
    backlog, before = host.socks[name].max_ack_backlog, dict(host.sysctl)
    host.sysctl.update(somaxconn=MANY, tcp_syncookies=1)
    player.happen(ev.Listen(name, MANY))
    to = player.target({"to": f"{host.socks[name].rcv_saddr}:{host.socks[name].num}"} if "on" in options else {})
    for i in range(int(options.get("A", "0"))):
        peer = player.peers.named(f"c{i + 1}", to)
        player.arrive(peer, Flag.SYN, replace(statement, options={}))
        player.arrive(peer, Flag.ACK, replace(statement, options={}))
    for i in range(int(options.get("Q", "0"))):
        player.arrive(player.peers.named(f"h{i + 1}", to), Flag.SYN, replace(statement, options={}))
    player.happen(ev.Listen(name, backlog))
    host.sysctl.update(before)
    player.counted = host.counters.copy()
    player.walked = len(player.run.outcomes)


def _accept(player: Player, statement: Statement) -> None:
    words, options = statement.words, statement.options
    name = next((word for word in words if word != "nonblock"), "L")
    timeout = _seconds(options["timeout"]) if "timeout" in options else None
    for _ in range(statement.count):
        task = options.get("by", "main")
        player.happen(ev.Accept(name, "nonblock" in words, timeout, task, options.get("as", "")))


def _setsockopt(player: Player, statement: Statement) -> None:
    name, option, value = statement.words
    player.happen(ev.SetOption(name, option, value if option == "SO_BINDTODEVICE" else int(value, 0)))


def _icmp(player: Player, statement: Statement) -> None:
    peer = player.senders(statement)[0]
    seq = peer.number(statement.options.get("seq", "ISN"))
    player.happen(ev.Icmp(peer.key, seq, "soft" not in statement.words))


def _sysctl(player: Player, statement: Statement) -> None:
    for key, value in statement.options.items():
        name = key if key in player.host.sysctl else f"tcp_{key}"
        player.happen(ev.Sysctl(name, int(value, 0)))


def _proven(player: Player, statement: Statement) -> None:
    for word in statement.words:
        for name in names(word):
            addr = name if name[0].isdigit() else player.peers.named(name, player.target({})).key.saddr
            player.happen(ev.Metric(addr))


def _fault(player: Player, statement: Statement) -> None:
    for word in statement.words:
        player.happen(ev.Fault(word, statement.verb == "fail"))


def _socket(player: Player, statement: Statement) -> None:
    words = statement.words
    uid = int(statement.options.get("uid", "0"))
    player.happen(ev.Open(words[0], uid, "dgram" not in words, "connected" in words))


HAPPENINGS: dict[str, Callable[[Player, Statement], None]] = {
    "segment": _segment,
    "handshake": _handshake,
    "listen": _listen,
    "given": _given,
    "accept": _accept,
    "setsockopt": _setsockopt,
    "icmp": _icmp,
    "sysctl": _sysctl,
    "proven": _proven,
    "fail": _fault,
    "mend": _fault,
    "socket": _socket,
    "bind": lambda player, s: player.happen(ev.Bind(s.words[0], *place(s.words[1]))),
    "close": lambda player, s: player.happen(ev.Close(s.words[0] if s.words else "L")),
    "shutdown": lambda player, s: player.happen(
        ev.Shutdown(s.words[0] if s.words else "L", s.words[1] if len(s.words) > 1 else "RD")
    ),
    "signal": lambda player, s: player.happen(ev.Signal(s.words[0])),
    "wait": lambda player, s: player.happen(ev.Advance(player.host.now + _seconds(s.words[0]))),
    "at": lambda player, s: player.happen(ev.Advance(_seconds(s.words[0]))),
}

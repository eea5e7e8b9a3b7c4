"""The scenario language: one claim a file, one happening a line, the expectations below what they speak of.

Theory of operation: a script is lines. Comments at its head say what it claims. Then come happenings, in the words in
which one would tell them, and expectations:

    somaxconn=3                          a sysctl; the prefix tcp_ may be left out
    listen(100) on 10.0.0.1:80 as L      socket, options, bind and listen; what is left out is as here
    SYN from=a seq=1000                  a segment; seq and ack follow from the connection where left out
    8 x handshake                        N times, from N fresh peers p1, p2, ...
    wait 3s, at 63s                      time
    accept(), close(L), shutdown(L)      system calls
    given Q=2 A=2                        half-open requests h1, h2 and queued children c1, c2, without counting

    -> SYN-ACK ack=1001                  what the happening above sent, all of it
    returns 0                            what its calls returned
    queues Q=1 A=0                       a listener's queues now; D for what it dropped
    counters ListenDrops+1               every counter that moved since the last such line
    peer a SYN_RECV acked=yes            the entry of a connection; "none" for no entry
    rules 4.1 !4.3                       rules that fired in the happening above, in order; ! for one that did not
    times 1 3 7                          when the segments left, in seconds
    functions tcp_v4_rcv > tcp_check_req functions walked in this order since the last such line; ! as above

A line can depend on the policy: `[migration] -> RST`, `[!migration] -> nothing`. `with FIELD=VALUE` fixes a field for
the whole script, `only FIELD` says where the claim applies at all. docs of each option stand in `OPTIONS`.

This module reads; `play` acts. An error names the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kread.model.events import Flag, ModelError


class ScriptError(ModelError):
    """A script that cannot be read or does not make sense: the line's number, its text, and why."""

    def __init__(self, line: int, text: str, why: str) -> None:
        super().__init__(f"line {line}: {why}: {text.strip()}")
        self.line, self.text, self.why = line, text, why


@dataclass(frozen=True, slots=True)
class Statement:
    """One line: where it stands, when it applies, how often, its verb, and what it says.

    conditions -- policy fields with the value that they must have for the line to count
    words      -- what stands between the parentheses, or bare
    options    -- what stands as key=value
    """

    line: int
    text: str
    verb: str
    conditions: tuple[tuple[str, bool], ...] = ()
    count: int = 1
    counted: bool = False
    words: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario: its name, which is the claim, what its head says, and its statements."""

    name: str
    gloss: str
    statements: tuple[Statement, ...]


SEGMENT = {
    "from": "the peer, by name or as ADDR:PORT; a,b for several; all for every peer so far; p1..p9",
    "to": "the destination, ADDR:PORT",
    "seq": "the sequence number, from the numbers, irs, nxt, ISN, with + and -",
    "ack": "the acknowledgement, likewise; 'wrong' for one of nothing that was sent",
    "data": "the number of bytes",
    "ts": "the timestamp; 'none' for no option from now on",
    "tsecr": "its echo",
    "fastopen": "request, valid or invalid",
    "dev": "the device",
    "cpu": "the CPU",
    "hash": "the hash by which a reuseport group chooses",
    "assigned": "the listener that a BPF program attached",
    "closing": "the listener that another CPU closes meanwhile",
}
SEGMENT_WORDS = {"raced", "broadcast", "remote", "badsum", "bpf_cookie"}

LISTEN = {
    "on": "the address and port",
    "as": "what the socket is called",
    "uid": "its owner",
    "dev": "SO_BINDTODEVICE",
    "cpu": "SO_INCOMING_CPU",
    "defer": "TCP_DEFER_ACCEPT in seconds",
    "D": "the same in timeouts",
    "syncnt": "TCP_SYNCNT",
    "fastopen": "TCP_FASTOPEN",
    "rcvbuf": "the window to offer",
    "rto_max": "TCP_RTO_MAX_MS",
    "timeout": "the first timeout that a BPF program sets, in seconds",
    "prog": "the index that a reuseport program answers",
    "migrate_prog": "the same, by a program that also migrates",
}
LISTEN_WORDS = {"reuseport", "reuseaddr", "filter", "nocookie", "kernel", "dgram", "connected", "sk_lookup"}

#: What each happening takes: its options with their meaning, and its bare words.
OPTIONS: dict[str, tuple[dict[str, str], set[str]]] = {
    "segment": (SEGMENT, SEGMENT_WORDS),
    "handshake": (SEGMENT, SEGMENT_WORDS),
    "listen": (LISTEN, LISTEN_WORDS),
    "accept": (
        {"as": "what the new socket is called", "timeout": "SO_RCVTIMEO in seconds", "by": "the task"},
        {"nonblock"},
    ),
    "icmp": ({"from": "the peer", "seq": "the sequence number that it quotes"}, {"soft"}),
    "given": ({"Q": "half-open requests", "A": "queued children", "on": "the listener"}, set()),
    "setsockopt": ({}, set()),
    "socket": ({"uid": "its owner"}, {"dgram", "connected"}),
    "bind": ({}, set()),
    "close": ({}, set()),
    "shutdown": ({}, set()),
    "signal": ({}, set()),
}

BARE = ("wait", "at", "fail", "mend", "proven", "with", "only")
EXPECT = ("->", "returns", "queues", "counters", "peer", "rules", "times", "functions", "log", "refused")
CALLS = ("listen", "socket", "bind", "accept", "setsockopt", "close", "shutdown", "signal")

#: What people write, and what it means here: `20 SYNs`, `8 x full handshake`, `a=1,b=2`.
_ALIASES = (
    (re.compile(r"^(\d+) (SYN|ACK|RST|FIN)s\b"), r"\1 x \2"),
    (re.compile(r"\bfull (?=handshake)|(?<=handshake) attempts\b|(?<=handshake)s\b"), ""),
    (re.compile(r"^([a-z]\w*=-?\w+)(?:, ?(?=[a-z]))"), r"\1 "),
)

_CONDITION = re.compile(r"\[([^\]]*)\]\s*")
_COUNT = re.compile(r"(\d+)\s*x\s+")
_CALL = re.compile(r"(\w+)\s*\(([^)]*)\)")
_SYSCTL = re.compile(r"[a-z]\w*=-?\w+(\s+[a-z]\w*=-?\w+)*$")


def parse(text: str, name: str = "scenario") -> Script:
    """Read a script; ScriptError names the line that cannot be read."""
    gloss: list[str] = []
    statements: list[Statement] = []
    for number, line in enumerate(text.splitlines(), 1):
        body = line.split("#", 1)[0].strip()
        if body:
            statements.append(_statement(number, line, body))
        elif line.startswith("#") and not statements:
            gloss.append(line.lstrip("# ").rstrip())
    return Script(name, " ".join(gloss), tuple(statements))


def flags(text: str) -> Flag | None:
    """The control bits that a word like SYN|ACK or SYN-ACK names; "none" names no bit, other words nothing."""
    if text in ("none", "DATA"):
        return Flag(0)
    found = Flag(0)
    for word in re.split(r"[|+-]", text):
        if word not in Flag.__members__:
            return None
        found |= Flag[word]
    return found


def _statement(line: int, text: str, body: str) -> Statement:
    conditions: tuple[tuple[str, bool], ...] = ()
    if match := _CONDITION.match(body):
        fields = [each.strip() for each in match[1].split("&")]
        conditions = tuple((each.lstrip("!"), not each.startswith("!")) for each in fields)
        body = body[match.end() :]
    for pattern, meaning in _ALIASES:
        body = pattern.sub(meaning, body)
    count, counted = 1, False
    if match := _COUNT.match(body):
        count, counted, body = int(match[1]), True, body[match.end() :]
    verb, words, options = _parts(line, text, body)
    return Statement(line, text.strip(), verb, conditions, count, counted, words, options)


def _parts(line: int, text: str, body: str) -> tuple[str, tuple[str, ...], dict[str, str]]:
    first, _, rest = body.partition(" ")
    if first in EXPECT:
        return first, tuple(rest.split()) if first not in ("->", "log") else (rest.strip(),), {}
    if first in BARE:
        if not rest.strip():
            raise ScriptError(line, text, f"{first} what")
        return first, tuple(rest.split()), {}
    if match := _CALL.match(body):
        if match[1] not in CALLS:
            raise ScriptError(line, text, f"no call {match[1]}(); there are: {', '.join(CALLS)}")
        inside = tuple(each.strip() for each in match[2].split(",") if each.strip())
        words, options = _options(line, text, match[1], body[match.end() :])
        return match[1], inside + words, options
    if _SYSCTL.match(body):
        return "sysctl", (), dict(each.split("=", 1) for each in body.split())
    verb = first if first in OPTIONS else "segment"
    if verb == "segment" and flags(first) is None:
        raise ScriptError(line, text, f"neither a happening nor an expectation begins with {first}")
    words, options = _options(line, text, verb, rest)
    return verb, ((first, *words) if verb == "segment" else words), options


def _options(line: int, text: str, verb: str, rest: str) -> tuple[tuple[str, ...], dict[str, str]]:
    keys, bare = OPTIONS[verb]
    words: list[str] = []
    options: dict[str, str] = {}
    tokens = rest.split()
    while tokens:
        token = tokens.pop(0)
        key, equals, value = token.partition("=")
        if not equals and key in keys and tokens:
            equals, value = "=", tokens.pop(0)
        if equals and key in keys:
            options[key] = value
        elif not equals and key in bare:
            words.append(key)
        else:
            known = ", ".join([*(f"{each}=" for each in keys), *sorted(bare)]) or "nothing"
            raise ScriptError(line, text, f"{verb} takes {known}, not {token}")
    return tuple(words), options

"""The shape of a packetdrill script's lines: which are shell commands, calls, segments, and what stands in them.

Theory of operation: regular expressions for the part of packetdrill's grammar that a listener's scripts use. A shell
command, a snippet of Python or a call is one line where it begins, however many it takes.
"""

from __future__ import annotations

import re

from kread.model.events import Flag

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
_SHELL = re.compile(r"`[^`]*`|%\{.*?\}%", re.S)
SYSCTL = re.compile(r"(?:net\.ipv4\.|net\.core\.|/proc/sys/net/ipv4/|/proc/sys/net/core/)(\w+)=(\w+)")
LINE = re.compile(
    r"\s*(?P<plus>\+)?\s*(?P<time>\d*\.?\d+|\*)(?:\s*(?:~|\.\.\.)\s*\+?(?P<until>[\d.]+))?(?:\s+(?P<rest>\S.*))?$"
)
CALL = re.compile(r"(?P<name>\w+)\((?P<args>.*)\)\s*=\s*(?P<value>-?\w+)(?:\s+(?P<error>E\w+))?")
SEGMENT = re.compile(
    r"(?P<way>[<>])\s+(?:\[\w+\]\s+)?(?:(?P<sport>\d+)>\d+\s+)?(?P<flags>[SFRPEWAU.]+|-)\s+(?P<seq>\d+):(?P<end>\d+)\((?P<length>\d+)\)"
    r"(?:\s+ack\s+(?P<ack>\d+))?(?:\s+win\s+\d+)?(?:\s+urg\s+\d+)?(?:\s+<(?P<options>[^>]*)>)?"
)
COUNTED = re.compile(r"nstat -asz Tcp(?:Ext)?(\w+) .* -eq (\d+)")
#: What a script of our own says where a client on the same machine connects.
CLIENT = "# a handshake of another peer"
STAMP = re.compile(r"TS val (\d+) ecr (\d+)")
FAST_OPEN = re.compile(r"\bFO(?:EXP)?(?:\s+(\w+))?")
_ICMP = re.compile(r"<\s+icmp\s+unreachable\s*(?P<code>\w*)\s*\[(?P<seq>\d+):")
#: The codes of ICMP's "unreachable" that end a half-open request; without a word it is the first, the network's.
_ENDING = frozenset({"", "net_unreachable", "host_unreachable"})
_FLAGS = {"S": Flag.SYN, "F": Flag.FIN, "R": Flag.RST, "P": Flag.PSH, ".": Flag.ACK}
COMPARED = Flag.SYN | Flag.FIN | Flag.RST | Flag.ACK


def lines(text: str) -> list[tuple[int, str]]:
    """The lines with their numbers; a shell command, a snippet of Python or a call is one, where it begins."""

    def gap(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n")

    text = _COMMENT.sub(gap, text)
    kept = [(text.count("\n", 0, match.start()) + 1, match[0]) for match in _SHELL.finditer(text)]
    rest = _SHELL.sub(gap, text)
    found: list[tuple[int, str]] = []
    for number, line in enumerate(rest.splitlines(), 1):
        if found and found[-1][1].count("(") > found[-1][1].count(")"):
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        elif line.strip():
            found.append((number, line.strip()))
    return sorted(kept + found)


def unreachable(text: str) -> tuple[int, bool] | None:
    """The number that an incoming ICMP error quotes and whether it ends a half-open request; None for another line."""
    match = _ICMP.match(text)
    return None if match is None else (int(match["seq"]), match["code"] in _ENDING)


def flags(text: str) -> Flag:
    """The control bits that packetdrill's letters name; the others, of ECN, are left out."""
    found = Flag(0)
    for letter in text:
        found |= _FLAGS.get(letter, Flag(0))
    return found

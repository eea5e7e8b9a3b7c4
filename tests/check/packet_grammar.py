"""What packetdrill takes for a script, as far as ours go: words, their order, and what its parser refuses beyond that.

Written from a reading of packetdrill's grammar, in our own words: options, at most one command, then events, each with
its time. A recogniser by hand, which says at the first line that is not taken why. It knows packets of TCP, calls with
plain arguments, and commands; no script of ours has anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_WORDS = re.compile(
    r"""(?P<blank>\s+|//[^\n]*\n|/\*.*?\*/)
    |(?P<command>`(?:\\.|[^`])*`)
    |(?P<option>--\w+)
    |(?P<address>\d+\.\d+\.\d+\.\d+)
    |(?P<dots>\.\.\.)
    |(?P<float>-?\d*\.\d+)
    |(?P<integer>-?\d+(?![\w.]))
    |(?P<word>\w+)
    |(?P<mark>\S)""",
    re.VERBOSE | re.DOTALL,
)
#: Words of the language, which cannot be a call's name, a flag or a part of an error's text.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """ack ce checksum cmsg_data cmsg_level cmsg_type ecr ect0 ect01 ect1 ee_code ee_data ee_errno ee_info ee_origin
        ee_type eol events fd flags Flags flowlabel FO FOEXP gre GREv0 htons icmp id inet6_addr inet_addr ipv4 ipv6 key
        label linger md5 mpls msg_control msg_flags msg_iov msg_name mss mtu noecn none nop off onoff present ptr raw
        revents sa_family sack sackOK scm_nsec scm_sec seq sin_addr sin_port sum tc tos TS ttl u32 u64 udp urg val win
        wscale""",
    )
)
U16, U32 = 0xFFFF, 0xFFFFFFFF


class Refused(Exception):
    """packetdrill would not take the script: the line, and why."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a script: what kind, its text, its line."""

    kind: str
    text: str
    line: int


def tokens(script: str) -> list[Token]:
    """The words of a script; what packetdrill overlooks, blanks and comments, is gone."""
    found, line, place = [], 1, 0
    while place < len(script):
        match = _WORDS.match(script, place)
        assert match is not None
        kind = str(match.lastgroup)
        if kind != "blank":
            found.append(Token(kind, match[0], line))
        line += match[0].count("\n")
        place = match.end()
    return found


class _Reader:
    """The words of a script, taken one after the other."""

    def __init__(self, script: str) -> None:
        self.rest = tokens(script)
        self.line = 0
        self.events = 0

    def peek(self, text: str) -> bool:
        return bool(self.rest) and self.rest[0].text == text

    def kind(self) -> str:
        return self.rest[0].kind if self.rest else "end"

    def take(self, *kinds: str) -> str:
        if self.kind() not in kinds:
            self.refuse(f"{' or '.join(kinds)} wanted, not {self.rest[0].text if self.rest else 'the end'}")
        token = self.rest.pop(0)
        self.line = token.line
        return token.text

    def mark(self, text: str) -> None:
        if not self.peek(text):
            self.refuse(f"{text} wanted, not {self.rest[0].text if self.rest else 'the end'}")
        self.line = self.rest.pop(0).line

    def may(self, text: str) -> bool:
        if self.peek(text):
            self.mark(text)
            return True
        return False

    def number(self, most: int, what: str) -> int:
        value = int(self.take("integer"))
        if not 0 <= value <= most:
            self.refuse(f"{what} {value} is out of range")
        return value

    def refuse(self, why: str) -> None:
        raise Refused(f"line {self.rest[0].line if self.rest else self.line}: {why}")

    def script(self) -> None:
        while self.kind() == "option":
            self.take("option")
            if self.may("="):
                self.take("integer", "word", "address")
        if self.kind() == "command":
            self.take("command")
        while self.rest and not (self.kind() == "command" and len(self.rest) == 1):
            self.event()
        if not self.events:
            self.refuse("a script without an event")

    def time(self) -> float:
        value = float(self.take("float", "integer"))
        if value < 0:
            self.refuse("a negative time")
        return value

    def event(self) -> None:
        relative = self.may("+")
        start = self.time()
        if not self.events and (relative or start):
            self.refuse("the first event is to be at time 0")
        self.events += 1
        ranged = self.may("~")
        if ranged:
            if relative:
                self.mark("+")
            if self.time() < start:
                self.refuse("a range of time that runs backwards")
        if ranged and not self.peek(">"):
            self.refuse("a range of time for something else than a packet that leaves")
        self.action()

    def action(self) -> None:
        if self.kind() == "command":
            self.take("command")
        elif self.may("<"):
            self.packet(leaves=False)
        elif self.may(">"):
            self.packet(leaves=True)
        else:
            self.call()

    def packet(self, *, leaves: bool) -> None:
        if self.kind() == "integer":
            self.number(U16, "a port")
            self.mark(">")
            self.number(U16, "a port")
        if not self.may("-") and not self.may("."):
            flags = self.take("word")
            if flags in RESERVED or not set(flags) <= set("SFRPEWAU"):
                self.refuse(f"{flags} are no flags")
            self.may(".")
        start = self.number(U32, "a sequence number")
        self.mark(":")
        end = self.number(U32, "a sequence number")
        self.mark("(")
        if start + self.number(U16, "a length") != end:
            self.refuse("numbers and length do not agree")
        self.mark(")")
        if self.may("ack"):
            self.number(U32, "an acknowledgement")
        if self.may("win"):
            self.number(U16, "a window")
        elif not leaves:
            self.refuse("a packet that comes in wants a window")
        if self.may("<"):
            self.options(leaves=leaves)

    def options(self, *, leaves: bool) -> None:
        if self.kind() == "dots":
            self.take("dots")
            if not leaves:
                self.refuse("options left open in a packet that comes in")
        else:
            self.mark("mss")
            self.number(U16, "a segment size")
        self.mark(">")

    def call(self) -> None:
        self.name()
        self.mark("(")
        while not self.may(")"):
            self.argument()
            if not self.peek(")"):
                self.mark(",")
        self.mark("=")
        self.take("integer", "dots")
        if self.kind() == "word":
            self.name()
            self.mark("(")
            self.name()
            while not self.may(")"):
                self.name()

    def name(self) -> None:
        if self.take("word") in RESERVED:
            self.refuse("a word of the language in place of a name")

    def argument(self) -> None:
        if self.may("["):
            self.take("integer")
            self.mark("]")
        elif self.kind() == "word":
            self.name()
            while self.may("|"):
                self.name()
        else:
            self.take("integer", "dots")


def refusal(script: str) -> str:
    """Why packetdrill would not take a script, "" where it would."""
    read: Callable[[], None] = _Reader(script).script
    try:
        read()
    except Refused as refused:
        return str(refused)
    return ""

"""The packetdrill scripts of a kernel tree against the model: their listening side, as far as the model goes.

Theory of operation: a script is lines: shell commands that set sysctls, system calls with what they return, segments
that come in, segments that must go out, each with its time. The first three become events of the model, the last ones are
compared with what the model sent, in order: flags, numbers relative to the first ones, length. A script is followed up
to the first line that leaves the listener's part (data/packetdrill.toml says what does, and why), or up to its end. It
has passed if everything until then is as it says, and at least one SYN was among it; otherwise it is out of scope.

Options of TCP in a segment are not compared, but timestamps and Fast Open's are read. The user's files are only read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kread.check.packet_lines import CALL, CLIENT, COMPARED, COUNTED, FAST_OPEN, LINE, SEGMENT, STAMP, SYSCTL, lines
from kread.check.packet_lines import flags as letters
from kread.check.packet_lines import unreachable as icmp_error
from kread.data import load
from kread.model import events as ev
from kread.model.events import Flag, IllegalEvent, Key, Segment
from kread.model.host import Host
from kread.model.machine import step
from kread.model.policy import Policy
from kread.model.socks import SECOND

PASSED, FAILED, OUTSIDE = "passed", "failed", "out of scope"

#: Where a script's socket is bound, and its peer; packetdrill chooses them itself.
HERE, PORT = "10.0.0.1", 80
PEER, PEER_PORT = "10.1.0.1", 40000
FIRST_CLIENT = 50000


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a script stands: PASSED, FAILED or OUTSIDE, why, how many lines were compared, and where it ended."""

    script: str
    verdict: str
    why: str
    compared: int
    line: int


@dataclass(frozen=True, slots=True)
class PacketdrillCheck:
    """All scripts of a folder."""

    folder: str
    policy: str
    verdicts: tuple[Verdict, ...]

    @property
    def counts(self) -> Counter[str]:
        """How many scripts passed, failed, are out of scope."""
        return Counter(each.verdict for each in self.verdicts)

    @property
    def passed(self) -> bool:
        """Whether no script failed, and some could be followed."""
        return not self.counts[FAILED] and self.counts[PASSED] > 0


class _Leaves(Exception):
    """The script leaves the listener's part."""


class _Fails(Exception):
    """The script says otherwise than the model."""


def check_folder(folder: Path, policy: Policy) -> PacketdrillCheck:
    """Every script of a folder against the model."""
    found = tuple(check_script(file, policy) for file in sorted(folder.rglob("*.pkt")))
    return PacketdrillCheck(str(folder), policy.name, found)


def check_script(file: Path, policy: Policy) -> Verdict:
    """One script against the model."""
    text = file.read_text(encoding="utf-8", errors="replace")
    for row in load("packetdrill")["outside"]:
        if any(each in text for each in row["texts"]):
            return Verdict(file.name, OUTSIDE, row["reason"], 0, 0)
    reader = _Reader(Host(policy))
    defaults = file.parent / "defaults.sh"
    if "defaults.sh" in text and defaults.is_file():
        reader.sysctls(defaults.read_text(encoding="utf-8", errors="replace"))
    number = 0
    try:
        for place, line in lines(text):
            number = place
            reader.line(line)
        reader.nothing_left()
        if reader.waiting:
            raise _Fails("the script expects accept() to return, in the model it sleeps")
    except (_Leaves, IllegalEvent) as end:
        if not reader.syns:
            return Verdict(file.name, OUTSIDE, str(end), reader.compared, number)
        return Verdict(file.name, PASSED, f"followed up to line {number}: {end}", reader.compared, number)
    except _Fails as end:
        return Verdict(file.name, FAILED, str(end), reader.compared, number)
    if not reader.syns:
        return Verdict(file.name, OUTSIDE, "no SYN comes in", reader.compared, number)
    return Verdict(file.name, PASSED, "followed to its end", reader.compared, number)


@dataclass(slots=True)
class _Reader:
    """A script at work."""

    host: Host
    outbox: list[Segment] = field(default_factory=list)
    optional: list[Segment] = field(default_factory=list)
    accepted: bool = False
    port: int = PEER_PORT
    clients: int = 0
    compared: int = 0
    syns: int = 0
    isn: int = 0
    nonblock: bool = False
    waiting: tuple[str, str, str] | None = None
    listening: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    options: frozenset[str] = field(default_factory=lambda: frozenset(load("packetdrill")["options"]["names"]))

    def line(self, line: str) -> None:
        """One line of the script."""
        if line.startswith("`"):
            return self.shell(line)
        if line.startswith(("%{", "--")):
            return
        match = LINE.match(line)
        if match is None:
            raise _Leaves(f"a line that is not understood: {line[:40]}")
        rest = match["rest"] or ""
        begun = self.host.now
        if match["time"] != "*":
            time = round(float(match["time"]) * SECOND)
            self.advance(self.host.now + time if match["plus"] else time)
        if not rest:
            return
        if (error := icmp_error(rest)) is not None:
            return self.unreachable(*error)
        segment = SEGMENT.match(rest)
        if match["until"] and segment is not None and segment["way"] == ">":
            self.until(round(float(match["until"]) * SECOND) + (begun if match["plus"] else 0))
        if segment is not None:
            return self.arrives(segment) if segment["way"] == "<" else self.leaves(segment)
        call = CALL.match(rest)
        if self.aside(rest.partition("(")[0]):
            return
        if call is None:
            raise _Leaves(f"a line that is not understood: {rest[:40]}")
        self.call(call)

    def shell(self, text: str) -> None:
        """A shell command: sysctls, and in scripts of our own other clients, and the counters as they must be."""
        self.sysctls(text)
        if CLIENT in text:
            self.clients += 1
            key = Key(HERE, FIRST_CLIENT + self.clients, HERE, PORT)
            (outcome,) = step(self.host, ev.Receive(Segment(key, Flag.SYN)))
            isn = outcome.segments[0].seq if outcome.segments else 0
            self.happen(ev.Receive(Segment(key, Flag.ACK, 1, (isn + 1) & 0xFFFFFFFF)))
        for name, number in COUNTED.findall(text):
            if self.host.counters[name] != int(number):
                raise _Fails(f"the script expects {name} to be {number}, the model counts {self.host.counters[name]}")
            self.compared += 1

    def sysctls(self, text: str) -> None:
        """The sysctls that a shell command sets, of those that the model has."""
        for name, value in SYSCTL.findall(text):
            if name in self.host.sysctl and re.fullmatch(r"0x[0-9a-fA-F]+|\d+", value):
                self.happen(ev.Sysctl(name, int(value, 0)))

    def advance(self, to: int) -> None:
        if to > self.host.now:
            self.happen(ev.Advance(to))

    def until(self, end: int) -> None:
        """What may leave at any moment until then: the first that does."""
        while not self.outbox and self.host.now < end:
            self.advance(min(end, self.host.now + SECOND // 100))

    def happen(self, event: ev.Event) -> list[ev.Result]:
        results: list[ev.Result] = []
        for outcome in step(self.host, event):
            # Packetdrill looks at the connection that it follows, and at no other.
            self.outbox += [each for each in outcome.segments if each.key.sport == self.port]
            results += outcome.results
        woken = [each for each in results if each.call == "accept" and each.value != "sleeps"]
        if self.waiting and woken:
            self.returns(woken, *self.waiting)
        return results

    def nothing_left(self) -> None:
        """Whatever was sent has been expected."""
        if self.outbox:
            raise _Fails(f"the model sends what the script does not expect: {self.told(self.outbox[0])}")

    def told(self, segment: Segment) -> str:
        """A segment with the script's relative numbers."""
        return f"{segment.flags} {(segment.seq - self.isn) & 0xFFFFFFFF}({segment.length}) ack {segment.ack}"

    # Segments

    def unreachable(self, seq: int, abort: bool) -> None:
        """An ICMP error about a segment that was sent."""
        self.happen(ev.Icmp(Key(PEER, self.port, HERE, PORT), (seq + self.isn) & 0xFFFFFFFF, abort))

    def arrives(self, match: re.Match[str]) -> None:
        self.nothing_left()
        flags = letters(match["flags"])
        length = int(match["length"])
        if flags & Flag.SYN and not flags & Flag.ACK:
            self.syns += 1
        elif length:
            raise _Leaves("data on a connection")
        stamp = STAMP.search(match["options"] or "")
        fast = FAST_OPEN.search(match["options"] or "")
        option = "" if fast is None else "valid" if fast[1] == "TFO_COOKIE" else "invalid" if fast[1] else "request"
        ack = (int(match["ack"] or 0) + self.isn) & 0xFFFFFFFF if flags & Flag.ACK else 0
        if stamp and int(stamp[2]):
            raise _Leaves("timestamps that echo the kernel's own")
        key = Key(PEER, int(match["sport"] or self.port), HERE, PORT)
        tsval = int(stamp[1]) if stamp else None
        self.happen(ev.Receive(Segment(key, flags, int(match["seq"]), ack, length, tsval, 0, option)))

    def leaves(self, match: re.Match[str]) -> None:
        flags = letters(match["flags"])
        if not self.outbox and self.optional:
            self.outbox.append(self.optional.pop(0))
        if not self.outbox and self.accepted:
            raise _Leaves("what an established connection does by itself")
        if not self.outbox:
            raise _Fails(
                f"the script expects {match['flags']} {match['seq']}({match['length']}), the model sends nothing"
            )
        sent = self.outbox.pop(0)
        if sent.flags & Flag.SYN:
            self.isn = sent.seq
        if int(match["length"]):
            raise _Leaves("data on a connection")
        said = (flags & COMPARED, int(match["seq"]), int(match["length"]))
        is_ = (sent.flags & COMPARED, (sent.seq - self.isn) & 0xFFFFFFFF, sent.length)
        if said != is_ or (flags & Flag.ACK and match["ack"] and int(match["ack"]) != sent.ack):
            text = match[0][2:].split("<")[0].strip()
            raise _Fails(f"the script expects {text}, the model sends {self.told(sent)}")
        self.compared += 1

    # Calls

    def aside(self, name: str) -> bool:
        """Whether a call changes nothing here; one that leaves the listener's part ends the reading."""
        data = load("packetdrill")
        for row in data["beyond"]:
            if name in row["calls"]:
                raise _Leaves(f"{name}(): {row['reason']}")
        return any(name in row["calls"] for row in data["ignored"])

    def call(self, match: re.Match[str]) -> None:
        name, args, value = match["name"], [each.strip() for each in match["args"].split(",")], match["value"]
        if name not in _CALLS:
            raise _Leaves(f"{name}(): a call that the model does not have")
        _CALLS[name](self, args, value, match["error"] or "")

    def socket(self, args: list[str], value: str, error: str) -> None:
        if "SOCK_STREAM" not in args[1]:
            raise _Leaves("a socket of another kind")
        self.nonblock = "SOCK_NONBLOCK" in args[1]
        self.names[value] = f"fd{value}.{len(self.names)}.{self.host.now}.{self.compared}"
        self.outbox.clear()
        self.optional.clear()
        self.happen(ev.Open(self.names[value]))

    def bind(self, args: list[str], value: str, error: str) -> None:
        self.expect("bind", self.happen(ev.Bind(self.names[args[0]], HERE, PORT)), value, error)

    def listen(self, args: list[str], value: str, error: str) -> None:
        # Each listener's connection has a port of its own, as packetdrill chooses them.
        if self.names[args[0]] not in self.listening:
            self.listening.add(self.names[args[0]])
            self.port += 1
            self.accepted = False
        self.expect("listen", self.happen(ev.Listen(self.names[args[0]], int(args[1]))), value, error)

    def setsockopt(self, args: list[str], value: str, error: str) -> None:
        number = args[3].strip("[]")
        if args[2] in self.options and number.lstrip("-").isdigit():
            if args[0] not in self.names:
                return
            self.expect(
                "setsockopt", self.happen(ev.SetOption(self.names[args[0]], args[2], int(number))), value, error
            )

    def accept(self, args: list[str], value: str, error: str) -> None:
        name = f"fd{value}.{len(self.names)}.{self.host.now}.{self.compared}"
        results = self.happen(ev.Accept(self.names[args[0]], self.nonblock, None, "main", name))
        if results and results[-1].value == "sleeps":
            self.waiting = (name, value, error)
        else:
            self.returns(results, name, value, error)

    def returns(self, results: list[ev.Result], name: str, value: str, error: str) -> None:
        """accept() returned, at once or after a sleep."""
        self.waiting = None
        if value != "-1":
            self.names[value] = name
            self.accepted = True
        self.expect("accept", results, value if value == "-1" else "0", error)

    def close(self, args: list[str], value: str, error: str) -> None:
        if args[0] not in self.names:
            raise _Leaves("close() of what is no socket here")
        before = len(self.outbox)
        self.happen(ev.Close(self.names.pop(args[0])))
        # A script need not wait for what a socket that it no longer looks at sends.
        self.optional += self.outbox[before:]
        self.outbox = self.outbox[:before]
        self.compared += 1

    def shutdown(self, args: list[str], value: str, error: str) -> None:
        how = {"SHUT_RD": "RD", "SHUT_WR": "WR", "SHUT_RDWR": "RDWR"}[args[1]]
        self.expect("shutdown", self.happen(ev.Shutdown(self.names[args[0]], how)), value, error)

    def expect(self, call: str, results: list[ev.Result], value: str, error: str) -> None:
        """Compare what a call returned."""
        got = next((each.value for each in results if each.call == call), "0")
        failed = got.startswith("-")
        if (value == "-1") is not failed or (failed and error and got != f"-{error}"):
            raise _Fails(f"the script expects {call}() = {value} {error}, the model says {got}".replace("  ", " "))
        self.compared += 1


_CALLS: dict[str, Callable[[_Reader, list[str], str, str], None]] = {
    "socket": _Reader.socket,
    "bind": _Reader.bind,
    "listen": _Reader.listen,
    "setsockopt": _Reader.setsockopt,
    "accept": _Reader.accept,
    "close": _Reader.close,
    "shutdown": _Reader.shutdown,
}

"""The other side of a scenario: peers who remember their numbers, so that a script need not spell them out.

Theory of operation: a peer is a name, an address and what a TCP would know: its own initial number, the next one it
would send, the number that the host chose and the next one it expects from there. Segments that a script sends take
from this what the script leaves out; what the host sends updates it. The model itself knows nothing of peers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kread.model.events import Flag, Key, Segment
from kread.model.socks import add

FIRST_ISN = 1000
PEER_PORT = 40000
#: How far beside the truth an acknowledgement called wrong lies.
WRONG = 123_457

_TERM = re.compile(r"([+-]?)\s*(0x[0-9a-fA-F]+|\w+)")


@dataclass(slots=True)
class Peer:
    """One connection's other end.

    irs     -- the peer's initial number: of the last SYN that was answered, or of the first if none was
    offered -- the number of the last SYN, and what its answer acknowledges, without and with its data
    nxt     -- the next it would send; isn -- the host's initial number; ack -- what the peer acknowledges
    """

    name: str
    key: Key
    irs: int = FIRST_ISN
    offered: tuple[int, ...] = ()
    nxt: int = FIRST_ISN
    isn: int = 0
    ack: int = 0
    answered: bool = False
    ever_answered: bool = False
    tsval: int | None = None
    tsecr: int = 0

    def number(self, text: str) -> int:
        """The value of `ISN+1`, `nxt-5`, `0x10`: terms added up; ValueError for a term that means nothing here."""
        names = {"irs": self.irs, "rcv_isn": self.irs, "nxt": self.nxt, "rcv_nxt": self.nxt}
        names |= {"ISN": self.isn, "snt_isn": self.isn, "ack": self.ack}
        if text in ("wrong", "random"):
            return add(self.ack, WRONG)
        if not _TERM.sub("", text) == "":
            raise ValueError(f"{text} is no number")
        total = 0
        for sign, term in _TERM.findall(text):
            value = names[term] if term in names else int(term, 0)
            total += -value if sign == "-" else value
        return total & 0xFFFFFFFF

    def sends(self, flags: Flag, options: dict[str, str]) -> Segment:
        """The segment of a script's line, with what the line leaves out, remembered as sent."""
        syn = bool(flags & Flag.SYN) and not flags & Flag.ACK
        seq = self.number(options["seq"]) if "seq" in options else (self.irs if syn else self.nxt)
        ack = (self.number(options["ack"]) if "ack" in options else self.ack) if flags & Flag.ACK else 0
        if "ts" in options:
            self.tsval = None if options["ts"] == "none" else self.number(options["ts"])
        tsecr = self.number(options["tsecr"]) if "tsecr" in options else self.tsecr
        length = int(options.get("data", "0"))
        segment = Segment(self.key, flags, seq, ack, length, self.tsval, tsecr, options.get("fastopen", ""))
        if syn:
            self.offered = (seq, add(seq, 1), add(seq, 1 + length))
            if not self.ever_answered:
                self.irs, self.nxt = seq, add(seq, 1)
        elif seq == self.nxt and "seq" not in options:
            self.nxt = segment.end_seq
        return segment

    def hears(self, segment: Segment) -> None:
        """What the host sent teaches the peer its numbers."""
        if segment.flags & Flag.RST:
            return
        if segment.flags & Flag.SYN:
            self.isn, self.answered, self.ever_answered = segment.seq, True, True
            if segment.ack in self.offered[1:]:
                self.irs, self.nxt = self.offered[0], segment.ack
        self.ack = segment.end_seq
        if segment.tsval is not None:
            self.tsecr = segment.tsval


@dataclass(slots=True)
class Peers:
    """All peers of a scenario by name; new ones get addresses of their own."""

    by_name: dict[str, Peer] = field(default_factory=dict)
    by_key: dict[Key, Peer] = field(default_factory=dict)
    fresh_count: int = 0

    def named(self, name: str, to: tuple[str, int]) -> Peer:
        """The peer of that name, made where it is new; a name of the form ADDR:PORT is its address."""
        peer = self.by_name.get(name)
        if peer is None:
            addr, colon, port = name.partition(":")
            n = len(self.by_name) + 1
            here = (addr, int(port)) if colon else (f"10.1.{n >> 8}.{n & 255}", PEER_PORT)
            peer = Peer(name, Key(*here, *to))
        elif (peer.key.daddr, peer.key.dport) != to:
            peer = Peer(name, Key(peer.key.saddr, peer.key.sport, *to), peer.irs, nxt=peer.irs)
        self.by_name[name] = self.by_key[peer.key] = peer
        return peer

    def fresh(self, to: tuple[str, int], prefix: str = "p") -> Peer:
        """A peer that nobody has heard of."""
        while f"{prefix}{self.fresh_count + 1}" in self.by_name:
            self.fresh_count += 1
        self.fresh_count += 1
        return self.named(f"{prefix}{self.fresh_count}", to)

    def hear(self, segment: Segment) -> None:
        """Hand a segment to the peer that it is for."""
        peer = self.by_key.get(segment.key)
        if peer is not None:
            peer.hears(segment)

    def name_of(self, key: Key) -> str:
        """What the script calls a connection's peer."""
        peer = self.by_key.get(key)
        return f"{key.saddr}:{key.sport}" if peer is None else peer.name

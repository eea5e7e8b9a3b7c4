"""Segments of the model as bytes of IP and TCP, and back.

Theory of operation: RFC 791 and RFC 9293, without options but the maximum segment size that every SYN carries. The
kernel fills in the IP header's length and checksum of a raw socket's packets.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from kread.model.events import Flag, Key, Segment

WINDOW = 64240
_MSS = struct.pack("!BBH", 2, 4, 1460)
_TTL = 64


@dataclass(frozen=True, slots=True)
class Heard:
    """A segment that the kernel sent, on the connection whose peer it goes to."""

    key: Key
    flags: Flag
    seq: int
    ack: int
    length: int


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(segment: Segment, shift: int, right: bool = True) -> bytes:
    """A segment as a packet; `shift` is added to what it acknowledges. right=False: with a wrong checksum."""
    key = segment.key
    options = _MSS if segment.flags & Flag.SYN else b""
    ack = (segment.ack + shift) & 0xFFFFFFFF if segment.flags & Flag.ACK else 0
    head = struct.pack(
        "!HHIIBBHHH",
        *(key.sport, key.dport, segment.seq, ack, (20 + len(options)) // 4 << 4, int(segment.flags), WINDOW, 0, 0),
    )
    data = bytes(segment.length)
    ends = socket.inet_aton(key.saddr) + socket.inet_aton(key.daddr)
    pseudo = ends + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head) + len(options) + len(data))
    total = checksum(pseudo + head + options + data) ^ (0 if right else 0x5555)
    head = head[:16] + struct.pack("!H", total) + head[18:]
    length = 20 + len(head) + len(options) + len(data)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0, _TTL, socket.IPPROTO_TCP, 0) + ends
    return ip + head + options + data


def heard(data: bytes) -> Heard | None:
    """A packet as the segment that it holds; None for what is no TCP."""
    size = (data[0] & 15) * 4
    if data[9] != socket.IPPROTO_TCP or len(data) < size + 20:
        return None
    total = struct.unpack("!H", data[2:4])[0]
    sport, dport, seq, ack, offset, flags = struct.unpack("!HHIIBB", data[size : size + 14])
    key = Key(socket.inet_ntoa(data[16:20]), dport, socket.inet_ntoa(data[12:16]), sport)
    return Heard(key, Flag(flags & 0x1F), seq, ack, total - size - (offset >> 4) * 4)

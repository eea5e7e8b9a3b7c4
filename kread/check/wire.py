"""Segments of the model as bytes of IP and TCP, and back.

Theory of operation: RFC 791 and RFC 9293; of options the maximum segment size that every SYN carries, timestamps (RFC
7323) and Fast Open's cookie (RFC 7413). A cookie is a hash of the two addresses under a key that the namespace was
given, so what the kernel holds for valid is known here. The kernel fills in the IP header's length and checksum of a
raw socket's packets.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from kread.model.events import Flag, Key, Segment

WINDOW = 64240
_MSS = struct.pack("!BBH", 2, 4, 1460)
_TTL = 64
_NOP, _STAMP, _FAST_OPEN = 1, 8, 34
_UNREACHABLE, _HOST_UNREACHABLE, _PROTOCOL_UNREACHABLE = 3, 1, 2
_WORD = 0xFFFFFFFFFFFFFFFF
#: The key of Fast Open's cookies in our namespaces, as tcp_fastopen_key takes it: four words.
FAST_OPEN_KEY = (0x01020304, 0x05060708, 0x090A0B0C, 0x0D0E0F10)


@dataclass(frozen=True, slots=True)
class Heard:
    """A segment that the kernel sent, on the connection whose peer it goes to.

    tsval  -- its timestamp, None without one; tsecr is its echo
    cookie -- whether it brings a Fast Open cookie
    """

    key: Key
    flags: Flag
    seq: int
    ack: int
    length: int
    tsval: int | None = None
    tsecr: int = 0
    cookie: bool = False


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _WORD


def siphash(data: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 (Aumasson and Bernstein, 2012) with a key of two 64-bit words."""
    k0, k1 = key
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rounds(count: int) -> None:
        for _ in range(count):
            for a, b, turn in ((0, 1, 13), (2, 3, 16)):
                v[a] = (v[a] + v[b]) & _WORD
                v[b] = _turned(v[b], turn) ^ v[a]
            v[0] = _turned(v[0], 32)
            for a, b, turn in ((2, 1, 17), (0, 3, 21)):
                v[a] = (v[a] + v[b]) & _WORD
                v[b] = _turned(v[b], turn) ^ v[a]
            v[2] = _turned(v[2], 32)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def cookie(key: Key) -> bytes:
    """The Fast Open cookie that the kernel gives a peer, by its address and ours."""
    low, high = (FAST_OPEN_KEY[n] | FAST_OPEN_KEY[n + 1] << 32 for n in (0, 2))
    ends = socket.inet_aton(key.saddr) + socket.inet_aton(key.daddr)
    return struct.pack("<Q", siphash(ends, (low, high)))


def _options(segment: Segment, tsecr: int) -> bytes:
    found = _MSS if segment.flags & Flag.SYN else b""
    if segment.tsval is not None:
        found += struct.pack("!BBBBII", _NOP, _NOP, _STAMP, 10, segment.tsval & 0xFFFFFFFF, tsecr & 0xFFFFFFFF)
    if segment.fastopen:
        right = cookie(segment.key)
        brought = {"request": b"", "valid": right, "invalid": bytes(each ^ 0xFF for each in right)}[segment.fastopen]
        found += struct.pack("!BB", _FAST_OPEN, 2 + len(brought)) + brought
    return found + bytes([_NOP]) * (-len(found) % 4)


def packet(segment: Segment, shift: int, right: bool = True, tsecr: int = 0) -> bytes:
    """A segment as a packet; `shift` is added to what it acknowledges, `tsecr` is the timestamp that it echoes.

    right=False: with a wrong checksum
    """
    key = segment.key
    options = _options(segment, tsecr)
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
    header = (offset >> 4) * 4
    stamp, fast = _option(data[size + 20 : size + header], _STAMP), _option(data[size + 20 : size + header], _FAST_OPEN)
    tsval, tsecr = struct.unpack_from("!II", stamp) if stamp else (None, 0)
    return Heard(key, Flag(flags & 0x1F), seq, ack, total - size - header, tsval, tsecr, bool(fast))


def _option(options: bytes, wanted: int) -> bytes:
    """What the option of a kind among a segment's options holds, nothing without one."""
    place = 0
    while place < len(options) and options[place]:
        if options[place] == _NOP:
            place += 1
            continue
        length = max(2, options[place + 1])
        if options[place] == wanted:
            return options[place + 2 : place + length]
        place += length
    return b""


def unreachable(key: Key, seq: int, abort: bool) -> bytes:
    """An ICMP error (RFC 792) from the peer about a segment of ours: its host, or one of its protocols, is not reached."""
    ends = socket.inet_aton(key.daddr) + socket.inet_aton(key.saddr)
    quoted = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, _TTL, socket.IPPROTO_TCP, 0) + ends
    quoted += struct.pack("!HHI", key.dport, key.sport, seq & 0xFFFFFFFF)
    code = _HOST_UNREACHABLE if abort else _PROTOCOL_UNREACHABLE
    total = checksum(struct.pack("!BBHI", _UNREACHABLE, code, 0, 0) + quoted)
    body = struct.pack("!BBHI", _UNREACHABLE, code, total, 0) + quoted
    back = socket.inet_aton(key.saddr) + socket.inet_aton(key.daddr)
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, _TTL, socket.IPPROTO_ICMP, 0) + back + body

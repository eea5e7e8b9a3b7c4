"""Worlds that don't mix on one path: IPv4 and IPv6, stream and datagram sockets (data/worlds.toml).

Theory of operation: each world is one bit. A function or table has the bits of the worlds that its name says; most have
none and belong everywhere. The bits of all functions are stored with the graph, so that a search can leave out what the
ends of a path rule out. Worlds of one axis exclude each other; different axes are independent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from kread import data


class World(NamedTuple):
    """One world: its axis and name, its bit, and the condition that is true in it."""

    axis: str
    name: str
    bit: int
    holds: str


@cache
def worlds() -> tuple[World, ...]:
    """The worlds that the data declares."""
    rows = data.load("worlds")["world"]
    return tuple(World(row["axis"], row["name"], 1 << number, row["holds"]) for number, row in enumerate(rows))


@cache
def axes() -> tuple[int, ...]:
    """The bits of each axis."""
    found: dict[str, int] = defaultdict(int)
    for world in worlds():
        found[world.axis] |= world.bit
    return tuple(found.values())


@cache
def _patterns(of: str) -> tuple[tuple[re.Pattern[str], int], ...]:
    rows = data.load("worlds")["world"]
    return tuple((re.compile(row[of]), world.bit) for row, world in zip(rows, worlds(), strict=True))


@cache
def table_worlds(name: str) -> int:
    """The bits of a table."""
    return _bits(name, "tables")


def _bits(name: str, of: str) -> int:
    return sum(bit for pattern, bit in _patterns(of) if pattern.fullmatch(name))


def function_worlds(names: Mapping[int, str]) -> dict[int, int]:
    """The bits of the functions that have any."""
    found = {number: _bits(name, "functions") for number, name in names.items()}
    return {number: bits for number, bits in found.items() if bits}


def unusual(passed: int, ends: int) -> int:
    """On how many axes a way leaves the first world that the data names, though neither of its ends lies on that axis."""
    return sum(not axis & ends and (axis & passed) > (axis & -axis) for axis in axes())


def excluded(bits: int) -> int:
    """The worlds that are ruled out where these are in play."""
    return sum(axis & ~bits for axis in axes() if axis & bits)


def mixed(bits: Iterable[int], allowed: int = 0) -> bool:
    """Whether these things belong to different worlds of one axis, other than those that are allowed together."""
    union = 0
    for one in bits:
        union |= one
    return any((axis & union & ~allowed) and (axis & union).bit_count() > 1 for axis in axes())

"""Where no call leads from one function to another, but a hand-over does.

Theory of operation: a hand-over joins two ends if its giver is the first end or is reached from it, and its taker is the
other end or leads to it, both by near calls. Such a crossing is told beside an answer without paths; it never becomes a
path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kread.facts import Trail

if TYPE_CHECKING:
    from kread.paths.handovers import Handover, Handovers, Side

#: Crossings told; farther ones join ends that have little to do with each other.
CROSSINGS = 2


@dataclass(frozen=True, slots=True)
class Crossing:
    """A hand-over between two ends: the way to its giver and the way on from its taker (None = it is the end itself)."""

    handover: Handover
    lead: Trail | None
    trail: Trail | None

    @property
    def hops(self) -> int:
        return sum(trail.hops for trail in (self.lead, self.trail) if trail)


def crossings(
    handovers: Handovers,
    caller: str,
    callee: str,
    same: Callable[[str, Side], bool],
    near: Callable[[str, str], bool],
    way: Callable[[str, str], Trail | None],
) -> tuple[Crossing, ...]:
    """The hand-overs between two ends, the nearest first.

    same -- whether a symbol names a side of a hand-over
    near -- whether calls of any kind lead from one function to another at little cost
    way  -- the shortest story from one function to another, None without one
    """
    found = []
    for handover in handovers.all():
        givers = [side for side in handover.givers if same(caller, side) or near(caller, side.function.key)]
        takers = [side for side in handover.takers if same(callee, side) or near(side.function.key, callee)]
        if not givers or not takers:
            continue
        taker, trail = _nearest(takers, callee, same, lambda side: way(side.function.key, callee))
        if taker is None:
            continue
        giver, lead = _nearest(givers, caller, same, lambda side: way(caller, side.function.key))
        if giver is not None:
            found.append(Crossing(handover, lead, trail))
    return tuple(sorted(found, key=lambda one: (one.hops, one.handover.name))[:CROSSINGS])


def _nearest(
    sides: Sequence[Side], end: str, same: Callable[[str, Side], bool], way: Callable[[Side], Trail | None]
) -> tuple[Side | None, Trail | None]:
    """The side that is an end or is joined to it by the fewest hops, and those hops."""
    for side in sides:
        if same(end, side):
            return side, None
    ways = [(trail.hops, side, trail) for side in sides if (trail := way(side))]
    if not ways:
        return None, None
    _, side, trail = min(ways, key=lambda one: one[0])
    return side, trail

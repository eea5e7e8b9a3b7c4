"""A tour computed on the release at hand: every waypoint found, the hops between them, or the gap named.

Theory of operation: a waypoint is looked up in the graph; where it is gone, the functions that the tour names instead
are tried, and the gap is told with its reason either way. The hops from one stop to the next are the first
family of paths that `kread path` would show. Where a waypoint is reached by a hand-over, the way to its giver and the
way on from its taker are computed, and the hand-over stands between them. Release numbers are never compared: only what
the release's source shows decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kread.errors import UsageError
from kread.facts import Function, Trail
from kread.graph.callgraph import SlotValue
from kread.graph.names import as_readers_say
from kread.paths.find import Finder, Request
from kread.paths.handovers import Handover, Handovers, Side, mention
from kread.paths.shown_structures import ShownStructure, show_structure
from kread.paths.tour_file import Leg, Statement, Tour, Waypoint

_SLOT = re.compile(r"(?:struct )?(\w+)\.(\w+)\Z")
#: Right after a function's end stands its export, if there is one.
_EXPORT_LINES = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """A text that a stop asked to look at, and its line in the function's file (0 = it is not there)."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A waypoint on this release.

    function -- None where neither the waypoint nor what is named instead is there
    gaps     -- what is not as the tour declares it, one sentence each
    slot     -- the table that fills the slot, for a waypoint that is a slot
    lead     -- the hops to the giver of the hand-over, if there is one
    handover -- how control gets here without a call
    trail    -- the hops that end here
    seen     -- what to look at
    """

    waypoint: Waypoint
    function: Function | None
    gaps: tuple[str, ...] = ()
    slot: SlotValue | None = None
    lead: Trail | None = None
    handover: Handover | None = None
    trail: Trail | None = None
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownLeg:
    """A leg with its stops."""

    leg: Leg
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class ShownStatement:
    """A statement with the place in this release that shows how it stands."""

    statement: Statement
    function: Function | None
    seen: tuple[Seen, ...]
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownTour:
    """A tour on one release."""

    tour: Tour
    release: str
    legs: tuple[ShownLeg, ...]
    structures: tuple[ShownStructure, ...]
    statements: tuple[ShownStatement, ...]

    @property
    def stops(self) -> tuple[Stop, ...]:
        return tuple(stop for leg in self.legs for stop in leg.stops)

    @property
    def gaps(self) -> tuple[str, ...]:
        """Everything that is not as declared, in the order of the tour."""
        parts: list[Stop | ShownStructure | ShownStatement] = [*self.structures, *self.stops, *self.statements]
        return tuple(gap for part in parts for gap in part.gaps)


def show_tour(tour: Tour, finder: Finder) -> ShownTour:
    """The tour on the release of the finder's graph."""
    guide = _Guide(tour, finder)
    return ShownTour(
        tour,
        finder.graph.release,
        tuple(ShownLeg(leg, tuple(guide.leg(leg))) for leg in tour.legs),
        tuple(show_structure(one, finder) for one in tour.structures),
        tuple(guide.statement(one) for one in tour.statements),
    )


class _Guide:
    """Computes the stops of one tour in their order."""

    def __init__(self, tour: Tour, finder: Finder) -> None:
        self.tour = tour
        self.finder = finder
        self.graph = finder.graph
        self.handovers = Handovers(finder.graph, finder.sites)

    def leg(self, leg: Leg) -> Iterator[Stop]:
        before: Function | None = None
        for waypoint in leg.stops:
            stop = self.stop(waypoint, before)
            before = stop.function or before
            yield stop

    def stop(self, waypoint: Waypoint, before: Function | None) -> Stop:
        names, slot, gaps = self.find(waypoint.at, waypoint.table, waypoint.instead, waypoint.because, waypoint.line)
        if not names:
            return Stop(waypoint, None, tuple(gaps))
        start = before.key if before and waypoint.start is None else waypoint.start or ""
        lead = trail = handover = None
        if start and waypoint.handover:
            lead, handover, trail = self.hand_over(waypoint, start, names[0], gaps)
        elif start:
            trail = self.hops(waypoint, start, names[0], gaps)
        function = trail.steps[-1].function if trail else self.function(names[0])
        if trail and not trail.hops:
            trail = None
        seen = tuple(self.look(function, text, gaps) for text in waypoint.look)
        return Stop(waypoint, as_readers_say(function), tuple(gaps), slot, lead, handover, trail, seen)

    # Waypoints

    def find(
        self, at: str, table: str, instead: Sequence[str], because: str, line: int
    ) -> tuple[list[str], SlotValue | None, list[str]]:
        """The name by which the graph knows a waypoint, its slot, and the gap where something else took its place."""
        for name in (at, *instead):
            found, slot = self.named(name, table if name == at else "", line)
            if found:
                if name == at:
                    return [found], slot, []
                return (
                    [found],
                    slot,
                    [f"{_written(at, table)} is not in {self.graph.release}; here {name}. {because}".strip()],
                )
        place = f" Its place: {', '.join(instead)}, and that is gone too." if instead else ""
        return [], None, [f"{_written(at, table)} is not in {self.graph.release}. {because}{place}".strip()]

    def named(self, name: str, table: str, line: int) -> tuple[str, SlotValue | None]:
        slot = _SLOT.match(name)
        if slot is None:
            return (name if self.graph.find(name) else ""), None
        values = [
            one
            for one in self.graph.slot(slot[1], slot[2])
            if (not table or one.table == table) and one.function.key in self.keys(self.graph.find(one.function.name))
        ]
        functions = {one.function.key for one in values}
        if len(functions) > 1:
            tables = ", ".join(sorted({one.table for one in values}))
            raise UsageError(
                "slot-of-many",
                f"{self.tour.file}:{line}: {_written(name, table)} holds {len(functions)} functions in {self.graph.release}",
                hint=f"Say which table is meant: {tables}" if not table else "Name the function itself",
            )
        return (functions.pop(), values[0]) if functions else ("", None)

    def function(self, name: str) -> Function:
        return self.graph.function(self.graph.require(name)[0])

    def look(self, function: Function, text: str, gaps: list[str]) -> Seen:
        lines = self.finder.sites.lines(function.file)[function.line - 1 : function.end_line + _EXPORT_LINES]
        line = mention(lines, function.line, text)
        if not line:
            gaps.append(f"{function.name} does not mention {text} in {self.graph.release}.")
        return Seen(text, line)

    # Hops

    def hops(self, waypoint: Waypoint, start: str, end: str, gaps: list[str]) -> Trail | None:
        """The hops from one function to another; None, with a gap, where there are none."""
        start = start if self.graph.find(start) else ""
        if not start:
            gaps.append(f"{waypoint.start}, where the hops begin, is not in {self.graph.release}.")
            return None
        gone = [name for name in waypoint.via if not self.graph.find(name)]
        gaps += [f"{name}, on the way, is not in {self.graph.release}." for name in gone]
        if set(self.graph.find(start)) & set(self.graph.find(end)):
            return None
        request = Request(
            start,
            end,
            tuple(name for name in waypoint.via if name not in gone),
            tuple(name for name in waypoint.avoid if self.graph.find(name)),
            waypoint.assume,
            families=1,
            tables=(waypoint.table,) if waypoint.table else (),
        )
        trails = self.finder.calls(request).trails
        if not trails:
            plain = start.rpartition(":")[2], end.rpartition(":")[2]
            gaps.append(f"No call leads from {plain[0]} to {plain[1]} in {self.graph.release}.")
        return trails[0] if trails else None

    def hand_over(
        self, waypoint: Waypoint, start: str, end: str, gaps: list[str]
    ) -> tuple[Trail | None, Handover | None, Trail | None]:
        """The hops to the giver, the hand-over, and the hops from the taker."""
        handover = self.handovers.get(waypoint.handover)
        if handover is None:
            gaps.append(f"The source of {self.graph.release} does not show the hand-over {waypoint.handover}.")
            return None, None, None
        here, there = self.graph.find(start), self.graph.find(end)
        giver = self.side(handover.givers, here)
        taker = self.side(handover.takers, there)
        lead = None if giver in self.keys(here) else self.hops(waypoint, start, giver, gaps)
        trail = None if taker in self.keys(there) else self.hops(waypoint, taker, end, gaps)
        return lead, handover, trail

    def side(self, sides: Sequence[Side], wanted: Sequence[int]) -> str:
        keys = self.keys(wanted)
        return next((side.function.key for side in sides if side.function.key in keys), sides[0].function.key)

    def keys(self, numbers: Sequence[int]) -> set[str]:
        return {self.graph.function(number).key for number in numbers}

    # Statements

    def statement(self, one: Statement) -> ShownStatement:
        if not self.graph.find(one.at):
            return ShownStatement(one, None, (), (f"{one.at} is not in {self.graph.release}.",))
        function = self.function(one.at)
        gaps: list[str] = []
        seen = tuple(self.look(function, text, gaps) for text in one.look)
        return ShownStatement(one, as_readers_say(function), seen, tuple(gaps))


def _written(at: str, table: str) -> str:
    return f"{at} of {table}" if table else at

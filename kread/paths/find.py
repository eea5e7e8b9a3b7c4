"""The answer to "how does control get from here to there": families of trails, the most instructive first.

The search gives ways by cost, few of each kind (kinds differ by their dispatches). Each is then read (see `way_reader`): a
way that contradicts itself is no path, nor is one that mixes worlds (data/worlds.toml).
What is left is grouped into families (see `families`). A way that repeats a story tells nothing new and is not read; one that
only recombines calls of others is read early only, and told where it weighs less than they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from kread.errors import UsageError
from kread.facts import GRADES, Edge, Trail
from kread.graph.callgraph import CallGraph
from kread.graph.distance import Distance, Stations
from kread.graph.search import Search, Way
from kread.paths.answer import Answer
from kread.paths.families import ReadWay, families, story
from kread.paths.sites import Sites
from kread.paths.steer import Assumption, worlds_ruled_out
from kread.paths.way_reader import Steering, WayReader
from kread.resolve.cost import detour
from kread.resolve.worlds import excluded, mixed

#: Ways that are looked at before the families are made: more than that no reader asks for.
WAYS_READ = 48
#: With so many ways read, or twice the families that are asked for, only a story is worth more reading.
ENOUGH = 12
#: With so many ways read, one that only recombines their calls is not worth reading; before, it may be the better half of two.
COMBINED = 6
#: Families shown unless -k says otherwise.
FAMILIES = 4
#: Hops that a path may have unless --max-hops says otherwise.
MAX_HOPS = 24
#: What calls to or from a hand-over may cost, ten of them at most: farther ends have little to do with it, and in a graph of
#: whole folders each function leads to nearly every other somehow.
NEAR = 150


@dataclass(frozen=True, slots=True)
class Request:
    """A question: the ends as written, and how the reader steers; `tables` are preferred where several would do."""

    caller: str
    callee: str
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    assume: tuple[str, ...] = ()
    families: int = FAMILIES
    max_hops: int = MAX_HOPS
    kinds: tuple[str, ...] = ()
    grades: tuple[str, ...] = GRADES[:3]
    tables: tuple[str, ...] = ()

    @property
    def steered(self) -> bool:
        """Whether more than the ends is asked."""
        return self != Request(self.caller, self.callee, families=self.families)


@dataclass(frozen=True, slots=True)
class _Question:
    """A request in the graph's terms: ends as numbers, what is banned, the worlds of the ends, and the steering."""

    request: Request
    ends: tuple[tuple[int, ...], ...]
    banned: frozenset[int]
    allowed: int
    steering: Steering

    @property
    def names(self) -> tuple[str, ...]:
        return (self.request.caller, *_apart(self.request.via), self.request.callee)


class Finder:
    """Answers requests on one graph."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self.sites = Sites(graph)
        self.stopped = False
        self._reader = WayReader(graph, self.sites)

    def answer(self, request: Request) -> Answer:
        """The families of paths of a request, and the hand-overs that join its ends; without paths, farther ones too."""
        found = self.calls(request)
        if not found.trails and request.steered:
            free = self.calls(Request(request.caller, request.callee, families=1)).trails
            if free:
                note = f"Without the steering there is a path of {free[0].hops} calls."
                return replace(found, notes=(*found.notes, note))
        from kread.paths.handovers import Handovers, Side, joins

        if request.via or (found.trails and not joins(request.caller, request.callee)):
            return found
        from kread.paths.across import crossings

        def same(symbol: str, side: Side) -> bool:
            return any(self.graph.function(number) == side.function for number in self.graph.find(symbol))

        graph = self.graph
        adjacency, station = graph.adjacency_of(request.kinds, request.grades), self._stations(self._question(request))

        def near(caller: str, callee: str) -> bool:
            if found.trails:
                return False
            callers, callees = graph.find(caller), graph.find(callee)
            if not set(callers).isdisjoint(callees):
                return True
            return Distance(adjacency, station, callers, callees, most=NEAR).cheapest is not None

        def way(caller: str, callee: str) -> Trail | None:
            trails = self.calls(replace(request, caller=caller, callee=callee, families=1)).trails
            return trails[0] if trails else None

        handovers = Handovers(self.graph, self.sites)
        return replace(found, crossings=crossings(handovers, request.caller, request.callee, same, near, way))

    def calls(self, request: Request) -> Answer:
        """The families of paths of a request, by calls alone."""
        question = self._question(request)
        self.stopped = False
        read = self._told(question)
        self.sites.keep()
        trails = [
            Trail(title, self._reader.steps(item, question.steering.assumptions)) for title, item in families(read)
        ]
        return self._answer(request, question, trails)

    def _told(self, question: _Question) -> list[ReadWay]:
        """The ways that make the families: one for each story, and of the others those that don't only recombine calls."""
        read: list[ReadWay] = []
        told: set[str] = set()
        gone: set[tuple[int, ...]] = set()
        hops: set[tuple[int, int]] = set()
        enough = max(ENOUGH, 2 * question.request.families)
        for way in islice(self._ways(question), WAYS_READ):
            chosen = self.graph.edges(way.edges)
            about = story(chosen)
            title = about.title if about else ""
            if title in told or way.functions in gone or self._mixed(way, chosen, question):
                continue
            passed = set(zip(way.functions, way.functions[1:], strict=False))
            if not title and (len(read) >= enough or (len(read) >= COMBINED and passed <= hops)):
                continue
            found = self._reader.read(way, chosen, question.steering)
            if found is not None:
                read.append(found)
                gone.add(way.functions)
                hops |= passed
                told |= {title} if title else set()
        return read

    def _answer(self, request: Request, question: _Question, trails: Sequence[Trail]) -> Answer:
        shown, others = tuple(trails[: request.families]), tuple(trails[request.families :])
        cut = []
        if others:
            more = "1 more family" if len(others) == 1 else f"{len(others)} more families"
            cut.append(f"{more}: raise -k to see all in full.")
        if self.stopped:
            cut.append("The search stopped at its limit; farther ways may exist. Narrow it with --via or --avoid.")
        notes = [note for name in question.names for note in self._notes(self.graph.require(name), name)]
        return Answer(
            self.graph.release,
            request.caller,
            request.callee,
            shown,
            not cut,
            tuple(cut),
            others,
            tuple(dict.fromkeys(notes)),
        )

    def _question(self, request: Request) -> _Question:
        graph = self.graph
        names = (request.caller, *_apart(request.via), request.callee)
        ends = tuple(tuple(graph.require(name)) for name in names)
        avoided = frozenset(number for name in _apart(request.avoid) for number in graph.require(name))
        for name, numbers in zip(names, ends, strict=True):
            if avoided.issuperset(numbers):
                raise UsageError("via-and-avoid", f"{name} is both asked for and avoided", hint="Drop one of the two.")
        assumptions = tuple(Assumption.parse(text) for text in request.assume)
        allowed = 0
        for numbers in ends:
            for number in numbers:
                allowed |= graph.worlds.get(number, 0)
        ruled_out = excluded(allowed) | (worlds_ruled_out(assumptions) & ~allowed)
        steering = Steering(request.kinds, request.grades, assumptions, ruled_out, request.tables)
        # A waypoint that is the end before or after it asks for nothing more.
        first, last = ends[0], ends[-1]
        between = [one for one, before in zip(ends[1:-1], ends, strict=False) if one not in (before, first, last)]
        return _Question(request, (first, *between, last), avoided, allowed, steering)

    def _notes(self, numbers: Sequence[int], name: str) -> list[str]:
        """What the reader should know of an end."""
        functions = [self.graph.function(number) for number in numbers]
        notes = []
        files = sorted({function.file for function in functions})
        if len(files) > 1:
            notes.append(f"{name} is defined in {', '.join(files)}: write file:name to mean one.")
        macros = sorted({function.macro for function in functions if function.macro})
        if macros:
            notes.append(f"{name} is made by the macro {', '.join(macros)}.")
        if functions and all(function.signature.startswith("extern ") for function in functions):
            file = functions[0].file
            if file.endswith(".c"):
                notes.append(f"{name} has its body outside of the scope, in {file}: --scope {file} adds it.")
            else:
                notes.append(f"{name} is only declared here: its body stands outside of the scope.")
        return notes

    # Ways

    def _ways(self, question: _Question) -> Iterator[Way]:
        """Ways through all waypoints: those of each leg, put together in the order of their cost."""
        station = self._stations(question)
        request = question.request
        adjacency = self.graph.adjacency_of(request.kinds, request.grades)
        legs: list[Iterator[Way]] = []
        for sources, targets in zip(question.ends, question.ends[1:], strict=False):
            legs.append(self._watched(Search(adjacency, station, sources, targets, question.banned, request.max_hops)))
        found = legs[0]
        for leg in legs[1:]:
            seconds = list(islice(leg, WAYS_READ))
            joined = [_joined(first, second) for first in islice(found, WAYS_READ) for second in seconds]
            whole = [way for way in joined if way is not None and len(way.edges) <= request.max_hops]
            found = iter(sorted(whole, key=lambda way: (way.cost, way.functions))[:WAYS_READ])
        return found

    def _stations(self, question: _Question) -> Stations:
        """What it adds to a way's cost to pass through a function: its own station cost, a detour's, or too much."""
        costs, place_of, worlds = self.graph.stations, self.graph.place, self.graph.worlds
        home = {place_of(number) for numbers in question.ends for number in numbers}
        ruled_out = question.steering.ruled_out

        def cost(number: int) -> int:
            if ruled_out and worlds.get(number, 0) & ruled_out:
                return _NEVER
            place = place_of(number)
            return costs.get(number, 0) + (0 if place in home else detour(place))

        return Stations(cost)

    def _mixed(self, way: Way, chosen: Sequence[Edge], question: _Question) -> bool:
        """Whether a way passes functions of two worlds that exclude each other.

        Where the reader's ends lie in two worlds, a function of one may call another's by name, but a table of one
        doesn't lead to the other.
        """
        worlds = [self.graph.worlds.get(number, 0) for number in way.functions]
        if mixed(worlds, question.allowed):
            return True
        passed = worlds[0]
        ends = zip(way.functions, way.functions[1:], strict=False)
        for edge, world, hop in zip(chosen, worlds[1:], ends, strict=True):
            if world & excluded(passed) and (edge.slot or self._guesses(*hop)):
                return True
            passed = (passed & ~excluded(world)) | world
        return False

    def _guesses(self, caller: int, callee: int) -> bool:
        """Whether a function names another only as a guess at what a table holds: INDIRECT_CALL_INET and its kin."""
        return any(edge.slot for _, edge in self.graph.between(caller, callee))

    def _watched(self, search: Search) -> Iterator[Way]:
        yield from search.ways()
        self.stopped = self.stopped or search.stopped


def _apart(names: Sequence[str]) -> tuple[str, ...]:
    """Names one by one: a reader may also write several with commas between them."""
    return tuple(part.strip() for name in names for part in name.split(",") if part.strip())


#: More than any way may cost.
_NEVER = 1_000_000


def _joined(first: Way, second: Way) -> Way | None:
    """Two legs as one way, or None where it would pass a function twice."""
    if first.functions[-1] != second.functions[0] or not set(first.functions).isdisjoint(second.functions[1:]):
        return None
    return replace(
        first,
        functions=first.functions + second.functions[1:],
        edges=first.edges + second.edges,
        cost=first.cost + second.cost,
        kind=tuple(number for number in first.kind + second.kind if number > 0) or first.kind[:1],
    )

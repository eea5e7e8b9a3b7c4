"""The answer to "how does control get from here to there": families of trails, the most instructive first.

The search gives ways by cost, few of each kind (kinds differ by their dispatches). Each is then read as a colleague would:
for every hop the guards of its call site; where a caller calls the callee in several places, the first place that the
rest of the way does not contradict; a way with no such places is no path. What is left is grouped into
families: one for each kind, named by its story (data) or by what tells it from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from kread import data
from kread.errors import UsageError
from kread.facts import GRADES, Edge, Step, Trail
from kread.graph.callgraph import CallGraph
from kread.graph.search import Search, Way
from kread.parse.guards import SiteContext
from kread.paths.answer import Answer
from kread.paths.contradict import Hop, contradiction
from kread.paths.sites import Sites
from kread.paths.steer import Assumption, refuted
from kread.resolve.cost import detour

#: Ways that are read before the families are made: more than that no reader asks for.
WAYS_READ = 48
#: Families shown unless -k says otherwise.
FAMILIES = 4
#: Hops that a path may have unless --max-hops says otherwise.
MAX_HOPS = 24
#: Ways that cost this many times the cheapest, and this much more, belong to no family.
FAR_TIMES = 2.5
FAR_MORE = 120
#: Call sites tried for one hop where a function calls another in several places.
SITES_TRIED = 6


@dataclass(frozen=True, slots=True)
class Request:
    """A question: the ends as written, and how the reader steers."""

    caller: str
    callee: str
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    assume: tuple[str, ...] = ()
    families: int = FAMILIES
    max_hops: int = MAX_HOPS
    kinds: tuple[str, ...] = ()
    grades: tuple[str, ...] = GRADES[:3]


@dataclass(frozen=True, slots=True)
class _Read:
    """A way with its edges and what is known at each call."""

    way: Way
    edges: tuple[Edge, ...]
    contexts: tuple[SiteContext, ...]
    weight: int


class Finder:
    """Answers requests on one graph."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self.sites = Sites(graph)
        self.stopped = False

    def answer(self, request: Request) -> Answer:
        """The families of paths of a request; without any, an answer with no trails."""
        graph = self.graph
        ends = [graph.require(name) for name in (request.caller, *request.via, request.callee)]
        banned = {number for name in request.avoid for number in graph.require(name)}
        for name, numbers in zip((request.caller, *request.via, request.callee), ends, strict=True):
            if banned.issuperset(numbers):
                raise UsageError("via-and-avoid", f"{name} is both asked for and avoided", hint="Drop one of the two.")
        assumptions = [Assumption.parse(text) for text in request.assume]
        read: list[_Read] = []
        told: set[tuple[int, ...]] = set()
        cheapest = 0
        for way in islice(self._chained(ends, banned, request), WAYS_READ):
            cheapest = cheapest or way.cost
            if way.cost > cheapest * FAR_TIMES + FAR_MORE:
                break
            if way.kind in told:
                continue
            found = self._read(way, assumptions, request)
            if found is not None:
                read.append(found)
                told.add(way.kind)
        trails = self._families(read)
        shown, others = trails[: request.families], trails[request.families :]
        cut = []
        if others:
            cut.append(f"{len(others)} more families: raise -k to see them in full.")
        if self.stopped:
            cut.append("The search stopped at its limit; farther ways may exist. Narrow it with --via or --avoid.")
        return Answer(
            graph.release,
            request.caller,
            request.callee,
            tuple(shown),
            not cut,
            tuple(cut),
            tuple(others),
            tuple(self._notes(ends[0], request.caller) + self._notes(ends[-1], request.callee)),
        )

    def _notes(self, numbers: Sequence[int], name: str) -> list[str]:
        """What the reader should know of an end."""
        functions = [self.graph.function(number) for number in numbers]
        notes = []
        files = sorted({function.file for function in functions})
        if len(files) > 1:
            notes.append(f"{name} is defined in {', '.join(files)}: write file:{name} to mean one.")
        macros = sorted({function.macro for function in functions if function.macro})
        if macros:
            notes.append(f"{name} is made by the macro {', '.join(macros)}.")
        return notes

    def _chained(self, ends: Sequence[Collection[int]], banned: Collection[int], request: Request) -> Iterator[Way]:
        """Ways through all waypoints: those of each leg, put together in the order of their cost."""
        station = self._station(ends)
        adjacency = self.graph.adjacency_of(request.kinds, request.grades)
        legs: list[Iterator[Way]] = []
        for sources, targets in zip(ends, ends[1:], strict=False):
            search = Search(adjacency, station, sources, targets, banned, request.max_hops)
            legs.append(self._watched(search))
        if len(legs) == 1:
            return legs[0]
        found: list[Way] = [Way((), (), 0, ())]
        for leg in legs:
            part = list(islice(leg, WAYS_READ))
            joined = [_joined(first, second) for first in found for second in part]
            found = sorted((way for way in joined if way is not None), key=lambda way: (way.cost, way.functions))
            found = found[:WAYS_READ]
        return iter(found)

    def _station(self, ends: Sequence[Collection[int]]) -> Callable[[int], int]:
        """What it adds to a way's cost to pass through a function: its own station cost, and a detour's."""
        stations, places = self.graph.stations, self.graph.places
        home = {places.get(number, "") for numbers in ends for number in numbers}
        detours = {place: 0 if place in home else detour(place) for place in {"", *places.values()}}
        return lambda number: stations.get(number, 0) + detours[places.get(number, "")]

    def _watched(self, search: Search) -> Iterator[Way]:
        yield from search.ways()
        self.stopped = self.stopped or search.stopped

    # Reading a way

    def _read(self, way: Way, assumptions: Sequence[Assumption], request: Request) -> _Read | None:
        """The way at call sites that its own guards allow, or None where there are none."""
        choices = [self._choices(way, place, request) for place in range(len(way.edges))]
        picked = self._pick(choices, assumptions)
        if picked is None:
            return None
        edges = tuple(edge for edge, _ in picked)
        contexts = tuple(context for _, context in picked)
        weight = way.cost + sum(_burden(context) for context in contexts)
        return _Read(way, edges, contexts, weight)

    def _choices(self, way: Way, place: int, request: Request) -> list[tuple[Edge, SiteContext]]:
        """The call sites of one hop with what is known there, in the order of their lines."""
        chosen = self.graph.edges([way.edges[place]])[0]
        edges = [
            edge
            for edge in self.graph.between(way.functions[place], way.functions[place + 1])
            if edge.slot == chosen.slot and edge.grade in request.grades
        ][:SITES_TRIED]
        edges = edges or [chosen]
        sites = [(edge.site.line, edge.site.column) for edge in edges]
        return list(zip(edges, self.sites.contexts(chosen.caller, sites), strict=True))

    def _pick(
        self, choices: Sequence[Sequence[tuple[Edge, SiteContext]]], assumptions: Sequence[Assumption]
    ) -> list[tuple[Edge, SiteContext]] | None:
        """One site a hop such that no guard contradicts another or an assumption: first lines first."""
        open_choices = [
            [row for row in sites if not assumptions or refuted(assumptions, row[1].guards) is None] for sites in choices
        ]
        if not all(open_choices):
            return None
        taken = [0] * len(open_choices)
        while True:
            picked = [sites[number] for sites, number in zip(open_choices, taken, strict=True)]
            found = contradiction([_hop(edge, context) for edge, context in picked])
            if found is None:
                return picked
            # The contradiction lies between hops up to this one: the last of them that has another site takes it.
            place = min(found[0], len(taken) - 1)
            while place >= 0 and taken[place] + 1 == len(open_choices[place]):
                place -= 1
            if place < 0:
                return None
            taken[place] += 1
            taken[place + 1 :] = [0] * (len(taken) - place - 1)

    # Families

    def _families(self, read: Sequence[_Read]) -> list[Trail]:
        """One trail for each kind or story, the most instructive first."""
        best: dict[object, tuple[float, _Read, str]] = {}
        for item in sorted(read, key=lambda item: (item.weight, item.way.functions)):
            title, weight = _story(item)
            key: object = title or item.way.kind
            if key not in best:
                best[key] = (item.weight * weight, item, title)
        ranked = sorted(best.values(), key=lambda row: (row[0], row[1].way.functions))
        names = [[function for function in row[1].way.functions[1:-1]] for row in ranked]
        trails = []
        for place, (_, item, title) in enumerate(ranked):
            others = {function for index, row in enumerate(names) if index != place for function in row}
            trails.append(Trail(title or self._difference(item, others), self._steps(item)))
        return trails

    def _difference(self, item: _Read, others: Collection[int]) -> str:
        """What tells a family from the others: its dispatches, else the first function that only it passes."""
        slots = [edge.slot.rpartition(".")[2] for edge in item.edges if edge.slot]
        if slots:
            return "Through " + ", then ".join(dict.fromkeys(slots))
        own = [number for number in item.way.functions[1:-1] if number not in others]
        if own:
            return f"By {self.graph.function(own[0]).name}"
        return "The direct call" if len(item.edges) == 1 else "The direct way"

    def _steps(self, item: _Read) -> tuple[Step, ...]:
        steps = []
        for edge, context in zip(item.edges, item.contexts, strict=True):
            others = tuple(
                other
                for other in (self.graph.at_site(edge) if edge.candidates > 1 else ())
                if other.callee != edge.callee
            )
            nested = tuple(guard for guard in context.nested)
            guards = tuple(sorted(context.guards + nested, key=lambda guard: guard.line))
            steps.append(Step(edge.caller, edge, guards, context.held, others))
        steps.append(Step(item.edges[-1].callee))
        return tuple(steps)


def _joined(first: Way, second: Way) -> Way | None:
    """Two legs as one way, or None where it would pass a function twice."""
    if not first.functions:
        return second
    if first.functions[-1] != second.functions[0] or not set(first.functions).isdisjoint(second.functions[1:]):
        return None
    return replace(
        first,
        functions=first.functions + second.functions[1:],
        edges=first.edges + second.edges,
        cost=first.cost + second.cost,
        kind=tuple(number for number in first.kind + second.kind if number > 0) or first.kind[:1],
    )


def _burden(context: SiteContext) -> int:
    """What a hop's guards add to its cost: each condition makes the way less usual."""
    return sum(1 for guard in context.guards if guard.kind != "exit")


def _hop(edge: Edge, context: SiteContext) -> Hop:
    return Hop(context.guards, context.stale, context.changed, edge.caller.signature, edge.site.text)


def _story(item: _Read) -> tuple[str, float]:
    """(title, weight) of the first story that a way fits; no title and weight 1 where none does."""
    # A story is about what happens between the ends: an end alone tells nothing.
    passed = {edge.callee.name for edge in item.edges[:-1]} | {edge.slot for edge in item.edges if edge.slot}
    for row in data.load("stories")["story"]:
        if passed.issuperset(row["passes"]) and passed.isdisjoint(row["avoids"]):
            return row["title"], float(row["weight"])
    return "", 1.0

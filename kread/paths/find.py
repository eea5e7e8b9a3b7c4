"""The answer to "how does control get from here to there": families of trails, the most instructive first.

The search gives ways by cost, few of each kind (kinds differ by their dispatches). Each is then read as a colleague would:
for every hop the guards of its call site; where a caller calls the callee in several places, the first place that the
rest of the way does not contradict; a way with no such places is no path, nor is one that mixes worlds (data/worlds.toml).
What is left is grouped into families (see `families`). A way that would only repeat a story that a cheaper one has told
already is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from kread.errors import UsageError
from kread.facts import GRADES, Edge, Evidence, Guard, Step, Trail
from kread.graph.callgraph import CallGraph
from kread.graph.names import edge_as_readers_say
from kread.graph.search import Search, Stations, Way
from kread.parse.context import SiteContext
from kread.paths.answer import Answer
from kread.paths.contradict import Hop, contradiction
from kread.paths.families import ReadWay, families, story
from kread.paths.sites import Sites
from kread.paths.steer import Assumption, refuted, rules_out, simplified, worlds_ruled_out
from kread.resolve.cost import detour
from kread.resolve.worlds import excluded, mixed, table_worlds

#: Ways that are looked at before the families are made: more than that no reader asks for.
WAYS_READ = 48
#: Families shown unless -k says otherwise.
FAMILIES = 4
#: With fewer families than these, ways of a kind that was told already are families of their own.
FEW = 3
#: Hops that a path may have unless --max-hops says otherwise.
MAX_HOPS = 24
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
class _Question:
    """A request in the graph's terms: ends as numbers, what is banned, and which worlds are ruled out."""

    request: Request
    ends: tuple[tuple[int, ...], ...]
    banned: frozenset[int]
    assumptions: tuple[Assumption, ...]
    allowed: int
    ruled_out: int

    @property
    def names(self) -> tuple[str, ...]:
        return (self.request.caller, *self.request.via, self.request.callee)


_Choice = tuple[Edge, SiteContext]


class Finder:
    """Answers requests on one graph."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self.sites = Sites(graph)
        self.stopped = False
        self._between: dict[tuple[int, int], list[Edge]] = {}

    def answer(self, request: Request) -> Answer:
        """The families of paths of a request, and the hand-overs that join its ends; without paths, farther ones too."""
        found = self.calls(request)
        from kread.paths.handovers import Handovers, Side, joins

        if request.via or (found.trails and not joins(request.caller, request.callee)):
            return found
        from kread.paths.across import crossings

        def same(symbol: str, side: Side) -> bool:
            return any(self.graph.function(number) == side.function for number in self.graph.find(symbol))

        def way(caller: str, callee: str) -> Trail | None:
            if found.trails:
                return None
            trails = self.calls(replace(request, caller=caller, callee=callee, families=1)).trails
            return trails[0] if trails else None

        handovers = Handovers(self.graph, self.sites)
        return replace(found, crossings=crossings(handovers, request.caller, request.callee, same, way))

    def calls(self, request: Request) -> Answer:
        """The families of paths of a request, by calls alone."""
        question = self._question(request)
        self.stopped = False
        read = self._told(question)
        self.sites.keep()
        trails = [Trail(title, self._steps(item, question.assumptions)) for title, item in families(read)]
        return self._answer(request, question, trails)

    def _told(self, question: _Question) -> list[ReadWay]:
        """The ways that make the families: one for each kind or story, and more of a kind where there are few kinds."""
        read: list[ReadWay] = []
        told: set[object] = set()
        spare: list[tuple[Way, list[Edge]]] = []
        for way in islice(self._ways(question), WAYS_READ):
            chosen = self.graph.edges(way.edges)
            about = story(chosen)
            title = about.title if about else ""
            if way.functions in told or title in told or self._mixed(way, chosen, question):
                continue
            if way.kind in told:
                spare.append((way, chosen))
                continue
            found = self._read(way, chosen, question)
            if found is not None:
                read.append(found)
                told |= {way.kind, way.functions}
                told |= {title} if title else set()
        for way, chosen in spare:
            if len(read) >= FEW:
                break
            found = None if way.functions in told else self._read(way, chosen, question)
            if found is not None:
                read.append(replace(found, single=True))
                told.add(way.functions)
        return read

    def _answer(self, request: Request, question: _Question, trails: Sequence[Trail]) -> Answer:
        shown, others = tuple(trails[: request.families]), tuple(trails[request.families :])
        cut = []
        if others:
            cut.append(f"{len(others)} more families: raise -k to see them in full.")
        if self.stopped:
            cut.append("The search stopped at its limit; farther ways may exist. Narrow it with --via or --avoid.")
        notes = [
            note
            for name, numbers in zip(question.names, question.ends, strict=True)
            for note in self._notes(numbers, name)
        ]
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
        names = (request.caller, *request.via, request.callee)
        ends = tuple(tuple(graph.require(name)) for name in names)
        avoided = frozenset(number for name in request.avoid for number in graph.require(name))
        for name, numbers in zip(names, ends, strict=True):
            if avoided.issuperset(numbers):
                raise UsageError("via-and-avoid", f"{name} is both asked for and avoided", hint="Drop one of the two.")
        assumptions = tuple(Assumption.parse(text) for text in request.assume)
        allowed = 0
        for numbers in ends:
            for number in numbers:
                allowed |= graph.worlds.get(number, 0)
        ruled_out = excluded(allowed) | (worlds_ruled_out(assumptions) & ~allowed)
        return _Question(request, ends, avoided, assumptions, allowed, ruled_out)

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
        costs, places, worlds = self.graph.stations, self.graph.places, self.graph.worlds
        home = {places.get(number, "") for numbers in question.ends for number in numbers}
        detours = {place: 0 if place in home else detour(place) for place in {"", *places.values()}}
        ruled_out = question.ruled_out

        def cost(number: int) -> int:
            if ruled_out and worlds.get(number, 0) & ruled_out:
                return _NEVER
            return costs.get(number, 0) + detours[places.get(number, "")]

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
        for edge, world in zip(chosen, worlds[1:], strict=True):
            if edge.slot and world & excluded(passed):
                return True
            passed = (passed & ~excluded(world)) | world
        return False

    def _watched(self, search: Search) -> Iterator[Way]:
        yield from search.ways()
        self.stopped = self.stopped or search.stopped

    # Reading a way

    def _read(self, way: Way, chosen: Sequence[Edge], question: _Question) -> ReadWay | None:
        """The way at call sites that its own guards and the assumptions allow, or None where there are none."""
        functions = zip(way.functions, way.functions[1:], strict=False)
        choices = [self._choices(*ends, edge, question) for ends, edge in zip(functions, chosen, strict=True)]
        if not all(choices) or _strays(chosen):
            return None
        picked = _picked(choices)
        if picked is None:
            return None
        edges = tuple(edge for edge, _ in picked)
        return ReadWay(way, edges, tuple(context for _, context in picked), story(edges))

    def _choices(self, caller: int, callee: int, chosen: Edge, question: _Question) -> list[_Choice]:
        """The call sites of one hop that the reader's assumptions allow, in the order of their lines."""
        key = (caller, callee)
        if key not in self._between:
            self._between[key] = self.graph.between(caller, callee)
        request = question.request
        fitting = (
            self._fitting(edge, question)
            for edge in self._between[key]
            if edge.slot == chosen.slot
            and edge.grade in request.grades
            and (not request.kinds or edge.kind in request.kinds)
        )
        edges = list(islice((edge for edge in fitting if edge is not None), SITES_TRIED))
        sites = [(edge.site.line, edge.site.column) for edge in edges]
        found = zip(edges, self.sites.contexts(chosen.caller, sites), strict=True)
        assumed = question.assumptions
        return [one for one in found if not assumed or refuted(assumed, _asked(one[1]), one[1].stale) is None]

    def _fitting(self, edge: Edge, question: _Question) -> Edge | None:
        """The edge through a table that the question allows: several tables may hold one function. None without one."""

        def fits(table: str) -> bool:
            return not table_worlds(table) & question.ruled_out and not rules_out(question.assumptions, edge, table)

        if not edge.table or fits(edge.table):
            return edge
        for value in self.graph.slot(*edge.slot.split(".", 1)):
            if value.function == edge.callee and value.table and fits(value.table):
                known = [
                    why
                    for why in edge.evidence
                    if why.role != "slot" and not re.search(rf"\b{re.escape(edge.table)}\b", why.text)
                ]
                filled = Evidence("slot", value.file, value.line, value.text)
                return replace(edge, table=value.table, evidence=(*known, filled))
        return None

    def _steps(self, item: ReadWay, assumptions: Sequence[Assumption]) -> tuple[Step, ...]:
        steps = []
        for edge, context in zip(item.edges, item.contexts, strict=True):
            others = tuple(
                edge_as_readers_say(other)
                for other in (self.graph.at_site(edge) if edge.candidates > 1 else ())
                if other.callee != edge.callee
            )
            shown = edge_as_readers_say(edge)
            guards = simplified(assumptions, _asked(context)) if assumptions else _asked(context)
            steps.append(Step(shown.caller, shown, guards, context.held, others))
        steps.append(Step(edge_as_readers_say(item.edges[-1]).callee))
        return tuple(steps)


#: More than any way may cost.
_NEVER = 1_000_000


def _strays(edges: Sequence[Edge]) -> bool:
    """Whether a call through a parameter calls what none of the functions before it handed over."""
    passed: set[str] = set()
    for edge in edges:
        if edge.candidates > 1 and not edge.slot and passed:
            givers = {why.function for why in edge.evidence if why.role == "argument"}
            if givers and givers.isdisjoint(passed):
                return True
        passed.add(edge.caller.name)
    return False


def _picked(choices: Sequence[Sequence[_Choice]]) -> list[_Choice] | None:
    """One site a hop such that no guard contradicts another: first lines first. None where there are no such sites."""
    taken = [0] * len(choices)
    while True:
        picked = [sites[number] for sites, number in zip(choices, taken, strict=True)]
        found = contradiction([_hop(edge, context) for edge, context in picked])
        if found is None:
            return picked
        # The contradiction lies between hops up to this one: the last of them that has another site takes it.
        place = min(found[0], len(taken) - 1)
        while place >= 0 and taken[place] + 1 == len(choices[place]):
            place -= 1
        if place < 0:
            return None
        taken[place] += 1
        taken[place + 1 :] = [0] * (len(taken) - place - 1)


def _asked(context: SiteContext) -> tuple[Guard, ...]:
    """All that is asked before a call, in the order of its lines."""
    return tuple(sorted(context.guards + context.nested, key=lambda guard: guard.line))


def _hop(edge: Edge, context: SiteContext) -> Hop:
    return Hop(context.guards, context.stale, context.changed, edge.caller.signature, edge.site.text)


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

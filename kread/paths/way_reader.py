"""Reads a way through the graph as a colleague would: at which call sites it goes, and whether it can be gone at all.

Where a caller calls the callee in several places, the least conditional place is taken that neither the rest of the way
nor the reader's assumptions contradict; a way with no such places is no path. A call through a table takes a table that
the reader's steering allows. What two calls through one record need of it (struct proto, say) is compared: where no
table makes both, the way speaks of two objects, and weighs more (see `families`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from kread import presence
from kread.facts import CallSite, Edge, Evidence, Function, Guard, Step
from kread.graph.callgraph import CallGraph, SlotValue
from kread.graph.names import edge_as_readers_say
from kread.graph.search import Way
from kread.index.contexts import key
from kread.parse.context import SiteContext
from kread.paths.conditions import shortened
from kread.paths.contradict import Hop, contradiction
from kread.paths.families import ReadWay, burden, story
from kread.paths.sites import Sites
from kread.paths.steer import Assumption, refuted, rules_out, simplified, worlds_ruled_out
from kread.resolve.cost import BRANCH
from kread.resolve.worlds import excluded, function_worlds, table_worlds, unusual

_NAME = re.compile(r"[A-Za-z_]\w*")

#: Call sites tried for one hop where a function calls another in several places.
SITES_TRIED = 6


@dataclass(frozen=True, slots=True)
class Steering:
    """What a reader's steering means for the calls of a way; `ruled_out`: the bits of the worlds that can't be; `tables`:
    those to tell of where several hold what is called."""

    kinds: tuple[str, ...]
    grades: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    ruled_out: int
    tables: tuple[str, ...] = ()


_Choice = tuple[Edge, SiteContext]


class WayReader:
    """Reads ways of one graph."""

    def __init__(self, graph: CallGraph, sites: Sites) -> None:
        self._graph = graph
        self._sites = sites
        self._between: dict[tuple[int, int], list[tuple[int, Edge]]] = {}
        self._tables: dict[tuple[str, Function], frozenset[str]] = {}
        self._reached: dict[CallSite, frozenset[str]] = {}

    def read(self, way: Way, chosen: Sequence[Edge], steering: Steering) -> ReadWay | None:
        """The way at call sites that its own guards and the assumptions allow, or None where there are none."""
        functions = zip(way.functions, way.functions[1:], strict=False)
        worlds = self._worlds(way.functions)
        away = excluded(worlds)
        calls = [self._calls(*ends, edge, steering, away) for ends, edge in zip(functions, chosen, strict=True)]
        if not all(calls) or _strays(chosen):
            return None
        self._sites.load([key(edge.site.file, edge.site.line, edge.site.column) for hop in calls for _, edge in hop])
        choices = [self._choices(hop, steering) for hop in calls]
        if not all(choices):
            return None
        picked = _picked(choices)
        if picked is None:
            return None
        edges = tuple(edge for edge, _ in picked)
        ends = self._worlds(way.functions[:1]) | self._worlds(way.functions[-1:])
        return ReadWay(
            way,
            edges,
            tuple(context for _, context in picked),
            story(edges),
            self._clashes(edges),
            unusual(worlds, ends),
            sum(self._unnamed(*hop) for hop in picked),
        )

    def _worlds(self, functions: Iterable[int]) -> int:
        """The bits of the worlds of some functions."""
        bits = 0
        for function in functions:
            bits |= self._graph.worlds.get(function, 0)
        return bits

    def _unnamed(self, edge: Edge, context: SiteContext) -> bool:
        """Whether a call through a pointer names functions that it may be, and this one is none of them."""
        if not edge.slot or edge.candidates < 2:
            return False
        named = set(_NAME.findall(context.written.partition("(")[2]))
        if edge.callee.name in named:
            return False
        if edge.site not in self._reached:
            self._reached[edge.site] = frozenset(other.callee.name for other in self._graph.at_site(edge))
        return not named.isdisjoint(self._reached[edge.site])

    def _clashes(self, edges: Sequence[Edge]) -> int:
        """How often a call takes a function from a table of a record although no one table has it and those before."""
        clashes = 0
        passed: dict[str, frozenset[str]] = {}
        records = [edge.slot.rpartition(".")[0] for edge in edges]
        for edge, record in zip(edges, records, strict=True):
            if record and edge.table and records.count(record) > 1:
                here = self._tables_with(edge)
                both = here & passed.get(record, here)
                clashes += not both
                passed[record] = both or here
        return clashes

    def _tables_with(self, edge: Edge) -> frozenset[str]:
        """The tables that have a call's callee in its slot."""
        key = (edge.slot, edge.callee)
        if key not in self._tables:
            values = self._graph.slot(*edge.slot.split(".", 1))
            self._tables[key] = frozenset(value.table for value in values if value.function == edge.callee)
        return self._tables[key]

    def _calls(self, caller: int, callee: int, chosen: Edge, steering: Steering, away: int) -> list[tuple[int, Edge]]:
        """(depth, call) for the calls of one hop that the steering allows, the least nested first."""
        ends = (caller, callee)
        if ends not in self._between:
            self._between[ends] = self._graph.between(caller, callee)
        allowed = [
            (depth, edge)
            for depth, edge in self._between[ends]
            if edge.grade in steering.grades and (not steering.kinds or edge.kind in steering.kinds)
        ]
        # A macro that compares a pointer with names calls by name what the pointer holds: the pointer's lines say why.
        behind = {(edge.site.file, edge.site.line): edge for _, edge in reversed(allowed) if edge.slot}
        fitting = (
            (depth, self._fitting(behind.get((edge.site.file, edge.site.line), edge), steering, away))
            for depth, edge in allowed
            if edge.slot == chosen.slot
        )
        return list(islice(((depth, edge) for depth, edge in fitting if edge is not None), SITES_TRIED))

    def _choices(self, calls: Sequence[tuple[int, Edge]], steering: Steering) -> list[_Choice]:
        """The calls of one hop that the reader's assumptions allow, with their contexts, the least conditional first."""
        sites = [(edge.site.line, edge.site.column) for _, edge in calls]
        rows = zip(calls, self._sites.contexts(calls[0][1].caller, sites), strict=True)
        ordered = sorted(rows, key=lambda row: BRANCH * row[0][0] + burden(row[1]))
        found = [(edge, context) for (_, edge), context in ordered]
        assumed = steering.assumptions
        return [one for one in found if not assumed or refuted(assumed, _asked(one[1]), one[1].stale) is None]

    def _fitting(self, edge: Edge, steering: Steering, away: int) -> Edge | None:
        """The edge through a table that the question allows: several tables may hold one function. None without one.

        Of those, one that the reader names is taken before one of no other world than the way's (`away`: the bits of
        the others), and that before any.
        """

        def fits(table: str, away: int) -> bool:
            ruled_out = bool(table_worlds(table) & (steering.ruled_out | away))
            return not ruled_out and not rules_out(steering.assumptions, edge, table)

        if not edge.table or (not steering.tables and fits(edge.table, away)):
            return edge
        values = {
            value.table: value for value in self._graph.slot(*edge.slot.split(".", 1)) if value.function == edge.callee
        }
        tables = list(dict.fromkeys((edge.table, *values)))
        order = [table for table in tables if table in steering.tables and fits(table, 0)]
        order += [table for table in tables if fits(table, away)] + [table for table in tables if fits(table, 0)]
        if not order or order[0] == edge.table:
            return edge if order else None
        return self._through(edge, values[order[0]])

    def _through(self, edge: Edge, value: SlotValue) -> Edge:
        """An edge through another table than the one that proves it, with that table's lines."""
        named = re.compile(rf"\b{re.escape(edge.table)}\b")
        known = [why for why in edge.evidence if why.role != "slot"]
        place = next((index for index, why in enumerate(known) if why.role == "install" and named.search(why.text)), -1)
        kept = [why for why in known if not named.search(why.text)]
        if place >= 0:
            lines = self._graph.installed(value.record, value.table)
            # How the other table got there says nothing of this one.
            kept = [*kept[:place], *lines, *kept[place:]] if lines else [why for why in kept if why.role != "install"]
        filled = Evidence("slot", value.file, value.line, f"{value.table}.{value.field} = {value.function}")
        return replace(edge, table=value.table, evidence=(*kept, filled))

    def steps(self, item: ReadWay, assumptions: Sequence[Assumption]) -> tuple[Step, ...]:
        """A way as the steps of a trail: what must be so, what is held, what else the call could reach."""
        steps = []
        passed: set[str] = set()
        for ends, edge, context in zip(pairwise(item.way.functions), item.edges, item.contexts, strict=True):
            passed.add(edge.caller.name)
            given = edge.kind in ("parameter", "callback") and not passed.isdisjoint(_givers(edge))
            others = tuple(
                edge_as_readers_say(other)
                for other in (self._graph.at_site(edge) if edge.candidates > 1 and not given else ())
                if other.callee.name != edge.callee.name and not self._assumed_away(other, assumptions)
            )
            shown = edge_as_readers_say(_as_written(self._compiled(edge, ends), context))
            guards = simplified(assumptions, _asked(context)) if assumptions else _asked(context)
            guards = tuple(shortened(guard) for guard in guards)
            steps.append(Step(shown.caller, shown, guards, context.held, others))
        steps.append(Step(edge_as_readers_say(item.edges[-1]).callee))
        return tuple(steps)

    def _compiled(self, edge: Edge, ends: tuple[int, int]) -> Edge:
        """The edge under the condition of any call of its line that leads there: where a macro names the function for
        the sake of speed under a condition, the pointer leads there under any."""
        line = edge.site.file, edge.site.line
        conds = {other.presence for _, other in self._between[ends] if (other.site.file, other.site.line) == line}
        return replace(edge, presence=presence.disj(*sorted(conds))) if len(conds) > 1 else edge

    def _assumed_away(self, edge: Edge, assumptions: Sequence[Assumption]) -> bool:
        """Whether a call that a site could make is none under the reader's assumptions: by its callee, or all its tables."""
        if not assumptions or not edge.table:
            return False
        away = worlds_ruled_out(assumptions)
        tables = self._tables_with(edge) or {edge.table}
        callee = function_worlds({0: edge.callee.name}).get(0, 0)
        return bool(callee & away) or all(
            table_worlds(table) & away or rules_out(assumptions, edge, table) for table in tables
        )


def _strays(edges: Sequence[Edge]) -> bool:
    """Whether a call of a parameter, or handing one on, leads to what none of the functions before it handed over."""
    passed: set[str] = set()
    for edge in edges:
        if edge.candidates > 1 and (not edge.slot or edge.kind == "callback") and passed:
            givers = _givers(edge)
            if givers and givers.isdisjoint(passed):
                return True
        passed.add(edge.caller.name)
    return False


def _as_written(edge: Edge, context: SiteContext) -> Edge:
    """The edge with its call as the source has it: what a macro makes is not what stands there."""
    name = context.written.partition("(")[0].strip()
    if not name or re.search(rf"\b{name}\b", edge.site.text):
        return edge
    call = Evidence("call", edge.site.file, edge.site.line, context.written, edge.caller.name)
    return replace(edge, evidence=(call, *(why for why in edge.evidence if why.role != "call")))


def _givers(edge: Edge) -> set[str]:
    """The functions that hand over what a call through a parameter calls: with one of them on the way, nothing else is."""
    return {why.function for why in edge.evidence if why.role == "argument"}


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
    return Hop(context.guards, context.stale, context.changed, context.entry, edge.caller.signature, edge.site.text)

"""What every graph format draws: functions, the links between them, clusters, and hubs left out of the tangle.

Theory of operation: a Drawing holds the nouns as they were found. `plan` makes of it what all formats share, so that
DOT, Mermaid, GraphML and JSON show the same graph: several calls between two functions become one Link; a function
that very many others call (a hub) is no box with an arrow from everywhere but a line of text in each caller's box;
functions are clustered by file, or by directory where there are many. Order is by file and name, never by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import dirname

from kread.facts import GRADES, Edge, Function
from kread.render import words

#: A function with at least this many callers in the drawing is a hub: a dozen arrows into one box hide all others.
HUB_CALLERS = 12
#: Above this many functions the clusters are directories: a cluster for each file would be mostly frames.
FILE_CLUSTERS = 80


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to be drawn.

    focus -- the functions asked for: they are drawn heavier and never collapsed
    hubs  -- functions to collapse whatever the number of their callers here
    """

    functions: tuple[Function, ...]
    edges: tuple[Edge, ...]
    title: str
    focus: tuple[Function, ...] = ()
    release: str = ""
    hubs: frozenset[Function] = frozenset()


@dataclass(frozen=True, slots=True)
class Link:
    """All calls from one function to another. The first edge is the surest."""

    caller: Function
    callee: Function
    edges: tuple[Edge, ...]

    @property
    def style(self) -> str:
        """How it is known: "direct", "macro", "dispatch", "callback", or "guess" for a grade below object."""
        best = self.edges[0]
        if best.grade in ("type", "signature"):
            return "guess"
        return STYLES[best.kind]

    @property
    def label(self) -> str:
        """The slots it goes through, without their structures: ".conn_request"."""
        fields = sorted({"." + edge.slot.rpartition(".")[2] for edge in self.edges if edge.slot})
        return ", ".join(fields)


#: kind of evidence -> how its links are drawn.
STYLES = {
    "direct": "direct",
    "macro": "macro",
    "cleanup": "macro",
    "static_call": "dispatch",
    "ops_table": "dispatch",
    "slot_assignment": "dispatch",
    "parameter": "dispatch",
    "callback": "callback",
}

#: style -> what the legend says, in the order of the legend.
LEGEND = {
    "direct": "call by name",
    "macro": "call made by a macro",
    "dispatch": "call through a pointer, proved",
    "callback": "callback, run later",
    "guess": "by type or signature only",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A drawing ready for any format; `hubs` has the hubs that a caller calls, `known` what those asked for need."""

    title: str
    release: str
    functions: tuple[Function, ...]
    links: tuple[Link, ...]
    clusters: tuple[tuple[str, tuple[Function, ...]], ...]
    focus: frozenset[Function]
    hubs: dict[Function, tuple[str, ...]]
    known: tuple[str, ...]

    @property
    def large(self) -> bool:
        """Whether there are so many functions that room is short."""
        return len(self.functions) > FILE_CLUSTERS

    def needs(self, function: Function) -> str:
        """What a function needs beyond what those asked for need."""
        return words.needs(function.presence, self.known)

    def number(self) -> dict[Function, str]:
        """A short name for each function, the same in every run: "f1", "f2", ..."""
        return {function: f"f{number}" for number, function in enumerate(self.functions, 1)}

    def used_styles(self) -> list[str]:
        """The styles that occur, in the order of the legend."""
        used = {link.style for link in self.links}
        return [style for style in LEGEND if style in used]


def plan(drawing: Drawing) -> Plan:
    """Merge calls into links, collapse hubs, and cluster."""
    focus = frozenset(drawing.focus)
    calls: dict[tuple[Function, Function], list[Edge]] = {}
    for edge in drawing.edges:
        calls.setdefault((edge.caller, edge.callee), []).append(edge)
    callers: dict[Function, int] = {}
    for _, callee in calls:
        callers[callee] = callers.get(callee, 0) + 1
    crowded = {function for function, number in callers.items() if number >= HUB_CALLERS}
    hubs = (crowded | drawing.hubs) - focus
    collapsed: dict[Function, tuple[str, ...]] = {}
    for caller, callee in sorted(calls, key=lambda pair: (pair[0].key, pair[1].key)):
        if callee in hubs and caller not in hubs and callee.name not in collapsed.get(caller, ()):
            collapsed[caller] = (*collapsed.get(caller, ()), callee.name)
    links = tuple(
        Link(caller, callee, tuple(sorted(edges, key=_surest)))
        for (caller, callee), edges in sorted(calls.items(), key=lambda item: (item[0][0].key, item[0][1].key))
        if caller not in hubs and callee not in hubs
    )
    linked = {function for link in links for function in (link.caller, link.callee)}
    everyone = {*drawing.functions, *(function for pair in calls for function in pair)}
    kept = {one for one in everyone - hubs if one in linked or one in focus or one in collapsed or one not in callers}
    functions = tuple(sorted(kept, key=lambda function: (function.file, function.name)))
    known = words.common_needs(function.presence for function in functions if not focus or function in focus)
    return Plan(drawing.title, drawing.release, functions, links, _clusters(functions), focus, collapsed, known)


def _surest(edge: Edge) -> tuple[int, str, int, str]:
    return GRADES.index(edge.grade), edge.kind, edge.site.line, edge.table


def _clusters(functions: tuple[Function, ...]) -> tuple[tuple[str, tuple[Function, ...]], ...]:
    found: dict[str, list[Function]] = {}
    for function in functions:
        name = function.file if len(functions) <= FILE_CLUSTERS else dirname(function.file)
        found.setdefault(name, []).append(function)
    return tuple((name, tuple(members)) for name, members in sorted(found.items()))

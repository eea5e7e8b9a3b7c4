"""The functions around a function: what it calls, what calls it, so many calls away.

Theory of operation: a breadth-first walk, level by level, so that a limit cuts the farthest first. Functions that
cost a path much (hubs, tracing, memory; see kread.resolve.cost) are noted as ends but not walked through: everything
meets in them, and nothing is learned there. What a macro brings along to such a function (tracing in a lock, the
counting of a branch) is left out: nobody who wrote the call meant it. Cost: one query for each function that is met.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kread.facts import Edge, Function
from kread.graph.callgraph import CallGraph

#: A function that adds this much to a path is an end of the walk: one that some fifty functions call, or noise.
END_COST = 4
#: Functions in one drawing: more than this nobody can read.
MOST_FUNCTIONS = 200

#: Kinds of calls that stand in no line of the function itself.
MADE = ("macro", "cleanup")

DIRECTIONS = ("callees", "callers", "both")


@dataclass(frozen=True, slots=True)
class Around:
    """What a walk met: functions in its order, the edges between them, the ends; `cut` counts functions left out."""

    functions: tuple[Function, ...]
    edges: tuple[Edge, ...]
    ends: frozenset[Function]
    cut: int = 0


def around(
    graph: CallGraph, start: Sequence[int], direction: str, depth: int, keep: Callable[[Edge], bool] = lambda edge: True
) -> Around:
    """Walk from the functions of these numbers, `depth` calls far; `direction` is one of DIRECTIONS."""
    asked = [graph.function(number) for number in start]
    numbers = dict(zip(asked, start, strict=True))
    ends = set()
    edges: dict[tuple[Function, Function, object, str], Edge] = {}
    left_out: set[Function] = set()
    level = list(asked)
    known: dict[Function, int] = dict(numbers)

    def number_of(function: Function) -> int:
        if function not in known:
            known[function] = _number(graph, function)
        return known[function]

    def ends_walk(function: Function) -> bool:
        return graph.stations.get(number_of(function), 0) >= END_COST

    for _ in range(depth):
        met: dict[Function, int] = {}
        for function in level:
            found = _edges(graph, numbers[function], direction)
            for edge in found:
                other = edge.callee if edge.caller == function else edge.caller
                if not keep(edge) or (edge.kind in MADE and other not in asked and ends_walk(other)):
                    continue
                if other not in numbers and other not in met:
                    if len(numbers) + len(met) >= MOST_FUNCTIONS:
                        left_out.add(other)
                        continue
                    met[other] = number_of(other)
                edges.setdefault((edge.caller, edge.callee, edge.site, edge.table), edge)
        numbers |= met
        level = [function for function in met if not ends_walk(function)]
        ends |= met.keys() - set(level)
    return Around(tuple(numbers), tuple(edges.values()), frozenset(ends - set(asked)), len(left_out))


def _number(graph: CallGraph, function: Function) -> int:
    query = "SELECT id FROM function WHERE name = ? AND file = ? AND line = ?"
    return int(graph.store.query(query, [function.name, function.file, function.line])[0][0])


def _edges(graph: CallGraph, number: int, direction: str) -> list[Edge]:
    found: list[Edge] = []
    if direction in ("callees", "both"):
        found += graph.callees(number)
    if direction in ("callers", "both"):
        found += graph.callers(number)
    return found

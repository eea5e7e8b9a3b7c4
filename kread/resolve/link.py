"""The rows of a graph's tables, made of what was joined while they are written.

Who joined the units of the scope (see whole, and regional for large ones) gives the edges of one unit after the other. What
is summed up of them on the way (the adjacency on which paths are searched) comes last.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from kread.index.adjacency import ALWAYS, AdjacencyWriter, Row
from kread.index.macros import MacroIndex
from kread.parse.unit import Unit
from kread.resolve.cost import GUESSED, hop_cost, stations
from kread.resolve.edges import SlotRow
from kread.resolve.rows import EdgeRow
from kread.resolve.worlds import function_worlds

#: Kinds of edges that are a choice among several functions at run time.
DISPATCHES = frozenset({"ops_table", "slot_assignment", "parameter", "callback", "static_call"})

#: Deeper than this is not told apart.
MOST_DEPTH = 255


class Joined(Protocol):
    """The units of a scope, with all that could be resolved.

    unresolved -- (function, file, line, text, reason) of calls without an edge, complete when all edges were asked for
    """

    unresolved: list[tuple[Any, ...]]

    def edges(self, unit: int) -> list[EdgeRow]:
        """The edges of the calls in a unit; units are asked for in their order, each once."""

    def functions(self) -> Iterable[tuple[Any, ...]]:
        """The rows of the functions, in the order of their numbers."""

    def condition(self, number: int) -> str:
        """The condition under which a function is compiled."""

    def slots(self) -> Iterable[SlotRow]:
        """The functions in slots."""

    def dispatches(self) -> Iterable[tuple[int, Sequence[Row]]]:
        """The numbers that stand for all functions in a slot, with the links to these."""


class Linked:
    """A linked graph: the rows of its tables, in the order in which they are to be written, and when all are written, what
    was summed up of them."""

    def __init__(self, units: Sequence[Unit], joined: Joined, macros: MacroIndex) -> None:
        self._units = units
        self._joined = joined
        self._links = AdjacencyWriter()
        self._dispatches: dict[tuple[int, str], int] = {}
        #: what calls can be left out for: (kind, grade, presence) -> label
        self._labels: dict[tuple[str, str, str], int] = {}
        self._callers: dict[int, int] = defaultdict(int)
        self._depths = bytearray(1)
        self._faults: list[tuple[Any, ...]] = []
        self._names: dict[int, str] = {}
        #: number -> the directory of the function's file
        self._places = array("i", [0])
        self._directories: dict[str, int] = {"": 0}
        #: the first number that stands for a slot, and how many do
        self._slots = (0, 0)
        self.tables: dict[str, Iterable[tuple[Any, ...]]] = {
            "edge": self._edges(),
            "function": self._functions(),
            "links": self._pages(),
            "label": self._label_rows(),
            "slot": joined.slots(),
            "unresolved": joined.unresolved,
            "fault": self._faults,
            "member": (
                (row.record, row.position, row.name, row.type, unit.file, row.line, row.cond)
                for unit in units
                for row in unit.fields
            ),
            "macro": (
                (macro.name, macro.file, macro.line, _params(macro.params), macro.body, macro.presence)
                for found in macros.by_name.values()
                for macro in found
            ),
        }

    def summary(self) -> tuple[dict[str, str], dict[str, Any]]:
        """(meta, packed values) of the graph, once its edges are written."""
        names = self._names
        packed = {
            "stations": stations({each: count for each, count in self._callers.items() if each in names}, names),
            "worlds": function_worlds(names),
            "places": (list(self._directories), self._places.tobytes()),
            "depths": bytes(self._depths),
        }
        meta = {"edges": len(self._depths) - 1, "functions": len(names) - self._slots[1], "slots": self._slots[0]}
        return {key: str(value) for key, value in meta.items()}, packed

    def _pages(self) -> Iterator[tuple[int, bytes]]:
        """The pages of the adjacency, once the edges are written; the numbers that stand for slots come last."""
        for slot, rows in self._joined.dispatches():
            self._links.add(slot, [(*row, ALWAYS) for row in rows])
            self._slots = (self._slots[0] or slot, self._slots[1] + 1)
        yield from self._links.pages()

    def _label_rows(self) -> Iterator[tuple[Any, ...]]:
        """The labels of the links, once these are written."""
        for what, number in self._labels.items():
            yield number, *what

    def _edges(self) -> Iterator[tuple[Any, ...]]:
        """The numbered edges in the order of their lines; what else the units say is summed up as they pass."""
        number = 0
        for index, unit in enumerate(self._units):
            self._faults.extend((unit.file, line, function, construct) for line, function, construct in unit.faults)
            edges = self._joined.edges(index)
            if not edges:
                continue
            edges.sort(key=lambda row: (row[2], row[3], row[4], row[6], row[0], row[1]))
            depths = {(row.line, row.column): row.depth for row in unit.calls if row.depth}
            self._link(edges, depths, number + 1)
            for row in edges:
                number += 1
                yield (number, *row)

    def _functions(self) -> Iterator[tuple[Any, ...]]:
        """The rows of the functions; their names, and the directories of those in .c files, are kept as they pass."""
        for row in self._joined.functions():
            number, name, file = row[:3]
            self._names[number] = name
            directory = file.rpartition("/")[0] if file.endswith(".c") else ""
            assert number == len(self._places), "functions come in the order of their numbers"
            self._places.append(self._directories.setdefault(directory, len(self._directories)))
            yield row

    def _link(self, edges: Sequence[EdgeRow], depths: Mapping[tuple[int, int], int], first: int) -> None:
        """Add what a search needs, so that it never reads the edges themselves: of each edge of a unit, numbered from
        `first`, how many branches and loops stand around its call, and for each caller (callee, cost, dispatch, edge, label).

        A dispatch is numbered by its caller and slot; of several edges to the same callee by the same dispatch the
        cheapest stands.
        """
        best: dict[tuple[int, int, int], tuple[int, int, int]] = {}
        for number, row in enumerate(edges, first):
            caller, callee, _, line, column, _, kind, grade, _, cond, slot = row[:11]
            dispatch = 0
            if kind in DISPATCHES:
                dispatch = self._dispatches.setdefault((caller, slot), len(self._dispatches) + 1)
            conditional = cond != "" and cond != self._joined.condition(caller)
            guessed = kind == "parameter" and row[8] > 1
            depth = depths.get((line, column), 0)
            self._depths.append(min(depth, MOST_DEPTH))
            # What no slot keeps, and runs in the caller's context, is called at once.
            later = bool(slot or row[12])
            cost = (GUESSED if guessed else 0) + hop_cost(kind, grade, depth, conditional, later)
            key = (caller, callee, dispatch)
            if key not in best or cost < best[key][0]:
                label = self._labels.setdefault((kind, grade, cond), len(self._labels) + 1)
                best[key] = (cost, number, label)
        found: dict[int, list[tuple[int, int, int, int, int]]] = defaultdict(list)
        for (caller, callee, dispatch), (cost, number, label) in best.items():
            found[caller].append((callee, cost, dispatch, number, label))
        for caller in sorted(found):
            self._links.add(caller, sorted(found[caller]))
            for callee in {row[0] for row in found[caller]}:
                self._callers[callee] += 1


def _params(params: tuple[str, ...] | None) -> str | None:
    return None if params is None else ", ".join(params)

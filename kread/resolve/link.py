"""From units to edges: every call of the scope is resolved, or listed with the reason why it could not be.

Linking reads all units at once and keeps nothing: it is done again whenever a file of the scope changed. Calls by name
are resolved in processes beside this one (`parts`), calls through pointers here; then the rows of the graph's tables
are made one unit after the other while they are written, and what is summed up of them on the way (the adjacency on
which paths are searched) comes last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from kread import presence
from kread.facts import Edge, Evidence, Function
from kread.index.adjacency import AdjacencyWriter
from kread.index.evidence import pack_evidence
from kread.index.macros import MacroIndex
from kread.parse.unit import CallRow, Unit
from kread.resolve.cost import GUESSED, hop_cost, stations
from kread.resolve.direct import Definitions
from kread.resolve.parts import Named
from kread.resolve.pointers import callback_edges, pointer_targets, slot_rows
from kread.resolve.program import FunctionId, Program
from kread.resolve.rows import EdgeRow, Numbers, call_line, edge_row, shown
from kread.resolve.shelf import Shelf
from kread.resolve.target import Target
from kread.resolve.worlds import function_worlds
from kread.source.progress import Progress, Silent

#: Kinds of edges that are a choice among several functions at run time.
DISPATCHES = frozenset({"ops_table", "slot_assignment", "parameter", "callback", "static_call"})

#: Deeper than this is not told apart.
MOST_DEPTH = 255


class Linked:
    """A linked graph: the rows of its tables, in the order in which they are to be written, and when all are written, what
    was summed up of them."""

    def __init__(
        self,
        units: Sequence[Unit],
        closures: Mapping[str, Container[str]],
        built: Mapping[str, str],
        macros: MacroIndex,
        elsewhere: Mapping[str, Sequence[tuple[str, int]]] | None = None,
        compiled: Callable[[str], str] = lambda _: presence.ALWAYS,
        progress: Progress | None = None,
    ) -> None:
        progress = progress or Silent()
        progress.phase("linking: joining what the files say")
        self._units = units
        self._numbers = Numbers()
        self._unresolved: list[tuple[Any, ...]] = []
        program = Program(units, closures, built, macros.field_aliases())
        definitions = Definitions(program, elsewhere, compiled)
        for function in program.functions():
            self._numbers.of(program.function(function))
        self._named = Named(program, definitions, macros, self._numbers)
        #: file -> the edges of calls in it that are not by name
        self._others: Shelf[str, EdgeRow] = Shelf(tuple, tuple)
        with closing(self._named):
            if self._named.big:
                progress.phase("linking: calls by name")
                self._named.finish(self._unresolved)
            progress.phase("linking: calls through pointers")
            for edge in self._through_pointers(program, pointer_targets(program, definitions, macros.lookup)):
                self._others.add(edge[2], edge)
            for edge in map(self._callback, callback_edges(program, definitions, macros.lookup)):
                self._others.add(edge[2], edge)
            if not self._named.big:
                self._named.finish(self._unresolved)
        slots = [
            (record, field, self._numbers.of(function), table, file, line, text, cond)
            for record, field, function, table, file, line, text, cond in slot_rows(program, definitions, macros.lookup)
        ]
        self._conds = {number: function.presence for function, number in self._numbers.ids.items()}
        self._links = AdjacencyWriter()
        self._dispatches: dict[tuple[int, str], int] = {}
        self._callers: dict[int, int] = defaultdict(int)
        self._depths = bytearray(1)
        self._faults: list[tuple[Any, ...]] = []
        self.tables: dict[str, Iterable[tuple[Any, ...]]] = {
            "edge": self._edges(),
            "function": self._numbers.rows(),
            "slot": slots,
            "unresolved": self._unresolved,
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
        names = {number: function.name for function, number in self._numbers.ids.items()}
        packed = {
            "links": self._links.packed(),
            "stations": stations(self._callers, names),
            "worlds": function_worlds(names),
            "places": _places(self._numbers),
            "depths": bytes(self._depths),
        }
        return {"edges": str(len(self._depths) - 1), "functions": str(len(names))}, packed

    def _through_pointers(
        self, program: Program, pointers: Iterable[tuple[FunctionId, CallRow, list[Target], str]]
    ) -> Iterator[EdgeRow]:
        handed: dict[tuple[str, str, int, Function], tuple[Target, Evidence]] = {}
        for caller, call, targets, reason in pointers:
            function = program.function(caller)
            if not targets:
                row = (self._numbers.of(function), function.file, call.line, shown(call), reason)
                self._unresolved.append(row)
            for target in targets:
                evidence = [call_line(function, call), *target.evidence]
                if target.kind == "parameter":
                    for why in target.evidence:
                        if why.role == "argument":
                            handed.setdefault((why.file, why.function, why.line, target.function), (target, why))
                yield edge_row(
                    self._numbers,
                    function,
                    target.function,
                    call,
                    target.kind,
                    target.grade,
                    len(targets),
                    presence.conj(function.presence, call.cond, target.presence),
                    target.slot,
                    target.table,
                    target.context,
                    evidence,
                )
        yield from _handed_over(program, handed.values(), self._numbers)

    def _callback(self, edge: Edge) -> EdgeRow:
        return (
            self._numbers.of(edge.caller),
            self._numbers.of(edge.callee),
            edge.site.file,
            edge.site.line,
            edge.site.column,
            edge.site.text,
            edge.kind,
            edge.grade,
            edge.candidates,
            edge.presence,
            edge.slot,
            edge.table,
            edge.context,
            pack_evidence(edge.evidence),
        )

    def _edges(self) -> Iterator[tuple[Any, ...]]:
        """The numbered edges in the order of their lines; what else the units say is summed up as they pass."""
        number = 0
        for index, unit in enumerate(self._units):
            self._faults.extend((unit.file, line, function, construct) for line, function, construct in unit.faults)
            others = (row for row in self._others.pop(unit.file) if row[9] != presence.NEVER)
            edges = [*self._named.rows(index), *others]
            if not edges:
                continue
            edges.sort(key=lambda row: (row[2], row[3], row[4], row[6], row[0], row[1]))
            depths = {(row.line, row.column): row.depth for row in unit.calls if row.depth}
            self._link(edges, depths, number + 1)
            for row in edges:
                number += 1
                yield (number, *row)

    def _link(self, edges: Sequence[EdgeRow], depths: Mapping[tuple[int, int], int], first: int) -> None:
        """Add what a search needs, so that it never reads the edges themselves: of each edge of a unit, numbered from
        `first`, how many branches and loops stand around its call, and for each caller (callee, cost, dispatch, edge).

        A dispatch is numbered by its caller and slot; of several edges to the same callee by the same dispatch the
        cheapest stands.
        """
        best: dict[tuple[int, int, int], tuple[int, int]] = {}
        for number, row in enumerate(edges, first):
            caller, callee, _, line, column, _, kind, grade, _, cond, slot = row[:11]
            dispatch = 0
            if kind in DISPATCHES:
                dispatch = self._dispatches.setdefault((caller, slot), len(self._dispatches) + 1)
            conditional = cond != "" and cond != self._conds.get(caller, "")
            guessed = kind == "parameter" and row[8] > 1
            depth = depths.get((line, column), 0)
            self._depths.append(min(depth, MOST_DEPTH))
            # What no slot keeps, and runs in the caller's context, is called at once.
            later = bool(slot or row[12])
            cost = (GUESSED if guessed else 0) + hop_cost(kind, grade, depth, conditional, later)
            key = (caller, callee, dispatch)
            if key not in best or cost < best[key][0]:
                best[key] = (cost, number)
        found: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
        for (caller, callee, dispatch), (cost, number) in best.items():
            found[caller].append((callee, cost, dispatch, number))
        for caller in sorted(found):
            self._links.add(caller, sorted(found[caller]))
            for callee in {row[0] for row in found[caller]}:
                self._callers[callee] += 1


def _places(numbers: Numbers) -> tuple[list[str], dict[int, int]]:
    """The directories of .c files, and for each function in one the number of its directory."""
    directories: dict[str, int] = {}
    found: dict[int, int] = {}
    for function, number in numbers.ids.items():
        if function.file.endswith(".c"):
            directory = function.file.rpartition("/")[0]
            found[number] = directories.setdefault(directory, len(directories))
    return list(directories), found


def _params(params: tuple[str, ...] | None) -> str | None:
    return None if params is None else ", ".join(params)


def _handed_over(program: Program, handed: Iterable[tuple[Target, Evidence]], numbers: Numbers) -> Iterator[EdgeRow]:
    """Edges from the function that hands another one over as an argument, where what it calls then calls it.

    A call through a parameter leads to whatever any caller hands over; this edge says which caller means which
    function, so a path need not guess.
    """
    for target, why in handed:
        if why.file not in program.unit_of or not why.function:
            continue
        unit = program.unit_of[why.file]
        caller = next(
            (
                function
                for function in program.by_name.get(why.function, ())
                if function.unit == unit
                and program.row(function).begin_line <= why.line <= program.row(function).end_line
            ),
            None,
        )
        if caller is None:
            continue
        function = program.function(caller)
        call = next((row for row in program.calls_at(caller, why.line) if target.function.name in row.args), None)
        cond = presence.conj(function.presence, call.cond if call else "", target.function.presence)
        yield (
            numbers.of(function),
            numbers.of(target.function),
            why.file,
            why.line,
            call.column if call else 1,
            shown(call) if call else why.text,
            "parameter",
            target.grade,
            1,
            cond,
            "",
            "",
            target.context,
            pack_evidence([why]),
        )

"""From units to edges: every call of the scope is resolved, or listed with the reason why it could not be.

Linking reads all units at once and keeps nothing: it is done again whenever a file of the scope changed. What it
gives are the rows of the graph's tables, and the adjacency on which paths are searched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kread import presence
from kread.facts import Evidence, Function
from kread.index.adjacency import pack_adjacency
from kread.index.evidence import pack_evidence
from kread.index.macros import MacroIndex
from kread.parse.unit import Unit
from kread.resolve.cost import GUESSED, hop_cost, stations
from kread.resolve.direct import Definitions
from kread.resolve.named import named_edges
from kread.resolve.pointers import callback_edges, pointer_targets
from kread.resolve.program import FunctionId, Program
from kread.resolve.rows import EdgeRow, Numbers, call_line, edge_row, shown
from kread.resolve.slots import slot_values
from kread.resolve.target import Target
from kread.resolve.worlds import function_worlds

#: Kinds of edges that are a choice among several functions at run time.
DISPATCHES = frozenset({"ops_table", "slot_assignment", "parameter", "callback", "static_call"})

#: Deeper than this is not told apart.
MOST_DEPTH = 255


def link(
    units: Sequence[Unit],
    closures: Mapping[str, frozenset[str]],
    built: Mapping[str, str],
    macros: MacroIndex,
    elsewhere: Mapping[str, Sequence[tuple[str, int]]] | None = None,
    compiled: Callable[[str], str] = lambda _: presence.ALWAYS,
) -> tuple[dict[str, str], dict[str, Any], dict[str, Iterable[tuple[Any, ...]]]]:
    """(meta, packed values, table rows) of the graph of these units."""
    program = Program(units, closures, built, macros.field_aliases())
    definitions = Definitions(program, elsewhere, compiled)
    numbers = Numbers()
    for index, unit in enumerate(units):
        for row in range(len(unit.functions)):
            numbers.of(program.function(FunctionId(index, row)))
    edges: list[EdgeRow] = []
    unresolved: list[tuple[Any, ...]] = []
    handed: list[tuple[Target, Evidence]] = []
    named_edges(program, definitions, macros, numbers, edges, unresolved)
    for caller, call, targets, reason in pointer_targets(program, definitions, macros.lookup):
        function = program.function(caller)
        if not targets:
            unresolved.append((numbers.of(function), function.file, call.line, shown(call), reason))
        for target in targets:
            evidence = [call_line(function, call), *target.evidence]
            if target.kind == "parameter":
                handed.extend((target, why) for why in target.evidence if why.role == "argument")
            edges.append(
                edge_row(
                    numbers,
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
            )
    _handed_over(program, handed, numbers, edges)
    for edge in callback_edges(program, definitions, macros.lookup):
        edges.append(
            (
                numbers.of(edge.caller),
                numbers.of(edge.callee),
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
        )
    edges = [row for row in edges if row[9] != "0"]
    edges.sort(key=lambda row: (row[2], row[3], row[4], row[6], row[0], row[1]))
    tables: dict[str, Iterable[tuple[Any, ...]]] = {
        "function": numbers.rows(),
        "edge": ((number, *row) for number, row in enumerate(edges, 1)),
        "slot": (
            (record, field, numbers.of(function), table, file, line, text, cond)
            for record, field, function, table, file, line, text, cond in slot_values(program, definitions)
        ),
        "unresolved": unresolved,
        "fault": (
            (unit.file, line, function, construct) for unit in units for line, function, construct in unit.faults
        ),
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
    # The slot rows may name functions that nothing else does, so they are made before the function table is.
    tables["slot"] = list(tables["slot"])
    tables["function"] = list(tables["function"])
    depths = {(unit.file, row.line, row.column): row.depth for unit in units for row in unit.calls if row.depth}
    conds = {number: function.presence for function, number in numbers.ids.items()}
    names = {number: function.name for function, number in numbers.ids.items()}
    adjacency = _adjacency(edges, depths, conds)
    callers: dict[int, int] = defaultdict(int)
    for rows in adjacency.values():
        for callee in {row[0] for row in rows}:
            callers[callee] += 1
    packed = {
        "links": pack_adjacency(adjacency),
        "stations": stations(callers, names),
        "worlds": function_worlds(names),
        "places": _places(numbers),
        "depths": _depths(edges, depths),
    }
    return {"edges": str(len(edges)), "functions": str(len(numbers.ids))}, packed, tables


def _depths(edges: Sequence[EdgeRow], depths: Mapping[tuple[str, int, int], int]) -> bytes:
    """For each edge by its number: in how many branches and loops its call stands, more in code that only goto reaches."""
    return bytes([0, *(min(depths.get((row[2], row[3], row[4]), 0), MOST_DEPTH) for row in edges)])


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


def _handed_over(
    program: Program, handed: Sequence[tuple[Target, Evidence]], numbers: Numbers, edges: list[EdgeRow]
) -> None:
    """Edges from the function that hands another one over as an argument, where what it calls then calls it.

    A call through a parameter leads to whatever any caller hands over; this edge says which caller means which
    function, so a path need not guess.
    """
    seen: set[tuple[str, str, int, Function]] = set()
    for target, why in handed:
        key = (why.file, why.function, why.line, target.function)
        if key in seen or why.file not in program.unit_of or not why.function:
            continue
        seen.add(key)
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
        edges.append(
            (
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
        )


def _adjacency(edges: Sequence[EdgeRow], depths: Mapping[tuple[str, int, int], int], conds: Mapping[int, str]) -> Any:
    """caller -> (callee, cost, dispatch, edge): what a search needs, so that it never reads the edges themselves.

    A dispatch is numbered by its caller and slot; of several edges to the same callee by the same dispatch the cheapest stands.
    """
    sites: dict[tuple[int, str], int] = {}
    best: dict[tuple[int, int, int], tuple[int, int]] = {}
    for number, row in enumerate(edges, 1):
        caller, callee, file, line, column, _, kind, grade, _, cond, slot = row[:11]
        dispatch = 0
        if kind in DISPATCHES:
            dispatch = sites.setdefault((caller, slot), len(sites) + 1)
        conditional = cond != "" and cond != conds.get(caller, "")
        guessed = kind == "parameter" and row[8] > 1
        depth = depths.get((file, line, column), 0)
        later = (slot, row[12]) != ("", "")  # what no slot keeps, and runs in the caller's context, is called at once
        cost = (GUESSED if guessed else 0) + hop_cost(kind, grade, depth, conditional, later)
        key = (caller, callee, dispatch)
        if key not in best or cost < best[key][0]:
            best[key] = (cost, number)
    found: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
    for (caller, callee, dispatch), (cost, number) in best.items():
        found[caller].append((callee, cost, dispatch, number))
    return {caller: tuple(sorted(rows)) for caller, rows in sorted(found.items())}

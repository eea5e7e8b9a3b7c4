"""The edges of one program's calls through pointers, and of the callbacks that it hands over, as rows of the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kread import presence
from kread.facts import CallSite, Edge, Evidence, Function
from kread.parse.unit import CallRow
from kread.resolve.direct import Definitions
from kread.resolve.pointers import callback_edges, pointer_targets, slot_rows
from kread.resolve.program import FunctionId, Program
from kread.resolve.rows import EdgeRow, Numbers, call_line, call_site, edge_row, shown
from kread.resolve.target import Target
from kread.resolve.types import MacroLookup

#: (record, member, number of the function, table, file, line, text, condition)
SlotRow = tuple[str, str, int, str, str, int, str, str]


def pointer_edges(
    program: Program,
    definitions: Definitions,
    macros: MacroLookup,
    numbers: Numbers,
    unresolved: list[tuple[Any, ...]],
) -> Iterator[EdgeRow]:
    """All edges that are not by name; what could not be resolved is added to a list."""
    yield from _through_pointers(program, pointer_targets(program, definitions, macros), numbers, unresolved)
    for edge in callback_edges(program, definitions, macros):
        yield edge_row(edge, numbers)


def slots(program: Program, definitions: Definitions, macros: MacroLookup, numbers: Numbers) -> Iterator[SlotRow]:
    """The functions in the slots of records."""
    for record, field, function, table, file, line, text, cond in slot_rows(program, definitions, macros):
        yield record, field, numbers.of(function), table, file, line, text, cond


def _through_pointers(
    program: Program,
    pointers: Iterable[tuple[FunctionId, CallRow, list[Target], str]],
    numbers: Numbers,
    unresolved: list[tuple[Any, ...]],
) -> Iterator[EdgeRow]:
    handed: dict[tuple[str, str, int, Function], tuple[Target, Evidence]] = {}
    for caller, call, targets, reason in pointers:
        function = program.function(caller)
        if not targets:
            row = (numbers.of(function), function.file, call.line, shown(call), reason)
            unresolved.append(row)
        for target in targets:
            evidence = [call_line(function, call), *target.evidence]
            if target.kind == "parameter":
                for why in target.evidence:
                    if why.role == "argument":
                        handed.setdefault((why.file, why.function, why.line, target.function), (target, why))
            edge = Edge(
                function,
                target.function,
                call_site(function, call),
                target.kind,
                target.grade,
                len(targets),
                presence.conj(function.presence, call.cond, target.presence),
                target.slot,
                target.table,
                target.context,
                tuple(evidence),
            )
            yield edge_row(edge, numbers)
    yield from _handed_over(program, handed.values(), numbers)


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
        site = CallSite(why.file, why.line, call.column if call else 1, shown(call) if call else why.text)
        edge = Edge(
            function, target.function, site, "parameter", target.grade, 1, cond, context=target.context, evidence=(why,)
        )
        yield edge_row(edge, numbers)

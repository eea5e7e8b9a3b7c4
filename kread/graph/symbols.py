"""What a name means: functions with what is around them, macros, and slots that hold a function.

A reader's symbol is a name or `file:name`; a name may mean several functions and several macros at once, and all of
them are given, because which one is meant is what the reader wants to find out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kread.errors import UnknownSymbol
from kread.facts import Edge, Function
from kread.graph.callgraph import CallGraph, SlotValue


class MacroDefinition(NamedTuple):
    """One definition of a macro; `params` is None for one that takes none."""

    name: str
    file: str
    line: int
    params: str | None
    body: str
    presence: str


class Surroundings(NamedTuple):
    """A function, the edges that lead to it, those that leave it, and the slots that it fills."""

    function: Function
    callers: tuple[Edge, ...]
    callees: tuple[Edge, ...]
    slots: tuple[SlotValue, ...]


def macros(graph: CallGraph, symbol: str) -> tuple[MacroDefinition, ...]:
    """The definitions of a macro, by file and line; `file:name` picks those of one file."""
    file, _, name = symbol.rpartition(":")
    rows = graph.store.query(
        "SELECT name, file, line, params, body, presence FROM macro WHERE name = ? ORDER BY file, line", [name]
    )
    found = [MacroDefinition(*row) for row in rows]
    return tuple(
        macro
        for macro in found
        if graph.compiled(macro.presence) and (not file or macro.file == file or macro.file.endswith(f"/{file}"))
    )


def slots_of(graph: CallGraph, number: int) -> tuple[SlotValue, ...]:
    """The slots that a function fills, by structure and table."""
    rows = graph.store.query(
        "SELECT DISTINCT record, field FROM slot WHERE function = ? ORDER BY record, field", [number]
    )
    function = graph.function(number)
    return tuple(value for record, field in rows for value in graph.slot(record, field) if value.function == function)


def neighbours(graph: CallGraph, symbol: str, end: str) -> tuple[tuple[Function, tuple[Edge, ...]], ...]:
    """Each function of a symbol with its edges at one end ("callers", "callees"); UnknownSymbol where it names none."""
    edges = graph.callers if end == "callers" else graph.callees
    return tuple((graph.function(number), tuple(edges(number))) for number in graph.require(symbol))


def describe(graph: CallGraph, symbol: str) -> tuple[tuple[Surroundings, ...], tuple[MacroDefinition, ...]]:
    """The functions and the macros of a symbol; UnknownSymbol where it names neither."""
    numbers = graph.find(symbol)
    defined = macros(graph, symbol)
    if not numbers and not defined:
        raise _unknown(graph, symbol)
    shown = tuple(
        Surroundings(
            graph.function(number),
            tuple(graph.callers(number)),
            tuple(graph.callees(number)),
            slots_of(graph, number),
        )
        for number in numbers
    )
    return shown, defined


def _unknown(graph: CallGraph, symbol: str) -> UnknownSymbol:
    try:
        graph.require(symbol)
    except UnknownSymbol as error:
        name = symbol.rpartition(":")[2].removeprefix("struct ")
        for record in (f"struct {name}", f"union {name}"):
            if graph.store.query("SELECT 1 FROM member WHERE record = ? LIMIT 1", [record]):
                error.hint = f"{record} is a structure: kread struct {name}"
        return error
    raise AssertionError(symbol)


def slot_values(graph: CallGraph, slot: str) -> tuple[SlotValue, ...]:
    """Who fills `structure.field`, or `field` in any structure; UnknownSymbol where no structure has that member."""
    record, _, field = slot.removeprefix("struct ").rpartition(".")
    found = graph.slot(record, field)
    if not found and not (field and _member(graph, record, field)):
        raise UnknownSymbol(
            "no-such-slot",
            f"no structure of the scope has the member {slot or repr(slot)}",
            where=f"{graph.release}, scope {graph.store.meta('scope')}",
            hint=_nearest_slot(graph, record, field),
        )
    return tuple(found)


def _member(graph: CallGraph, record: str, field: str) -> bool:
    rows = graph.store.query("SELECT DISTINCT record FROM member WHERE name = ?", [field])
    return any(not record or row[0].split(" ")[-1] == record or "@" in row[0] for row in rows)


def _nearest_slot(graph: CallGraph, record: str, field: str) -> str:
    from difflib import get_close_matches

    names = [f"{row[0]}.{row[1]}" for row in graph.store.query("SELECT DISTINCT record, field FROM slot")]
    same = sorted(name for name in names if name.endswith(f".{field}"))
    close: Sequence[str] = get_close_matches(f"{record}.{field}", names, n=3, cutoff=0.6) or same[:3]
    return "Nearest: " + ", ".join(close) if close else "Write it as structure.member, e.g. proto_ops.listen"

"""Functions handed over to be called later: timers, work, RCU, interrupts, notifiers, hooks.

Which function or macro takes a callback, in which argument, and who runs it in which context, stands in
data/registrars.toml. A registration gives two things: an edge from the function that registers to the callback,
with the registering line as evidence and the context in which the callback runs; and a value in the slot that the
callback is kept in, so that the call in the runner, where its source is in the scope, resolves like any other. That
is an edge of this kind too: from the place that runs the callback, with the registration as evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from kread.data import load
from kread.facts import CallSite, Edge, Function
from kread.parse.unit import FILE_SCOPE, CallRow
from kread.resolve.direct import Definitions
from kread.resolve.machine import Vertex, Why
from kread.resolve.program import FunctionId
from kread.resolve.slots import evidence
from kread.resolve.target import Target, condition, proof, way_of
from kread.resolve.values import Values


@dataclass(frozen=True, slots=True)
class Registration:
    """A call that hands a callback over, and the vertices of the functions that it can be."""

    at: FunctionId
    call: CallRow
    row: dict[str, Any]
    slot: str
    vertex: Vertex


def registrations(values: Values) -> Iterator[Registration]:
    """The registrations of a program; their callbacks are put into the slots that keep them."""
    for row in load("registrars")["registrar"]:
        for name in row["names"]:
            for at, call in values.stores.calls.get(name, ()):
                if at.row != FILE_SCOPE:
                    yield from _registration(values, at, call, row)


def _registration(values: Values, at: FunctionId, call: CallRow, row: dict[str, Any]) -> Iterator[Registration]:
    if "function" in row:
        for place in (row["function"], *row.get("more", ())):
            if place >= len(call.args):
                continue
            term = values.types.term(call.args[place], at)
            vertex = values.expression(term, at)
            if row["slot"]:
                tag, member = row["slot"].rsplit(".", 1)
                why = Why("register", at, call.line, _text(call), call.cond)
                values.put(vertex, tag, member, why)
            yield Registration(at, call, row, row["slot"], vertex)
        return
    for place in (row["object"], *row.get("more_objects", ())):
        if place >= len(call.args):
            continue
        pointer = values.types.term(call.args[place], at)
        for slot in (row["slot"], *row.get("more_slots", ())):
            tag, member = slot.rsplit(".", 1)
            vertex = values.slot_behind(pointer, at, tag, member)
            yield Registration(at, call, row, slot, vertex)


@cache
def _contexts() -> dict[str, str]:
    """slot -> the context in which what it holds runs: the first row's, where several fill it."""
    found: dict[str, str] = {}
    for row in load("registrars")["registrar"]:
        if row["slot"]:
            found.setdefault(row["slot"].removeprefix("struct "), row["context"])
    return found


def run_here(target: Target) -> Target:
    """A target of a call through a slot, as a callback if a registration put it there."""
    context = _contexts().get(target.slot, "")
    if not context or all(line.role != "register" for line in target.evidence):
        return target
    return replace(target, kind="callback", context=context)


def _text(call: CallRow) -> str:
    return f"{call.callee}({', '.join(call.args)})"


def edges(values: Values, definitions: Definitions, found: list[Registration]) -> Iterator[Edge]:
    """An edge from each function that registers to each callback that it hands over."""
    seen: set[tuple[FunctionId, int, int, Function]] = set()
    for each in found:
        functions: dict[Function, str] = {}
        lines: dict[Function, tuple[Why, ...]] = {}
        for value in each.vertex.values:
            if value[0] == "function":
                way = way_of(each.vertex, value)
                for function in definitions.of(value[1], value[2]):
                    functions.setdefault(function, way.place[0][2] if way.place is not None else "")
                    lines.setdefault(function, way.lines)
        caller = values.program.function(each.at)
        for function, table in sorted(functions.items()):
            if (each.at, each.call.line, each.call.column, function) in seen:
                continue
            seen.add((each.at, each.call.line, each.call.column, function))
            text = _text(each.call)
            whys = lines[function]
            cond = condition(values, function, (*whys, Why("register", each.at, each.call.line, text, each.call.cond)))
            yield Edge(
                caller=caller,
                callee=function,
                site=CallSite(caller.file, each.call.line, each.call.column, text),
                kind="callback",
                grade="object",
                candidates=len(functions),
                presence=cond,
                slot=each.slot.removeprefix("struct "),
                table=table,
                context=each.row["context"],
                evidence=(
                    evidence(values.program, "register", each.at, each.call.line, text),
                    *proof(values, whys),
                ),
            )

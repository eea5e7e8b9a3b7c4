"""Functions handed over to be called later: timers, work, RCU, interrupts, notifiers, hooks.

Which function or macro takes a callback, in which argument, and who runs it in which context, stands in
data/registrars.toml. A registration gives two things: an edge from the function that registers to the callback,
with the registering line as evidence and the context in which the callback runs; and a value in the slot that the
callback is kept in, so that the call in the runner, where its source is in the scope, resolves like any other. That
is an edge of this kind too: from the place that runs the callback, with the registration as evidence. Whoever assigns a
function to such a slot, and calls no registrar, registers it as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from kread.data import load
from kread.facts import CallSite, Edge, Function
from kread.parse.unit import FILE_SCOPE, CallRow
from kread.resolve.direct import Definitions, reachable
from kread.resolve.machine import Vertex, Why
from kread.resolve.program import FunctionId
from kread.resolve.slots import SlotRow, evidence
from kread.resolve.target import Target, condition, proof, way_of
from kread.resolve.values import Values


@dataclass(frozen=True, slots=True)
class Registration:
    """What hands a callback over, and the vertex of the functions that it can be."""

    at: FunctionId
    line: int
    column: int
    text: str
    cond: str
    row: dict[str, Any]
    slot: str
    vertex: Vertex


def registrations(values: Values) -> Iterator[Registration]:
    """The registrations of a program; their callbacks are put into the slots that keep them."""
    called: set[tuple[FunctionId, int]] = set()
    for row in load("registrars")["registrar"]:
        for name in row["names"]:
            for at, call in values.stores.calls.get(name):
                if at.row != FILE_SCOPE:
                    called.add((at, call.line))
                    yield from _registration(values, at, call, row)
    for found in _assigned(values):
        if (found.at, found.line) not in called:
            yield found


def _assigned(values: Values) -> Iterator[Registration]:
    """The functions that are assigned by name to a slot in which a registrar keeps callbacks."""
    for slot, (row, *_) in _keepers().items():
        record, _, member = slot.rpartition(".")
        for store in values.stores.members.get(member):
            at, name = store.at, store.value.removeprefix("&").strip()
            if at.row == FILE_SCOPE or name not in values.program.by_name or name in values.program.locals.get(at, ()):
                continue
            target = values.types.term(store.target, at)
            ways = values.types.way(target, at) if target[0] == "member" else ()
            if ways and ways[-1][:2] == (record, member):
                vertex = values.expression(values.types.term(store.value, at), at)
                yield Registration(at, store.line, 1, store.text, store.cond, row, slot, vertex)


@cache
def _keepers() -> dict[str, list[dict[str, Any]]]:
    """slot -> the registrars that keep callbacks in it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in load("registrars")["registrar"]:
        if row["slot"]:
            found.setdefault(row["slot"], []).append(row)
    return found


def _registration(values: Values, at: FunctionId, call: CallRow, row: dict[str, Any]) -> Iterator[Registration]:
    if "function" in row:
        if row["function"] < len(call.args):
            vertex = values.expression(values.types.term(call.args[row["function"]], at), at)
            if row["slot"]:
                tag, member = row["slot"].rsplit(".", 1)
                why = Why("register", at, call.line, _text(call), call.cond)
                values.put(vertex, tag, member, why)
            yield Registration(at, call.line, call.column, _text(call), call.cond, row, row["slot"], vertex)
        return
    for place in (row["object"], *row.get("more_objects", ())):
        if place >= len(call.args):
            continue
        pointer = values.types.term(call.args[place], at)
        for slot in (row["slot"], *row.get("more_slots", ())):
            tag, member = slot.rsplit(".", 1)
            vertex = values.slot_behind(pointer, at, tag, member)
            yield Registration(at, call.line, call.column, _text(call), call.cond, row, slot, vertex)


def kept(values: Values, definitions: Definitions, found: list[Registration]) -> Iterator[SlotRow]:
    """The functions that registrars keep in their slots."""
    for each in found:
        record, _, member = each.slot.removeprefix("struct ").rpartition(".")
        names = {value[1:3]: None for value in each.vertex.ordered() if value[0] == "function"} if record else {}
        for name, seen_from in names:
            for function, cond in reachable(definitions.of(name, seen_from), each.cond):
                yield record, member, function, "", values.program.files[each.at.unit], each.line, each.text, cond


def as_callback(target: Target, caller: str, context: str) -> Target:
    """A target as a callback if a registration put it where it is called, by a call or an assignment, or if it was
    registered with the caller, which runs it in a context ("" if it was not, or runs in the caller's own)."""
    rows = _keepers().get(f"struct {target.slot}")
    if rows and (target.kind == "slot_assignment" or any(line.role == "register" for line in target.evidence)):
        context = context or next((row for row in rows if caller in _running(row)), rows[0])["context"]
    elif target.kind not in ("slot_assignment", "parameter"):
        return target
    return replace(target, kind="callback", context=context) if context else target


def _running(row: dict[str, Any]) -> tuple[str, ...]:
    """Who runs what a registrar takes: in most configurations, and in others."""
    return row["runner"], *row.get("also", ())


class Runners:
    """Who runs which of the callbacks that are registered, and in which context, where the registrars' rows say so."""

    def __init__(self, found: list[Registration]) -> None:
        #: function that runs -> (name, file that names it) of a callback -> the context
        self._contexts: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
        #: slot -> those who run what is kept in it
        self._runners: dict[str, set[str]] = defaultdict(set)
        for each in found:
            names = [value[1:3] for value in each.vertex.ordered() if value[0] == "function"]
            for runner in _running(each.row):
                self._runners[each.slot].add(runner)
                for name in names:
                    self._contexts[runner].setdefault(name, each.row["context"])

    def slots(self, caller: str) -> list[str]:
        """The slots of which a function runs what is kept there."""
        return sorted(slot for slot, runners in self._runners.items() if slot and caller in runners)

    def context(self, caller: str, name: tuple[str, str]) -> str | None:
        """The context in which a caller runs a function that was registered for that; None if it was not."""
        return self._contexts.get(caller, {}).get(name)

    def elsewhere(self, slot: str, caller: str, name: tuple[str, str]) -> bool:
        """Whether a function, kept in a slot, is run by others than this caller, who runs what is kept there too."""
        runners = self._runners.get(slot, ())
        if caller not in runners or self.context(caller, name) is not None:
            return False
        return any(self.context(other, name) is not None for other in runners)


def _text(call: CallRow) -> str:
    return f"{call.callee}({', '.join(call.args)})"


def edges(values: Values, definitions: Definitions, found: list[Registration]) -> Iterator[Edge]:
    """An edge from each function that registers to each callback that it hands over."""
    seen: set[tuple[FunctionId, int, int, Function]] = set()
    for each in found:
        functions: dict[Function, str] = {}
        lines: dict[Function, tuple[Why, ...]] = {}
        for value in each.vertex.ordered():
            if value[0] == "function":
                way = way_of(each.vertex, value)
                for function in definitions.of(value[1], value[2]):
                    functions.setdefault(function, way.place[0][2] if way.place is not None else "")
                    lines.setdefault(function, way.lines)
        caller = values.program.function(each.at)
        for function, table in sorted(functions.items()):
            if (each.at, each.line, each.column, function) in seen:
                continue
            seen.add((each.at, each.line, each.column, function))
            whys = lines[function]
            cond = condition(values, function, (*whys, Why("register", each.at, each.line, each.text, each.cond)))
            yield Edge(
                caller=caller,
                callee=function,
                site=CallSite(caller.file, each.line, each.column, each.text),
                kind="callback",
                grade="object",
                candidates=len(functions),
                presence=cond,
                slot=each.slot.removeprefix("struct "),
                table=table,
                context=each.row["context"],
                evidence=(
                    evidence(values.program, "register", each.at, each.line, each.text),
                    *proof(values, whys),
                ),
            )

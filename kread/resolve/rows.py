"""The rows of the graph's tables: functions by number, edges with their packed evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kread.facts import CallSite, Edge, Evidence, Function
from kread.index.evidence import pack_evidence
from kread.parse.unit import CallRow

EdgeRow = tuple[Any, ...]


class Numbers:
    """Functions as the rows of the graph's function table. What has no number yet gets the next one after `last`."""

    def __init__(self, ids: Mapping[Function, int] | None = None, last: int = 0) -> None:
        self.ids: dict[Function, int] = dict(ids or {})
        self._last = last or len(self.ids)

    def of(self, function: Function) -> int:
        number = self.ids.get(function)
        if number is None:
            self._last += 1
            number = self.ids[function] = self._last
        return number

    def rows(self) -> Iterable[tuple[Any, ...]]:
        for function, number in self.ids.items():
            yield function_row(number, function)


def function_row(number: int, function: Function) -> tuple[Any, ...]:
    """The row of a function."""
    return (
        number,
        function.name,
        function.file,
        function.line,
        function.end_line,
        int(function.static),
        function.macro,
        function.presence,
        function.signature,
        int(not function.signature.startswith("extern ")),
    )


def shown(call: CallRow) -> str:
    """A call as one line of text."""
    return f"{call.callee}({', '.join(call.args)})"


def call_line(caller: Function, call: CallRow) -> Evidence:
    """The evidence that every edge begins with: the call as written."""
    return Evidence("call", caller.file, call.line, shown(call), caller.name)


def call_site(caller: Function, call: CallRow) -> CallSite:
    """Where a call stands."""
    return CallSite(caller.file, call.line, call.column, shown(call))


def edge_row(edge: Edge, numbers: Numbers) -> EdgeRow:
    """The row of an edge, without its number."""
    site = edge.site
    return (
        numbers.of(edge.caller),
        numbers.of(edge.callee),
        site.file,
        site.line,
        site.column,
        site.text,
        edge.kind,
        edge.grade,
        edge.candidates,
        edge.presence,
        edge.slot,
        edge.table,
        edge.context,
        pack_evidence(edge.evidence),
    )

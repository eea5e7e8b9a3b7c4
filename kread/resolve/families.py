"""Functions that only one address family uses, and what they therefore never call.

IPv4's and IPv6's functions hang in the same tables of the same records. A function of one family's folder serves
both if the other family's folder names it anywhere (calls it, hands it over, puts it into a table), or if a function
that serves both calls it. What remains serves one family: a route or a socket that it gets through a field is of its
own. The folders stand in data/families.toml.
"""

from __future__ import annotations

import re
from functools import cached_property

from kread.data import load
from kread.resolve.program import FunctionId, Program
from kread.resolve.values import Values

_WORD = re.compile(r"[A-Za-z_]\w*")


class Families:
    """Says which functions serve one family only."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.program: Program = values.program
        self.rows: list[dict[str, str]] = load("families")["family"]

    def foreign(self, function: FunctionId) -> tuple[str, ...]:
        """The folders whose functions are not reached by a function through the fields of its objects."""
        file = self.program.units[function.unit].file
        return tuple(
            row["other"]
            for index, row in enumerate(self.rows)
            if file.startswith(row["home"]) and function not in self._shared[index]
        )

    @cached_property
    def _shared(self) -> list[set[FunctionId]]:
        return [self._of(row["home"], row["other"]) for row in self.rows]

    def _of(self, home: str, other: str) -> set[FunctionId]:
        """The functions of `home` that serve the other folder, or anybody outside of both, as well."""
        program = self.program
        named: set[str] = set()
        for unit in program.units:
            if unit.file.startswith(other):
                texts = [flow.value for flow in unit.flows]
                texts += [entry.value for entry in unit.entries]
                texts += [arg for call in unit.calls for arg in call.args]
                texts += [call.callee for call in unit.calls]
                named.update(_WORD.findall("\n".join(texts)))
        shared: set[FunctionId] = set()
        outside: set[str] = set()
        for unit in program.units:
            if not unit.file.startswith(home):
                outside.update(call.callee for call in unit.calls)
        for index, unit in enumerate(program.units):
            if unit.file.startswith(home):
                for number, row in enumerate(unit.functions):
                    if not row.static and (row.name in named or row.name in outside):
                        shared.add(FunctionId(index, number))
        todo = list(shared)
        calls: dict[FunctionId, set[str]] = {}
        for at, call in program.calls():
            if program.units[at.unit].file.startswith(home):
                calls.setdefault(at, set()).add(call.callee)
        while todo:
            at = todo.pop()
            file = program.units[at.unit].file
            for name in calls.get(at, ()):
                for function in self.values.named(name, file):
                    if program.units[function.unit].file.startswith(home) and function not in shared:
                        shared.add(function)
                        todo.append(function)
        return shared

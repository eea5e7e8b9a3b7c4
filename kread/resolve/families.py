"""Functions that only one address family uses, and what they therefore never call.

IPv4's and IPv6's functions hang in the same tables of the same records. A function of one family's folder serves
both if the other family's folder names it anywhere (calls it, hands it over, puts it into a table), or if a function
that serves both calls it. What remains serves one family: a route or a socket that it gets through a field is of its
own. Where the other folder has functions of its own for whatever others share (`apart`), only what it names itself serves it.
The folders stand in data/families.toml.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from kread.data import load
from kread.resolve.program import FunctionId, Program
from kread.resolve.values import Values

_WORD = re.compile(r"[A-Za-z_]\w*")


class Families:
    """Says which functions serve one family only."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.program: Program = values.program
        self.rows: list[dict[str, Any]] = load("families")["family"]

    def foreign(self, function: FunctionId) -> tuple[str, ...]:
        """The folders whose functions are not reached by a function through the fields of its objects."""
        file = self.program.files[function.unit]
        return tuple(
            row["other"]
            for index, row in enumerate(self.rows)
            if file.startswith(row["home"]) and function not in self._shared[index]
        )

    @cached_property
    def _shared(self) -> list[set[FunctionId]]:
        return [self._of(row["home"], row["other"], bool(row.get("apart"))) for row in self.rows]

    def _of(self, home: str, other: str, apart: bool) -> set[FunctionId]:
        """The functions of `home` that serve the other folder, or (unless they are apart) anybody outside of both, as well."""
        program = self.program
        named: set[str] = set()
        for index, file in enumerate(program.files):
            if file.startswith(other):
                unit = program.units[index]
                texts = [flow.value for flow in unit.flows]
                texts += [entry.value for entry in unit.entries]
                texts += [arg for call in unit.calls for arg in call.args]
                texts += [call.callee for call in unit.calls]
                named.update(_WORD.findall("\n".join(texts)))
        shared: set[FunctionId] = set()
        own = [index for index, file in enumerate(program.files) if file.startswith(home)]
        calls: dict[FunctionId, set[str]] = {}
        for index in own:
            for number, row in enumerate(program.units[index].functions):
                others = row.name in named or (not apart and self._called_outside(row.name, home))
                if others and not row.static:
                    shared.add(FunctionId(index, number))
            for at, call in program.calls_in(index):
                calls.setdefault(at, set()).add(call.callee)
        todo = list(shared)
        while todo:
            at = todo.pop()
            file = program.files[at.unit]
            for name in calls.get(at, ()):
                for function in self.values.named(name, file):
                    if program.files[function.unit].startswith(home) and function not in shared:
                        shared.add(function)
                        todo.append(function)
        return shared

    def _called_outside(self, name: str, home: str) -> bool:
        """Whether anybody outside of a folder calls a function of this name."""
        return any(not self.program.file(at).startswith(home) for at, _ in self.values.stores.calls.get(name))

"""Static calls: calls by name whose target is patched into the code.

To the compiler a static call is a call of a trampoline that nobody defines in C. Which function it leads to stands in the
initialiser of its key, and in the calls that change it. The names that join the three are data
(data/static_calls.toml).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from kread import presence
from kread.data import load
from kread.facts import Evidence, Function
from kread.parse.moves import USE
from kread.parse.unit import FILE_SCOPE
from kread.resolve.direct import Definitions
from kread.resolve.program import Program


@dataclass(frozen=True, slots=True)
class StaticTarget:
    """One function that a static call can lead to, under which condition, and the line that says so."""

    function: Function
    presence: str
    evidence: Evidence


class StaticCalls:
    """The targets of a program's static calls."""

    def __init__(self, program: Program, definitions: Definitions) -> None:
        self._rules = load("static_calls")["static_call"]
        self._definitions = definitions
        self._targets: dict[str, list[StaticTarget]] = defaultdict(list)
        for rule in self._rules:
            self._initialisers(program, rule["key"], rule["member"])
            self._updates(program, rule["update"])

    def name(self, callee: str) -> str:
        """The name of the static call that a callee is the trampoline of, or ""."""
        for rule in self._rules:
            if callee.startswith(rule["trampoline"]):
                return callee[len(rule["trampoline"]) :]
        return ""

    def of(self, name: str) -> Sequence[StaticTarget]:
        """The functions to which a static call can lead."""
        return self._targets.get(name, ())

    def _initialisers(self, program: Program, key: str, member: str) -> None:
        for table in program.tables:
            if not table.row.name.startswith(key) or table.row.function != FILE_SCOPE:
                continue
            name = table.row.name[len(key) :]
            file = program.files[table.unit]
            for entry in table.entries:
                if entry.path == (member,):
                    self._add(name, entry.value, file, entry.line, entry.cond, "slot", f"{member} = {entry.value}", "")

    def _updates(self, program: Program, update: str) -> None:
        for at, flow in program.flows():
            if flow.target != USE or not flow.value.startswith(f"{update}("):
                continue
            name, _, value = flow.value[len(update) + 1 : -1].partition(",")
            function = program.function(at)
            self._add(
                name.strip(), value.strip(), function.file, flow.line, flow.cond, "install", flow.value, function.name
            )

    def _add(self, name: str, value: str, file: str, line: int, cond: str, role: str, text: str, function: str) -> None:
        why = Evidence(role, file, line, text, function)
        for target in self._definitions.of(value.lstrip("&"), file) if value.lstrip("&").isidentifier() else ():
            both = presence.conj(cond, target.presence)
            if both != presence.NEVER:
                self._targets[name].append(StaticTarget(target, both, why))

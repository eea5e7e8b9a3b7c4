"""Static calls: calls by name whose target is patched into the code.

To the compiler a static call is a call of a trampoline that nobody defines in C. Which function it leads to stands in the
initialiser of its key, and in the calls that change it. The names that join the three are data
(data/static_calls.toml).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kread import presence
from kread.data import load
from kread.facts import Evidence, Function
from kread.parse.moves import USE
from kread.parse.unit import FILE_SCOPE, Unit
from kread.resolve.direct import Definitions
from kread.resolve.program import FunctionId, Program


@dataclass(frozen=True, slots=True)
class StaticTarget:
    """One function that a static call can lead to, under which condition, and the line that says so."""

    function: Function
    presence: str
    evidence: Evidence


class StaticRow(NamedTuple):
    """A line of a unit that gives a static call a target: the call's name, the target's, and what is evidence for it; the
    function that holds the line is a row of the unit."""

    name: str
    value: str
    line: int
    cond: str
    role: str
    text: str
    function: int


def static_rows(unit: Unit) -> Iterator[StaticRow]:
    """The lines of a unit that give static calls their targets: initialisers of keys, then calls that change one."""
    rules = load("static_calls")["static_call"]
    for rule in rules:
        key, member = rule["key"], rule["member"]
        found = {
            number: table.name[len(key) :]
            for number, table in enumerate(unit.tables)
            if table.function == FILE_SCOPE and table.name.startswith(key)
        }
        for entry in unit.entries if found else ():
            if entry.table in found and entry.path == (member,):
                text = f"{member} = {entry.value}"
                yield StaticRow(found[entry.table], entry.value, entry.line, entry.cond, "slot", text, FILE_SCOPE)
    for rule in rules:
        update = rule["update"]
        for flow in unit.flows:
            if flow.target == USE and flow.value.startswith(f"{update}("):
                name, _, value = flow.value[len(update) + 1 : -1].partition(",")
                yield StaticRow(name.strip(), value.strip(), flow.line, flow.cond, "install", flow.value, flow.function)


class StaticCalls:
    """The targets of a program's static calls. `beyond` gives those that other parts of its scope say."""

    def __init__(
        self,
        program: Program,
        definitions: Definitions,
        beyond: Callable[[str], Sequence[StaticTarget]] = lambda _: (),
    ) -> None:
        self._trampolines = [rule["trampoline"] for rule in load("static_calls")["static_call"]]
        self._definitions = definitions
        self._program = program
        self._beyond = beyond
        self._targets: dict[str, list[StaticTarget]] = defaultdict(list)
        rows = [(unit.file, index, row) for index, unit in enumerate(program.units) for row in static_rows(unit)]
        for file, unit, row in sorted(rows, key=lambda each: each[2].role != "slot"):
            self._add(file, unit, row)

    def name(self, callee: str) -> str:
        """The name of the static call that a callee is the trampoline of, or ""."""
        for trampoline in self._trampolines:
            if callee.startswith(trampoline):
                return callee[len(trampoline) :]
        return ""

    def of(self, name: str) -> Sequence[StaticTarget]:
        """The functions to which a static call can lead."""
        others = [target for target in self._beyond(name) if target.evidence.file not in self._program.unit_of]
        return [*self._targets.get(name, ()), *others]

    def _add(self, file: str, unit: int, row: StaticRow) -> None:
        value = row.value.lstrip("&")
        holder = self._program.row(FunctionId(unit, row.function)).name if row.function != FILE_SCOPE else ""
        why = Evidence(row.role, file, row.line, row.text, holder)
        for target in self._definitions.of(value, file) if value.isidentifier() else ():
            both = presence.conj(row.cond, target.presence)
            if both != presence.NEVER:
                self._targets[row.name].append(StaticTarget(target, both, why))

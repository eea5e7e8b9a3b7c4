"""Which objects a program uses at all, and which functions it hands over. A table that nobody names is a stub: no pointer
leads to it. A function that is neither called nor named is called from outside of the scope alone.

What is handed to a function outside of the scope can come back from there, but for what a registrar keeps or gives up: who
runs that is known (data/registrars.toml).

What a definition at file scope says counts as said by the variable: exporting a function puts its address into a
variable that nobody reads, which hands nothing over.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from kread.data import load
from kread.parse.unit import FILE_SCOPE, Unit
from kread.resolve.lists import closing
from kread.resolve.places import Obj, Places
from kread.resolve.program import Program

#: A name that is no call's: `err = f(x)` does not hand f over.
_NAME = re.compile(r"\b[A-Za-z_]\w*\b(?!\s*\()")

_CALLED = re.compile(r"\b[A-Za-z_]\w*\s*\(")


class _Names(NamedTuple):
    """What all units say.

    variables -- unit -> the variables that are named in it; -1: in any
    handed    -- the functions that are handed over
    escaped   -- unit -> the variables that it hands to functions outside of the scope
    """

    variables: dict[int, frozenset[str]]
    handed: frozenset[str]
    escaped: dict[int, frozenset[str]]


class Mentions:
    """Looks up whether objects are named anywhere but where they are defined."""

    def __init__(self, program: Program, places: Places) -> None:
        self.program = program
        self.places = places

    def used(self, obj: Obj) -> bool:
        """Whether the source uses an object's name anywhere but where it is defined or exported, or may."""
        what, owner, name = obj
        if what == "literal":
            return True
        if owner:
            return name in self._names.variables.get(self.program.unit_of.get(str(owner), -1), frozenset())
        return self.program.partial or name in self._names.variables[-1]

    def handed_over(self, function: str) -> bool:
        """Whether the source names a function but to define, declare, export or call it."""
        return function in self._names.handed

    def escapes(self, obj: Obj) -> bool:
        """Whether code outside of the scope can have an object's address: it can name it, or was handed it by name."""
        what, owner, name = obj
        if what != "global":
            return False
        if not owner:
            return (
                self.program.partial
                or self._shown(name)
                or any(name in names for names in self._names.escaped.values())
            )
        return name in self._names.escaped.get(self.program.unit_of.get(str(owner), -1), frozenset())

    def _shown(self, name: str) -> bool:
        """Whether others than a folder's own sources can name its external variable: they see it declared, or nobody does."""
        headers = [file for file, *_ in self.program.globals.get(name, ()) if file.endswith(".h")]
        common = tuple(f"{row['directory']}/" for row in load("includes")["search"])
        return not headers or any(file.startswith(common) for file in headers)

    @cached_property
    def _names(self) -> _Names:
        variables = {obj[2] for obj in self.places.tables} | {
            obj[2] for rows in self.places.instances.values() for obj, _ in rows
        }
        variables.update(self.program.globals)
        functions = self.program.by_name.keys()
        found: dict[int, frozenset[str]] = {}
        outside: dict[int, frozenset[str]] = {}
        kept = _keepers()
        handed: set[str] = set()
        held: dict[str, set[str]] = defaultdict(set)
        for index, unit in enumerate(self.program.units):
            words = set(_NAME.findall("\n".join(_said(unit))))
            handed |= words & functions
            words.update(call.callee for call in unit.calls)
            for variable, value in _defined(unit):
                named = _NAME.findall(value)
                words.update(named)
                held[variable].update(functions & named)
            found[index] = frozenset(words & variables)
            away = (call for call in unit.calls if call.callee not in functions and call.callee not in kept)
            given = (_outer(arg) for call in away for arg in call.args)
            outside[index] = frozenset(variables.intersection(_NAME.findall("\n".join(given))))
        found[-1] = frozenset().union(*found.values())
        for variable, names in held.items():
            if not variable or variable in found[-1]:
                handed |= names
        return _Names(found, frozenset(handed), outside)


def _keepers() -> set[str]:
    """The registrars, and those that take back what they took."""
    known = load("registrars")
    names = {name for row in known["registrar"] for name in row["names"]}
    return names | {name.replace(row["word"], row["becomes"]) for row in known["opposite"] for name in names}


def _outer(arg: str) -> str:
    """An argument without what it hands to calls of its own: these are calls themselves."""
    found, end = "", 0
    for call in _CALLED.finditer(arg):
        if call.start() >= end:
            found += arg[end : call.start()]
            end = closing(arg, call.end() - 1) + 1
    return found + arg[end:]


def _said(unit: Unit) -> Iterator[str]:
    """What a unit's functions say: arguments, callees, values and their targets."""
    for call in unit.calls:
        if not call.callee.isidentifier():
            yield call.callee
        yield from call.args
    for flow in unit.flows:
        if flow.function != FILE_SCOPE:
            yield flow.target
            yield flow.value
    for entry in unit.entries:
        if unit.tables[entry.table].function != FILE_SCOPE:
            yield entry.value


def _defined(unit: Unit) -> Iterator[tuple[str, str]]:
    """The values in the definitions at file scope, each with its variable ("": a compound literal)."""
    for flow in unit.flows:
        if flow.function == FILE_SCOPE:
            yield flow.target, flow.value
    for entry in unit.entries:
        table = unit.tables[entry.table]
        if table.function == FILE_SCOPE:
            yield table.name, entry.value

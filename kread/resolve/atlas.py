"""What all regions of a scope share of its functions: a number for each, and those that others can call by name.

A region is linked in a process that reads only its own units. The rest of the scope is there by name: what a file
defines that is not static, as packed rows, since most of them nobody asks for.
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from sys import intern
from typing import Any

from kread.facts import Function
from kread.index.kept import KeptUnits
from kread.index.workers import spread
from kread.parse.unit import Unit
from kread.resolve.program import Program, function_noun
from kread.resolve.rows import Numbers, function_row

#: A function as what marshal can write.
columns: Callable[[Function], tuple[Any, ...]] = attrgetter(*(column.name for column in fields(Function)))


class Atlas:
    """The functions of the units of a scope, numbered in the order of the files and of their rows from 1 on."""

    def __init__(self, units: KeptUnits, built: Mapping[str, str]) -> None:
        self._units = units
        self._built = built
        #: unit -> the number of its first function
        self._first = array("i")
        #: number -> the condition under which the function is compiled
        self._conds: list[str] = [""]
        self._external: dict[str, bytes] = {}
        self._unit_of = {file: index for index, file in enumerate(units.files)}
        found: dict[str, list[tuple[int, tuple[Any, ...]]]] = {}
        for conds, external in spread(_functions, (units, built), range(len(units)), chunk=64):
            first = len(self._conds)
            self._first.append(first)
            self._conds.extend(map(intern, conds))
            for place, data in external:
                found.setdefault(data[1], []).append((first + place, data))
        self._external = {name: marshal.dumps(rows) for name, rows in found.items()}

    @property
    def last(self) -> int:
        """The highest number."""
        return len(self._conds) - 1

    def __contains__(self, file: object) -> bool:
        return file in self._unit_of

    def condition(self, number: int) -> str:
        """The condition under which a function is compiled."""
        return self._conds[number] if number < len(self._conds) else ""

    def numbers(self, program: Program) -> Numbers:
        """The numbers of the functions of a part of the scope; what else it meets gets numbers above all of these."""
        found = Numbers(last=self.last)
        for unit, file in enumerate(program.files):
            number = self._first[self._unit_of[file]]
            for function in program.functions_in(unit):
                if function not in found.ids:
                    found.ids[function] = number
                    number += 1
        return found

    def beyond(self, numbers: Numbers) -> Callable[[str], Sequence[Function]]:
        """Looks the external functions of a name up, and numbers them."""

        def external(name: str) -> Sequence[Function]:
            packed = self._external.get(name)
            if packed is None:
                return ()
            functions = []
            for number, row in marshal.loads(packed):
                function = Function(*row)
                numbers.ids.setdefault(function, number)
                functions.append(function)
            return functions

        return external

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows of all functions, in the order of their numbers."""
        for index, unit in enumerate(self._units):
            for number, function in enumerate(_nouns(unit, self._built), self._first[index]):
                yield function_row(number, function)


def _nouns(unit: Unit, built: Mapping[str, str]) -> list[Function]:
    """The functions of a unit, equal ones once."""
    cond = built.get(unit.file, "")
    return list(dict.fromkeys(function_noun(row, unit.file, cond) for row in unit.functions))


def _functions(
    shared: tuple[KeptUnits, Mapping[str, str]], index: int
) -> tuple[list[str], list[tuple[int, tuple[Any, ...]]]]:
    """(conditions, (place, row) of those that other files can call) of the functions of one unit."""
    units, built = shared
    nouns = _nouns(units[index], built)
    external = units.files[index].endswith(".c")
    shown = [(place, columns(each)) for place, each in enumerate(nouns) if external and not each.static]
    return [each.presence for each in nouns], shown

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

from kread import presence
from kread.facts import Evidence, Function
from kread.index.kept import KeptUnits
from kread.index.workers import spread
from kread.parse.unit import FILE_SCOPE, Unit
from kread.resolve.program import Program, function_noun
from kread.resolve.rows import Numbers, function_row
from kread.resolve.static_call import StaticRow, StaticTarget, static_rows

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
        rows: dict[str, list[tuple[str, StaticRow, str, int]]] = {}
        for file, (conds, external, statics) in zip(
            units.files, spread(_functions, (units, built), range(len(units)), chunk=64), strict=True
        ):
            first = len(self._conds)
            self._first.append(first)
            self._conds.extend(map(intern, conds))
            for place, data in external:
                found.setdefault(data[1], []).append((first + place, data))
            for plain, holder, own in statics:
                row = StaticRow(*plain)
                rows.setdefault(row.name, []).append((file, row, holder, first + own if own >= 0 else 0))
        self._external = {name: marshal.dumps(each) for name, each in found.items()}
        self._statics = rows

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

    def statics(self, numbers: Numbers) -> Callable[[str], Sequence[StaticTarget]]:
        """Looks up what static calls lead to, and numbers it: a function of the file that says so, or an external one."""
        external = self.beyond(numbers)

        def targets(name: str) -> Sequence[StaticTarget]:
            found = []
            for file, row, holder, own in self._statics.get(name, ()):
                why = Evidence(row.role, file, row.line, row.text, holder)
                for function in [self._own(own, file, numbers)] if own else external(row.value.lstrip("&")):
                    both = presence.conj(row.cond, function.presence)
                    if both != presence.NEVER:
                        found.append(StaticTarget(function, both, why))
            return found

        return targets

    def _own(self, number: int, file: str, numbers: Numbers) -> Function:
        """The function of a number, in a file."""
        index = self._unit_of[file]
        function = _nouns(self._units[index], self._built)[number - self._first[index]]
        numbers.ids.setdefault(function, number)
        return function

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
) -> tuple[list[str], list[tuple[int, tuple[Any, ...]]], list[tuple[tuple[Any, ...], str, int]]]:
    """Of the functions of one unit (conditions, (place, row) of those that other files can call), and (row, function that
    holds it, place of its target among the unit's functions or -1) of what gives static calls targets."""
    units, built = shared
    nouns = _nouns(units[index], built)
    external = units.files[index].endswith(".c")
    shown = [(place, columns(each)) for place, each in enumerate(nouns) if external and not each.static]
    places = {each.name: place for place, each in reversed(list(enumerate(nouns)))}
    statics = [
        (
            tuple(row),
            units[index].functions[row.function].name if row.function != FILE_SCOPE else "",
            places.get(row.value.lstrip("&"), -1),
        )
        for row in static_rows(units[index])
    ]
    return [each.presence for each in nouns], shown, statics

"""Which objects a program uses at all, and which functions it hands over. A table that nobody names is a stub: no pointer
leads to it. A function that is neither called nor named is called from outside of the scope alone.
"""

from __future__ import annotations

import re
from functools import cached_property

from kread.resolve.places import Obj, Places
from kread.resolve.program import Program

_WORD = re.compile(r"[A-Za-z_]\w*")


class Mentions:
    """Looks up whether objects are named anywhere but where they are defined."""

    def __init__(self, program: Program, places: Places) -> None:
        self.program = program
        self.places = places

    def used(self, obj: Obj) -> bool:
        """Whether the source uses an object's name anywhere but where it is defined or exported."""
        what, owner, name = obj
        if what == "literal":
            return True
        if owner:
            return name in self._mentioned.get(self.program.unit_of.get(str(owner), -1), frozenset())
        return name in self._mentioned[-1]

    def handed_over(self, function: str) -> bool:
        """Whether the source names a function but to define, declare, export or call it."""
        return function in self._mentioned[-1]

    @cached_property
    def _mentioned(self) -> dict[int, frozenset[str]]:
        """unit -> the names in the values, arguments and entries of that unit; -1: of all units."""
        names = {obj[2] for obj in self.places.tables} | {
            obj[2] for rows in self.places.instances.values() for obj, _ in rows
        }
        names.update(self.program.by_name)
        found: dict[int, frozenset[str]] = {}
        for index, unit in enumerate(self.program.units):
            texts = [row.value for row in unit.flows]
            texts += [row.value for row in unit.entries]
            texts += [arg for row in unit.calls for arg in row.args]
            texts += [row.callee for row in unit.calls if not row.callee.isidentifier()]
            texts += [row.target for row in unit.flows]
            found[index] = frozenset(names.intersection(_WORD.findall("\n".join(texts))))
        found[-1] = frozenset().union(*found.values())
        return found

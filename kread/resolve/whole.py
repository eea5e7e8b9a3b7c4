"""A scope joined as a whole: every call resolved, or listed with the reason why it could not be.

Calls by name are resolved in processes beside this one (`parts`), calls through pointers here.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

from kread import presence
from kread.index.adjacency import Row
from kread.index.macros import MacroIndex
from kread.parse.unit import Unit
from kread.resolve.direct import Definitions
from kread.resolve.edges import SlotRow, pointer_edges, slots
from kread.resolve.parts import Named
from kread.resolve.program import Program
from kread.resolve.rows import EdgeRow, Numbers
from kread.resolve.shelf import Shelf
from kread.source.progress import Progress, Silent


class Whole:
    """What is resolved of the units of a scope, all at once."""

    def __init__(
        self,
        units: Sequence[Unit],
        closures: Mapping[str, Container[str]],
        built: Mapping[str, str],
        macros: MacroIndex,
        elsewhere: Mapping[str, Sequence[tuple[str, int]]] | None = None,
        compiled: Callable[[str], str] = lambda _: presence.ALWAYS,
        progress: Progress | None = None,
    ) -> None:
        progress = progress or Silent()
        progress.phase("linking: joining what the files say")
        self._numbers = Numbers()
        self.unresolved: list[tuple[Any, ...]] = []
        program = Program(units, closures, built, macros.field_aliases())
        self._files = program.files
        definitions = Definitions(program, elsewhere, compiled)
        for function in program.functions():
            self._numbers.of(program.function(function))
        self._named = Named(program, definitions, macros, self._numbers)
        #: file -> the edges of calls in it that are not by name
        self._others: Shelf[str, EdgeRow] = Shelf(tuple, tuple)
        with closing(self._named):
            if self._named.big:
                progress.phase("linking: calls by name")
                self._named.finish(self.unresolved)
            progress.phase("linking: calls through pointers")
            for edge in pointer_edges(program, definitions, macros.lookup, self._numbers, self.unresolved):
                self._others.add(edge[2], edge)
            if not self._named.big:
                self._named.finish(self.unresolved)
        self._slots = list(slots(program, definitions, macros.lookup, self._numbers))
        self._conds = {number: function.presence for function, number in self._numbers.ids.items()}

    def edges(self, unit: int) -> list[EdgeRow]:
        """The edges of the calls in a unit."""
        others = (row for row in self._others.pop(self._files[unit]) if row[9] != presence.NEVER)
        return [*self._named.rows(unit), *others]

    def functions(self) -> Iterable[tuple[Any, ...]]:
        """The rows of the functions."""
        return self._numbers.rows()

    def condition(self, number: int) -> str:
        """The condition under which a function is compiled."""
        return self._conds.get(number, "")

    def slots(self) -> Iterable[SlotRow]:
        """The functions in slots."""
        return self._slots

    def dispatches(self) -> Iterable[tuple[int, Sequence[Row]]]:
        """None: each call has its own edges."""
        return ()

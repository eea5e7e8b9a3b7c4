"""Calls by name, resolved part by part in other processes while this one follows the pointers.

Neither of the two asks what the other found, and each takes about half of the time. The processes share what stands in
memory when they are forked; what one touches becomes its own, since Python counts references where the object lies,
so a part is small and its process ends with it. What comes back are rows, packed unit by unit, and unpacked when
they are written: a scope of any size holds few of its edges in memory at a time.

The rows of a part number the functions of the scope as all do, and those that it met besides (declared ones, and those
outside of the scope) from there on; they are numbered anew in the order of the parts, so that the result is the same
as if one process had read all.
"""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from kread import presence
from kread.facts import Function
from kread.index.macros import MacroIndex
from kread.index.workers import Beside
from kread.resolve.direct import Definitions
from kread.resolve.named import named_edges
from kread.resolve.program import Program
from kread.resolve.rows import EdgeRow, Numbers
from kread.resolve.static_call import StaticCalls
from kread.resolve.types import Types

#: A part has about this many calls: all of net makes three of them.
PART = 150_000

#: In a scope with more calls than this memory counts for more than the clock: what this process changes while others wait
#: for their turn is in memory twice, so it waits for them first.
BIG = 300_000

#: Fewer calls than this are resolved here: forking would cost more than it saves.
WORTH_FORKING = 3_000

_columns = attrgetter(*(column.name for column in fields(Function)))


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the processes find in memory."""

    program: Program
    definitions: Definitions
    statics: StaticCalls
    types: Types
    macros: MacroIndex
    numbers: Numbers


class Named:
    """The edges of calls by name. The work begins when this is made, and `finish` waits for it.

    big -- whether it is better to wait before anything else is done
    """

    def __init__(self, program: Program, definitions: Definitions, macros: MacroIndex, numbers: Numbers) -> None:
        self._numbers = numbers
        self._first = len(numbers.ids) + 1
        size = sum(program.sizes)
        self.big = size > BIG
        self._rows: dict[int, tuple[bytes, Sequence[int]]] = {}
        statics, types = StaticCalls(program, definitions), Types(program, macros.lookup)
        shared = _Shared(program, definitions, statics, types, macros, numbers)
        self._parts = Beside(_resolve, shared, list(_parts(program)), size > WORTH_FORKING)

    def finish(self, unresolved: list[tuple[Any, ...]]) -> None:
        """Wait for all parts, number the functions that they met, and add what they could not resolve."""
        for found in self._parts.results():
            functions, units, lost = marshal.loads(found)
            others = [self._numbers.of(Function(*row)) for row in functions]
            for unit, rows in units:
                self._rows[unit] = rows, others
            unresolved.extend(lost)

    def close(self) -> None:
        """End what still runs."""
        self._parts.close()

    def rows(self, unit: int) -> Iterator[EdgeRow]:
        """The edges of a unit, once all parts are finished."""
        packed, others = self._rows.pop(unit, (b"", ()))
        first = self._first
        for row in marshal.loads(zlib.decompress(packed)) if packed else ():
            callee = row[1]
            yield row if callee < first else (row[0], others[callee - first], *row[2:])


def _parts(program: Program) -> Iterator[range]:
    """The units, cut into runs with about the same number of calls."""
    begin = count = 0
    for index, size in enumerate(program.sizes):
        count += size
        if count >= PART:
            yield range(begin, index + 1)
            begin, count = index + 1, 0
    if begin < len(program.files):
        yield range(begin, len(program.files))


def _resolve(shared: _Shared, part: range) -> bytes:
    """The packed (functions that the scope does not define, (unit, packed rows), what could not be resolved)."""
    numbers = Numbers(shared.numbers.ids)
    known = len(numbers.ids)
    units: list[tuple[int, bytes]] = []
    lost: list[tuple[Any, ...]] = []
    for unit in part:
        edges: list[EdgeRow] = []
        named_edges(
            unit, shared.program, shared.definitions, shared.statics, shared.types, shared.macros, numbers, edges, lost
        )
        rows = [row for row in edges if row[9] != presence.NEVER]
        if rows:
            units.append((unit, zlib.compress(marshal.dumps(rows), 1)))
    functions = [_columns(function) for function in list(numbers.ids)[known:]]
    return marshal.dumps((functions, units, lost))

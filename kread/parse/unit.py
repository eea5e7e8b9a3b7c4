"""What one source file says: the rows that the parser takes from it, and their form on disk.

A Unit is everything that kread keeps of a file. Its rows are NamedTuples and not dataclasses, because they are made
by the hundred thousand, and on disk they are plain tuples in Python's marshal format, the fastest that the
standard library has; the index writes its own extractor version beside them, so a foreign format is never read.

Types are written in a postfix form that is read from the right: `struct sock*[]` is an array of pointers to
struct sock, `int(struct sock*)*` a pointer to a function. Conditions and macros are indices into the unit's own
lists; function -1 is the file scope.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from dataclasses import dataclass, field
from sys import intern
from typing import Any, NamedTuple

#: Raised whenever the rows or their meaning change: an index written by another version is built again.
EXTRACTOR_VERSION = 26

FILE_SCOPE = -1


class FunctionRow(NamedTuple):
    """A function definition. `params` are (name, type) pairs; `macro` made it ("" when written out)."""

    name: str
    line: int
    column: int
    end_line: int
    static: int
    inline: int
    returns: str
    params: tuple[tuple[str, str], ...]
    cond: str
    macro: str
    begin_line: int


class CallRow(NamedTuple):
    """A call as written or as a macro makes it.

    origin -- "src" (at the site), "arg" (in a macro's argument), "argname", "body", "paste", "cleanup"
    macro  -- index into Unit.used_macros of the macro whose text holds the call (-1: none)
    depth  -- how many branches and loops of the function stand around the call; more in code that only goto reaches
    """

    function: int
    line: int
    column: int
    callee: str
    args: tuple[str, ...]
    cond: str
    origin: str
    macro: int
    depth: int = 0


class FlowRow(NamedTuple):
    """A value that moves: `target = value`. For a returned value the target is "return", for the use of a macro that
    moves values "use" (see kread.parse.moves)."""

    function: int
    line: int
    target: str
    value: str
    cond: str


class VariableRow(NamedTuple):
    """A declared variable: a local of a function, or one at file scope. `storage` is "", "static" or "extern"."""

    function: int
    line: int
    name: str
    type: str
    storage: str
    cond: str


class EntryRow(NamedTuple):
    """One value of a table's initialiser. `path` leads to it: (".ops", ".open"), ("[2]",), ("#0", "#1")."""

    table: int
    line: int
    path: tuple[str, ...]
    value: str
    cond: str


class TableRow(NamedTuple):
    """A variable with an initialiser list, or a compound literal (name "", found again by its line and column)."""

    function: int
    line: int
    column: int
    name: str
    type: str
    static: int
    cond: str


class FieldRow(NamedTuple):
    """A member of a record. Members of anonymous records stand with the record around them."""

    record: str
    name: str
    type: str
    line: int
    cond: str
    position: int


class RecordRow(NamedTuple):
    """A struct or union definition; `tag` is "struct sock" or, for an anonymous one, made from its line."""

    tag: str
    line: int
    end_line: int
    cond: str


class PrototypeRow(NamedTuple):
    """A declaration of a function."""

    name: str
    line: int
    type: str
    static: int
    cond: str


class UsedMacro(NamedTuple):
    """A macro through which a call of this unit is made: the evidence for it."""

    name: str
    file: str
    line: int
    text: str
    outer: str


@dataclass(slots=True)
class Unit:
    """Everything that kread keeps of one file. Filled by the extractor, read by the linker."""

    file: str
    functions: list[FunctionRow] = field(default_factory=list)
    calls: list[CallRow] = field(default_factory=list)
    flows: list[FlowRow] = field(default_factory=list)
    variables: list[VariableRow] = field(default_factory=list)
    tables: list[TableRow] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    fields: list[FieldRow] = field(default_factory=list)
    records: list[RecordRow] = field(default_factory=list)
    typedefs: list[tuple[str, str, int]] = field(default_factory=list)
    prototypes: list[PrototypeRow] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    used_macros: list[UsedMacro] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    #: of a unit that was read from disk, the rows that nobody has asked for yet
    _packed: dict[str, list[Any]] = field(default_factory=dict, repr=False, compare=False)

    def count(self, name: str) -> int:
        """How many rows of a kind there are."""
        return len(self._packed[name] if name in self._packed else getattr(self, name))

    def __getattr__(self, name: str) -> list[Any]:
        """Rows that are asked for first: most readers of a unit want one kind of them."""
        if name == "_packed" or name not in self._packed:
            raise AttributeError(name)
        row_type = _ROW_TYPES.get(name)
        rows = self._packed.pop(name)
        found = rows if row_type is None else list(map(row_type._make, rows))
        setattr(self, name, found)
        return found


_ROW_TYPES: dict[str, Any] = {
    "functions": FunctionRow,
    "calls": CallRow,
    "flows": FlowRow,
    "variables": VariableRow,
    "tables": TableRow,
    "entries": EntryRow,
    "fields": FieldRow,
    "records": RecordRow,
    "prototypes": PrototypeRow,
    "used_macros": UsedMacro,
}
_PLAIN = ("typedefs", "includes", "faults")


def pack(unit: Unit) -> bytes:
    """The unit's rows as bytes, without its file name: equal files share them.

    Equal values are made one object first, which marshal writes once, and strings are interned, which all units that are
    read later share: a linker holds two fifths less.
    """
    keep: dict[Any, Any] = {}
    rows: dict[str, Any] = {name: [_shared(row, keep.setdefault) for row in getattr(unit, name)] for name in _ROW_TYPES}
    rows.update((name, getattr(unit, name)) for name in _PLAIN)
    return marshal.dumps(rows)


def _shared(row: tuple[Any, ...], keep: Callable[[Any, Any], Any]) -> tuple[Any, ...]:
    """A row as a plain tuple, of values that equal ones share."""
    return tuple(
        [
            intern(value)
            if type(value) is str
            else keep(value, value)
            if type(value) is int
            else keep(inner := _shared(value, keep), inner)
            if isinstance(value, tuple)
            else value
            for value in row
        ]
    )


def unpack(file: str, data: bytes) -> Unit:
    """The unit that `pack` wrote, for the file it is read as."""
    unit = Unit.__new__(Unit)
    unit.file = file
    unit._packed = marshal.loads(data)
    return unit

"""The units of a scope, joined: what the resolvers look things up in.

A Program holds no policy about calls. It answers what a C compiler would know after reading all the files: which
definitions a name has and which of them a file can see, what type a variable, a field or a function has, which names
are macros that stand for a field. Names are looked up in C's order: the function's own variables, the file, the
headers it includes, and last the one external definition.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from kread import presence
from kread.facts import Function
from kread.parse.declarators import returned_type
from kread.parse.unit import FILE_SCOPE, CallRow, EntryRow, FieldRow, FlowRow, FunctionRow, TableRow, Unit


class FunctionId(NamedTuple):
    """Where a function stands in the program: its unit and its row there (-1: the unit's file scope)."""

    unit: int
    row: int


@dataclass(frozen=True, slots=True)
class Table:
    """A struct instance with an initialiser, and its entries."""

    unit: int
    row: TableRow
    entries: tuple[EntryRow, ...]


#: Of so many units what was looked up is kept for the next question.
MOST_UNITS = 10_000


class Locals(Mapping[FunctionId, dict[str, str]]):
    """The variables of each function with their types, parameters included; made for a whole unit when it is asked for."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units = units
        self._known: dict[int, list[dict[str, str]]] = {}

    def __getitem__(self, function: FunctionId) -> dict[str, str]:
        if function.row == FILE_SCOPE:
            raise KeyError(function)
        found = self._known.get(function.unit)
        if found is None:
            if len(self._known) >= MOST_UNITS:
                del self._known[next(iter(self._known))]
            found = self._known[function.unit] = self._of(self._units[function.unit])
        return found[function.row]

    def _of(self, unit: Unit) -> list[dict[str, str]]:
        found = [{name: kind for name, kind in function.params if name} for function in unit.functions]
        for row in unit.variables:
            if row.function != FILE_SCOPE:
                found[row.function].setdefault(row.name, row.type)
        return found

    def __iter__(self) -> Iterator[FunctionId]:
        for index, unit in enumerate(self._units):
            for row in range(len(unit.functions)):
                yield FunctionId(index, row)

    def __len__(self) -> int:
        return sum(len(unit.functions) for unit in self._units)


def function_noun(row: FunctionRow, file: str, built: str) -> Function:
    """The noun for a function of a file, which is read under the condition `built`."""
    listed = ", ".join(f"{declared} {name}".strip() for name, declared in row.params)
    return Function(
        file=file,
        name=row.name,
        line=row.line,
        end_line=row.end_line,
        static=bool(row.static),
        macro=row.macro,
        presence=presence.conj(built, row.cond),
        signature=f"{'static ' if row.static else ''}{row.returns} {row.name}({listed})",
    )


class Program:
    """The joined units. `closures` maps a file to the headers it includes, itself not among them;
    `built` maps a file to the condition under which it is read: a .c file's from its Makefile, a header's from those
    that include it;
    `aliases` maps a macro that stands for a field to that field's text (`sk_prot` -> `__sk_common.skc_prot`);
    `partial` says that the units are a part of a scope, whose other parts use what is not static here.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        closures: Mapping[str, Container[str]],
        built: Mapping[str, str],
        aliases: Mapping[str, str],
        partial: bool = False,
    ) -> None:
        self.units = units
        self.closures = closures
        self.built = built
        self.aliases = aliases
        self.partial = partial
        self.files: list[str] = []
        self.by_name: dict[str, list[FunctionId]] = defaultdict(list)
        #: unit -> its functions: everybody asks for them, so they stay while units come and go
        self._rows: list[list[FunctionRow]] = []
        #: unit -> how many calls it has
        self.sizes: list[int] = []
        #: name -> (file, line, type, presence) of its declarations
        self.prototypes: dict[str, list[tuple[str, int, str, str]]] = defaultdict(list)
        #: name -> (file, type, storage) of the variables at file scope
        self.globals: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        #: typedef name -> postfix type; the first definition in file order wins
        self.typedefs: dict[str, str] = {}
        #: record tag -> its direct members in order, for positional initialisers
        self.positions: dict[str, list[FieldRow]] = defaultdict(list)
        self.tables: list[Table] = []
        for index, unit in enumerate(units):
            self._join(index, unit)
        self.unit_of = {file: index for index, file in enumerate(self.files)}
        self.locals = Locals(units)
        self._functions: dict[FunctionId, Function] = {}
        #: unit -> (function, line) -> its calls, of units that were asked for
        self._by_line: dict[int, dict[tuple[int, int], list[CallRow]]] = {}

    def _join(self, index: int, unit: Unit) -> None:
        """Add all that is looked up of a unit, at once: of a large scope a unit is read anew each time it is asked for."""
        file, built = unit.file, self.built.get(unit.file, "")
        self.files.append(file)
        self._rows.append(unit.functions)
        self.sizes.append(unit.count("calls"))
        for number, function in enumerate(unit.functions):
            self.by_name[function.name].append(FunctionId(index, number))
        for prototype in unit.prototypes:
            cond = presence.conj(built, prototype.cond)
            self.prototypes[prototype.name].append((file, prototype.line, prototype.type, cond))
        for variable in unit.variables:
            if variable.function == FILE_SCOPE:
                self.globals[variable.name].append((file, variable.type, variable.storage))
        for name, declared, _ in unit.typedefs:
            self.typedefs.setdefault(name, declared if "@" not in declared else f"{declared} in {file}")
        for member in unit.fields:
            row = member._replace(type=_type_in(member.type, file))
            self.positions[tag_in(member.record, file)].append(row)
        entries: dict[int, list[EntryRow]] = defaultdict(list)
        for entry in unit.entries:
            entries[entry.table].append(entry)
        self.tables.extend(Table(index, table, tuple(entries[number])) for number, table in enumerate(unit.tables))

    # Functions

    def functions(self) -> Iterable[FunctionId]:
        """All functions, unit by unit."""
        return (FunctionId(unit, row) for unit, rows in enumerate(self._rows) for row in range(len(rows)))

    def functions_in(self, unit: int) -> Iterator[Function]:
        """The nouns for the functions of one unit, in the order of its rows."""
        return (self.function(FunctionId(unit, row)) for row in range(len(self._rows[unit])))

    def row(self, function: FunctionId) -> FunctionRow:
        return self._rows[function.unit][function.row]

    def file(self, function: FunctionId) -> str:
        return self.files[function.unit]

    def function(self, function: FunctionId) -> Function:
        """The noun for a function, with the condition of its lines and of its file."""
        known = self._functions.get(function)
        if known is None:
            file = self.file(function)
            known = self._functions[function] = function_noun(self.row(function), file, self.built.get(file, ""))
        return known

    def sees(self, file: str, header: str) -> bool:
        """Whether a file includes a header, directly or through others. A header may rely on its includers."""
        return file == header or header in self.closures.get(file, frozenset()) or not file.endswith(".c")

    def returns(self, name: str, file: str) -> str:
        """The type that a call of `name` written in `file` yields ("" where nothing says)."""
        for function in self.by_name.get(name, ()):
            row = self.row(function)
            if not row.static or self.sees(file, self.file(function)):
                return row.returns
        for _, _, declared, _ in self.prototypes.get(name, ()):
            return returned_type(declared)
        return ""

    # Variables

    def global_type(self, name: str, file: str) -> str:
        """The type of a variable at file scope as `file` sees it ("" for none)."""
        known = self.globals.get(name, ())
        for owner, kind, _ in known:
            if owner == file:
                return _type_in(kind, owner)
        for owner, kind, storage in known:
            if storage != "static" and (not owner.endswith(".c") or storage == ""):
                return _type_in(kind, owner)
        return ""

    # Types

    @cached_property
    def fields(self) -> dict[str, dict[str, list[FieldRow]]]:
        """record tag -> field name -> rows; members of anonymous records stand in the record around them."""
        found: dict[str, dict[str, list[FieldRow]]] = {}

        def gather(tag: str, into: dict[str, list[FieldRow]], depth: int) -> None:
            for row in self.positions.get(tag, ()):
                if row.name:
                    into[row.name].append(row)
                elif depth < _NESTING:
                    gather(row.type, into, depth + 1)

        for tag in self.positions:
            found[tag] = defaultdict(list)
            gather(tag, found[tag], 0)
        return found

    def resolve_type(self, declared: str) -> str:
        """A type with its typedef replaced, as often as it takes: `s_t*` -> `struct s*`."""
        for _ in range(_NESTING):
            base, operators = split_type(declared)
            known = self.typedefs.get(base)
            if known is None or known == base:
                return declared
            declared = known + operators
        return declared

    # Calls and flows by what they concern

    def calls(self) -> Iterable[tuple[FunctionId, CallRow]]:
        for index in range(len(self.units)):
            yield from self.calls_in(index)

    def calls_in(self, unit: int) -> Iterable[tuple[FunctionId, CallRow]]:
        """The calls of one unit."""
        ids: dict[int, FunctionId] = {}
        for row in self.units[unit].calls:
            function = ids.get(row.function)
            if function is None:
                function = ids[row.function] = FunctionId(unit, row.function)
            yield function, row

    def calls_at(self, function: FunctionId, line: int) -> list[CallRow]:
        """The calls of a function on a line."""
        if function.unit not in self._by_line:
            if len(self._by_line) >= MOST_UNITS:
                self._by_line.clear()
            rows: dict[tuple[int, int], list[CallRow]] = defaultdict(list)
            for row in self.units[function.unit].calls:
                rows[row.function, row.line].append(row)
            self._by_line[function.unit] = rows
        return self._by_line[function.unit].get((function.row, line), [])

    def flows(self) -> Iterable[tuple[FunctionId, FlowRow]]:
        for index, unit in enumerate(self.units):
            for row in unit.flows:
                yield FunctionId(index, row.function), row


#: How deep records and typedefs may nest before a lookup gives up: the kernel's deepest is below ten.
_NESTING = 16


_OPERATOR = re.compile(r"[*\[(]")


def split_type(declared: str) -> tuple[str, str]:
    """A postfix type's base and its operators: "struct sock*[]" -> ("struct sock", "*[]")."""
    found = _OPERATOR.search(declared)
    return (declared, "") if found is None else (declared[: found.start()], declared[found.start() :])


def tag_in(tag: str, file: str) -> str:
    """A record's tag, made unique where it is anonymous."""
    return f"{tag} in {file}" if " @" in tag else tag


def _type_in(declared: str, file: str) -> str:
    base, operators = split_type(declared)
    return tag_in(base, file) + operators

"""Which function stands in which slot: every initialiser entry and every store whose value names a function.

This is the join by record and field, without regard to which object a call goes through: it answers `kread slot`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kread import presence
from kread.facts import Evidence, Function
from kread.parse.unit import FILE_SCOPE, EntryRow
from kread.resolve.direct import Definitions, reachable
from kread.resolve.program import FunctionId, Program, Table, split_type
from kread.resolve.stores import Stores
from kread.resolve.terms import NOTHING, Term
from kread.resolve.types import Types, is_function

#: A way into an object: member names and "[index]" texts.
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a table: where it lies in the table, in which record's member, and the row that says so."""

    table: Table
    path: Path
    record: str
    member: str
    row: EntryRow


def entry_path(types: Types, declared: str, steps: Path) -> tuple[Path, str, str] | None:
    """(path, record, member) of an initialiser entry in a table of a type; None where a step leads nowhere.

    A positional step is counted in the record's own order; an entry of an array has the array's record and member
    ("" for an array that is no member).
    """
    path: Path = ()
    record = member = ""
    kind = types.resolve(declared)
    for step in steps:
        base, operators = split_type(kind)
        first = step[0]
        if first == "[":
            path += (step,)
            kind = types.resolve(kind[:-2] if kind.endswith("[]") else kind)
        elif first == "." and not operators:
            for name in step[1:].split("."):
                way = types.member(types.resolve(base), name)
                if not way:
                    return None
                path += tuple(each[1] for each in way)
                record, member, kind = way[-1]
                base = kind
        elif first == "#":
            if operators.endswith("[]"):
                path += (f"[{step[1:]}]",)
                kind = types.resolve(kind[:-2])
                continue
            rows = types.program.positions.get(base)
            if operators or not rows or not step[1:].isdigit():
                return None
            row = next((row for row in rows if row.position == int(step[1:])), None)
            if row is None:
                return None
            kind = types.resolve(row.type)
            if row.name:
                path += (row.name,)
                record, member = base, row.name
        else:
            return None
    return path, record, member


def slot_name(record: str, member: str) -> str:
    """A slot as people write it: "proto.hash"."""
    return f"{record.removeprefix('struct ')}.{member}"


#: (record, member, function, table, file, line, text, condition): a function put into a slot.
SlotRow = tuple[str, str, Function, str, str, int, str, str]


def slot_values(program: Program, definitions: Definitions, types: Types, stores: Stores) -> Iterator[SlotRow]:
    """Every function that an initialiser or a store puts into a slot, by its name."""

    def named(value: str, at: FunctionId) -> Iterator[Function]:
        for name in _names(types, types.term(value, at)):
            if name not in program.locals.get(at, ()):
                yield from definitions.of(name, program.files[at.unit])

    for table in program.tables:
        file = program.files[table.unit]
        built = program.built.get(file, "")
        for row in table.entries:
            functions = tuple(named(row.value, FunctionId(table.unit, table.row.function)))
            way = entry_path(types, table.row.type, row.path) if functions else None
            if way is None or not way[2]:
                continue
            text = f"{'.'.join(way[0])} = {row.value}"
            for function, cond in reachable(functions, presence.conj(built, row.cond)):
                yield way[1].removeprefix("struct "), way[2], function, table.row.name, file, row.line, text, cond
    for store in stores.members.rows():
        at = store.at
        functions = tuple(named(store.value, at)) if at.row != FILE_SCOPE else ()
        target = types.term(store.target, at) if functions else NOTHING
        while target[0] == "index":
            target = target[1]
        members = types.way(target, at) if target[0] == "member" else ()
        if members:
            record, member, _ = members[-1]
            for function, cond in reachable(functions, presence.conj(program.function(at).presence, store.cond)):
                file = program.files[at.unit]
                yield record.removeprefix("struct "), member, function, "", file, store.line, store.text, cond


def _names(types: Types, term: Term) -> Iterator[str]:
    """The names that a value can be; what is made a number of is no function any more."""
    if term[0] == "name":
        yield term[1]
    elif term[0] == "address":
        yield from _names(types, term[1])
    elif term[0] == "cast":
        kind = types.resolve(term[1]) if isinstance(term[1], str) else ""
        if not kind or kind.endswith("*") or is_function(kind):
            yield from _names(types, term[2])
    elif term[0] == "either":
        yield from _names(types, term[1])
        yield from _names(types, term[2])


def evidence(program: Program, role: str, at: FunctionId, line: int, text: str) -> Evidence:
    """One line of a unit as evidence; `at` is the function that holds it."""
    name = program.row(at).name if at.row != FILE_SCOPE else ""
    return Evidence(role, program.files[at.unit], line, text, name)

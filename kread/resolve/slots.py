"""Which function stands in which slot: every initialiser entry and every store whose value names a function.

This is the join by record and field, without regard to which object a call goes through. It answers `kread slot`,
and is the last resort of the resolvers where an object cannot be followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kread import presence
from kread.facts import Evidence, Function
from kread.parse.unit import FILE_SCOPE, EntryRow
from kread.resolve.direct import Definitions, reachable
from kread.resolve.program import FunctionId, Program, Table, split_type
from kread.resolve.types import Types

_NAME = re.compile(r"&?\s*([A-Za-z_]\w*)")

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


def slot_values(
    program: Program, definitions: Definitions, types: Types | None = None
) -> Iterator[tuple[str, str, Function, str, str, int, str, str]]:
    """(record, field, function, table, file, line, text, condition) of every function put into a slot, in source
    order.
    """
    types = types or Types(program, lambda name: ())
    for table in program.tables:
        file = program.files[table.unit]
        for row in table.entries:
            found = _NAME.fullmatch(row.value)
            if found is None:
                continue
            functions = definitions.of(found.group(1), file)
            if not functions:
                continue
            way = entry_path(types, table.row.type, row.path)
            if way is None or not way[2]:
                continue
            for function, cond in reachable(functions, presence.conj(program.built.get(file, ""), row.cond)):
                yield (
                    way[1].removeprefix("struct "),
                    way[2],
                    function,
                    table.row.name,
                    file,
                    row.line,
                    f"{'.'.join(way[0])} = {row.value}",
                    cond,
                )
    for at, flow in program.flows():
        found = _NAME.fullmatch(flow.value)
        if found is None or at.row == FILE_SCOPE or ("." not in flow.target and "->" not in flow.target):
            continue
        file = program.files[at.unit]
        if found.group(1) in program.locals[at]:
            continue
        functions = definitions.of(found.group(1), file)
        if not functions:
            continue
        term = types.term(flow.target, at)
        while term[0] == "index":
            term = term[1]
        members = types.way(term, at) if term[0] == "member" else ()
        if not members:
            continue
        record, member, _ = members[-1]
        for function, cond in reachable(functions, presence.conj(program.function(at).presence, flow.cond)):
            text = f"{flow.target} = {flow.value}"
            yield record.removeprefix("struct "), member, function, "", file, flow.line, text, cond


def evidence(program: Program, role: str, at: FunctionId, line: int, text: str) -> Evidence:
    """One line of a unit as evidence; `at` is the function that holds it."""
    name = program.row(at).name if at.row != FILE_SCOPE else ""
    return Evidence(role, program.files[at.unit], line, text, name)

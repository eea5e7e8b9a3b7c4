"""Structures: what one holds, what holds it or points to it, and the casts that lead from one to another.

C inherits by placement: a pointer to a structure is also a pointer to its first member, and the kernel casts
both ways along such chains. So a structure is shown with the records that begin with it, however deep, and with the
functions and macros that turn a pointer to one into a pointer to the other. A conversion is known by its shape: a
function of one parameter whose two types lie in one another, or a macro of one parameter that names a record and a
member of it, or a pointer type in brackets. Members of anonymous records belong to the record around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kread.errors import UnknownSymbol
from kread.graph.callgraph import CallGraph, SlotValue

#: Records in records in records: the deepest chain in 6.12, from a protocol's socket to what all share, has six.
_DEEPEST = 12

#: A function that only converts is short; a longer one looks for something.
_LINES = 8

_ANONYMOUS = re.compile(r"(?:struct|union) @")
_RECORD = re.compile(r"(?:struct|union) \w+\Z")
_POINTS = re.compile(r"[*(]")
_CONVERTS = re.compile(r"(?:static )?((?:struct|union) \w+)\* \w+\(((?:struct|union) \w+)\* ?\w*\)\Z")
_BY_MEMBER = re.compile(r",\s*(?:const )?((?:struct|union) \w+),\s*(\w+(?:\.\w+)*)\s*\)")
_BY_TYPE = re.compile(r"\(\s*(?:const )?((?:struct|union) \w+)\s*\*\s*\)")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a structure, in the order of its declaration. `embeds`: its type is a structure held by
    value; `depth` counts the anonymous records around it."""

    name: str
    type: str
    file: str
    line: int
    presence: str = ""
    embeds: bool = False
    depth: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """A structure that holds another by value (`pointer` False) or points to it, and in which member (with dots
    where the member lies deeper). `first`: at its very beginning."""

    record: str
    member: str
    file: str
    line: int
    first: bool = False
    pointer: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Cast:
    """A function or a macro that makes a pointer to `target` of a pointer to `source` ("" = of any pointer)."""

    source: str
    target: str
    name: str
    file: str
    line: int
    macro: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    record: str
    position: int
    name: str
    type: str
    file: str
    line: int
    presence: str


class Records:
    """The structures of a call graph's scope."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph

    def require(self, symbol: str) -> str:
        """The record that a reader means: "sock", "struct sock", "union bpf_attr"; UnknownSymbol with the nearest."""
        from difflib import get_close_matches

        wanted = " ".join(symbol.split())
        for record in (wanted, f"struct {wanted}", f"union {wanted}"):
            if record in self._members:
                return record
        names = [record for record in self._members if not _ANONYMOUS.match(record)]
        short = {record.split(" ", 1)[1]: record for record in names}
        close = get_close_matches(wanted.split(" ")[-1], short, n=3, cutoff=0.6)
        raise UnknownSymbol(
            "no-such-struct",
            f"no structure {symbol or repr(symbol)} has its definition in the scope",
            where=f"{self.graph.release}, scope {self.graph.store.meta('scope')}",
            hint="Nearest: " + ", ".join(short[name] for name in close)
            if close
            else "Another scope may hold it: --scope DIR",
        )

    def members(self, record: str) -> tuple[Member, ...]:
        """What a record holds, with the members of its anonymous records where they stand."""
        return tuple(self._listed(record, "", 0))

    def _listed(self, record: str, file: str, depth: int) -> Iterator[Member]:
        for row in self._rows(record, file):
            plain = _plain(row.type)
            embeds = _RECORD.match(plain) is not None and not _POINTS.search(row.type)
            shown = plain.split(" ")[0] if _ANONYMOUS.match(plain) else row.type
            yield Member(row.name, shown, row.file, row.line, row.presence, embeds, depth)
            if _ANONYMOUS.match(plain) and depth < _DEEPEST:
                yield from self._listed(plain, row.file, depth + 1)

    def holders(self, record: str) -> tuple[Holder, ...]:
        """Who holds a record by value and who points to it; and who, deeper down, begins with it. Sorted."""
        found: dict[tuple[str, str, bool], Holder] = {}
        for holder in self._direct(record):
            found.setdefault((holder.record, holder.member, holder.pointer), holder)
        work = [(holder, 1) for holder in list(found.values()) if holder.first and not holder.pointer]
        while work:
            inner, depth = work.pop()
            for outer in self._direct(inner.record):
                if outer.pointer or not outer.first:
                    continue
                deeper = Holder(outer.record, f"{outer.member}.{inner.member}", outer.file, outer.line, True)
                if found.setdefault((deeper.record, deeper.member, False), deeper) is deeper and depth < _DEEPEST:
                    work.append((deeper, depth + 1))
        return tuple(sorted(found.values(), key=lambda holder: (holder.pointer, not holder.first, holder)))

    def _direct(self, record: str) -> Iterator[Holder]:
        for row in self._by_type.get(record, ()):
            yield from self._named(row, row.name, "*" in row.type, row.position == 0, 0)

    def _named(self, row: _Row, member: str, pointer: bool, first: bool, depth: int) -> Iterator[Holder]:
        """The record with a name around a member: an anonymous one belongs to the record that holds it."""
        if not _ANONYMOUS.match(row.record):
            yield Holder(row.record, member, row.file, row.line, first and not pointer, pointer)
            return
        if row.record.startswith("union "):
            first = True
        for around in self._by_type.get(row.record, ()):
            if around.file == row.file and depth < _DEEPEST:
                path = f"{around.name}.{member}" if around.name else member
                yield from self._named(
                    _Row(around.record, around.position, path, row.type, row.file, row.line, row.presence),
                    path,
                    pointer,
                    first and around.position == 0,
                    depth + 1,
                )

    def tables(self, record: str) -> tuple[SlotValue, ...]:
        """The functions in the tables that are made of a record, by table."""
        name = record.split(" ", 1)[1]
        rows = [value for field in self._fields(record) for value in self.graph.slot(name, field)]
        return tuple(sorted(rows, key=lambda value: (value.table, value.file, value.line, value.field, value.function)))

    def _fields(self, record: str) -> list[str]:
        return sorted({member.name for member in self.members(record) if member.name})

    # Conversions

    def casts(self, record: str) -> tuple[Cast, ...]:
        """The functions and macros that lead from a record or to it, sorted."""
        found = [cast for cast in self._functions() if record in (cast.source, cast.target)]
        found += [cast for cast in self._macros(record) if record in (cast.source, cast.target)]
        return tuple(sorted(set(found)))

    def conversion(self, name: str) -> str:
        """The record to which a function or macro of one parameter makes a pointer ("" where it makes none)."""
        return self._conversions.get(name, "")

    def member_record(self, record: str, member: str) -> str:
        """The record that a member of a record holds or points to ("" for any other type)."""
        plain = next((_plain(one.type) for one in self.members(record) if one.name == member), "")
        return plain if _RECORD.match(plain) else ""

    @cached_property
    def _conversions(self) -> dict[str, str]:
        found = {cast.name: cast.target for cast in self._functions()}
        rows = self.graph.store.query(
            "SELECT body, name FROM macro WHERE params != '' AND params NOT LIKE '%,%'"
            " AND (body LIKE '%struct %' OR body LIKE '%union %') ORDER BY name, file, line"
        )
        for body, name in rows:
            if match := _BY_MEMBER.search(body) or _BY_TYPE.search(body):
                found.setdefault(name, match[1])
        return found

    def _functions(self) -> Iterator[Cast]:
        rows = self.graph.store.query(
            "SELECT signature, name, file, line, presence FROM function"
            " WHERE defined AND end_line - line < ? AND signature LIKE '%* %(%*%)'",
            [_LINES],
        )
        for signature, name, file, line, cond in rows:
            match = _CONVERTS.match(signature)
            if match is None or match[1] == match[2] or not self.graph.compiled(cond):
                continue
            if self._related(match[1], match[2]):
                yield Cast(match[2], match[1], name, file, line)

    def _macros(self, record: str) -> Iterator[Cast]:
        rows = self.graph.store.query(
            "SELECT params, body, name, file, line, presence FROM macro"
            " WHERE params != '' AND params NOT LIKE '%,%' AND (body LIKE '%struct %' OR body LIKE '%union %')"
        )
        for parameter, body, name, file, line, cond in rows:
            if not re.search(rf"\b{re.escape(parameter)}\b", body) or not self.graph.compiled(cond):
                continue
            if match := _BY_MEMBER.search(body):
                yield Cast(self._type_at(match[1], match[2]), match[1], name, file, line, True)
            elif (match := _BY_TYPE.search(body)) and match[1] == record:
                yield Cast("", match[1], name, file, line, True)

    def _type_at(self, record: str, path: str) -> str:
        """The type of a member that is reached by `a.b.c` ("" where it is not known)."""
        for name in path.split("."):
            kind = next((member.type for member in self.members(record) if member.name == name), "")
            record = _plain(kind)
        return record if _RECORD.match(record) else ""

    def _related(self, one: str, other: str) -> bool:
        """Whether one record lies in the other, or both begin with the same."""
        if not (self._members.get(one) and self._members.get(other)):
            return False
        within_one, within_other = self._within(one), self._within(other)
        return other in within_one or one in within_other or bool(self._starts(one) & self._starts(other))

    def _within(self, record: str) -> frozenset[str]:
        """The records with names that lie in a record, however deep."""
        known = self._inside.get(record)
        if known is None:
            found: set[str] = set()
            work = [(record, "")]
            while work:
                tag, file = work.pop()
                for row in self._rows(tag, file):
                    plain = _plain(row.type)
                    if _ANONYMOUS.match(plain):
                        work.append((plain, row.file))
                    elif "*" not in row.type and plain in self._members and plain not in found:
                        found.add(plain)
                        work.append((plain, ""))
            known = self._inside[record] = frozenset(found)
        return known

    def _starts(self, record: str) -> set[str]:
        """The records that stand at the beginning of a record, however deep."""
        found: set[str] = set()
        tag, file = record, ""
        for _ in range(_DEEPEST):
            first = next(iter(self._rows(tag, file)), None)
            if first is None or "*" in first.type:
                break
            tag = _plain(first.type)
            file = first.file if _ANONYMOUS.match(tag) else ""
            if _RECORD.match(tag):
                found.add(tag)
        return found

    # The rows

    def _rows(self, record: str, file: str) -> list[_Row]:
        """The members of a record; of an anonymous one, those that `file` declares. The first definition counts."""
        rows = [row for row in self._members.get(record, ()) if not file or row.file == file]
        return [row for row in rows if row.file == rows[0].file]

    @cached_property
    def _inside(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _members(self) -> dict[str, list[_Row]]:
        found: dict[str, list[_Row]] = {}
        for row in self.graph.store.query(
            "SELECT record, position, name, type, file, line, presence FROM member"
            " ORDER BY file, record, position, line"
        ):
            if self.graph.compiled(row[6]):
                found.setdefault(row[0], []).append(_Row(*row))
        return found

    @cached_property
    def _by_type(self) -> dict[str, list[_Row]]:
        found: dict[str, list[_Row]] = {}
        for rows in self._members.values():
            for row in rows:
                if "(" not in row.type:
                    found.setdefault(_plain(row.type), []).append(row)
        return found


def _plain(declared: str) -> str:
    """A type without its pointers and arrays: "struct sock*[]" -> "struct sock"."""
    for place, sign in enumerate(declared):
        if sign in "*[(":
            return declared[:place].strip()
    return declared.strip()

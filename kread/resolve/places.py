"""Places that hold values: which object an expression lies in, and how to get there within it.

An object is a variable (of a function or of the file scope), a compound literal, or, for everything that is
allocated at run time, the record itself: all struct socks are one object, ("heap", "struct sock"). A place is an
object and a path of members and indices. An expression either lies in a known variable, or behind a pointer whose
values have to be found first.

Objects of a record are followed one by one only if the source defines some: a variable, a table. Everything else
is heap.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import NamedTuple, TypeAlias

from kread.parse.unit import FILE_SCOPE
from kread.resolve.program import FunctionId, Program, Table, split_type
from kread.resolve.slots import Entry, Path, entry_path
from kread.resolve.stores import Stores
from kread.resolve.terms import NOTHING, Term
from kread.resolve.types import Types, is_function, pointee

#: What stands for all objects of a kind in which nothing can be followed (see plain).
PLAIN = "plain"

#: What an opener makes (see openers).
OPENED = "opened"

#: ("local", function, name), ("global", file or "", name), ("literal", unit, "@line:column"), ("heap", None, tag),
#: (PLAIN, None, kind), (OPENED, what the opener was asked for, tag)
Obj: TypeAlias = "tuple[str, object, str]"

ANY = "[*]"

#: How deep records may lie within records: the kernel's deepest is below ten.
_NESTING = 8


class Fixed(NamedTuple):
    """A place in a known object."""

    obj: Obj
    path: Path


class Behind(NamedTuple):
    """A place behind a pointer to a record (or another type, then `tag` is that)."""

    pointer: Term
    tag: str
    path: Path


Place: TypeAlias = "Fixed | Behind"


def heap(tag: str) -> Obj:
    """All objects of a record that are no variables."""
    return ("heap", None, tag)


class Places:
    """Finds the places of terms; knows the objects of a program."""

    def __init__(self, program: Program, types: Types, stores: Stores) -> None:
        self.program = program
        self.types = types
        self.stores = stores
        self._places: dict[tuple[FunctionId, Term], Place | None] = {}
        self._kinds: dict[tuple[Obj, Path], str] = {}
        self._heap: dict[tuple[str, Path], tuple[Obj, Path]] = {}
        self._links: dict[str, bool] = {}
        self._embedded_members: dict[str, list[tuple[str, str, str]]] = {}
        self._entries: dict[Obj, list[Entry]] = {}

    # Objects

    def variable(self, name: str, at: FunctionId) -> Obj | None:
        """The variable that a name means in a function."""
        if name in self.program.locals.get(at, {}):
            return ("local", at, name)
        return self.global_variable(name, self.program.files[at.unit])

    def global_variable(self, name: str, file: str) -> Obj | None:
        """The variable at file scope that a name means in a file."""
        rows = self.program.globals.get(name)
        if not rows or self.types.resolve(rows[0][1]).endswith(")"):
            return None  # `fn_t f;` declares a function
        for owner, _, storage in rows:
            if owner == file or (storage == "static" and self.program.sees(file, owner) and not owner.endswith(".c")):
                return ("global", owner if storage == "static" else "", name)
        if any(storage != "static" for _, _, storage in rows):
            return ("global", "", name)
        return None

    @cached_property
    def tables(self) -> dict[Obj, list[Table]]:
        """The initialisers of each object: more than one where they are alternatives."""
        found: dict[Obj, list[Table]] = defaultdict(list)
        for table in self.program.tables:
            found[self.table_object(table)].append(table)
        return found

    def table_object(self, table: Table) -> Obj:
        row = table.row
        if row.name.startswith("@"):
            return ("literal", table.unit, row.name)
        if row.function != FILE_SCOPE:
            return ("local", FunctionId(table.unit, row.function), row.name)
        return ("global", self.program.files[table.unit] if row.static else "", row.name)

    def entries(self, obj: Obj) -> list[Entry]:
        """The initialiser entries of an object, each with its path."""
        known = self._entries.get(obj)
        if known is None:
            known = []
            for table in self.tables.get(obj, ()):
                for row in table.entries:
                    way = entry_path(self.types, table.row.type, row.path)
                    if way is not None:
                        known.append(Entry(table, tuple(map(self._designator, way[0])), way[1], way[2], row))
            self._entries[obj] = known
        return known

    def _designator(self, step: str) -> str:
        return ANY if step[0] == "[" and "..." in step else step

    def kind(self, obj: Obj, path: Path = ()) -> str:
        """The type of a place."""
        key = (obj, path)
        known = self._kinds.get(key)
        if known is None:
            known = self._kinds[key] = self.types.resolve(self._kind(obj, path))
        return known

    def _kind(self, obj: Obj, path: Path) -> str:
        if path:
            outer = self.kind(obj, path[:-1])
            if path[-1][0] == "[":
                return pointee(outer)
            way = self.types.member(outer, path[-1])
            return way[-1][2] if way else ""
        what, owner, name = obj
        if what in ("heap", PLAIN, OPENED):
            return name
        if what == "local":
            assert isinstance(owner, FunctionId)
            return self.types.local(owner, name)
        if what == "literal":
            return next((table.row.type for table in self.tables.get(obj, ())), "")
        rows = self.program.globals.get(name, ())
        for file, kind, storage in rows:
            if (storage == "static" and file == owner) or (not owner and storage != "static"):
                # An array declared without its size elsewhere is the same type: sizes are not kept.
                return kind
        return ""

    @cached_property
    def instances(self) -> dict[str, list[tuple[Obj, Path]]]:
        """tag -> the places where variables hold a record of that tag, themselves or within."""
        found: dict[str, list[tuple[Obj, Path]]] = defaultdict(list)
        for known, tables in self.tables.items():
            self._within(known, (), self.types.resolve(tables[0].row.type), found, 0)
        for index, unit in enumerate(self.program.units):
            for row in unit.variables:
                if row.storage == "extern":
                    continue
                # Without an initialiser only what is a table itself: others are containers that code fills at run time.
                base, operators = split_type(self.types.resolve(row.type))
                if base not in self.types.holders or "*" in operators or "(" in operators:
                    continue
                obj: Obj = ("global", unit.file if row.storage == "static" else "", row.name)
                if row.function != FILE_SCOPE:
                    obj = ("local", FunctionId(index, row.function), row.name)
                if obj not in self.tables:
                    found[base].append((obj, (ANY,) * operators.count("[]")))
        for obj in self._filled():
            if obj not in self.tables:
                self._within(obj, (), self.kind(obj), found, 0)
        return found

    def _filled(self) -> dict[Obj, None]:
        """The variables at file scope whose members get whole tables by assignment: `all.tcp = (struct ops) { ... }`."""
        found: dict[Obj, None] = {}
        for store in self.stores.copies:
            name, _, member = store.target.partition(".")
            if member and store.value[0] == "@" and name not in self.program.locals.get(store.at, ()):
                obj = self.variable(name, store.at)
                if obj is not None:
                    found[obj] = None
        return found

    def _within(self, obj: Obj, path: Path, kind: str, found: dict[str, list[tuple[Obj, Path]]], depth: int) -> None:
        while kind.endswith("[]"):
            path, kind = (*path, ANY), self.types.resolve(kind[:-2])
        fields = self.program.fields.get(kind)
        if not fields or depth > _NESTING:
            return
        found[kind].append((obj, path))
        for name, base, operators in self._embedded(kind):
            self._within(obj, (*path, name), base + operators, found, depth + 1)

    def _embedded(self, tag: str) -> list[tuple[str, str, str]]:
        """The members of a record that are records with functions in them."""
        known = self._embedded_members.get(tag)
        if known is None:
            known = []
            for name, rows in self.program.fields[tag].items():
                base, operators = split_type(self.types.resolve(rows[0].type))
                if "*" not in operators and base in self.types.carriers:
                    known.append((name, base, operators))
            self._embedded_members[tag] = known
        return known

    def links(self, tag: str) -> bool:
        """Whether a record does nothing but link records: a list's head, a node of a tree.

        What is linked is known by who puts it in (see lists). To follow the links themselves would lead from each list
        to all others, through the few functions that handle them all.
        """
        known = self._links.get(tag)
        if known is None:
            self._links[tag] = True  # what leads back to itself may still be a link
            kinds = [rows[0].type for rows in self.program.fields.get(tag, {}).values()]
            bases = {kind.rstrip("*") for kind in kinds if kind.endswith("*")}
            known = bool(kinds) and all(kind.endswith("*") for kind in kinds) and all(map(self.links, bases))
            self._links[tag] = known
        return known

    def tracked(self, tag: str) -> bool:
        """Whether objects of a record are followed one by one."""
        return tag in self.instances

    # Terms

    def of(self, term: Term, at: FunctionId) -> Place | None:
        """The place of a term; None if it is no place or unknown."""
        key = (at, term)
        if key not in self._places:
            self._places[key] = None
            self._places[key] = self._of(term, at)
        return self._places[key]

    def _of(self, term: Term, at: FunctionId) -> Place | None:
        kind = term[0]
        if kind == "name":
            obj = self.variable(term[1], at)
            if obj is not None:
                return Fixed(obj, ())
            alias = self.types.alias(term[1], self.program.files[at.unit])
            return self.of(alias, at) if alias != NOTHING else None
        if kind == "member":
            return self._member(term, at)
        if kind == "index":
            base = self.types.of(term[1], at)
            step = self._index(term[2], at)
            if base.endswith("[]") or (base.endswith("**") and self._is_global(term[1], at)):
                # A pointer at file scope to an array that is allocated once is as good as the array.
                place = self.of(term[1], at)
                return place._replace(path=(*place.path, step)) if place is not None else None
            return Behind(term[1], pointee(base), (step,))
        if kind == "deref":
            return Behind(term[1], self.types.resolve(pointee(self.types.of(term[1], at))), ())
        if kind == "cast":
            return self.of(term[2], at)
        if kind == "table":
            return Fixed(("literal", at.unit, term[1]), ())
        return None

    def _member(self, term: Term, at: FunctionId) -> Place | None:
        way = self.types.way(term, at)
        if not way:
            return None
        names = tuple(step[1] for step in way)
        if term[3]:
            return Behind(term[1], way[0][0], names)
        place = self.of(term[1], at)
        return place._replace(path=place.path + names) if place is not None else None

    def _is_global(self, term: Term, at: FunctionId) -> bool:
        return term[0] == "name" and (self.variable(term[1], at) or ("",))[0] == "global"

    def _index(self, text: str, at: FunctionId) -> str:
        """An index as a step: only constants are told apart."""
        # Scalars have no rows, so a constant is known by the way it is written: enumerators are upper case.
        if text.isdigit() or (text.isidentifier() and text.isupper() and self.variable(text, at) is None):
            return f"[{text}]"
        return ANY

    def as_record(self, obj: Obj, path: Path, tag: str) -> Path | None:
        """Where a pointer to a record leads in an object: a record lies at the start of its first member's record."""
        for _ in range(_NESTING):
            kind = self.kind(obj, path)
            if kind == tag or not tag:
                return path
            if not kind:
                return None  # taken for every record, a place of unknown type would join all that there are
            if kind.endswith("[]"):
                path = (*path, ANY)
                continue
            rows = self.program.positions.get(kind)
            if not rows or not rows[0].name:
                return None
            path = (*path, rows[0].name)
        return None

    def in_heap(self, tag: str, path: Path) -> tuple[Obj, Path]:
        """A place in the heap by the innermost record on the way, so that all ways to a member are one place."""
        key = (tag, path)
        known = self._heap.get(key)
        if known is None:
            while path and path[0][0] == "[" and tag in self.program.fields:
                path = path[1:]  # an element of an array of records is such a record
            kind, start, inner = tag, 0, tag
            for place, step in enumerate(path):
                if step[0] == "[":
                    kind = self.types.resolve(pointee(kind))
                    continue
                way = self.types.member(kind, step)
                if not way:
                    break
                start, inner = place, kind
                kind = way[-1][2]
            known = self._heap[key] = (heap(inner), path[start:])
        return known


def combine(path: Path, steps: Path) -> Path:
    """The path of `steps` taken from a pointer to `path`: indexing a pointer to an array's element moves along it."""
    if steps and steps[0][0] == "[":
        return path[:-1] + steps if path and path[-1][0] == "[" else path + steps[1:]
    return path + steps


def overlap(one: Path, other: Path) -> bool:
    """Whether two paths can mean the same place: indices may be equal where not both are known."""
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        if a != b and not (a[0] == b[0] == "[" and (ANY in (a, b) or a[1:-1].isdigit() != b[1:-1].isdigit())):
            return False
    return True


def holds_value(kind: str) -> bool:
    """Whether a place of a type can hold a function or an object's address."""
    return kind == "" or kind.endswith(("*", "[]")) or is_function(kind)

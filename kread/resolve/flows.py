"""From terms to arcs: how the values of an expression travel into a vertex, and those of a store to its target.

A load or a store through a pointer becomes an arc for each object that the pointer is found to reach, when it is found.
Where a pointer is marked UNKNOWN, what lies behind it waits until everything else is known.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from kread.parse.unit import FILE_SCOPE, CallRow
from kread.resolve.fitting import Fitting
from kread.resolve.idioms import idioms
from kread.resolve.lists import Lists
from kread.resolve.machine import FOREIGN, FRESH, UNKNOWN, Machine, Value, Vertex, Why
from kread.resolve.openers import Openers
from kread.resolve.places import ANY, PLAIN, Behind, Fixed, Obj, Place, Places, combine, holds_value
from kread.resolve.plain import Plain
from kread.resolve.program import FunctionId, Program
from kread.resolve.slots import Path
from kread.resolve.stores import Store, Stores
from kread.resolve.terms import NOTHING, Term
from kread.resolve.types import MacroLookup, Types, is_function

#: Steps from an object to a place in it. Records nest less deep; a way that goes on (a pointer that is found to lead
#: into itself by types that are not known) would have no end.
MOST_STEPS = 10


class Flows(ABC):
    """The part of an analysis that reads expressions."""

    def __init__(self, program: Program, macros: MacroLookup) -> None:
        self.program = program
        self.types = Types(program, macros)
        self.stores = Stores(program)
        self.places = Places(program, self.types, self.stores)
        self.fitting = Fitting(self.places)
        self.plain = Plain(self.places, self.fitting)
        self.machine = Machine(self.start, self._record, self.fitting.admits)
        self.lists = Lists(self)
        self.openers = Openers(program, self.places, self.stores, self.named)
        #: the pointers to followed records through which something is read or written
        self.bases: list[Vertex] = []
        #: what is to be done for pointers with unknown values once nothing else changes
        self.waiting: list[tuple[Vertex, Callable[[int], None]]] = []
        self._named: dict[tuple[str, str], tuple[FunctionId, ...]] = {}

    def _record(self, key: tuple[Any, ...]) -> str:
        """The record of the objects whose addresses a vertex can hold, "" where anything goes."""
        what = key[0]
        if what == "place":
            return self.fitting.record(self.places.kind(key[1], key[2]))
        return self.fitting.record(self.types.of(key[2], key[1])) if what == "expression" else ""

    @abstractmethod
    def start(self, vertex: Vertex) -> None:
        """Make the arcs that lead to a new vertex."""

    @abstractmethod
    def place(self, obj: Obj, path: Path) -> Vertex:
        """The vertex from which a place is read."""

    @abstractmethod
    def written(self, obj: Obj, path: Path) -> Vertex:
        """The vertex into which a place is written."""

    @abstractmethod
    def argument(self, vertex: Vertex, at: FunctionId, row: CallRow, number: int) -> None:
        """Let the values of a call's argument travel into a vertex."""

    def expression(self, term: Term, at: FunctionId) -> Vertex:
        """The vertex of an expression's value."""
        return self.machine.vertex(("expression", at, term))

    def functions(self, value: Value) -> tuple[FunctionId, ...]:
        """The definitions that a function's value means."""
        return self.named(value[1], value[2])

    def named(self, name: str, file: str) -> tuple[FunctionId, ...]:
        """The definitions of a name that a file can mean: its own, then its headers', then external ones."""
        key = (name, file)
        known = self._named.get(key)
        if known is None:
            program = self.program
            all_of = program.by_name.get(name, ())
            known = tuple(each for each in all_of if program.file(each) == file)
            if not known:
                closure = program.closures.get(file, frozenset())
                seen = [each for each in all_of if program.file(each) in closure]
                outside = [
                    each for each in all_of if program.file(each).endswith(".c") and not program.row(each).static
                ]
                known = tuple(dict.fromkeys([*seen, *outside]))
                if not known and not file.endswith(".c"):
                    known = tuple(all_of)
            self._named[key] = known
        return known

    def tracked_pointer(self, kind: str) -> bool:
        """Whether a type is a pointer to a record whose objects are followed one by one."""
        return kind.endswith("*") and self.places.tracked(kind.rstrip("*[]"))

    def outside(self, vertex: Vertex) -> None:
        """Mark a vertex as reached by values that can't be followed."""
        vertex.sources += 1
        self.machine.flag(vertex, UNKNOWN)

    def address(self, obj: Obj, path: Path, into: Vertex, why: Why | None) -> None:
        """Put an object's address into a vertex."""
        self.machine.add(into, self.plain.value(obj, path), why)

    def flow(self, term: Term, at: FunctionId, into: Vertex, why: Why | None) -> None:
        """Let the values of a term travel into a vertex."""
        kind = term[0]
        if kind == "name":
            self._flow_name(term, at, into, why)
        elif kind in ("member", "index", "deref"):
            found = self.types.of(term, at)
            if is_function(found) and not found.endswith(("*", "]")):
                self.flow(term[1], at, into, why)  # *f is f
            elif found.endswith("[]"):
                self._address(self.places.of(term, at), (ANY,), at, into, why)
            elif holds_value(found):
                self.load(self.places.of(term, at), at, into, why)
        elif kind == "address":
            inner = term[1]
            if inner[0] == "name" and self.places.variable(inner[1], at) is None:
                if not self._flow_name(inner, at, into, why):
                    # Declared by a macro, LIST_HEAD(x): an object of a type that nobody asks for.
                    self.address(("global", self.program.files[at.unit], inner[1]), (), into, why)
            else:
                self._address(self.places.of(inner, at), (), at, into, why)
        elif kind == "call":
            self._flow_call(term, at, into, why)
        elif kind == "cast":
            self.flow(term[2], at, into, why)
        elif kind == "either":
            self.flow(term[1], at, into, why)
            self.flow(term[2], at, into, why)
        elif kind == "step":
            self.flow(term[1], at, into, why)

    def _flow_name(self, term: Term, at: FunctionId, into: Vertex, why: Why | None) -> bool:
        """Let the values of a name travel into a vertex; False if the name means nothing that is known."""
        name = term[1]
        file = self.program.files[at.unit]
        obj = self.places.variable(name, at)
        if obj is not None:
            kind = self.places.kind(obj)
            if kind.endswith("[]"):
                self.address(obj, (ANY,), into, why)
            elif holds_value(kind):
                self.machine.arc(self.place(obj, ()), into, why)
            return True
        if name in self.program.by_name or name in self.program.prototypes:
            self.machine.add(into, ("function", name, file), why)
            return True
        alias = self.types.alias(name, file)
        if alias == NOTHING:
            return False
        if alias[0] != "type":
            self.flow(alias, at, into, why)
        return True

    def _flow_call(self, term: Term, at: FunctionId, into: Vertex, why: Why | None) -> None:
        callee, args = term[1], term[2]
        table = idioms()
        if callee[0] == "name":
            name = callee[1]
            row = table.containers.get(name) or table.list_first.get(name)
            if row is not None:
                self.lists.call(row, args, at, into, why)
                return
            if table.allocates(name):
                into.sources += 1
                self.machine.flag(into, FRESH)
                return
            if name in table.openers:
                self._opened(table.openers[name], args, at, into, why)
                return
            if self.places.variable(name, at) is None:
                functions = self.named(name, self.program.files[at.unit])
                for function in functions:
                    self.machine.arc(self.machine.vertex(("result", function)), into, why)
                if not functions:
                    self.outside(into)
                return

        def reached(value: Value | None) -> None:
            if value is not None and value[0] == "function":
                for function in self.functions(value):
                    self.machine.arc(self.machine.vertex(("result", function)), into, why)

        self.machine.watch(self.expression(callee, at), reached)

    def _opened(
        self, row: dict[str, Any], args: tuple[Term, ...], at: FunctionId, into: Vertex, why: Why | None
    ) -> None:
        """A call that makes an object which can be told from others by what it was asked for."""
        objects = self.openers.objects(row, args, at)
        for obj in objects:
            self.address(obj, (), into, why)
        if not objects:
            self.outside(into)

    def text(self, store: Store) -> str:
        """A store as it is written; of a compound literal only its type."""
        sign, at, name = store.value.partition("@")
        if not at or sign not in ("", "&"):
            return store.text
        kind = self.places.kind(("literal", store.at.unit, f"@{name}"))
        return f"{store.target} = {sign}({kind}) {{...}}"

    # Loads, addresses and stores

    def behind(
        self, place: Behind, at: FunctionId, use: Callable[[Obj, Path], None], other: Callable[[int], None]
    ) -> None:
        """Call `use` for each object that a pointer reaches, `other` with the marks of what else it reaches."""
        tag = place.tag
        rows = tag.endswith("[]")  # a pointer to the rows of an array
        if not self.places.tracked(tag.replace("[]", "")) and not (tag == "" or tag.endswith("*") or is_function(tag)):
            other(FRESH)
            return

        def reached(value: Value | None) -> None:
            if value is None:
                other(FRESH)
                if base.flags & (UNKNOWN | FOREIGN):
                    self.waiting.append((base, other))
            elif value[0] == "object" and value[1][0] != PLAIN:
                start = value[2] if rows or tag.endswith("*") else self.places.as_record(value[1], value[2], tag)
                way = combine(start, place.path) if start is not None else ()
                if start is not None and len(way) <= MOST_STEPS:
                    use(value[1], way)

        base = self.expression(place.pointer, at)
        if self.places.tracked(tag):
            self.bases.append(base)
        self.machine.watch(base, reached)

    def load(self, place: Place | None, at: FunctionId, into: Vertex, why: Why | None) -> None:
        into.sources += 1
        if place is None or (isinstance(place, Behind) and self.places.links(place.tag)):
            self.machine.flag(into, UNKNOWN)
        elif isinstance(place, Fixed):
            self.machine.arc(self.place(place.obj, place.path), into, why)
        else:
            tag, path = place.tag, place.path

            def other(flags: int) -> None:
                if not path or not tag:
                    self.machine.flag(into, flags & (UNKNOWN | FOREIGN))
                elif flags & (UNKNOWN | FOREIGN):
                    self.machine.arc(self.machine.vertex(("type", tag, path, not flags & UNKNOWN)), into, why)
                else:
                    self.machine.arc(self.place(*self.places.in_heap(tag, path)), into, why)

            def use(obj: Obj, way: Path) -> None:
                if holds_value(self.places.kind(obj, way)):
                    self.machine.arc(self.place(obj, way), into, why)

            self.behind(place, at, use, other)

    def _address(self, place: Place | None, more: Path, at: FunctionId, into: Vertex, why: Why | None) -> None:
        into.sources += 1
        if place is None:
            self.machine.flag(into, UNKNOWN)
        elif isinstance(place, Fixed):
            self.address(place.obj, place.path + more, into, why)
        else:
            tag, path = place.tag, place.path

            def other(flags: int) -> None:
                if path and tag and not (flags & UNKNOWN):
                    obj, way = self.places.in_heap(tag, path)
                    self.address(obj, way + more, into, why)
                else:
                    self.machine.flag(into, flags)

            self.behind(place, at, lambda obj, way: self.address(obj, way + more, into, why), other)

    def store(self, store: Store) -> None:
        """Let a stored value travel to wherever its target is."""
        if store.at.row != FILE_SCOPE and self.program.row(store.at).name in idioms().sorts:
            return  # the data says where its objects go
        term = self.types.term(store.target, store.at)
        place = self.places.of(term, store.at)
        if place is None or (isinstance(place, Behind) and self.places.links(place.tag)):
            return
        why = Why("install", store.at, store.line, self.text(store), store.cond)
        value = self.machine.vertex(("expression", store.at, self.types.term(store.value, store.at)))
        if isinstance(place, Fixed):
            self.machine.arc(value, self.written(place.obj, place.path), why)
            return
        tag, path = place.tag, place.path

        def other(flags: int) -> None:
            if path and tag:
                self.machine.arc(value, self.written(*self.places.in_heap(tag, path)), why)

        def use(obj: Obj, way: Path) -> None:
            if holds_value(self.places.kind(obj, way)):
                self.machine.arc(value, self.written(obj, way), why)

        self.behind(place, store.at, use, other)

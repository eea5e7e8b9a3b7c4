"""Which functions and which objects can get to a place: inclusion-based points-to, on demand and by field.

Each place, each result of a function and each pointer expression that somebody asks about is a vertex that holds values:
functions, and addresses of objects. A flow `target = value` is an arc along which values travel; a load or a store through
a pointer becomes an arc to or from each object that the pointer is found to reach, as in Andersen's
analysis ("Program Analysis and Specialization for the C Programming Language", 1994, chapter 4). Vertices are
made when asked for, so only the few flows that lead to a call through a pointer are ever read. The order of statements
does not count, with one exception that kernel code relies on: a member stored after its object was copied
replaces the copied one.

Where a pointer's origin is not in the scope (a list walked by a macro, memory from elsewhere, a caller that nobody
has seen) the vertex is marked UNKNOWN, and a load through it falls back on the type: all objects of the record whose
address is used anywhere. The mark travels with the values, so the grade of an edge is known.

Every arc carries the line that made it. The first arc by which a value came in is kept, and gives its evidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cached_property

from kread.parse.unit import FILE_SCOPE, CallRow
from kread.resolve.copies import Copies
from kread.resolve.idioms import idioms
from kread.resolve.lists import Lists
from kread.resolve.machine import FRESH, UNKNOWN, Machine, Value, Vertex, Why
from kread.resolve.mentions import Mentions
from kread.resolve.places import ANY, Behind, Fixed, Obj, Place, Places, combine, holds_value, overlap
from kread.resolve.program import FunctionId, Program, split_type
from kread.resolve.slots import Path
from kread.resolve.stores import Store, Stores
from kread.resolve.terms import NOTHING, Term
from kread.resolve.types import MacroLookup, Types, is_function


class Values:
    """The analysis of one program."""

    def __init__(self, program: Program, macros: MacroLookup) -> None:
        self.program = program
        self.types = Types(program, macros)
        self.places = Places(program, self.types)
        self.stores = Stores(program)
        self.machine = Machine(self._start)
        self.copies = Copies(self)
        self.lists = Lists(self)
        self.mentions = Mentions(program, self.places)
        #: the pointers to followed records through which something is read or written
        self.bases: list[Vertex] = []
        self._waiting: list[tuple[Vertex, Callable[[int], None]]] = []
        self._active: set[tuple[str, str]] = set()
        self._seen: set[Obj] = set()
        self._readers: dict[Obj, list[tuple[Path, Vertex]]] = defaultdict(list)
        self._writers: dict[Obj, list[tuple[Path, Vertex]]] = defaultdict(list)
        self._parameters: dict[FunctionId, dict[int, Vertex]] = defaultdict(dict)
        self._reached: dict[FunctionId, dict[tuple[FunctionId, CallRow], None]] = defaultdict(dict)
        self._named: dict[tuple[str, str], tuple[FunctionId, ...]] = {}

    # The questions

    def expression(self, term: Term, at: FunctionId) -> Vertex:
        """The vertex of an expression's value."""
        return self.machine.vertex(("expression", at, term))

    def watch_call(self, callee: Vertex, at: FunctionId, row: CallRow) -> None:
        """Say that a call goes to whatever functions reach `callee`: its arguments flow to their parameters."""

        def reached(value: Value | None) -> None:
            if value is not None and value[0] == "function":
                for function in self.functions(value):
                    self._reach(function, at, row)

        self.machine.watch(callee, reached)

    def put(self, vertex: Vertex, tag: str, member: str, why: Why) -> None:
        """Let the values of an expression travel into a member of all objects of a record that are no variables."""
        self.machine.arc(vertex, self.place(*self.places.in_heap(tag, (member,))), why)

    def slot_behind(self, pointer: Term, at: FunctionId, tag: str, member: str) -> Vertex:
        """The vertex of a member of the objects that a pointer reaches."""
        vertex = self.machine.vertex(("slot", at, pointer, member))
        place = Behind(pointer, tag, (member,))
        self.behind(
            place, at, lambda obj, way: self.machine.arc(self.place(obj, way), vertex, None), lambda flags: None
        )
        return vertex

    def solve(self) -> None:
        """Let values travel until nothing changes. What nothing leads to then comes from outside of the scope."""
        while True:
            self.machine.run()
            lost = [
                vertex
                for vertex in self.machine.vertices.values()
                if vertex.key[0] == "place"
                and not (vertex.sources or vertex.values or vertex.flags)
                and self.tracked_pointer(self.places.kind(vertex.key[1], vertex.key[2]))
            ]
            lost = lost or [vertex for vertex in self.bases if not (vertex.values or vertex.flags)]
            for vertex in lost:
                self.machine.flag(vertex, UNKNOWN)
            if not lost and not self._fall_back():
                return

    def _fall_back(self) -> bool:
        """Go by the type where a pointer has unknown values and no known object; False if that is nowhere (any more).

        Where some objects are known they are taken for all: what cannot be followed is mostly built at run time.
        """
        waiting, self._waiting = self._waiting, []
        blind = [other for base, other in waiting if not any(value[0] == "object" for value in base.values)]
        for other in blind:
            other(UNKNOWN)
        return bool(blind)

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

    # Reading

    def _start(self, vertex: Vertex) -> None:
        """Make the arcs that lead to a new vertex."""
        key = vertex.key
        if key[0] == "expression":
            self.flow(key[2], key[1], vertex, None)
        elif key[0] == "place":
            self._start_place(vertex, key[1], key[2])
        elif key[0] == "result":
            for store in self.stores.returns.get(key[1], ()):
                why = Why("install", store.at, store.line, f"return {store.value}", store.cond)
                self.flow(self.types.term(store.value, store.at), store.at, vertex, why)
        elif key[0] == "type":
            self._start_type(vertex, key[1], key[2])

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
                    self.machine.add(into, ("object", ("global", self.program.units[at.unit].file, inner[1]), ()), why)
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
        file = self.program.units[at.unit].file
        obj = self.places.variable(name, at)
        if obj is not None:
            kind = self.places.kind(obj)
            if kind.endswith("[]"):
                self.machine.add(into, ("object", obj, (ANY,)), why)
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
            if self.places.variable(name, at) is None:
                functions = self.named(name, self.program.units[at.unit].file)
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
                if base.flags & UNKNOWN:
                    self._waiting.append((base, other))
            elif value[0] == "object":
                start = value[2] if rows or tag.endswith("*") else self.places.as_record(value[1], value[2], tag)
                if start is not None:
                    use(value[1], combine(start, place.path))

        base = self.expression(place.pointer, at)
        if self.places.tracked(tag):
            self.bases.append(base)
        self.machine.watch(base, reached)

    def load(self, place: Place | None, at: FunctionId, into: Vertex, why: Why | None) -> None:
        into.sources += 1
        if place is None:
            self.machine.flag(into, UNKNOWN)
        elif isinstance(place, Fixed):
            self.machine.arc(self.place(place.obj, place.path), into, why)
        else:
            tag, path = place.tag, place.path

            def other(flags: int) -> None:
                if not path or not tag:
                    self.machine.flag(into, flags & UNKNOWN)
                elif flags & UNKNOWN:
                    self.machine.arc(self.machine.vertex(("type", tag, path)), into, why)
                else:
                    self.machine.arc(self.place(*self.places.in_heap(tag, path)), into, why)

            self.behind(place, at, lambda obj, way: self.machine.arc(self.place(obj, way), into, why), other)

    def _address(self, place: Place | None, more: Path, at: FunctionId, into: Vertex, why: Why | None) -> None:
        into.sources += 1
        if place is None:
            self.machine.flag(into, UNKNOWN)
        elif isinstance(place, Fixed):
            self.machine.add(into, ("object", place.obj, place.path + more), why)
        else:
            tag, path = place.tag, place.path

            def other(flags: int) -> None:
                if path and tag and not (flags & UNKNOWN):
                    obj, way = self.places.in_heap(tag, path)
                    self.machine.add(into, ("object", obj, way + more), why)
                else:
                    self.machine.flag(into, flags)

            self.behind(place, at, lambda obj, way: self.machine.add(into, ("object", obj, way + more), why), other)

    def store(self, store: Store) -> None:
        """Let a stored value travel to wherever its target is."""
        if store.at.row != FILE_SCOPE and self.program.row(store.at).name in idioms().sorts:
            return  # the data says where its objects go
        term = self.types.term(store.target, store.at)
        place = self.places.of(term, store.at)
        if place is None:
            return
        why = Why("install", store.at, store.line, store.text, store.cond)
        value = self.machine.vertex(("expression", store.at, self.types.term(store.value, store.at)))
        if isinstance(place, Fixed):
            self.machine.arc(value, self._written(place.obj, place.path), why)
            return
        tag, path = place.tag, place.path

        def other(flags: int) -> None:
            if path and tag:
                self.machine.arc(value, self._written(*self.places.in_heap(tag, path)), why)

        self.behind(place, store.at, lambda obj, way: self.machine.arc(value, self._written(obj, way), why), other)

    # Places

    def place(self, obj: Obj, path: Path) -> Vertex:
        """The vertex from which a place is read."""
        if obj[0] == "heap" and len(path) > 1:
            obj, path = self.places.in_heap(obj[2], path)
        if obj[0] != "heap" and path and not self.places.tracked(self._outer(obj)):
            obj, path = self.places.in_heap(self._outer(obj), path if path[0][0] != "[" else path[1:])
        key = ("place", obj, path)
        vertex = self.machine.vertices.get(key)
        if vertex is None:
            vertex = self.machine.vertex(key)
            if any(step[0] == "[" for step in path):
                self._readers[obj].append((path, vertex))
                for other, writer in self._writers[obj]:
                    if overlap(path, other):
                        self.machine.arc(writer, vertex, None)
        return vertex

    def _outer(self, obj: Obj) -> str:
        return split_type(self.places.kind(obj))[0]

    def _written(self, obj: Obj, path: Path) -> Vertex:
        """The vertex into which a place is written: with an index, another one than those from which it is read."""
        if not any(step[0] == "[" for step in path):
            return self.place(obj, path)
        key = ("written", obj, path)
        vertex = self.machine.vertices.get(key)
        if vertex is None:
            vertex = self.machine.vertices[key] = Vertex(key)
            self._writers[obj].append((path, vertex))
            for other, reader in self._readers[obj]:
                if overlap(path, other):
                    self.machine.arc(vertex, reader, None)
        return vertex

    def _start_place(self, vertex: Vertex, obj: Obj, path: Path) -> None:
        what = obj[0]
        if what != "heap":
            for entry in self.places.entries(obj):
                if overlap(entry.path, path):
                    at = FunctionId(entry.table.unit, entry.table.row.function)
                    text = f"{''.join(_shown(entry.path)) or obj[2]} = {entry.row.value}"
                    why = Why("slot", at, entry.row.line, text, entry.row.cond)
                    self.flow(self.types.term(entry.row.value, at), at, vertex, why)
        if path:
            self.copies.into(vertex, obj, path)
        names = [step for step in path if step[0] != "["]
        if names:
            outer = path[: len(path) - 1 - list(reversed(path)).index(names[-1])]
            self._activate(self.places.kind(obj, outer), names[-1])
        elif what in ("local", "global"):
            self._variable(vertex, obj)

    def _variable(self, vertex: Vertex, obj: Obj) -> None:
        what, owner, name = obj
        if obj in self._seen:
            return
        self._seen.add(obj)
        for store in self.stores.variables.get((owner if isinstance(owner, FunctionId) else None, name), ()):
            if self.places.variable(name, store.at) == obj and store.value[0] != "@":
                self.store(store)
        self.lists.variable(vertex, obj)
        if what == "local":
            assert isinstance(owner, FunctionId)
            for number, (param, _) in enumerate(self.program.row(owner).params):
                if param == name:
                    self._parameter(vertex, owner, number)
        for store in self._pointed.pop(self.places.kind(obj), ()):
            self.store(store)

    @cached_property
    def _pointed(self) -> dict[str, list[Store]]:
        """type -> the stores through a pointer to it, each read once."""
        found: dict[str, list[Store]] = defaultdict(list)
        for store in self.stores.derefs:
            kind = self.types.of(self.types.term(store.target, store.at), store.at)
            if holds_value(kind) and (is_function(kind) or self.tracked_pointer(kind)):
                found[kind].append(store)
        return found

    def _activate(self, tag: str, member: str) -> None:
        """Read all stores into a record's member, once."""
        if (tag, member) in self._active:
            return
        self._active.add((tag, member))
        for store in self.stores.members.get(member, ()):
            if store.value[0] == "@":
                continue
            term = self.types.term(store.target, store.at)
            while term[0] == "index":
                term = term[1]
            way = self.types.way(term, store.at) if term[0] == "member" else ()
            if way and way[-1][0] == tag and way[-1][1] == member:
                self.store(store)

    # Parameters and whole types

    def _parameter(self, vertex: Vertex, function: FunctionId, number: int) -> None:
        sort = idioms().sorts.get(self.program.row(function).name)
        if sort is not None and sort["object"] == number:
            vertex.sources += 1
            return
        self._parameters[function][number] = vertex
        for at, row in self.stores.calls.get(self.program.row(function).name, ()):
            if number >= len(row.args) or row.callee in self.program.locals.get(at, ()):
                continue
            if function in self.named(row.callee, self.program.units[at.unit].file):
                self.argument(vertex, at, row, number)
        for at, row in list(self._reached[function]):
            if number < len(row.args):
                self.argument(vertex, at, row, number)

    def argument(self, vertex: Vertex, at: FunctionId, row: CallRow, number: int) -> None:
        why = Why("argument", at, row.line, f"{row.callee}({', '.join(row.args)})", row.cond)
        self.flow(self.types.term(row.args[number], at), at, vertex, why)

    def _reach(self, function: FunctionId, at: FunctionId, row: CallRow) -> None:
        known = self._reached[function]
        if (at, row) in known:
            return
        known[(at, row)] = None
        for number, vertex in self._parameters[function].items():
            if number < len(row.args):
                self.argument(vertex, at, row, number)

    def _start_type(self, vertex: Vertex, tag: str, path: Path) -> None:
        """All objects of a record whose address anybody uses, and the heap."""
        self.machine.arc(self.place(*self.places.in_heap(tag, path)), vertex, None)
        for obj, prefix in self.places.instances.get(tag, ()):
            if obj[0] != "local" and self.mentions.used(obj):
                self.machine.arc(self.place(obj, prefix + path), vertex, None)


def _shown(path: Path) -> list[str]:
    return [step if step[0] == "[" else f".{step}" for step in path]

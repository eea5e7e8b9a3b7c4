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

import re
from collections import defaultdict, deque
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from kread.parse.unit import FILE_SCOPE, CallRow
from kread.resolve.idioms import idioms
from kread.resolve.places import ANY, Behind, Fixed, Obj, Place, Places, combine, heap, holds_value, overlap
from kread.resolve.program import FunctionId, Program, split_type
from kread.resolve.slots import Path
from kread.resolve.stores import Store, Stores
from kread.resolve.terms import NOTHING, Term
from kread.resolve.types import MacroLookup, Types, is_function, pointee

#: ("function", name, file that names it) or ("object", obj, path)
Value: TypeAlias = tuple[Any, ...]

#: Some values came from outside of the scope.
UNKNOWN = 1
#: Some values are fresh memory.
FRESH = 2

_WORD = re.compile(r"[A-Za-z_]\w*")


class Why(NamedTuple):
    """The line that makes an arc: its role as evidence, where it stands and its text."""

    role: str
    at: FunctionId
    line: int
    text: str
    cond: str = ""


class Vertex:
    """A place or an expression with the values that reach it. `values` remembers where each came from first."""

    __slots__ = ("arcs", "flags", "key", "sources", "values", "watchers")

    def __init__(self, key: tuple[Any, ...]) -> None:
        self.key = key
        self.values: dict[Value, tuple[Vertex | None, Why | None]] = {}
        self.flags = 0
        self.arcs: dict[Vertex, Why | None] = {}
        self.watchers: list[Callable[[Value | None], None]] = []
        self.sources = 0


class Values:
    """The analysis of one program."""

    def __init__(self, program: Program, macros: MacroLookup) -> None:
        self.program = program
        self.types = Types(program, macros)
        self.places = Places(program, self.types)
        self.stores = Stores(program)
        self._vertices: dict[tuple[Any, ...], Vertex] = {}
        self._new: deque[Vertex] = deque()
        self._changed: deque[tuple[Vertex, Value | None]] = deque()
        self._active: set[tuple[str, str]] = set()
        self._seen: set[Obj] = set()
        self._readers: dict[Obj, list[tuple[Path, Vertex]]] = defaultdict(list)
        self._writers: dict[Obj, list[tuple[Path, Vertex]]] = defaultdict(list)
        self._parameters: dict[FunctionId, dict[int, Vertex]] = defaultdict(dict)
        self._reached: dict[FunctionId, dict[tuple[FunctionId, CallRow], None]] = defaultdict(dict)
        self._results: dict[FunctionId, list[Vertex]] = defaultdict(list)
        self._named: dict[tuple[str, str], tuple[FunctionId, ...]] = {}

    # The questions

    def expression(self, term: Term, at: FunctionId) -> Vertex:
        """The vertex of an expression's value."""
        return self._vertex(("expression", at, term))

    def watch_call(self, callee: Vertex, at: FunctionId, row: CallRow) -> None:
        """Say that a call goes to whatever functions reach `callee`: its arguments flow to their parameters."""

        def reached(value: Value | None) -> None:
            if value is not None and value[0] == "function":
                for function in self.functions(value):
                    self._reach(function, at, row)

        self._watch(callee, reached)

    def put(self, vertex: Vertex, tag: str, member: str, why: Why) -> None:
        """Let the values of an expression travel into a member of all objects of a record that are no variables."""
        self._arc(vertex, self._place(*self.places.in_heap(tag, (member,))), why)

    def slot_behind(self, pointer: Term, at: FunctionId, tag: str, member: str) -> Vertex:
        """The vertex of a member of the objects that a pointer reaches."""
        vertex = self._vertex(("slot", at, pointer, member))
        place = Behind(pointer, tag, (member,))
        self._behind(place, at, lambda obj, way: self._arc(self._place(obj, way), vertex, None), lambda flags: None)
        return vertex

    def solve(self) -> None:
        """Let values travel until nothing changes. Vertices that nothing leads to are then from outside."""
        while True:
            self._run()
            marked = False
            for vertex in self._vertices.values():
                if vertex.key[0] == "place" and not vertex.sources and not vertex.values and not vertex.flags:
                    if self.tracked_pointer(self.places.kind(vertex.key[1], vertex.key[2])):
                        self._flag(vertex, UNKNOWN)
                        marked = True
            if not marked:
                return

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

    # The machine

    def _vertex(self, key: tuple[Any, ...]) -> Vertex:
        vertex = self._vertices.get(key)
        if vertex is None:
            vertex = self._vertices[key] = Vertex(key)
            self._new.append(vertex)
        return vertex

    def _run(self) -> None:
        new, changed = self._new, self._changed
        while new or changed:
            while changed:
                vertex, value = changed.popleft()
                for target, why in vertex.arcs.items():
                    if value is None:
                        self._flag(target, vertex.flags)
                    elif value not in target.values:
                        target.values[value] = (vertex, why)
                        changed.append((target, value))
                for watcher in vertex.watchers:
                    watcher(value)
            if new:
                self._start(new.popleft())

    def _add(self, vertex: Vertex, value: Value, why: Why | None) -> None:
        vertex.sources += 1
        if value not in vertex.values:
            vertex.values[value] = (None, why)
            self._changed.append((vertex, value))

    def _flag(self, vertex: Vertex, flags: int) -> None:
        if flags & ~vertex.flags:
            vertex.flags |= flags
            self._changed.append((vertex, None))

    def _arc(self, source: Vertex, target: Vertex, why: Why | None) -> None:
        if source is target or target in source.arcs:
            return
        target.sources += 1
        source.arcs[target] = why
        for value in source.values:
            if value not in target.values:
                target.values[value] = (source, why)
                self._changed.append((target, value))
        if source.flags:
            self._flag(target, source.flags)

    def _watch(self, vertex: Vertex, watcher: Callable[[Value | None], None]) -> None:
        vertex.watchers.append(watcher)
        for value in list(vertex.values):
            watcher(value)
        if vertex.flags:
            watcher(None)

    def _start(self, vertex: Vertex) -> None:
        """Make the arcs that lead to a new vertex."""
        key = vertex.key
        if key[0] == "expression":
            self._flow(key[2], key[1], vertex, None)
        elif key[0] == "place":
            self._start_place(vertex, key[1], key[2])
        elif key[0] == "result":
            for store in self.stores.returns.get(key[1], ()):
                why = Why("install", store.at, store.line, f"return {store.value}", store.cond)
                self._flow(self.types.term(store.value, store.at), store.at, vertex, why)
        elif key[0] == "type":
            self._start_type(vertex, key[1], key[2])

    # Reading a term

    def _flow(self, term: Term, at: FunctionId, into: Vertex, why: Why | None) -> None:
        """Let the values of a term travel into a vertex."""
        kind = term[0]
        if kind == "name":
            self._flow_name(term, at, into, why)
        elif kind in ("member", "index", "deref"):
            found = self.types.of(term, at)
            if is_function(found) and not found.endswith(("*", "]")):
                self._flow(term[1], at, into, why)  # *f is f
            elif found.endswith("[]"):
                self._address(self.places.of(term, at), (ANY,), at, into, why)
            elif holds_value(found):
                self._load(self.places.of(term, at), at, into, why)
        elif kind == "address":
            inner = term[1]
            if inner[0] == "name" and self.places.variable(inner[1], at) is None:
                self._flow_name(inner, at, into, why)
            else:
                self._address(self.places.of(inner, at), (), at, into, why)
        elif kind == "call":
            self._flow_call(term, at, into, why)
        elif kind == "cast":
            self._flow(term[2], at, into, why)
        elif kind == "either":
            self._flow(term[1], at, into, why)
            self._flow(term[2], at, into, why)
        elif kind == "step":
            self._flow(term[1], at, into, why)

    def _flow_name(self, term: Term, at: FunctionId, into: Vertex, why: Why | None) -> None:
        name = term[1]
        file = self.program.units[at.unit].file
        obj = self.places.variable(name, at)
        if obj is not None:
            kind = self.places.kind(obj)
            if kind.endswith("[]"):
                self._add(into, ("object", obj, (ANY,)), why)
            elif holds_value(kind):
                self._arc(self._place(obj, ()), into, why)
        elif name in self.program.by_name or name in self.program.prototypes:
            self._add(into, ("function", name, file), why)
        else:
            alias = self.types.alias(name, file)
            if alias != NOTHING and alias[0] != "type":
                self._flow(alias, at, into, why)

    def _flow_call(self, term: Term, at: FunctionId, into: Vertex, why: Why | None) -> None:
        callee, args = term[1], term[2]
        table = idioms()
        if callee[0] == "name":
            name = callee[1]
            row = table.containers.get(name)
            if row is not None:
                self._container(row, args, at, into, why)
                return
            if table.allocates(name):
                into.sources += 1
                self._flag(into, FRESH)
                return
            if self.places.variable(name, at) is None:
                functions = self.named(name, self.program.units[at.unit].file)
                for function in functions:
                    self._arc(self._vertex(("result", function)), into, why)
                if not functions:
                    into.sources += 1
                    self._flag(into, UNKNOWN)
                return

        def reached(value: Value | None) -> None:
            if value is not None and value[0] == "function":
                for function in self.functions(value):
                    self._arc(self._vertex(("result", function)), into, why)

        self._watch(self.expression(callee, at), reached)

    def _container(
        self, row: dict[str, Any], args: tuple[Term, ...], at: FunctionId, into: Vertex, why: Why | None
    ) -> None:
        """container_of(p, type, member): the objects whose member p points to."""
        into.sources += 1
        tag = self.types.container(row, args, at)
        place = row["member"]
        if not tag or place >= len(args) or row["pointer"] >= len(args) or not self.places.tracked(tag):
            self._flag(into, UNKNOWN)
            return
        steps = self._member_steps(tag, args[place])
        if not steps:
            self._flag(into, UNKNOWN)
            return
        size = len(steps)

        def reached(value: Value | None) -> None:
            if value is None:
                self._flag(into, UNKNOWN)
            elif value[0] == "object":
                obj, path = value[1], value[2]
                if path[len(path) - size :] == steps and self.places.kind(obj, path[: len(path) - size]) == tag:
                    self._add(into, ("object", obj, path[: len(path) - size]), why)

        self._watch(self.expression(args[row["pointer"]], at), reached)

    def _member_steps(self, tag: str, term: Term) -> Path:
        names: list[str] = []
        while term[0] == "member":
            names.append(term[2])
            term = term[1]
        if term[0] != "name":
            return ()
        names.append(term[1])
        steps: Path = ()
        for name in reversed(names):
            way = self.types.member(tag, name)
            if not way:
                return ()
            steps += tuple(step[1] for step in way)
            tag = way[-1][2]
        return steps

    # Loads, addresses and stores

    def _behind(
        self, place: Behind, at: FunctionId, use: Callable[[Obj, Path], None], other: Callable[[int], None]
    ) -> None:
        """Call `use` for each object that a pointer reaches, `other` with the marks of what else it reaches."""
        tag = place.tag
        if not self.places.tracked(tag) and not (tag == "" or tag.endswith("*") or is_function(tag)):
            other(FRESH)
            return

        def reached(value: Value | None) -> None:
            if value is None:
                other(base.flags)
            elif value[0] == "object":
                path = combine(value[2], place.path)
                if not place.path or self.places.kind(value[1], path):
                    use(value[1], path)

        base = self.expression(place.pointer, at)
        self._watch(base, reached)

    def _load(self, place: Place | None, at: FunctionId, into: Vertex, why: Why | None) -> None:
        into.sources += 1
        if place is None:
            self._flag(into, UNKNOWN)
        elif isinstance(place, Fixed):
            self._arc(self._place(place.obj, place.path), into, why)
        else:
            tag, path = place.tag, place.path

            def other(flags: int) -> None:
                if not path or not tag:
                    self._flag(into, flags & UNKNOWN)
                elif flags & UNKNOWN:
                    self._arc(self._vertex(("type", tag, path)), into, why)
                else:
                    self._arc(self._place(*self.places.in_heap(tag, path)), into, why)

            self._behind(place, at, lambda obj, way: self._arc(self._place(obj, way), into, why), other)

    def _address(self, place: Place | None, more: Path, at: FunctionId, into: Vertex, why: Why | None) -> None:
        into.sources += 1
        if place is None:
            self._flag(into, UNKNOWN)
        elif isinstance(place, Fixed):
            self._add(into, ("object", place.obj, place.path + more), why)
        else:
            tag, path = place.tag, place.path

            def other(flags: int) -> None:
                if path and tag and not (flags & UNKNOWN):
                    obj, way = self.places.in_heap(tag, path)
                    self._add(into, ("object", obj, way + more), why)
                else:
                    self._flag(into, flags)

            self._behind(place, at, lambda obj, way: self._add(into, ("object", obj, way + more), why), other)

    def _store(self, store: Store) -> None:
        """Let a stored value travel to wherever its target is."""
        term = self.types.term(store.target, store.at)
        place = self.places.of(term, store.at)
        if place is None:
            return
        why = Why("install", store.at, store.line, store.text, store.cond)
        value = self._vertex(("expression", store.at, self.types.term(store.value, store.at)))
        if isinstance(place, Fixed):
            self._arc(value, self._written(place.obj, place.path), why)
            return
        tag, path = place.tag, place.path

        def other(flags: int) -> None:
            if path and tag:
                self._arc(value, self._written(*self.places.in_heap(tag, path)), why)

        self._behind(place, store.at, lambda obj, way: self._arc(value, self._written(obj, way), why), other)

    # Places

    def _place(self, obj: Obj, path: Path) -> Vertex:
        """The vertex from which a place is read."""
        if obj[0] != "heap" and path and not self.places.tracked(self._outer(obj)):
            obj, path = self.places.in_heap(self._outer(obj), path if path[0][0] != "[" else path[1:])
        key = ("place", obj, path)
        vertex = self._vertices.get(key)
        if vertex is None:
            vertex = self._vertex(key)
            if any(step[0] == "[" for step in path):
                self._readers[obj].append((path, vertex))
                for other, writer in self._writers[obj]:
                    if overlap(path, other):
                        self._arc(writer, vertex, None)
        return vertex

    def _outer(self, obj: Obj) -> str:
        return split_type(self.places.kind(obj))[0]

    def _written(self, obj: Obj, path: Path) -> Vertex:
        """The vertex into which a place is written: with an index, another one than those from which it is read."""
        if not any(step[0] == "[" for step in path):
            return self._place(obj, path)
        key = ("written", obj, path)
        vertex = self._vertices.get(key)
        if vertex is None:
            vertex = self._vertices[key] = Vertex(key)
            self._writers[obj].append((path, vertex))
            for other, reader in self._readers[obj]:
                if overlap(path, other):
                    self._arc(vertex, reader, None)
        return vertex

    def _start_place(self, vertex: Vertex, obj: Obj, path: Path) -> None:
        what = obj[0]
        if what != "heap":
            for entry in self.places.entries(obj):
                if overlap(entry.path, path):
                    at = FunctionId(entry.table.unit, entry.table.row.function)
                    text = f"{''.join(_shown(entry.path)) or obj[2]} = {entry.row.value}"
                    why = Why("slot", at, entry.row.line, text, entry.row.cond)
                    self._flow(self.types.term(entry.row.value, at), at, vertex, why)
            self._copies(vertex, obj, path)
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
        for store in self.stores.variables.get(name, ()):
            if self.places.variable(name, store.at) == obj and store.value[0] != "@":
                self._store(store)
        for walk in self.stores.walks.get(name, ()):
            if self.places.variable(name, walk.at) == obj:
                self._walk(vertex, obj, walk)
        if what == "local":
            assert isinstance(owner, FunctionId)
            for number, (param, _) in enumerate(self.program.row(owner).params):
                if param == name:
                    self._parameter(vertex, owner, number)
        for store in self._pointed.pop(self.places.kind(obj), ()):
            self._store(store)

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
                self._store(store)

    def _copies(self, vertex: Vertex, obj: Obj, path: Path) -> None:
        """Values that come with a copy of the whole object, unless a later line of the same function replaces them."""
        for copy, place, source in self._copied.get(self.places.kind(obj).rstrip("[]"), ()):
            self._copy(vertex, obj, path, copy, place, source)
        for depth in range(1, len(path)):
            for copy, place, source in self._copied.get(self.places.kind(obj, path[:depth]), ()):
                self._copy(vertex, obj, path, copy, place, source)

    def _copy(self, vertex: Vertex, obj: Obj, path: Path, copy: Store, place: Place, source: Term) -> None:
        why = Why("copy", copy.at, copy.line, copy.text, copy.cond)

        def copied(target: Obj, way: Path) -> None:
            if target != obj or not overlap(way, path[: len(way)]) or len(way) >= len(path):
                return
            rest = path[len(way) :]
            if not self._replaced(copy, rest):
                found = self.places.of(source, copy.at)
                if found is not None:
                    inner = found._replace(path=found.path + rest)
                    self._load(inner, copy.at, vertex, why)

        if isinstance(place, Fixed):
            copied(place.obj, place.path)
        else:
            self._behind(place, copy.at, copied, lambda flags: None)

    def _replaced(self, copy: Store, rest: Path) -> bool:
        """Whether a later line of the function that copies stores into the copied member."""
        target = copy.target
        dotted = ".".join(step for step in rest if step[0] != "[")
        bare = target.lstrip("*").strip("() ").lstrip("&")
        wanted = (f"{target}.{dotted}", f"{bare}->{dotted}", f"{bare}.{dotted}")
        return any(
            store.at == copy.at and store.line >= copy.line and store.target in wanted
            for store in self.stores.members.get(rest[-1] if rest else "", ())
        )

    @cached_property
    def _copied(self) -> dict[str, list[tuple[Store, Place, Term]]]:
        """tag -> the copies of objects of that record."""
        found: dict[str, list[tuple[Store, Place, Term]]] = defaultdict(list)
        stores = list(self.stores.copies)
        for name, rows in self.stores.variables.items():
            for store in rows:
                if store.value[0] in "@*" or not (store.value.isidentifier() or store.value[-1] in ")]"):
                    continue
                obj = self.places.variable(name, store.at)
                if obj is not None:
                    base, operators = split_type(self.types.resolve(self.places.kind(obj)))
                    if "*" not in operators and base in self.places.instances:
                        stores.append(store)
        for store in stores:
            term = self.types.term(store.target, store.at)
            kind = self.types.of(term, store.at)
            if self.places.tracked(kind):
                place = self.places.of(term, store.at)
                if place is not None:
                    found[kind].append((store, place, self.types.term(store.value, store.at)))
        return found

    # Parameters, lists, whole types

    def _parameter(self, vertex: Vertex, function: FunctionId, number: int) -> None:
        self._parameters[function][number] = vertex
        for at, row in self.stores.calls.get(self.program.row(function).name, ()):
            if number < len(row.args) and function in self.named(row.callee, self.program.units[at.unit].file):
                if row.callee not in self.program.locals[at]:
                    self._argument(vertex, at, row, number)
        for at, row in list(self._reached[function]):
            if number < len(row.args):
                self._argument(vertex, at, row, number)

    def _argument(self, vertex: Vertex, at: FunctionId, row: CallRow, number: int) -> None:
        why = Why("argument", at, row.line, f"{row.callee}({', '.join(row.args)})", row.cond)
        self._flow(self.types.term(row.args[number], at), at, vertex, why)

    def _reach(self, function: FunctionId, at: FunctionId, row: CallRow) -> None:
        known = self._reached[function]
        if (at, row) in known:
            return
        known[(at, row)] = None
        for number, vertex in self._parameters[function].items():
            if number < len(row.args):
                self._argument(vertex, at, row, number)

    def _walk(self, vertex: Vertex, obj: Obj, walk: Any) -> None:
        """A loop over a list: its variable is each record that is linked into it, as far as the list is known."""
        self._flag(vertex, UNKNOWN)

    def _start_type(self, vertex: Vertex, tag: str, path: Path) -> None:
        """All objects of a record whose address anybody uses, and the heap."""
        self._arc(self._place(*self.places.in_heap(tag, path)), vertex, None)
        for obj, prefix in self.places.instances.get(tag, ()):
            if obj[0] != "local" and self.used(obj):
                self._arc(self._place(obj, prefix + path), vertex, None)

    def used(self, obj: Obj) -> bool:
        """Whether the source uses an object's name anywhere but where it is defined or exported."""
        what, owner, name = obj
        if what == "literal":
            return True
        if owner:
            return name in self._mentioned.get(self.program.unit_of.get(str(owner), -1), frozenset())
        return name in self._mentioned[-1]

    @cached_property
    def _mentioned(self) -> dict[int, frozenset[str]]:
        """unit -> the names in the values, arguments and entries of that unit; -1: of all units."""
        names = {obj[2] for obj in self.places.tables} | {
            obj[2] for rows in self.places.instances.values() for obj, _ in rows
        }
        found: dict[int, frozenset[str]] = {}
        for index, unit in enumerate(self.program.units):
            texts = [row.value for row in unit.flows]
            texts += [row.value for row in unit.entries]
            texts += [arg for row in unit.calls for arg in row.args]
            texts += [row.callee for row in unit.calls if not row.callee.isidentifier()]
            texts += [row.target for row in unit.flows]
            found[index] = names.intersection(_WORD.findall("\n".join(texts)))
        found[-1] = frozenset().union(*found.values())
        return found


def _shown(path: Path) -> list[str]:
    return [step if step[0] == "[" else f".{step}" for step in path]


def sources(vertex: Vertex, value: Value) -> list[tuple[Vertex, Why | None]]:
    """How a value came to a vertex: (vertex it came from, the line), the last step first."""
    chain: list[tuple[Vertex, Why | None]] = []
    seen: set[int] = set()
    current: Vertex | None = vertex
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        step = current.values.get(value)
        if step is None:
            break
        chain.append((current, step[1]))
        current = step[0]
    return chain


__all__ = ["FILE_SCOPE", "FRESH", "UNKNOWN", "Value", "Values", "Vertex", "Why", "heap", "pointee", "sources"]

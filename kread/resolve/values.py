"""Which functions and which objects can get to a place: inclusion-based points-to, on demand and by field.

Each place, each result of a function and each pointer expression that somebody asks about is a vertex that holds
values: functions, and addresses of objects. A flow `target = value` is an arc along which values travel; a load or
a store through a pointer becomes an arc to or from each object that the pointer is found to reach, as in Andersen's
analysis ("Program Analysis and Specialization for the C Programming Language", 1994, chapter 4). Vertices are
made when asked for, so only the few flows that lead to a call through a pointer are ever read. The order of statements
does not count, with one exception that kernel code relies on: a member stored after its object was copied
replaces the copied one.

Where a pointer's origin is not in the scope (a list walked by a macro, memory from elsewhere, a caller that nobody
has seen) the vertex is marked UNKNOWN, and a load through it falls back on the type: all objects of the record whose
address is used anywhere. The mark travels with the values, so the grade of an edge is known. A parameter of a function
that nobody in the scope names is marked FOREIGN: its callers know of the scope's objects only those that are not static.

Every arc carries the line that made it; the evidence of an edge is found by a search backwards over the arcs (see ways).
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from kread.parse.unit import CallRow
from kread.resolve.copies import Copies
from kread.resolve.flows import Flows
from kread.resolve.idioms import idioms
from kread.resolve.machine import FOREIGN, UNKNOWN, Value, Vertex, Why
from kread.resolve.mentions import Mentions
from kread.resolve.places import Behind, Obj, holds_value, overlap
from kread.resolve.program import FunctionId, Program, split_type
from kread.resolve.slots import Path
from kread.resolve.stores import Store
from kread.resolve.terms import Term
from kread.resolve.types import MacroLookup, is_function


class Values(Flows):
    """The analysis of one program."""

    def __init__(self, program: Program, macros: MacroLookup) -> None:
        super().__init__(program, macros)
        self.copies = Copies(self)
        self.mentions = Mentions(program, self.places)
        self._active: set[tuple[str, str]] = set()
        self._seen: set[Obj] = set()
        self._readers: dict[Obj, list[tuple[Path, Vertex]]] = defaultdict(list)
        self._writers: dict[Obj, list[tuple[Path, Vertex]]] = defaultdict(list)
        self._parameters: dict[FunctionId, dict[int, Vertex]] = defaultdict(dict)
        self._reached: dict[FunctionId, dict[tuple[FunctionId, CallRow], None]] = defaultdict(dict)

    # The questions

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
        waiting, self.waiting = self.waiting, []
        blind = [(base, use) for base, use in waiting if not any(value[0] == "object" for value in base.values)]
        for base, use in blind:
            use(base.flags & (UNKNOWN | FOREIGN))
        return bool(blind)

    # New vertices

    def start(self, vertex: Vertex) -> None:
        """Make the arcs that lead to a new vertex."""
        key = vertex.key
        if key[0] == "expression":
            self.flow(key[2], key[1], vertex, None)
        elif key[0] == "place":
            self._start_place(vertex, key[1], key[2])
        elif key[0] == "result":
            for store in self.stores.returns.get(key[1]):
                why = Why("install", store.at, store.line, f"return {store.value}", store.cond)
                self.flow(self.types.term(store.value, store.at), store.at, vertex, why)
        elif key[0] == "type":
            self._start_type(vertex, *key[1:])

    # Places

    def place(self, obj: Obj, path: Path) -> Vertex:
        """The vertex from which a place is read."""
        if obj[0] == "heap" and len(path) > 1:
            obj, path = self.places.in_heap(obj[2], path)
        if obj[0] != "heap" and path and not self.followed(obj):
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

    def followed(self, obj: Obj) -> bool:
        """Whether a variable's members are places of their own; what it holds is in the heap otherwise."""
        return self.places.tracked(self._outer(obj))

    def _outer(self, obj: Obj) -> str:
        return split_type(self.places.kind(obj))[0]

    def written(self, obj: Obj, path: Path) -> Vertex:
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
                    name = "" if obj[0] == "literal" else obj[2]
                    text = f"{name}{''.join(_shown(entry.path))} = {entry.row.value}"
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
        for store in self.stores.variables.get((owner if isinstance(owner, FunctionId) else None, name)):
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
            if holds_value(kind) and (is_function(kind) or self.tracked_pointer(kind) or kind in self.openers.kinds):
                found[kind].append(store)
        return found

    def _activate(self, tag: str, member: str) -> None:
        """Read all stores into a record's member, once."""
        if (tag, member) in self._active:
            return
        self._active.add((tag, member))
        for store in self.stores.members.get(member):
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
        for at, row in self.stores.calls.get(self.program.row(function).name):
            if number >= len(row.args) or row.callee in self.program.locals.get(at, ()):
                continue
            if function in self.named(row.callee, self.program.files[at.unit]):
                self.argument(vertex, at, row, number)
        for at, row in list(self._reached[function]):
            if number < len(row.args):
                self.argument(vertex, at, row, number)
        foreign = not vertex.sources and self.tracked_pointer(self.places.kind(vertex.key[1]))
        if foreign and not self.mentions.handed_over(self.program.row(function).name):
            self.machine.flag(vertex, FOREIGN)

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

    def _start_type(self, vertex: Vertex, tag: str, path: Path, foreign: bool) -> None:
        """All objects of a record whose address anybody uses (anybody outside of the scope can have), and the heap."""
        self.machine.arc(self.place(*self.places.in_heap(tag, path)), vertex, None)
        for obj, prefix in self.places.instances.get(tag, ()):
            if self.mentions.escapes(obj) if foreign else obj[0] != "local" and self.mentions.used(obj):
                self.machine.arc(self.place(obj, prefix + path), vertex, None)


def _shown(path: Path) -> list[str]:
    return [step if step[0] == "[" else f".{step}" for step in path]

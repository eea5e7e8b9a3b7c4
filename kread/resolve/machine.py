"""The machine under the value analysis: vertices that hold values, arcs along which these travel, and the marks of
what is not known.

Values only ever grow, so the order of work does not matter and the end is reached; an arc or a watcher that comes
late first gets what was there before it. A vertex is started when it is first asked for: what leads to it is
looked up then, and never for the places nobody asks about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from kread.resolve.program import FunctionId

#: ("function", name, file that names it) or ("object", obj, path)
Value: TypeAlias = tuple[Any, ...]

#: Some values came from outside of the scope.
UNKNOWN = 1
#: Some values are fresh memory.
FRESH = 2


class _Known(tuple[Any, ...]):
    """A value as vertices hold it: one for all equal ones, so that its place in memory tells it from others. Most of the
    work is asking whether a vertex has a value, and a tuple would be hashed with all that is in it each time."""

    __slots__ = ()
    __hash__ = object.__hash__


class Why(NamedTuple):
    """The line that makes an arc: its role as evidence, where it stands and its text."""

    role: str
    at: FunctionId
    line: int
    text: str
    cond: str = ""


#: The vertex that a value came from, and the line by which it came; None where it began.
Step: TypeAlias = "tuple[Vertex | None, Why | None]"


class Vertex:
    """A place or an expression with the values that reach it. `values` remembers where each came from first, `arcs` has for
    each vertex that they travel to the step that leads there, one for all of them; `sources` counts what leads to it."""

    __slots__ = ("arcs", "flags", "key", "record", "sources", "values", "watchers")

    def __init__(self, key: tuple[Any, ...], record: str = "") -> None:
        self.key = key
        #: the record of the objects whose addresses it can hold, "" where anything goes
        self.record = record
        self.values: dict[Value, Step] = {}
        self.flags = 0
        self.arcs: dict[Vertex, Step] = {}
        self.watchers: list[Callable[[Value | None], None]] = []
        self.sources = 0


class Machine:
    """Vertices by their keys, and the work that is left.

    start  -- makes what leads to a new vertex
    record -- key -> the record of the objects whose addresses a vertex can hold, "" where anything goes
    admits -- (record, object's value) -> whether a vertex of that record can hold it
    """

    def __init__(
        self,
        start: Callable[[Vertex], None],
        record: Callable[[tuple[Any, ...]], str] = lambda _: "",
        admits: Callable[[str, Value], bool] = lambda *_: True,
    ) -> None:
        self.vertices: dict[tuple[Any, ...], Vertex] = {}
        self._start = start
        self._record = record
        self._admits = admits
        self._known: dict[Value, _Known] = {}
        self._new: deque[Vertex] = deque()
        self._changed: deque[tuple[Vertex, Value | None]] = deque()

    def vertex(self, key: tuple[Any, ...]) -> Vertex:
        """The vertex of a key, made and to be started if it is new."""
        vertex = self.vertices.get(key)
        if vertex is None:
            vertex = self.vertices[key] = Vertex(key, self._record(key))
            self._new.append(vertex)
        return vertex

    def _reach(self, vertex: Vertex, value: Value, step: Step) -> None:
        """A value comes to a vertex that has not got it."""
        if not vertex.record or value[0] != "object" or self._admits(vertex.record, value):
            vertex.values[value] = step
            self._changed.append((vertex, value))

    def run(self) -> None:
        """Let values travel until nothing changes."""
        new, changed = self._new, self._changed
        while new or changed:
            while changed:
                vertex, value = changed.popleft()
                for target, step in vertex.arcs.items():
                    if value is None:
                        self.flag(target, vertex.flags)
                    elif value not in target.values:
                        self._reach(target, value, step)
                for watcher in vertex.watchers:
                    watcher(value)
            if new:
                self._start(new.popleft())

    def add(self, vertex: Vertex, value: Value, why: Why | None) -> None:
        """Put a value into a vertex, by a line."""
        vertex.sources += 1
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = _Known(value)
        value = known
        if value not in vertex.values:
            self._reach(vertex, value, (None, why))

    def flag(self, vertex: Vertex, flags: int) -> None:
        """Mark a vertex, and all that its values reach."""
        if flags & ~vertex.flags:
            vertex.flags |= flags
            self._changed.append((vertex, None))

    def arc(self, source: Vertex, target: Vertex, why: Why | None) -> None:
        """Let all values of a vertex travel into another."""
        if source is target or target in source.arcs:
            return
        target.sources += 1
        step = source.arcs[target] = (source, why)
        for value in source.values:
            if value not in target.values:
                self._reach(target, value, step)
        if source.flags:
            self.flag(target, source.flags)

    @cached_property
    def before(self) -> dict[Vertex, list[tuple[Vertex, Why | None]]]:
        """vertex -> the arcs that lead to it. Asked for when all is done."""
        found: dict[Vertex, list[tuple[Vertex, Why | None]]] = {}
        for vertex in self.vertices.values():
            for target, (_, why) in vertex.arcs.items():
                found.setdefault(target, []).append((vertex, why))
        return found

    def watch(self, vertex: Vertex, watcher: Callable[[Value | None], None]) -> None:
        """Call `watcher` with each value that a vertex has or gets, and with None when it is marked."""
        vertex.watchers.append(watcher)
        for value in list(vertex.values):
            watcher(value)
        if vertex.flags:
            watcher(None)


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


def ways(machine: Machine, vertex: Vertex, value: Value, limit: int) -> Iterator[list[tuple[Vertex, Why | None]]]:
    """The ways by which a value can have come to a vertex, shortest first, each as `sources` gives one.

    Of each vertex on the way only the shortest way from there is followed; `limit` vertices are looked at.
    """
    before = machine.before
    todo: deque[list[tuple[Vertex, Why | None]]] = deque([[(vertex, None)]])
    seen = {vertex}
    while todo and len(seen) < limit:
        way = todo.popleft()
        last = way[-1][0]
        first = last.values.get(value)
        if first is not None and first[0] is None:
            yield [*way[:-1], (last, first[1])]
        for source, why in before.get(last, ()):
            if source not in seen and value in source.values:
                seen.add(source)
                todo.append([*way[:-1], (last, why), (source, None)])

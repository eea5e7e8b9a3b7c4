"""The machine under the value analysis: vertices that hold values, arcs along which these travel, and the marks of
what is not known.

Values only ever grow, so the order of work does not matter and the end is reached; an arc or a watcher that comes
late first gets what was there before it. A vertex is started when it is first asked for: what leads to it is
looked up then, and never for the places nobody asks about.

Values travel in sets: what came to a vertex since it was last looked at goes on as one set, and vertices with equal
values share one. In five of the kernel's folders 34,000 vertices hold more than a few values, and among them are
1,500 different sets. So nothing is kept of how each value came; where that is asked, it is searched for along the arcs,
backwards (see ways).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from kread.resolve.program import FunctionId

#: ("function", name, file that names it) or ("object", obj, path)
Value: TypeAlias = tuple[Any, ...]

#: Some values came from outside of the scope.
UNKNOWN = 1
#: Some values are fresh memory.
FRESH = 2
#: Some values are what callers outside of the scope hand over: of the scope's own objects only such as they can name.
FOREIGN = 4

#: After so many values were put into sets of one vertex alone, equal sets are looked for again. Most of the sets that were
#: made until then are gone by then, since others took their place.
MOST_UNSHARED = 10_000_000

#: Smaller sets are not worth looking for.
WORTH_SHARING = 8


class _Known(tuple[Any, ...]):
    """A value as vertices hold it: one for all equal ones, told from others by its number. Most of the work is asking
    whether a set has a value, and a tuple would be hashed with all that is in it each time."""

    number: int

    def __hash__(self) -> int:
        return self.number


class Why(NamedTuple):
    """The line that makes an arc: its role as evidence, where it stands and its text."""

    role: str
    at: FunctionId
    line: int
    text: str
    cond: str = ""


Watcher: TypeAlias = Callable[[Value | None], None]

_EMPTY: frozenset[Value] = frozenset()


class Vertex:
    """A place or an expression with the values that reach it.

    record  -- the record of the objects whose addresses it can hold, "" where anything goes
    values  -- what reached it, in a set that may be shared
    begins  -- the values that begin here, each with the line that put it there
    before  -- the vertices from which values travel here, each with the line that says so
    arcs    -- the vertices to which they travel
    sources -- counts what leads here
    """

    __slots__ = ("arcs", "before", "begins", "flags", "fresh", "key", "record", "sources", "told", "values", "watchers")

    def __init__(self, key: tuple[Any, ...], record: str = "") -> None:
        self.key = key
        self.record = record
        self.values = _EMPTY
        #: the values and the flags of which arcs and watchers were not told yet
        self.fresh = _EMPTY
        self.told = 0
        self.flags = 0
        self.begins: dict[Value, Why | None] = {}
        self.before: dict[Vertex, Why | None] = {}
        self.arcs: list[Vertex] = []
        self.watchers: list[Watcher] = []
        self.sources = 0

    def ordered(self) -> list[Value]:
        """The values in an order that does not change."""
        return sorted(self.values, key=hash)

    def holding(self, kept: Callable[[Value], bool]) -> Vertex:
        """This vertex as if only some of its values had come to it."""
        part = Vertex(self.key, self.record)
        part.values = frozenset(filter(kept, self.values))
        part.flags, part.begins, part.before = self.flags, self.begins, self.before
        return part


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
        self._changed: deque[Vertex] = deque()
        self._unshared = 0

    def vertex(self, key: tuple[Any, ...]) -> Vertex:
        """The vertex of a key, made and to be started if it is new."""
        vertex = self.vertices.get(key)
        if vertex is None:
            vertex = self.vertices[key] = Vertex(key, self._record(key))
            self._new.append(vertex)
        return vertex

    def run(self) -> None:
        """Let values travel until nothing changes."""
        new, changed = self._new, self._changed
        while new or changed:
            while new:
                self._start(new.popleft())
            if changed:
                self._tell(changed.popleft())

    def _tell(self, vertex: Vertex) -> None:
        """Let what is new in a vertex travel on, and tell those who watch it."""
        fresh, vertex.fresh = vertex.fresh, _EMPTY
        flags, vertex.told = vertex.flags & ~vertex.told, vertex.flags
        for target in vertex.arcs:
            if fresh:
                self._reach(target, fresh, vertex.values)
            if flags:
                self.flag(target, flags)
        if vertex.watchers:
            values = sorted(fresh, key=hash)
            for watcher in list(vertex.watchers):
                for value in values:
                    watcher(value)
                if flags:
                    watcher(None)

    def _reach(self, vertex: Vertex, values: frozenset[Value], whole: frozenset[Value]) -> None:
        """Values come to a vertex, which may have some of them, or may not hold them; `whole` is all that has come along
        the same arc."""
        had = vertex.values
        if had is whole:
            return
        came = values - had if had else values
        if vertex.record:
            record, admits = vertex.record, self._admits
            refused = [value for value in came if value[0] == "object" and not admits(record, value)]
            if refused:
                came = came.difference(refused)
        if not came:
            return
        if not (vertex.fresh or vertex.told != vertex.flags):
            self._changed.append(vertex)
        vertex.fresh = vertex.fresh | came if vertex.fresh else came
        if len(had) + len(came) == len(whole) and had <= whole:
            vertex.values = whole  # all that it has comes along this arc: one set will do for both
        else:
            vertex.values = had | came
            self._unshared += len(vertex.values)
            if self._unshared > MOST_UNSHARED:
                self._share()

    def _share(self) -> None:
        """Let vertices with equal values share one set."""
        self._unshared = 0
        shared: dict[frozenset[Value], frozenset[Value]] = {}
        for vertex in self.vertices.values():
            if len(vertex.values) >= WORTH_SHARING:
                vertex.values = shared.setdefault(vertex.values, vertex.values)

    def add(self, vertex: Vertex, value: Value, why: Why | None) -> None:
        """Put a value into a vertex, by a line."""
        vertex.sources += 1
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = _Known(value)
            known.number = len(self._known)
        if known not in vertex.begins:
            vertex.begins[known] = why
            alone = frozenset((known,))
            self._reach(vertex, alone, alone)

    def flag(self, vertex: Vertex, flags: int) -> None:
        """Mark a vertex, and all that its values reach."""
        if flags & ~vertex.flags:
            if not (vertex.fresh or vertex.told != vertex.flags):
                self._changed.append(vertex)
            vertex.flags |= flags

    def arc(self, source: Vertex, target: Vertex, why: Why | None) -> None:
        """Let all values of a vertex travel into another."""
        if source is target or source in target.before:
            return
        target.sources += 1
        target.before[source] = why
        source.arcs.append(target)
        if source.values:
            self._reach(target, source.values, source.values)
        if source.flags:
            self.flag(target, source.flags)

    def watch(self, vertex: Vertex, watcher: Watcher) -> None:
        """Call `watcher` with each value that a vertex has or gets, and with None when it is marked."""
        vertex.watchers.append(watcher)
        for value in vertex.ordered():
            watcher(value)
        if vertex.flags:
            watcher(None)

"""Objects copied as a whole: `subflow_specific = ipv4_specific`, `*p = *q`, `p->op = q->op`, memcpy, a compound literal
assigned.

A copy brings the values of all members. Kernel code then overrides some of them in the lines that follow, so a
member that the same function stores later is not taken from the original.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from kread.resolve.machine import Vertex, Why
from kread.resolve.places import ANY, Fixed, Obj, Place, combine, overlap
from kread.resolve.program import split_type
from kread.resolve.slots import Path
from kread.resolve.stores import Store, stored_name
from kread.resolve.terms import Term

if TYPE_CHECKING:
    from kread.resolve.values import Values


def _merged(path: Path) -> Path:
    """A path with all elements of an array as one."""
    return tuple(ANY if step[0] == "[" else step for step in path)


class Copies:
    """The copies of a program, by the record that is copied."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def into(self, vertex: Vertex, obj: Obj, path: Path) -> None:
        """Values that come with a copy of the whole object, unless a later line of the same function replaces them."""
        for copy, place, source in self._copied.get(self.values.places.kind(obj).rstrip("[]"), ()):
            self._copy(vertex, obj, path, copy, place, source)
        for depth in range(1, len(path)):
            for copy, place, source in self._copied.get(self.values.places.kind(obj, path[:depth]), ()):
                self._copy(vertex, obj, path, copy, place, source)

    def between(self, tag: str) -> Iterator[tuple[tuple[Obj, Path], tuple[Obj, Path]]]:
        """(copy, original) for each object of a record and each that is copied into it, as far as values are known."""
        for copy, place, source in self._copied.get(tag, ()):
            original = self.values.places.of(source, copy.at)
            if original is not None:
                for target in self._objects(place, copy):
                    for each in self._objects(original, copy):
                        yield target, each

    def _objects(self, place: Place, copy: Store) -> list[tuple[Obj, Path]]:
        if isinstance(place, Fixed):
            return [(place.obj, _merged(place.path))]
        pointer = self.values.expression(place.pointer, copy.at)
        return [
            (value[1], _merged(combine(value[2], place.path))) for value in pointer.ordered() if value[0] == "object"
        ]

    def _copy(self, vertex: Vertex, obj: Obj, path: Path, copy: Store, place: Place, source: Term) -> None:
        def copied(target: Obj, way: Path) -> None:
            if target == obj and len(way) < len(path) and overlap(way, path[: len(way)]):
                self._take(vertex, path[len(way) :], copy, source)

        def other(flags: int) -> None:
            if obj[0] == "heap":
                self._take(vertex, path, copy, source)

        if not isinstance(place, Fixed):
            self.values.behind(place, copy.at, copied, other)
        elif obj[0] == "heap" and not self.values.followed(place.obj):
            self._take(vertex, path, copy, source)
        else:
            copied(place.obj, place.path)

    def _take(self, vertex: Vertex, rest: Path, copy: Store, source: Term) -> None:
        """Let the original's member travel into the copy's, unless it is replaced."""
        found = None if self._replaced(copy, rest) else self.values.places.of(source, copy.at)
        if found is not None:
            why = Why("copy", copy.at, copy.line, self.values.text(copy), copy.cond)
            self.values.load(found._replace(path=found.path + rest), copy.at, vertex, why)

    def _replaced(self, copy: Store, rest: Path) -> bool:
        """Whether a later line of the function that copies stores into the copied member."""
        target = copy.target
        dotted = ".".join(step for step in rest if step[0] != "[")
        bare = target.lstrip("*").strip("() ").lstrip("&")
        wanted = (f"{target}.{dotted}", f"{bare}->{dotted}", f"{bare}.{dotted}")
        return any(
            store.at == copy.at and store.line >= copy.line and store.target in wanted
            for store in self.values.stores.members.get(rest[-1] if rest else "")
        )

    @cached_property
    def _copied(self) -> dict[str, list[tuple[Store, Place, Term]]]:
        """tag -> the copies of objects of that record."""
        found: dict[str, list[tuple[Store, Place, Term]]] = defaultdict(list)
        stores = list(self.values.stores.copies)
        for store in self.values.stores.variables.rows():
            if store.value[0] in "@*" or not (store.value.isidentifier() or store.value[-1] in ")]"):
                continue
            obj = self.values.places.variable(stored_name(store), store.at)
            if obj is not None:
                base, operators = split_type(self.values.types.resolve(self.values.places.kind(obj)))
                if "*" not in operators and base in self.values.places.instances:
                    stores.append(store)
        stores += (store for store in self.values.stores.derefs if store.value[0] not in "@*")
        for name in self._members:
            stores += (store for store in self.values.stores.members.get(name) if store.value[0] not in "@*")
        for store in stores:
            term = self.values.types.term(store.target, store.at)
            kind = self.values.types.of(term, store.at)
            if self.values.places.tracked(kind):
                place = self.values.places.of(term, store.at)
                if place is not None:
                    found[kind].append((store, place, self.values.types.term(store.value, store.at)))
        return found

    @cached_property
    def _members(self) -> list[str]:
        """The names of members that are records of which objects are followed: `iter->ops = table[i]` copies one."""
        places = self.values.places
        found: dict[str, None] = {}
        for members in self.values.program.fields.values():
            for name, rows in members.items():
                base, operators = split_type(self.values.types.resolve(rows[0].type))
                if name not in found and "*" not in operators and places.tracked(base):
                    found[name] = None
        return list(found)

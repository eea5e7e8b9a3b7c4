"""Objects in which no pointer can lie: numbers, characters, packet headers, times.

Their addresses go everywhere, since whoever copies, prints or hashes takes any address; in five of the kernel's folders most of
what a `void *` can hold is of this kind. Nothing that is called is found through them, but where such an object is known, a
pointer is not blind, and does not go by its type. So all of a kind are one value; and all records of which none begins
like a followed one are of one kind, as far as a pointer's record tells which addresses it can hold (see fitting).
"""

from __future__ import annotations

from functools import cached_property

from kread.resolve.fitting import Fitting
from kread.resolve.machine import Value
from kread.resolve.places import PLAIN, Obj, Places
from kread.resolve.program import split_type
from kread.resolve.slots import Path
from kread.resolve.walking import TYPE_WORDS

#: Records lie less deep within records.
_NESTING = 16


class Plain:
    """Tells the objects of one program that hold no pointer."""

    def __init__(self, places: Places, fitting: Fitting) -> None:
        self._places = places
        self._fitting = fitting
        self._bare: dict[str, bool] = {}
        self._kinds: dict[str, str] = {}
        self._first: dict[tuple[bool, frozenset[str]], str] = {}

    def value(self, obj: Obj, path: Path) -> Value:
        """An object's address as a value: one for all of a kind, if nothing lies in it that could be followed."""
        if not self._is_plain(obj, path):
            return ("object", obj, path)
        return ("object", (PLAIN, None, self._stands(self._places.kind(obj, path))), ())

    def _is_plain(self, obj: Obj, path: Path) -> bool:
        """Whether an object has no pointer, and its address does not lead to a record around it that is followed: a number's
        does not, also where a record is nothing but a number (`atomic_t`)."""
        kind = self._places.kind
        declared = kind(obj, path)
        return self._holds_none(declared, 0) and (
            self._is_number(split_type(declared)[0])
            or not any(self._places.tracked(kind(obj, path[:depth])) for depth in range(len(path)))
        )

    def _is_number(self, base: str) -> bool:
        rows = self._places.program.positions.get(base, ())
        return _is_scalar(self._places.types.resolve(rows[0].type) if len(rows) == 1 else base)

    def _holds_none(self, declared: str, depth: int) -> bool:
        base, operators = split_type(declared)
        if "*" in operators or "(" in operators or depth > _NESTING:
            return False
        known = self._bare.get(base)
        if known is None:
            rows = self._places.program.positions.get(base, ())
            resolve = self._places.types.resolve
            known = all(self._holds_none(resolve(row.type), depth + 1) for row in rows) and (
                bool(rows) or _is_scalar(base)
            )
            self._bare[base] = known
        return known

    def _stands(self, declared: str) -> str:
        """The kind that stands for all that the same pointers to followed records can lead to."""
        base = split_type(declared)[0]
        found = self._kinds.get(base)
        if found is None:
            begins = self._fitting.begins(base)
            alike = (bool(begins), begins & self._beginnings)
            found = self._kinds[base] = self._first.setdefault(alike, base)
        return found

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        """The records at the beginnings of those that are followed."""
        return frozenset().union(*map(self._fitting.begins, self._places.instances))


def _is_scalar(kind: str) -> bool:
    """Whether a type that is known is C's own number."""
    return kind.startswith("enum ") or (kind != "" and TYPE_WORDS.issuperset(kind.split()))

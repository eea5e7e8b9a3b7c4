"""Whether a pointer to a record can hold the address of an object.

The kernel casts pointers between records that begin alike: a request is a sock to whoever asks for its state alone.
Where one record begins with the other, or both with a third, such a cast keeps the object, and it can be cast back. (A
beginning that does nothing but link records is not enough for two: half of the kernel begins so.) An address that
comes to a pointer whose record has nothing in common with it is there because the analysis does not know in which
order things happen, or followed the link that closes a list; nothing that is read through the pointer can be meant. In
all of net/ seven values of eight are of this kind, and they would be carried on to everything that the pointer reaches.
"""

from __future__ import annotations

from typing import Any

from kread.resolve.places import Places
from kread.resolve.program import split_type

#: Records lie less deep within records at their beginning.
_NESTING = 8


class Fitting:
    """Answers for the places of one program."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._begin: dict[str, frozenset[str]] = {}
        self._known: dict[tuple[str, str], bool] = {}

    def record(self, kind: str) -> str:
        """The record to which a pointer of a type leads, if its objects are followed; else "", which fits all."""
        base, operators = split_type(kind)
        return base if operators == "*" and self.begins(base) else ""

    def admits(self, tag: str, value: tuple[Any, ...]) -> bool:
        """Whether a pointer to a record can hold this object's address. What is no record is let through."""
        kind = self._places.kind(value[1], value[2])
        while kind.endswith("[]"):
            kind = kind[:-2]
        key = (tag, kind)
        found = self._known.get(key)
        if found is None:
            one, other = self.begins(kind), self.begins(tag)
            found = not one or tag in one or kind in other
            found = self._known[key] = found or not all(map(self._places.links, one & other))
        return found

    def begins(self, tag: str) -> frozenset[str]:
        """The records that lie at the beginning of a record, itself among them; none for what is no record."""
        found = self._begin.get(tag)
        if found is None:
            found = self._begin[tag] = frozenset(self._beginnings(tag, 0))
        return found

    def _beginnings(self, tag: str, depth: int) -> set[str]:
        rows = self._places.program.positions.get(tag)
        if not rows or depth > _NESTING:
            return set()
        found = {tag}
        for row in rows if tag.startswith("union ") else rows[:1]:
            found |= self._beginnings(self._places.types.resolve(row.type), depth + 1)
        return found

"""How a value came to a vertex: searched for backwards along the arcs, when somebody asks.

Values are found without their ways (see machine), since few are ever asked about: those of the edges that are made. The
shortest way is the shortest proof. One that passes a whole type, where the analysis knew nothing better than all objects
of a record, proves less than any other, however short: it is followed last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, TypeAlias

from kread.resolve.machine import Value, Vertex, Why

#: A vertex on a way, and the line by which the value came to it.
Step: TypeAlias = "tuple[Vertex, Why | None]"

#: A vertex that the search came to, the line by which the value travels on from there, and where to.
_Found: TypeAlias = "tuple[Vertex, Why | None, _Found | None]"


def best_way(vertex: Vertex, value: Value) -> list[Step]:
    """The way by which a value can have come to a vertex that proves most: its steps, the last one first."""
    return next(ways(vertex, value), [])


def copied(vertex: Vertex, value: Value) -> bool:
    """Whether a value came to a table's slot from the same slot of another table, or of any."""
    _, obj, path = vertex.key
    return any(_slot_of_other(each.key, obj, path) for each, _ in best_way(vertex, value))


def _slot_of_other(key: tuple[Any, ...], obj: Any, path: tuple[str, ...]) -> bool:
    if key[0] == "type":
        return bool(key[2][-1:] == path[-1:])
    return bool(key[0] in ("place", "written") and key[1][0] != "heap" and key[1] != obj and key[2][-1:] == path[-1:])


def ways(vertex: Vertex, value: Value, limit: int = 0) -> Iterator[list[Step]]:
    """The ways by which a value can have come to a vertex, those that prove most first, each as `best_way` gives one.

    Of each vertex on the way only the shortest way from there is followed; `limit` vertices are looked at (0: all).
    """
    todo: deque[_Found] = deque([(vertex, None, None)])
    by_type: deque[_Found] = deque()
    seen = {vertex}
    while (todo or by_type) and not (limit and len(seen) >= limit):
        found = (todo or by_type).popleft()
        last = found[0]
        if value in last.begins:
            yield _steps(found, last.begins[value])
        for source, why in last.before.items():
            if value in source.values and source not in seen:
                seen.add(source)
                (by_type if source.key[0] == "type" else todo).append((source, why, found))


def _steps(found: _Found, why: Why | None) -> list[Step]:
    """The steps from where a value began, which a line says, the last step first."""
    steps: list[Step] = []
    at: _Found | None = found
    while at is not None:
        vertex, onward, at = at
        steps.append((vertex, why))
        why = onward
    steps.reverse()
    return steps

"""How deep a call stands in the branches and loops of its function: what makes a path through it cost more.

Climbing from each call to its function would cost a walk from the root for each step, and a file that nests without
end would take forever; the ends of all branches, sorted once, answer for every call.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from tree_sitter import Node


class Branches:
    """How many branches and loops stand around an offset. They nest, so a count of their ends says it."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        changes: dict[int, int] = {}
        for node in nodes:
            changes[node.start_byte] = changes.get(node.start_byte, 0) + 1
            changes[node.end_byte] = changes.get(node.end_byte, 0) - 1
        self._offsets = sorted(changes)
        self._depths = list(accumulate(changes[offset] for offset in self._offsets))

    def around(self, offset: int) -> int:
        """The branches and loops that begin at or before an offset and end behind it."""
        place = bisect_right(self._offsets, offset)
        return self._depths[place - 1] if place else 0

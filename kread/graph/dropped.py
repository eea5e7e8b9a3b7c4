"""Which calls a question leaves out: by their kind, their grade, or the configuration.

Each link of the adjacency has a label, a number for the three together (see kread.index.adjacency). What it means is looked
up when a search meets it, so that a question about a configuration asks for some thousand conditions, and not for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from kread.index.store import GraphStore


class Dropped(dict[int, bool]):
    """label -> whether the calls of that label are left out: those of other kinds and grades than these (empty: any is
    taken), and those that are not compiled."""

    def __init__(
        self, store: GraphStore, kinds: Collection[str], grades: Collection[str], compiled: Callable[[str], bool]
    ) -> None:
        self._store = store
        self._kinds = kinds
        self._grades = grades
        self._compiled = compiled

    def __missing__(self, label: int) -> bool:
        rows = self._store.query("SELECT kind, grade, presence FROM label WHERE id = ?", [label])
        self[label] = dropped = any(
            (self._kinds and kind not in self._kinds)
            or (self._grades and grade not in self._grades)
            or not self._compiled(cond)
            for kind, grade, cond in rows
        )
        return dropped

"""Tables that are copies of others: `*prot = *base`, of which some members are then overridden.

Where a copy is made of whatever the receiver at hand has (`base = sk->sk_prot`), values alone say that it can be a copy of
any table. But a copy is put into receivers in place of what they had (see replaced), so it is a copy of these tables, or
of another copy that takes the place of one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from kread.resolve.shapes import Table
from kread.resolve.values import Values


class Variants:
    """Which tables are copies of which, through any number of copies.

    copies  -- table -> the tables that are copied from it, and from these
    sources -- table -> the tables that it is a copy of, or a copy of a copy
    """

    def __init__(self, pairs: Iterable[tuple[Table, Table]]) -> None:
        self._pairs = tuple(pairs)
        direct: dict[Table, set[Table]] = defaultdict(set)
        for copy, source in self._pairs:
            direct[source].add(copy)
        self.copies = {table: _reached(table, direct) for table in list(direct)}
        self.sources: dict[Table, set[Table]] = defaultdict(set)
        for source, copies in self.copies.items():
            for copy in copies - {source}:
                self.sources[copy].add(source)

    def narrowed(self, had: Mapping[Table, Set[Table]]) -> Variants:
        """These copies without those of tables whose place the copy never takes.

        had -- table -> the tables that receivers have before it is put there, as far as they are known
        """
        return Variants(pair for pair in self._pairs if self._fits(*pair, had))

    def _fits(self, copy: Table, source: Table, had: Mapping[Table, Set[Table]]) -> bool:
        wanted = had.get(copy)
        if not wanted or source in wanted or source[0] == copy[0]:
            return True
        return bool(self.sources.get(source)) and not had.get(source, set()).isdisjoint(wanted)


def made(values: Values, records: Iterable[str]) -> Variants:
    """The copies between the tables of some records."""
    return Variants(pair for record in records for pair in values.copies.between(record))


def _reached(table: Table, direct: Mapping[Table, Set[Table]]) -> set[Table]:
    found: set[Table] = set()
    todo = [table]
    while todo:
        for copy in direct.get(todo.pop(), ()):
            if copy not in found:
                found.add(copy)
                todo.append(copy)
    return found

"""Who calls whom at what cost, as flat arrays: what a search for paths needs of a graph, loaded in milliseconds.

Theory of operation: the links that leave function n stand at the places first[n] to first[n + 1] of four columns (callee,
cost, dispatch, edge), those that lead to it at back_first[n] to back_first[n + 1] of three more. Bytes are stored, not
objects, so that loading a graph of a hundred thousand links costs no more than reading them; a row becomes tuples when a
search asks for it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence, Set

Row = tuple[int, int, int, int]

_COLUMNS = ("first", "callee", "cost", "dispatch", "edge", "back_first", "back_caller", "back_cost", "back_edge")
_INT = "i"


class AdjacencyWriter:
    """The columns, filled caller by caller in the order of their numbers."""

    def __init__(self) -> None:
        self._first = array(_INT, [0])
        self._columns = [array(_INT) for _ in range(4)]
        self._callers = array(_INT)

    def add(self, caller: int, rows: Sequence[Row]) -> None:
        """The links that leave a function: (callee, cost, dispatch, edge)."""
        assert caller >= len(self._first) - 1, "callers come in order"
        self._skip(caller)
        for row in rows:
            for column, value in zip(self._columns, row, strict=True):
                column.append(value)
            self._callers.append(caller)
        self._skip(caller + 1)

    def _skip(self, caller: int) -> None:
        """Let the functions before this one end here."""
        missing = caller + 1 - len(self._first)
        if missing > 0:
            self._first.extend([len(self._callers)] * missing)

    def packed(self) -> dict[str, bytes]:
        """The columns by name, to be stored."""
        callees, costs, _, edges = self._columns
        last = max(len(self._first) - 2, max(callees, default=0))
        self._skip(last + 1)
        back = array(_INT, bytes(4 * (last + 2)))
        for callee in callees:
            back[callee + 1] += 1
        for callee in range(1, len(back)):
            back[callee] += back[callee - 1]
        reverse = [array(_INT, bytes(4 * len(callees))) for _ in range(3)]
        place = array(_INT, back)
        for caller, callee, cost, edge in zip(self._callers, callees, costs, edges, strict=True):
            at = place[callee]
            place[callee] += 1
            for column, value in zip(reverse, (caller, cost, edge), strict=True):
                column[at] = value
        found = (self._first, *self._columns, back, *reverse)
        return {name: column.tobytes() for name, column in zip(_COLUMNS, found, strict=True)}


class Adjacency(Mapping[int, tuple[Row, ...]]):
    """caller -> ((callee, cost, dispatch, edge), ...), one entry for each callee and dispatch, without dropped edges."""

    def __init__(self, packed: Mapping[str, bytes], dropped: Set[int] = frozenset()) -> None:
        columns = {name: array(_INT) for name in _COLUMNS}
        for name, column in columns.items():
            column.frombytes(packed[name])
        self._columns = columns
        self._dropped = dropped
        self._rows: dict[int, tuple[Row, ...]] = {}

    def without(self, dropped: Set[int]) -> Adjacency:
        """The same without more edges."""
        found = Adjacency.__new__(Adjacency)
        found._columns, found._dropped, found._rows = self._columns, self._dropped | dropped, {}
        return found

    def __getitem__(self, caller: int) -> tuple[Row, ...]:
        found = self._rows.get(caller)
        if found is None:
            columns = self._columns
            first = columns["first"]
            if not 0 <= caller < len(first) - 1:
                raise KeyError(caller)
            part = slice(first[caller], first[caller + 1])
            names = ("callee", "cost", "dispatch", "edge")
            found = tuple(zip(*(columns[name][part] for name in names), strict=True))
            if self._dropped:
                found = tuple(row for row in found if row[3] not in self._dropped)
            self._rows[caller] = found
        return found

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._columns["first"]) - 1))

    def __len__(self) -> int:
        return len(self._columns["first"]) - 1

    def callers(self, callee: int) -> list[tuple[int, int]]:
        """(caller, cost) of the links that lead to a function."""
        columns = self._columns
        first = columns["back_first"]
        if not 0 <= callee < len(first) - 1:
            return []
        part = slice(first[callee], first[callee + 1])
        found = zip(columns["back_caller"][part], columns["back_cost"][part], strict=True)
        if not self._dropped:
            return list(found)
        edges = columns["back_edge"][part]
        return [link for link, edge in zip(found, edges, strict=True) if edge not in self._dropped]

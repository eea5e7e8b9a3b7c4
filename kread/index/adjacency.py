"""Who calls whom at what cost, as flat arrays: what a search for paths needs of a graph, loaded in milliseconds.

Theory of operation: functions are numbered, and the links of so many of them make a page. The links that leave the n-th
function of a page stand at the places first[n] to first[n + 1] of five columns (callee, cost, dispatch, edge, label), those that
lead to it at back_first[n] to back_first[n + 1] of three more (caller, cost, label). A label stands for all that a question
can leave calls out for, and what it means is looked up once. Bytes are stored, not objects, and a page is read when a search
comes to one of its functions, so that a graph of ten million links costs no more than the part that is looked at.

In a large graph a call can lead to a slot as such: a number above those of the functions, whose links lead to all functions in
it. A search never sees these numbers: the links of a slot's callers lead to its functions, and the edge of such a link names
two rows (see `split`).
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Iterator, Sequence

#: callee, cost, dispatch, edge
Row = tuple[int, int, int, int]

#: Functions whose links make a page: of a large graph a page has some fifty kilobytes.
PAGE = 256

_INT = "i"

#: Columns of the links that leave a function, and of those that lead to it.
_LEAVING = 5
_LEADING = 3

#: The label of what is never left out.
ALWAYS = 0

#: Where the row of a slot stands in the number of an edge that leads through one.
_SLOT_BITS = 32


def split(edge: int) -> tuple[int, int]:
    """(edge, row of the slot table) of a link's edge: row 0 where the edge itself leads to the function."""
    return edge & (1 << _SLOT_BITS) - 1, edge >> _SLOT_BITS


def join_numbers(edge: int, place: int) -> int:
    """The number of a link's edge that leads through a slot to the function of a row."""
    return edge | place << _SLOT_BITS


class AdjacencyWriter:
    """The columns, filled caller by caller in the order of their numbers."""

    def __init__(self) -> None:
        self._first = array(_INT, [0])
        self._columns = [array(_INT) for _ in range(_LEAVING)]
        self._callers = array(_INT)

    def add(self, caller: int, rows: Sequence[tuple[int, int, int, int, int]]) -> None:
        """The links that leave a function: (callee, cost, dispatch, edge, label)."""
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

    def pages(self) -> Iterator[tuple[int, bytes]]:
        """(number, page) pairs, to be stored."""
        callees, costs, _, _, labels = self._columns
        last = max(len(self._first) - 2, max(callees, default=0))
        self._skip(last + 1)
        back = array(_INT, bytes(4 * (last + 2)))
        for callee in callees:
            back[callee + 1] += 1
        for callee in range(1, len(back)):
            back[callee] += back[callee - 1]
        reverse = [array(_INT, bytes(4 * len(callees))) for _ in range(_LEADING)]
        place = array(_INT, back)
        for caller, callee, cost, label in zip(self._callers, callees, costs, labels, strict=True):
            at = place[callee]
            place[callee] += 1
            for column, value in zip(reverse, (caller, cost, label), strict=True):
                column[at] = value
        for number, begin in enumerate(range(0, last + 1, PAGE)):
            parts = [*_part(self._first, self._columns, begin), *_part(back, reverse, begin)]
            yield number, marshal.dumps([part.tobytes() for part in parts])


def _part(first: array[int], columns: Sequence[array[int]], begin: int) -> list[array[int]]:
    """The columns of the functions of one page."""
    places = first[begin : begin + PAGE + 1]
    part = slice(places[0], places[-1])
    return [array(_INT, [place - places[0] for place in places]), *(column[part] for column in columns)]


class Adjacency:
    """The links of each function, one for each function at the other end and dispatch.

    page    -- number -> page, None above the last one
    slots   -- the first number that is a slot's, 0 where there are none
    dropped -- whether links of a label are left out, None where none is
    """

    def __init__(
        self, page: Callable[[int], bytes | None], slots: int = 0, dropped: Callable[[int], bool] | None = None
    ) -> None:
        self._page = page
        self._slots = slots
        self._dropped = dropped
        self._pages: dict[int, list[array[int]]] = {}
        self._rows: dict[int, tuple[Row, ...]] = {}

    def get(self, caller: int) -> tuple[Row, ...]:
        """The links that leave a function."""
        found = self._rows.get(caller)
        if found is None:
            found = self._rows[caller] = self._leaving(caller)
        return found

    def callees(self, caller: int) -> Sequence[tuple[int, int]]:
        """(callee, cost) of the links that leave a function."""
        page, begin, end = self._place(caller, 0)
        callees = page[1][begin:end]
        if self._dropped or (self._slots and max(callees, default=0) >= self._slots):
            return [row[:2] for row in self.get(caller)]
        return list(zip(callees, page[2][begin:end], strict=True))

    def callers(self, callee: int) -> Sequence[tuple[int, int]]:
        """(caller, cost) of the links that lead to a function."""
        page, begin, end = self._place(callee, _LEAVING + 1)
        callers, costs = page[_LEAVING + 2][begin:end], page[_LEAVING + 3][begin:end]
        if dropped := self._dropped:
            links = zip(callers, costs, page[_LEAVING + 4][begin:end], strict=True)
            found = [(caller, cost) for caller, cost, label in links if not dropped(label)]
        else:
            found = list(zip(callers, costs, strict=True))
        if not self._slots or max(callers, default=0) < self._slots:
            return found
        return [each for link in found for each in (self.callers(link[0]) if self._is_slot(link[0]) else (link,))]

    def _is_slot(self, number: int) -> bool:
        return 0 < self._slots <= number

    def _leaving(self, caller: int) -> tuple[Row, ...]:
        page, begin, end = self._place(caller, 0)
        callees = page[1][begin:end]
        found: tuple[Row, ...] = tuple(zip(callees, *(column[begin:end] for column in page[2:5]), strict=True))
        if self._is_slot(caller):
            return found
        if dropped := self._dropped:
            labels = page[_LEAVING][begin:end]
            found = tuple(row for row, label in zip(found, labels, strict=True) if not dropped(label))
        if not self._slots or max(callees, default=0) < self._slots:
            return found
        known = {(row[0], row[2]) for row in found}
        return (
            *(row for row in found if row[0] < self._slots),
            *(
                (function, cost, dispatch, join_numbers(edge, place))
                for slot, cost, dispatch, edge in found
                if slot >= self._slots
                for function, _, _, place in self.get(slot)
                if (function, dispatch) not in known
            ),
        )

    def _place(self, function: int, start: int) -> tuple[list[array[int]], int, int]:
        """A function's page, and where its links begin and end there; `start` is the column that says so."""
        page = self._pages.get(function // PAGE)
        if page is None:
            page = self._pages[function // PAGE] = _unpacked(self._page(function // PAGE))
        first = page[start]
        place = function % PAGE
        return (page, first[place], first[place + 1]) if place + 1 < len(first) else (page, 0, 0)


def _unpacked(page: bytes | None) -> list[array[int]]:
    columns = [array(_INT) for _ in range(1 + _LEAVING + 1 + _LEADING)]
    for column, data in zip(columns, marshal.loads(page) if page is not None else (), strict=page is not None):
        column.frombytes(data)
    return columns

"""Rows by key, in memory and in a file: the same answers."""

from __future__ import annotations

import pytest

from kread.errors import SourceError
from kread.resolve import shelf
from kread.resolve.program import FunctionId
from kread.resolve.shelf import Shelf

Row = tuple[FunctionId, str]


def filled() -> Shelf[tuple[FunctionId | None, str], Row]:
    found: Shelf[tuple[FunctionId | None, str], Row] = Shelf(
        lambda row: (*row[0], row[1]), lambda plain: (FunctionId(*plain[:2]), plain[2])
    )
    for number in range(25):
        owner = FunctionId(number % 3, 7) if number % 2 else None
        found.add((owner, f"v{number % 5}"), (FunctionId(number, 1), f"x = {number}"))
    return found


@pytest.mark.parametrize("most", [1, 4, 25, 1_000_000])
def test_rows_are_the_same_wherever_they_lie(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory = filled()
    monkeypatch.setattr(shelf, "MOST_ROWS", most)
    other = filled()
    keys = [(owner, f"v{n}") for owner in (None, *(FunctionId(unit, 7) for unit in range(3))) for n in range(6)]
    for key in keys:
        assert list(other.get(key)) == list(in_memory.get(key))
    assert sum(len(other.get(key)) for key in keys) == 25
    assert sorted(other.rows()) == sorted(in_memory.rows())
    assert [text for _, text in other.get((None, "v0"))] == ["x = 0", "x = 10", "x = 20"]  # as they were added
    assert list(other.pop((None, "v0"))) == list(in_memory.get((None, "v0")))


def test_a_full_disk_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST_ROWS", 3)
    full: Shelf[str, str] = Shelf(lambda row: (row,), lambda plain: plain[0])
    for number in range(5):
        full.add("key", f"row {number}")
    assert full._database is not None
    full._database.execute("PRAGMA max_page_count=4")
    with pytest.raises(SourceError, match="finds no room"):
        full.add("key", "long" * 10_000)

"""The processes that read are forked anew after so many bytes or files; what they read does not depend on it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import mini_tree
import pytest

from kread.index import units
from kread.index.scope import find_scope
from kread.index.units import Indexed, read_scope
from kread.parse import read as read_module
from kread.parse.unit import Unit
from kread.source.progress import Silent
from kread.source.tree import open_tree

SOURCES = 20


def read(root: Path, facts: Path) -> Indexed:
    tree = open_tree(root)
    return read_scope(tree, find_scope(tree, ["net/ipv4"]), facts, Silent())


def rows(unit: Unit) -> tuple[Any, ...]:
    return unit.file, unit.functions, unit.calls, unit.tables, unit.entries


@pytest.mark.parametrize(("limit", "most"), [("GENERATION", 2_000), ("GENERATION_FILES", 8)])
def test_what_is_read_is_the_same_in_any_number_of_generations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    root = mini_tree.make(tmp_path / "tree", SOURCES)
    once = read(root, tmp_path / "once.sqlite")
    sizes: list[int] = []
    spread = units.spread

    def counted(task: Callable[[Any, Any], Any], shared: Any, items: Sequence[Any], chunk: int = 8) -> Iterator[Any]:
        if task is units._read_unit:
            sizes.append(len(items))
        return spread(task, shared, items, chunk)

    monkeypatch.setattr(units, "spread", counted)
    monkeypatch.setattr(units, limit, most)
    often = read(root, tmp_path / "often.sqlite")
    assert sum(sizes) == often.parsed == once.parsed == SOURCES + 2
    assert len(sizes) == 3
    assert max(sizes) < SOURCES
    assert list(map(rows, often.units)) == list(map(rows, once.units))


def test_what_a_reading_leaves_in_circles_does_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = mini_tree.make(tmp_path / "tree", SOURCES)
    monkeypatch.setattr(read_module, "MOST_LEFT", 4)
    kept: list[int] = []
    read_unit = units._read_unit

    def counted(shared: Any, item: Any) -> Any:
        found = read_unit(shared, item)
        kept.append(sum(isinstance(each, read_module.FileMacros) for each in gc.get_objects()))
        return found

    monkeypatch.setattr(units, "_read_unit", counted)
    monkeypatch.setattr(units, "spread", lambda task, shared, items, chunk=8: (task(shared, item) for item in items))
    gc.disable()
    try:
        read(root, tmp_path / "facts.sqlite")
    finally:
        gc.enable()
    assert len(kept) == SOURCES + 2
    assert 2 < max(kept) <= 6

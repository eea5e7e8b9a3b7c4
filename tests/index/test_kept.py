"""Units that are read back from the fact store: the same rows, few in memory, and what happens when the store lacks one."""

from __future__ import annotations

from pathlib import Path

import mini_tree
import pytest

from kread.errors import SourceError
from kread.graph.build import build
from kread.graph.callgraph import CallGraph
from kread.index import kept
from kread.index.kept import KeptUnits
from kread.index.store import FactStore
from kread.parse.unit import CallRow, FunctionRow, Unit, pack
from kread.resolve import parts, program, shelf
from kread.source.progress import Silent
from kread.source.tree import open_tree


def unit(file: str, number: int) -> Unit:
    made = Unit(file)
    made.functions.append(FunctionRow(f"f{number}", 1, 1, 9, 0, 0, "int", (("x", "int"),), "", "", 1))
    made.calls.append(CallRow(0, 2, 1, f"g{number}", ("x",), "defined(MODULE)" if number == 2 else "", "src", -1))
    made.includes.append("a.h")
    return made


@pytest.fixture
def units(tmp_path: Path) -> KeptUnits:
    facts = tmp_path / "facts.sqlite"
    store = FactStore(facts)
    made = [unit(f"net/u{number}.c", number) for number in range(5)]
    store.add_units([(f"blob{number}", "deps", pack(each)) for number, each in enumerate(made[:4])])
    store.close()
    keys = {each.file: (f"blob{number}", "deps") for number, each in reversed(list(enumerate(made)))}
    return KeptUnits(facts, keys, {made[4].file: pack(made[4])})


def test_units_come_back_as_they_were_in_the_order_of_their_files(units: KeptUnits) -> None:
    assert units.files == [f"net/u{number}.c" for number in range(5)]
    assert list(units) == [unit(f"net/u{number}.c", number) for number in range(5)]
    assert units[3:] == [unit("net/u3.c", 3), unit("net/u4.c", 4)]
    assert units[2].calls[0].callee == "g2"


def test_only_so_many_are_in_memory(units: KeptUnits, monkeypatch: pytest.MonkeyPatch) -> None:
    first = units[0]
    assert units[0] is first  # kept while there is room
    monkeypatch.setattr(kept, "MOST_BYTES", 2 * len(pack(first)) + 1)
    second = units[1]
    assert units[0] is first
    units[3]  # one too many: the one goes that was asked for longest ago
    assert units[0] is first
    assert units[1] is not second
    assert units[1] == second


def test_a_unit_is_settled_once_before_anybody_sees_it_if_it_holds_the_mark(units: KeptUnits) -> None:
    seen: list[str] = []
    settled = units.settled(lambda each: seen.append(each.file), b"defined(MODULE)")
    assert [each.file for each in settled] == units.files
    list(settled)
    assert seen == ["net/u2.c"]


def test_what_the_store_has_lost_is_said(units: KeptUnits, tmp_path: Path) -> None:
    lost = KeptUnits(tmp_path / "facts.sqlite", {"net/u0.c": ("blob9", "deps")}, {})
    with pytest.raises(SourceError, match="cannot be read any more"):
        lost[0]


def test_a_graph_is_the_same_however_little_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = open_tree(mini_tree.make(tmp_path / "tree", 12))
    graphs: list[dict[str, list[tuple[object, ...]]]] = []
    for home, limits in (("wide", False), ("narrow", True)):
        monkeypatch.setenv("KREAD_HOME", str(tmp_path / home))
        if limits:
            monkeypatch.setattr(kept, "MOST_BYTES", 1)
            monkeypatch.setattr(shelf, "MOST_ROWS", 3)
            monkeypatch.setattr(program, "MOST_UNITS", 1)
            for name, value in (("WORTH_FORKING", 1), ("BIG", 10), ("PART", 20)):
                monkeypatch.setattr(parts, name, value)
        store = CallGraph(build(tree, ("net/ipv4",), Silent())).store
        graphs.append(
            {name: store.query(f"SELECT * FROM {name}") for name in ("edge", "function", "slot", "unresolved")}
        )
        store.close()
    assert len(graphs[0]["edge"]) > 30
    assert graphs[0] == graphs[1]

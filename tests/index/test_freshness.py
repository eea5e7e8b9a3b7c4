"""Whether files are as they were: the same whether one process asks or several, and every change is seen."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from kread.index import freshness
from kread.index.freshness import digest, files_of, folder_times, looking, packed, unchanged, watched
from kread.source.tree import SourceTree


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    for number in range(12):
        file = tmp_path / f"net/part_{number % 3}/file_{number}.c"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x" * number)
        os.utime(file, ns=(0, 1_000_000_000 + number))
    (tmp_path / "Makefile").write_text("")
    for folder in (tmp_path / "net", *(tmp_path / "net").iterdir()):
        os.utime(folder, ns=(0, 5_000_000_000))
    return SourceTree(tmp_path, "v1", "a test", "0" * 12)


def files(tree: SourceTree) -> list[str]:
    return [*tree.files("net", ".c"), "Makefile"]


@pytest.mark.parametrize("at_once", [1, 10_000])
def test_sizes_and_times_are_those_of_the_files(
    tree: SourceTree, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "WORTH_FORKING", at_once)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    here = Path.cwd()
    looked_at = watched(files(tree))
    assert sorted(files_of(looked_at)) == sorted(files(tree))
    status = [os.stat(tree.root / file) for file in files_of(looked_at)]
    found = looking(tree.root, looked_at)()
    assert found == packed((one.st_size, one.st_mtime_ns) for one in status)
    assert Path.cwd() == here


@pytest.mark.parametrize("at_once", [1, 10_000])
def test_a_file_that_is_gone_is_noticed(tree: SourceTree, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "WORTH_FORKING", at_once)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    looked_at = watched(files(tree))
    before = looking(tree.root, looked_at)()
    (tree.root / "net/part_1/file_4.c").unlink()
    try:
        after = looking(tree.root, looked_at)()
    except OSError:
        after = b""
    assert digest(looked_at, after) != digest(looked_at, before)


def test_a_name_and_the_reader_belong_to_what_files_look_like() -> None:
    one, other = watched(["a/b.c"]), watched(["a/c.c"])
    assert len({digest(one, b"1", 1), digest(other, b"1", 1), digest(one, b"2", 1), digest(one, b"1", 2)}) == 4


def test_a_file_that_comes_or_goes_changes_its_folder(tree: SourceTree) -> None:
    times = folder_times(tree, ["net"])
    assert unchanged(tree.root, times)
    assert len(times) == 4
    (tree.root / "net/part_2/new.c").write_text("")
    assert not unchanged(tree.root, times)
    assert not unchanged(tree.root, folder_times(tree, ["net"]))  # too soon: another could come within the same tick
    os.utime(tree.root / "net/part_2", ns=(0, time.time_ns() - 2 * freshness.SETTLED))
    times = folder_times(tree, ["net"])
    assert unchanged(tree.root, times)
    (tree.root / "net/part_0").rename(tree.root / "net/elsewhere")
    assert not unchanged(tree.root, times)


def test_a_place_that_is_not_there_may_come(tree: SourceTree) -> None:
    assert folder_times(tree, ["net/part_0/file_0.c"]) == {}
    assert folder_times(tree, ["net", "fs"]) == {}
    assert not unchanged(tree.root, {})
    assert set(folder_times(tree, ["net/part_0/file_0.c", "net/part_1"])) == {"net/part_1/"}

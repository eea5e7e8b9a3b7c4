"""What a scope is made of: names, directories, and a directory that has a scope's name."""

from __future__ import annotations

from pathlib import Path

import mini_tree
import pytest

from kread.errors import SourceError
from kread.index.scope import find_scope, scope_folders
from kread.source.tree import SourceTree, open_tree


@pytest.fixture
def small(tmp_path: Path) -> SourceTree:
    root = mini_tree.make(tmp_path / "tree", 2)
    for file in ("kernel/fork.c", "fs/open.c", "tools/perf/perf.c", "arch/x86/mm/fault.c", "arch/x86/boot/printf.c"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("int x(void)\n{\n\treturn 0;\n}\n")
    return open_tree(root)


def test_kernel_is_the_whole_tree_and_not_the_directory_of_that_name(small: SourceTree) -> None:
    scope = find_scope(small, ["kernel"])
    assert {file.partition("/")[0] for file in scope.sources} == {"arch", "fs", "kernel", "net"}
    assert "tools/perf/perf.c" not in scope.sources  # no program of the user's
    assert "arch/x86/boot/printf.c" not in scope.sources  # nor what runs before the kernel
    assert {"drivers", "mm"} < set(scope.missing)
    assert "fs" not in scope.missing


@pytest.mark.parametrize("place", ["kernel/", "./kernel", "./kernel/", "/kernel"])
def test_the_directory_is_asked_for_with_a_slash(small: SourceTree, place: str) -> None:
    scope = find_scope(small, [place])
    assert (scope.name, scope.sources, scope.missing) == ("kernel/", ("kernel/fork.c",), ())


def test_a_directory_has_one_name_however_it_is_written(small: SourceTree) -> None:
    assert {find_scope(small, [place]).name for place in ("fs", "fs/", "./fs", "net/../fs")} == {"fs"}
    assert find_scope(small, ["fs", "kernel/"]).sources == ("fs/open.c", "kernel/fork.c")


def test_what_is_set_aside_can_be_asked_for_by_name(small: SourceTree) -> None:
    assert find_scope(small, ["arch/x86/boot"]).sources == ("arch/x86/boot/printf.c",)


def test_a_place_without_sources_is_an_error(small: SourceTree) -> None:
    for place in ("nowhere", "include", "kernel/nowhere.c", ".."):
        with pytest.raises(SourceError) as caught:
            find_scope(small, ["fs", place])
        assert (caught.value.slug, place in caught.value.what) == ("no-such-scope", True)


def test_the_folders_of_a_scope_are_what_is_to_be_fetched_for_it() -> None:
    assert {"drivers", "fs", "arch/x86"} < set(scope_folders(["kernel"]))
    assert scope_folders(["net", "fs/ext4"]) == ("net", "fs/ext4")
    assert scope_folders(["kernel/", "./fs/xfs/", "block/blk-core.c"]) == ("kernel", "fs/xfs", "block")
    assert scope_folders(["..", ".", "../other", "top.c"]) == ()

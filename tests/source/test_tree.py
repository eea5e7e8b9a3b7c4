"""A tree reads what is a regular file below its root, and nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kread.errors import EXIT_NO_SOURCE, SourceError
from kread.source import tree as tree_module
from kread.source.tree import open_tree, read_release


@pytest.fixture
def small(tmp_path: Path) -> Path:
    root = tmp_path / "linux"
    (root / "include/linux").mkdir(parents=True)
    (root / "net").mkdir()
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\nEXTRAVERSION =\nNAME = x\n")
    (root / "net/socket.c").write_bytes(b"int x;\n")
    return root


@pytest.mark.parametrize("release", ["5.10", "6.1", "6.12", "7.2"])
def test_a_real_tree_says_its_release_as_its_own_makefile_does(tree: Callable[[str], Path], release: str) -> None:
    root = tree(release)
    said = subprocess.run(
        ["sed", "-n", r"s/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p", str(root / "Makefile")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert read_release(root) == "v" + ".".join(said.stdout.split())


def test_files_are_those_that_find_finds(tree: Callable[[str], Path]) -> None:
    root = tree("6.12")
    found = subprocess.run(["find", "net/ipv4", "-name", "*.c"], cwd=root, capture_output=True, text=True, check=True)
    assert open_tree(root).files("net/ipv4", ".c") == sorted(found.stdout.split())


@pytest.mark.parametrize(
    ("lines", "release"),
    [
        ("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION =\n", "v6.12"),
        ("VERSION = 6\nPATCHLEVEL = 13\nSUBLEVEL = 0\nEXTRAVERSION = -rc3\n", "v6.13-rc3"),
        ("VERSION=5\nPATCHLEVEL=10\nSUBLEVEL=262\nEXTRAVERSION=-custom\n", "v5.10.262-custom"),
        ("# x\nVERSION\t=\t7\nPATCHLEVEL = 2\n", "v7.2"),
    ],
)
def test_the_release_is_named_as_the_kernels_tags_name_it(tmp_path: Path, lines: str, release: str) -> None:
    (tmp_path / "Makefile").write_text(lines)
    assert read_release(tmp_path) == release


@pytest.mark.parametrize("lines", ["", "VERSION = six\nPATCHLEVEL = 1\n", "all:\n\techo\n", "VERSION = 6\n", "\0\xff"])
def test_a_directory_that_is_no_kernel_tree_is_refused(small: Path, lines: str) -> None:
    (small / "Makefile").write_text(lines)
    with pytest.raises(SourceError) as caught:
        open_tree(small)
    assert (caught.value.slug, caught.value.exit_code) == ("no-kernel-tree", EXIT_NO_SOURCE)
    assert len(str(caught.value).splitlines()) == 3


def test_a_directory_without_the_kernels_layout_is_refused(small: Path) -> None:
    (small / "net/socket.c").unlink()
    (small / "net").rmdir()
    with pytest.raises(SourceError, match="net"):
        open_tree(small)


def test_a_makefile_that_is_a_fifo_does_not_block(small: Path) -> None:
    (small / "Makefile").unlink()
    os.mkfifo(small / "Makefile")
    with pytest.raises(SourceError):
        open_tree(small)


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        open_tree(tmp_path / "nowhere")
    assert caught.value.slug == "no-directory"


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../secret", "net/../../secret", "net", "net/", "net/..", "nul\0", "net/none.c", "out/secret"],
)
def test_nothing_outside_the_tree_and_nothing_but_files_is_read(small: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("secret")
    (small / "out").symlink_to(tmp_path)
    opened = open_tree(small)
    assert not opened.exists(name)
    with pytest.raises(SourceError):
        opened.read(name)


def test_links_are_followed_within_the_tree_only(small: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.c").write_text("secret")
    (small / "net/inside.c").symlink_to("socket.c")
    (small / "net/outside.c").symlink_to(tmp_path / "secret.c")
    (small / "net/loop.c").symlink_to("loop.c")
    (small / "net/folder").symlink_to(tmp_path)
    os.mkfifo(small / "net/fifo.c")
    opened = open_tree(small)
    assert opened.files("net", ".c") == ["net/inside.c", "net/socket.c"]
    assert opened.read("net/inside.c") == b"int x;\n"
    for name in ("net/outside.c", "net/loop.c", "net/fifo.c"):
        assert not opened.exists(name)
        with pytest.raises(SourceError):
            opened.read(name)


def test_files_takes_a_folder_with_or_without_a_slash(small: Path) -> None:
    opened = open_tree(small)
    assert opened.files("net/") == opened.files("net") == ["net/socket.c"]
    assert opened.files("") == ["Makefile", "net/socket.c"]
    assert opened.files("nowhere") == []


def test_a_file_without_end_is_refused(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_module, "MAX_FILE_BYTES", 6)
    with pytest.raises(SourceError, match="longer"):
        open_tree(small).read("net/socket.c")


def test_two_trees_of_one_release_are_told_apart_and_one_is_the_same_every_time(small: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", small, other], check=True)
    first, again, second = open_tree(small), open_tree(f"{small}/."), open_tree(other)
    assert first.release == second.release
    assert first.ident == again.ident != second.ident

"""`kread graph` end to end, on a tree of three small files that is made here."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_tree import SmallTree


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SmallTree:
    return SmallTree(tmp_path_factory.mktemp("graph"))


def test_a_path_as_dot_on_stdout(made: SmallTree) -> None:
    done = made.kread("graph", "thing_top", "thing_leaf")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert text.startswith("digraph kread {")
    assert [name for name in ("thing_top", "thing_middle", "thing_leaf") if f'label="{name}"' in text] != []
    assert "thing_top > thing_leaf · Linux v6.12.1" in text


@pytest.mark.parametrize(
    ("direction", "names"),
    [
        ("callees", {"thing_middle", "thing_leaf"}),
        ("callers", {"thing_middle", "thing_top"}),
        ("both", {"thing_middle", "thing_leaf", "thing_top"}),
    ],
)
def test_around_a_function(made: SmallTree, direction: str, names: set[str]) -> None:
    done = made.kread("graph", "thing_middle", "--depth", "1", "--direction", direction, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {function["function"] for function in found["functions"]} == names
    assert [one["function"] for one in found["functions"] if one["focus"]] == ["thing_middle"]


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("mmd", b"%%"), ("graphml", b"<?xml"), ("json", b"{")],
)
def test_the_files_ending_says_the_format(made: SmallTree, ending: str, begins: bytes) -> None:
    if ending in ("svg", "png", "pdf") and not shutil.which("dot"):
        pytest.skip("no dot; to enable, install the package graphviz")
    done = made.kread("graph", "thing_top", "-o", f"out.{ending}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert (made.folder / f"out.{ending}").read_bytes().startswith(begins)


def test_without_graphviz_the_error_names_the_package(made: SmallTree, tmp_path: Path) -> None:
    done = made.kread("graph", "thing_top", "-o", "never.svg", PATH=str(tmp_path))
    assert done.returncode == 2
    assert b"graphviz" in done.stderr
    assert not (made.folder / "never.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "begins", "holds"),
    [
        (["--struct", "thing"], b"digraph", b"struct thing"),
        (["--struct", "thing", "--format", "mmd"], b"classDiagram", b"int seen"),
        (["--states"], b"digraph", b"NEW_SYN_RECV"),
        (["--states", "--format", "mmd"], b"stateDiagram-v2", b"NEW_SYN_RECV"),
    ],
)
def test_structures_and_states(made: SmallTree, arguments: list[str], begins: bytes, holds: bytes) -> None:
    done = made.kread("graph", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(begins)
    assert holds in done.stdout
    assert made.kread("graph", *arguments).stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, b"--struct NAME"),
        (["thing_top", "--states"], 2, b"--struct NAME"),
        (["--struct", "thing", "--format", "graphml"], 2, b"dot, mmd"),
        (["--struct", "thign"], 3, b"struct thing"),
        (["thing_top", "-o", "out.gif"], 2, b"svg"),
        (["thing_leaf", "thing_top"], 1, b"no path"),
        (["thing_tpo"], 3, b"thing_top"),
        (["thing_top", "-o", "no/such/folder/x.dot"], 2, b"Can't write"),
    ],
)
def test_errors(made: SmallTree, arguments: list[str], code: int, said: bytes) -> None:
    done = made.kread("graph", *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stdout == b""

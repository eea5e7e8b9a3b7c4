"""`kread graph` end to end, on a tree of three small files that is made here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\nNAME = Test\n",
    "include/linux/thing.h": "struct thing_ops { int (*request)(int); };\nint thing_leaf(int x);\n",
    "net/core/thing.c": "#include <linux/thing.h>\n"
    "int thing_leaf(int x)\n{\n\treturn x;\n}\n"
    "static int thing_middle(int x)\n{\n\treturn thing_leaf(x);\n}\n"
    "int thing_top(int x)\n{\n\tif (x)\n\t\treturn thing_middle(x);\n\treturn 0;\n}\n",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("graph")
    for name, text in SOURCES.items():
        file = folder / "linux" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder, {**os.environ, "KREAD_HOME": str(folder / "home")}


def kread(made: tuple[Path, dict[str, str]], *arguments: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    folder, environment = made
    command = [sys.executable, "-c", "from kread.cli.main import main; main()", "graph", *arguments]
    asked = ["--release", str(folder / "linux"), "--scope", "net/core"]
    return subprocess.run(
        [*command, *asked], cwd=folder, env={**environment, **more}, capture_output=True, timeout=120, check=False
    )


def test_a_path_as_dot_on_stdout(made: tuple[Path, dict[str, str]]) -> None:
    done = kread(made, "thing_top", "thing_leaf")
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
def test_around_a_function(made: tuple[Path, dict[str, str]], direction: str, names: set[str]) -> None:
    done = kread(made, "thing_middle", "--depth", "1", "--direction", direction, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {function["function"] for function in found["functions"]} == names
    assert [one["function"] for one in found["functions"] if one["focus"]] == ["thing_middle"]


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("mmd", b"%%"), ("graphml", b"<?xml"), ("json", b"{")],
)
def test_the_files_ending_says_the_format(made: tuple[Path, dict[str, str]], ending: str, begins: bytes) -> None:
    if ending in ("svg", "png", "pdf") and not shutil.which("dot"):
        pytest.skip("no dot; to enable, install the package graphviz")
    done = kread(made, "thing_top", "-o", f"out.{ending}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert (made[0] / f"out.{ending}").read_bytes().startswith(begins)


def test_without_graphviz_the_error_names_the_package(made: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    done = kread(made, "thing_top", "-o", "never.svg", PATH=str(tmp_path))
    assert done.returncode == 2
    assert b"graphviz" in done.stderr
    assert not (made[0] / "never.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["thing_top", "-o", "out.gif"], 2, b"svg"),
        (["thing_leaf", "thing_top"], 1, b"no path"),
        (["thing_tpo"], 3, b"thing_top"),
        (["thing_top", "-o", "no/such/folder/x.dot"], 2, b"Can't write"),
    ],
)
def test_errors(made: tuple[Path, dict[str, str]], arguments: list[str], code: int, said: bytes) -> None:
    done = kread(made, *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stdout == b""

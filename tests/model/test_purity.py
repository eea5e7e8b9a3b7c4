"""The model stands alone: the standard library, nothing of kread, no input, no output, no clock."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import kread.model

FILES = sorted(Path(kread.model.__file__).parent.glob("*.py"))
FORBIDDEN = {"os", "io", "socket", "time", "datetime", "random", "subprocess", "pathlib", "logging"}
LONGEST = 350


def _imports(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_it_imports_the_standard_library_and_itself_only() -> None:
    for file in FILES:
        names = _imports(ast.parse(file.read_text()))
        foreign = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
        assert all(name == "kread.model" or name.startswith("kread.model.") for name in foreign), file.name
        assert not names & FORBIDDEN, file.name


def test_it_reads_and_prints_nothing() -> None:
    for file in FILES:
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"open", "print", "input", "exec", "eval"}, file.name


def test_no_module_asks_for_a_release_and_each_is_short() -> None:
    for file in FILES:
        text = file.read_text()
        assert len(text.splitlines()) < LONGEST, file.name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Compare):
                assert "policy.name" not in ast.unparse(node), f"{file.name}:{node.lineno}"

"""What the parser could not read of a file: the census that `kread doctor` shows.

Theory of operation: a tree knows for each node whether anything below it is wrong, so a tree without a fault costs one
look, and another is descended only where the fault is. A fault is told by its line, by the function around it and by
the line as the file has it, which is where a reader sees the construct that preparation does not know yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tree_sitter import Node, Tree

#: A line longer than this is cut: it is shown to be recognised, not to be read.
LONGEST_TEXT = 120


class Fault(NamedTuple):
    """One thing that the parser skipped (ERROR) or supplied (MISSING); `function` is "" at file scope."""

    line: int
    function: str
    text: str


def faults(original: bytes, tree: Tree, lines: Sequence[tuple[int, int]] | None = None) -> list[Fault]:
    """The faults of one prepared text, one for each line; `lines` limits them to ranges of lines (inclusive)."""
    root = tree.root_node
    if not root.has_error:
        return []
    found: dict[int, Fault] = {}
    rows = original.split(b"\n")
    todo: list[tuple[Node, str]] = [(root, "")]
    while todo:
        node, function = todo.pop()
        if node.type == "function_definition":
            function = _name(node, rows)
        if node.is_error or node.is_missing:
            line = node.start_point[0] + 1
            if lines is None or any(first <= line <= last for first, last in lines):
                text = " ".join(rows[line - 1].decode("utf-8", "replace").split()) if line <= len(rows) else ""
                found.setdefault(line, Fault(line, function, text[:LONGEST_TEXT]))
            continue
        todo.extend((child, function) for child in node.children if child.has_error or child.is_missing)
    return [found[line] for line in sorted(found)]


def declared(function: Node) -> Node | None:
    """The name that a function's definition declares, as a node of its tree."""
    node: Node | None = function.child_by_field_name("declarator")
    while node is not None and node.type != "identifier":
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next(
                (child for child in node.named_children if child.type.endswith(("declarator", "identifier"))), None
            )
        node = inner
    return node


def _name(function: Node, rows: Sequence[bytes]) -> str:
    """The declared name as the file writes it, "" where there is none."""
    node = declared(function)
    if node is None:
        return ""
    row, column = node.start_point
    return rows[row][column : node.end_point[1]].decode("utf-8", "replace")

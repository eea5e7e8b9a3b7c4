"""What is asked of single nodes of a syntax tree: their order, their lines, what they call and declare."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tree_sitter import Node


def place(node: Node) -> tuple[int, int]:
    """By source order, outer before inner: captures come in no order."""
    return node.start_byte, -node.end_byte


def within(lines: Sequence[tuple[int, int]]) -> Callable[[int], bool]:
    """Whether a line is in one of these ranges."""

    def wanted(row: int) -> bool:
        return any(first <= row <= last for first, last in lines)

    return wanted


def compound_name(node: Node) -> str:
    """The name under which a compound literal's table is found again by the value that uses it."""
    row, column = node.start_point
    return f"@{row + 1}:{column + 1}"


def called(callee: Node) -> Node:
    """The name that a callee is a cast of, if it is one: `((type)f)(x)`; else the callee."""
    node: Node | None = callee
    while node is not None and node.type in ("parenthesized_expression", "cast_expression"):
        node = node.child_by_field_name("value") or (node.named_children[-1] if node.named_children else None)
    return node if node is not None and node.type == "identifier" else callee


def parameter_list(declarator: Node) -> Node | None:
    """The parameter list of the function that a declarator declares: the innermost one."""
    found = None
    node: Node | None = declarator
    while node is not None:
        if node.type == "function_declarator":
            found = node.child_by_field_name("parameters")
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next((c for c in node.named_children if c.type.endswith("declarator")), None)
        node = inner
    return found

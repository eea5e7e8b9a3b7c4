"""The statements of one function in their order, by syntax: what it tests, sets, calls and returns, as written.

Theory of operation: the function's lines are prepared and parsed alone, and one walk over the tree names each
statement once: the head of an `if`, a loop or a `switch`, a case label, a return, an expression, a declaration. The
words come from the text as written, folded; names that say only how a value is read (data/idioms.toml) are looked
through. Branches of #if that cannot stand side by side come from the variants that show their lines, so every statement
that some configuration compiles is there, in the order of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from kread.parse.body import lines_of
from kread.parse.conditional import conditions
from kread.parse.defines import defines
from kread.parse.idioms import idioms
from kread.parse.macro_table import MacroTable
from kread.parse.prepare import prepare
from kread.parse.syntax import parse
from kread.parse.wording import bare, fold, seen_through

_SIGNATURE = b"v f()"
_BODY = re.compile(rb"/\*.*?\*/|//[^\n]*|(\{)", re.S)
_DEFINED = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.M)
_NAME = re.compile(rb"[A-Za-z_]\w*")

#: What a statement's head is called, by the grammar's name of the statement.
_HEADS = {"if_statement": "if", "while_statement": "while", "do_statement": "while", "switch_statement": "switch"}
_PLAIN = {"return_statement", "expression_statement", "declaration", "goto_statement"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement, or the head of one that holds others.

    line   -- where it begins in the file
    kind   -- "if", "while", "for", "switch", "case", "return", "statement"
    text   -- as written, folded: `if (a > b)`, `case X`, `return a`, `a = f(b)`
    choice -- whether control or a value is chosen there: a branch, a loop, a label, ?:, or a return of a test
    extent -- (first, last) byte in the function's lines
    """

    line: int
    kind: str
    text: str
    choice: bool
    extent: tuple[int, int]


def pieces(data: bytes, start_line: int, end_line: int, table: MacroTable) -> tuple[Piece, ...]:
    """The statements of the function on these lines of a file as written; none where there is no body.

    table -- the macro table of the release; the macros that the file itself defines are added here
    """
    written = lines_of(data, start_line, end_line)
    if not set(_DEFINED.findall(data)).isdisjoint(_NAME.findall(written)):
        table = table.overlay(defines(data))
    prepared = prepare(written, table, conditions(written))
    found: dict[tuple[int, int], Piece] = {}
    for text in (prepared.text, *prepared.variants):
        for piece in _read(text, written, start_line):
            found.setdefault(piece.extent, piece)
    return tuple(found[extent] for extent in sorted(found))


def _read(text: bytes, written: bytes, start_line: int) -> Iterator[Piece]:
    start = next((match.start(1) for match in _BODY.finditer(text) if match[1]), -1)
    if start < len(_SIGNATURE):
        return
    root = parse(_SIGNATURE.ljust(start) + text[start:]).root_node
    stack = [root]
    while stack:
        node = stack.pop()
        piece = _piece(node, written, start_line)
        if piece is not None:
            yield piece
        if node.type not in _PLAIN:
            stack.extend(node.children)


def _piece(node: Node, written: bytes, start_line: int) -> Piece | None:
    kind = node.type
    if kind in _HEADS:
        condition = node.child_by_field_name("condition")
        return None if condition is None else _made(_HEADS[kind], condition, condition, written, start_line)
    if kind == "for_statement":
        body = node.child_by_field_name("body")
        return _made("for", node, body, written, start_line) if body is not None else None
    if kind == "case_statement":
        value = node.child_by_field_name("value")
        return None if value is None else _made("case", value, value, written, start_line)
    if kind == "return_statement":
        return _made("return", node, node, written, start_line)
    if kind in ("expression_statement", "declaration"):
        return _made("statement", node, node, written, start_line)
    return None


def _made(kind: str, node: Node, end: Node, written: bytes, start_line: int) -> Piece | None:
    first = node.start_byte
    last = end.start_byte if kind == "for" else end.end_byte
    words = fold(written[first:last].decode("utf-8", "replace")).rstrip("; ")
    words = seen_through(words, idioms().transparent)
    if kind in ("if", "while", "switch"):
        words = f"{kind} ({seen_through(bare(words), idioms().transparent)})"
    elif kind == "case":
        words = f"case {words}"
    if not words:
        return None
    line = start_line + written.count(b"\n", 0, first)
    return Piece(line, kind, words, _chooses(kind, node), (first, last))


def _chooses(kind: str, node: Node) -> bool:
    if kind == "return":
        return any(
            child.type in ("binary_expression", "conditional_expression", "unary_expression") and _tests(child)
            for child in node.named_children
        )
    return kind != "statement" or any(each.type == "conditional_expression" for each in _inner(node))


def _tests(node: Node) -> bool:
    """Whether an expression compares, or joins tests."""
    return any(
        each.type == "conditional_expression"
        or (each.type in ("binary_expression", "unary_expression") and _operator(each) in _TESTS)
        for each in (node, *_inner(node))
    )


_TESTS = frozenset({"==", "!=", "<", ">", "<=", ">=", "&&", "||", "!"})


def _operator(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return "" if operator is None else operator.type


def _inner(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _inner(child)

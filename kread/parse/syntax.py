"""The one place that holds tree-sitter's grammar, parser and compiled queries.

What counts as a function, a call, a table stands in queries/c/*.scm, one file per kind of fact, so that it can be
read and changed without the program. A query's capture names are a contract with the extractor: each file has
one, and a test holds them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import tree_sitter_c
from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

#: The facts in the order in which the extractor takes them; each is queries/c/<name>.scm.
QUERY_NAMES = (
    "functions",
    "labels",
    "branches",
    "calls",
    "assignments",
    "returns",
    "declarations",
    "compounds",
    "records",
    "typedefs",
)


@cache
def language() -> Language:
    """The C grammar."""
    return Language(tree_sitter_c.language())


@cache
def _parser() -> Parser:
    return Parser(language())


def parse(text: bytes) -> Tree:
    """The syntax tree of prepared C text. Never fails: what can't be parsed is an ERROR node."""
    return _parser().parse(text)


def query_file(name: str) -> Path:
    """Where queries/c/<name>.scm lies: in the wheel inside the package, in a checkout beside it."""
    inside = Path(__file__).parent.parent / "queries" / "c" / f"{name}.scm"
    return inside if inside.exists() else Path(__file__).parents[2] / "queries" / "c" / f"{name}.scm"


@cache
def _query() -> Query:
    return Query(language(), "\n".join(query_file(name).read_text(encoding="utf-8") for name in QUERY_NAMES))


def captures(tree: Tree) -> dict[str, list[Node]]:
    """All nodes that the queries capture, by capture name, in one walk over the tree."""
    return QueryCursor(_query()).captures(tree.root_node)

"""Names that readers use for functions that macros make: sys_listen for the body of the system call.

Theory of operation: data/names.toml pairs the two. A symbol that a reader writes is looked up under both names
(CallGraph.find); in answers a function has the reader's name, and JSON gives the compiler's beside it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache, lru_cache

from kread import data
from kread.facts import Edge, Function

#: Names asked about in one answer.
_CACHED = 4096


@cache
def _patterns(given: str, wanted: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = data.load("names")["alias"]
    return tuple((re.compile(row[given]), row[wanted]) for row in rows if given in row)


def _renamed(name: str, given: str, wanted: str) -> str:
    for pattern, template in _patterns(given, wanted):
        if match := pattern.fullmatch(name):
            return match.expand(template)
    return name


def reader_name(name: str) -> str:
    """The name by which readers know a function."""
    return _renamed(name, "made", "shown")


def compiler_name(name: str) -> str:
    """The name that a macro gives to a function that readers call by this name."""
    return _renamed(name, "reader", "compiler")


@lru_cache(_CACHED)
def as_readers_say(function: Function) -> Function:
    """The function under the name that readers use."""
    name = reader_name(function.name) if function.macro else function.name
    return function if name == function.name else replace(function, name=name)


def edge_as_readers_say(edge: Edge) -> Edge:
    """The edge between functions under the names that readers use."""
    caller, callee = as_readers_say(edge.caller), as_readers_say(edge.callee)
    return edge if caller is edge.caller and callee is edge.callee else replace(edge, caller=caller, callee=callee)

"""What the list commands show: a function or macro with its neighbours, a slot with its tables, a structure.

Theory of operation: a command looks things up and fills one of these; `listing` makes text of it and `listing_json`
JSON. Nothing here is computed; the order of every list is the order in which it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from kread.facts import Edge, Function
from kread.graph.callgraph import SlotValue
from kread.graph.records import Cast, Holder, Member


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The answer of callers (`end` "callers") and callees: one function and the edges at one of its ends."""

    release: str
    function: Function
    end: str
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class MacroView:
    """One definition of a macro; `params` is None for one that takes none, `body` as written."""

    name: str
    file: str
    line: int
    params: str | None
    body: str
    presence: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """The answer of show: every function and every macro of that name, with what is around each function."""

    release: str
    symbol: str
    functions: tuple[tuple[Function, tuple[Edge, ...], tuple[Edge, ...], tuple[SlotValue, ...]], ...]
    macros: tuple[MacroView, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotView:
    """The answer of slot: who fills record.field, in which tables."""

    release: str
    asked: str
    values: tuple[SlotValue, ...]


@dataclass(frozen=True, slots=True)
class StructView:
    """The answer of struct: what it holds, what holds it or points to it, which tables are made of it, and the
    casts."""

    release: str
    record: str
    members: tuple[Member, ...]
    holders: tuple[Holder, ...] = ()
    tables: tuple[SlotValue, ...] = ()
    casts: tuple[Cast, ...] = ()

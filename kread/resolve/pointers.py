"""The calls through pointers of a program, each with the functions that it can reach or the reason why none is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kread.facts import Edge, Evidence, Function
from kread.parse.unit import CallRow
from kread.resolve.direct import Definitions
from kread.resolve.program import FunctionId, Program
from kread.resolve.slots import slot_values
from kread.resolve.types import MacroLookup

__all__ = ["Target", "callback_edges", "pointer_targets", "slot_values"]


@dataclass(frozen=True, slots=True)
class Target:
    """One function that a call through a pointer can reach, and why."""

    function: Function
    kind: str
    grade: str
    slot: str = ""
    table: str = ""
    presence: str = ""
    context: str = ""
    evidence: tuple[Evidence, ...] = ()


def pointer_targets(
    program: Program, definitions: Definitions, macros: MacroLookup
) -> Iterator[tuple[FunctionId, CallRow, list[Target], str]]:
    """Every call through a pointer with its targets, and the reason where there are none."""
    return iter(())


def callback_edges(program: Program, definitions: Definitions, macros: MacroLookup) -> Iterator[Edge]:
    """The edges from where a callback is registered to the callback."""
    return iter(())

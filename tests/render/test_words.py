"""Conditions taken apart and put together: what is left to need beyond what is known."""

from __future__ import annotations

import pytest

from kread.facts import Guard
from kread.render.words import common_needs, conjuncts, guard_exit, needs


@pytest.mark.parametrize(
    ("presence", "parts"),
    [
        ("", ()),
        ("A", ("A",)),
        ("A && !B", ("A", "!B")),
        ("A && (B || C && D) && E", ("A", "(B || C && D)", "E")),
        ("A || B && C", ("A || B && C",)),
        ("defined(A) && B > 3", ("defined(A)", "B > 3")),
    ],
)
def test_conjuncts(presence: str, parts: tuple[str, ...]) -> None:
    assert conjuncts(presence) == parts


def test_needs_leaves_out_what_is_known() -> None:
    assert needs("A && B && C", ["A", "C"]) == "B"
    assert needs("A && B", ["A", "B"]) == ""
    assert needs("A && (B || C)", ["A"]) == "B || C"
    assert needs("A && (B || !(C))", ["A"]) == "B || !(C)"
    assert needs("(B) || (C)") == "(B) || (C)"


def test_common_needs_is_what_all_ask() -> None:
    assert common_needs(["A && B", "B && A && C", "A && B"]) == ("A", "B")
    assert common_needs(["A", ""]) == ()
    assert common_needs([]) == ()


def test_a_reason_is_not_said_twice() -> None:
    assert guard_exit(Guard(1, "x", False, "exit", "return DROP_X", "DROP_X")) == "else return DROP_X"
    assert guard_exit(Guard(1, "x", False, "exit", "goto drop", "DROP_X")) == "else goto drop: DROP_X"

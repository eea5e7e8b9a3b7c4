"""The words for conditions and for what runs later: what is left to need beyond what is known, and who runs a callback."""

from __future__ import annotations

import pytest
from samples import edge, function

from kread.facts import Guard
from kread.render.json_path import guard_object
from kread.render.words import common_needs, guard_exit, in_order, needs, runs


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


def test_what_a_variable_becomes_is_told_once_between_the_conditions() -> None:
    first = Guard(1, "!sk", False, "exit", "goto out", then="sk = sk->listener", then_line=5)
    second = Guard(3, "sk->state == NEW", True, then="sk = sk->listener", then_line=5)
    third = Guard(7, "sk->state == LISTEN", True)
    assert [(one.line, one.word, one.text, one.otherwise) for one in in_order((third, second, first))] == [
        (1, "not", "!sk", "else goto out"),
        (3, "if", "sk->state == NEW", ""),
        (5, "then", "sk = sk->listener", ""),
        (7, "if", "sk->state == LISTEN", ""),
    ]
    assert guard_object(second)["then"] == {"line": 5, "text": "sk = sk->listener"}
    assert "then" not in guard_object(third)


@pytest.mark.parametrize(
    ("caller", "text", "said"),
    [
        ("thing_start", "timer_setup(&t->timer, thing_late, 0)", "by call_timer_fn in softirq context"),
        ("call_timer_fn", "fn(timer)", "here, in softirq context"),
        ("thing_poke", "t->timer.function(&t->timer)", "by call_timer_fn in softirq context"),
    ],
)
def test_a_callback_runs_where_its_registrar_says(caller: str, text: str, said: str) -> None:
    late = function("thing_late", "net/thing/late.c", 7)
    start = function(caller, "net/thing/late.c", 70)
    assert runs(edge(start, late, 71, text, kind="callback", context="softirq", slot="timer_list.function")) == said

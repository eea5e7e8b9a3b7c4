"""Assumptions: what they refute, what they make shorter, and which are refused."""

from __future__ import annotations

import pytest

from kread.errors import UsageError
from kread.facts import Guard
from kread.paths.steer import Assumption, refuted, refutes, simplified

LISTEN = "sk->sk_state == TCP_LISTEN"


@pytest.mark.parametrize(
    ("assumed", "text", "holds", "expected"),
    [
        (LISTEN, LISTEN, False, True),
        (LISTEN, LISTEN, True, False),
        (LISTEN, "sk->sk_state == TCP_ESTABLISHED", True, True),
        (LISTEN, "sk->sk_state == TCP_ESTABLISHED", False, False),
        (LISTEN, "sk->sk_state != TCP_LISTEN", True, True),
        (LISTEN, "TCP_LISTEN == sk->sk_state", False, True),
        (LISTEN, "sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_SYN_SENT", True, True),
        (LISTEN, "sk->sk_state == TCP_CLOSE || a", True, False),
        (LISTEN, "sk->sk_state == TCP_LISTEN && nsk != sk", True, False),
        (LISTEN, "(1 << sk->sk_state) & (TCPF_LISTEN | TCPF_CLOSE)", False, True),
        (LISTEN, "nsk->sk_state == TCP_ESTABLISHED", True, False),
        ("!th->ack", "th->ack", True, True),
        ("!th->ack && th->syn", "th->syn", False, True),
        ("sk->sk_state != TCP_LISTEN", LISTEN, True, True),
        ("sk->sk_state != TCP_LISTEN", "sk->sk_state == TCP_CLOSE", True, False),
        ("a == X || a == Y", "a == Z", True, True),
        ("a == X || a == Y", "a == X", True, False),
        ("req == NULL", "!req", False, True),
        ("req", "req == NULL", True, True),
        ("sk_acceptq_is_full(sk)", "sk_acceptq_is_full( sk )", False, True),
        ("nsk != sk", "sk == nsk", True, True),
        ("x == 3", "x == THREE", True, False),
    ],
)
def test_refutes(assumed: str, text: str, holds: bool, expected: bool) -> None:
    assert refutes(Assumption.parse(assumed), Guard(1, text, holds)) is expected


def test_assumptions_work_together() -> None:
    assumptions = [Assumption.parse("!a"), Assumption.parse("!b")]
    guard = Guard(7, "a || b", True)
    assert not any(refutes(assumption, guard) for assumption in assumptions)
    assert refuted(assumptions, [Guard(3, "c", True), guard]) == guard
    assert refuted(assumptions, [Guard(3, "c", True)]) is None


def test_a_text_that_was_assigned_means_another_value() -> None:
    assumptions = [Assumption.parse("sk->sk_state == TCP_NEW_SYN_RECV"), Assumption.parse("!th->rst")]
    request = Guard(1, "sk->sk_state == TCP_NEW_SYN_RECV", True)
    listener = Guard(3, "sk->sk_state != TCP_LISTEN", False)
    reset = Guard(4, "th->rst", True)
    assert refuted(assumptions, [request, listener]) == listener
    assert refuted(assumptions, [request, listener], [request]) is None  # sk was assigned between the two
    assert refuted(assumptions, [request, listener], [request, listener]) == listener
    assert refuted(assumptions, [listener], []) == listener
    assert refuted(assumptions, [request, reset], [request]) == reset


def test_of_a_nested_guard_only_what_is_open_is_told() -> None:
    listen = [Assumption.parse(LISTEN)]
    nested = Guard(9, "sk->sk_state == TCP_LISTEN && nsk != sk", False, "exit", "return 0")
    assert simplified(listen, [nested]) == (Guard(9, "nsk != sk", False, "exit", "return 0"),)
    closed = [Assumption.parse("sk->sk_state == TCP_CLOSE")]
    assert simplified(closed, [nested]) == ()
    plain = Guard(2, LISTEN, True)
    assert simplified(listen, [plain]) == (plain,)


@pytest.mark.parametrize("text", ["", "  ", "1", "sk->sk_state == ", "(a", "a || b", "TCP_LISTEN"])
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        Assumption.parse(text)
    assert raised.value.slug == "no-assumption"
    assert "--assume" in raised.value.hint

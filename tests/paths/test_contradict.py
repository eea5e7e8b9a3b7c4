"""Contradictions between hops: what travels with the arguments, and what stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kread.facts import Guard
from kread.paths.contradict import Hop, arguments, contradiction, contradictory, parameters

LISTEN = Guard(1, "sk->sk_state == TCP_LISTEN", True)
ESTABLISHED = Guard(2, "sk->sk_state == TCP_ESTABLISHED", True)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (LISTEN, ESTABLISHED, True),
        (LISTEN, Guard(2, "sk->sk_state == TCP_ESTABLISHED", False), False),
        (Guard(1, "x", True), Guard(2, "!x", True), True),
        (Guard(1, "x == NULL", True), Guard(2, "x", True), True),
        (Guard(1, "x == NULL", True), Guard(2, "x", False), False),
        (Guard(1, "f(x)", True), Guard(2, "f(x)", False), False),  # two calls may give two values
        (Guard(1, "x == A", True), Guard(2, "x == A || y", True), False),
        (Guard(1, "x == A", True), Guard(2, "x == B && y", True), True),
    ],
)
def test_guards_of_one_function(first: Guard, second: Guard, expected: bool) -> None:
    assert (contradictory([first], [second]) is not None) is expected


def hops(call: str, signature: str, callee: Guard, **caller: object) -> list[Hop]:
    return [Hop((LISTEN,), call=call, **caller), Hop((callee,), signature=signature)]  # type: ignore[arg-type]


SIGNATURE = "int process(struct sock *sk, struct sk_buff *skb)"


def test_a_field_that_lasts_travels_with_its_object() -> None:
    assert contradiction(hops("process(sk, skb)", SIGNATURE, ESTABLISHED)) == (1, LISTEN, ESTABLISHED)
    assert contradiction(hops("process(sk, skb)", SIGNATURE, LISTEN)) is None


def test_the_parameter_has_its_own_name() -> None:
    other = Guard(2, "lsk->sk_state == TCP_ESTABLISHED", True)
    assert contradiction(hops("process(sk, skb)", "int process(struct sock *lsk, int n)", other)) == (1, LISTEN, other)
    assert contradiction(hops("process(nsk, skb)", SIGNATURE, ESTABLISHED)) is None


def test_it_travels_through_a_table() -> None:
    found = contradiction(hops("sk->ops->process[2](sk, f(skb, 1))", SIGNATURE, ESTABLISHED))
    assert found == (1, LISTEN, ESTABLISHED)


def test_what_may_have_changed_does_not_travel() -> None:
    assert contradiction(hops("process(sk, skb)", SIGNATURE, ESTABLISHED, stale=(LISTEN,))) is None
    changed = Hop((ESTABLISHED,), changed=frozenset({"sk"}), signature=SIGNATURE)
    assert contradiction([Hop((LISTEN,), call="process(sk, skb)"), changed]) is None
    written = Hop((ESTABLISHED,), changed=frozenset({"->sk_state"}), signature=SIGNATURE)
    assert contradiction([Hop((LISTEN,), call="process(sk, skb)"), written]) is None
    asked_first = replace(written, entry=(ESTABLISHED,))
    assert contradiction([Hop((LISTEN,), call="process(sk, skb)"), asked_first]) == (1, LISTEN, ESTABLISHED)


def test_a_field_that_does_not_last_stays_behind() -> None:
    guard, other = Guard(1, "sk->sk_count == A", True), Guard(2, "sk->sk_count == B", True)
    assert contradiction([Hop((guard,), call="process(sk, skb)"), Hop((other,), signature=SIGNATURE)]) is None


def test_a_value_travels_with_its_parameter() -> None:
    guard, other = Guard(1, "want", True), Guard(2, "!cookie", True)
    signature = "int make(bool cookie)"
    assert contradiction([Hop((guard,), call="make(want)"), Hop((other,), signature=signature)]) == (1, guard, other)


def test_a_constant_argument_is_a_fact() -> None:
    taken = Guard(2, "fastopen", True)
    signature = "struct sock *check(struct sock *sk, bool fastopen)"
    found = contradiction([Hop((), call="check(sk, false)"), Hop((taken,), signature=signature)])
    assert found == (1, "fastopen = false", taken)
    assert contradiction([Hop((), call="check(sk, true)"), Hop((taken,), signature=signature)]) is None


def test_it_travels_over_several_hops() -> None:
    middle = Hop((), signature=SIGNATURE, call="process(sk, skb)")
    last = Hop((ESTABLISHED,), signature=SIGNATURE)
    assert contradiction([Hop((LISTEN,), call="process(sk, skb)"), middle, last]) == (2, LISTEN, ESTABLISHED)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("f(a, b)", ["a", "b"]),
        ("f()", []),
        ("READ_ONCE(sk->ready)(sk)", ["sk"]),
        ("x->ops[i](a, g(b, c), (struct s){ .d = 1, .e = 2 })", ["a", "g(b, c)", "(struct s){ .d = 1, .e = 2 }"]),
        ('log("%d, (", a)', ['"%d, ("', "a"]),
    ],
)
def test_arguments(call: str, expected: list[str]) -> None:
    assert arguments(call) == expected


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("int f(void)", [""]),
        ("static inline struct sock *f(const struct net *net, u8 mac[6], int (*cb)(int, int), ...)",
         ["net", "mac", "cb", ""]),
        ("__printf(1, 2) int f(int\n\t*a)", ["a"]),
    ],
)  # fmt: skip
def test_parameters(signature: str, expected: list[str]) -> None:
    assert parameters(signature) == expected

"""Facts against truth: random conditions, evaluated for every value of what they name.

A and B are different constants, either of which may be 0; x and y take any of the values in play.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kread.facts import Guard
from kread.paths.conditions import Fact, condition, constant, decide, facts, lvalue, shortened

TESTS = ["x == A", "x != A", "B == x", "x", "!x", "x == NULL", "NULL != x", "y == B", "y", "x == y", "y != x"]
TESTS += ["x < y", "y > x", "x <= y", "x == 3", "!(y == A)", "(x)", "x == 0x3"]


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(parts, st.sampled_from(("&&", "||")), parts).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        parts.map(lambda part: f"!({part})"),
    )


CONDITIONS = st.recursive(st.sampled_from(TESTS), joined, max_leaves=5)


def worlds() -> Iterator[dict[str, int]]:
    for a, b in ((0, 1), (1, 0), (1, 2)):
        for x, y in itertools.product((0, 1, 2, 3, 7), repeat=2):
            yield {"A": a, "B": b, "NULL": 0, "x": x, "y": y}


def truth(text: str, world: dict[str, int]) -> bool:
    python = re.sub(r"!(?!=)", " not ", text.replace("&&", " and ").replace("||", " or "))
    return bool(eval(python.strip(), {"__builtins__": {}}, world))


def true_of(fact: Fact, world: dict[str, int]) -> bool:
    return (
        int(eval(fact.lvalue, {"__builtins__": {}}, world))
        in {world.get(v) if v in world else int(v) for v in fact.values}
    ) is fact.holds


@settings(max_examples=150, deadline=None, derandomize=True)
@given(CONDITIONS, st.booleans())
def test_facts_are_true_wherever_the_guard_is_met(text: str, holds: bool) -> None:
    found = facts(Guard(1, text, holds))
    for world in worlds():
        if truth(text, world) is holds:
            assert all(true_of(fact, world) for fact in found), (text, holds, world)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(CONDITIONS, st.booleans(), CONDITIONS)
def test_what_is_decided_is_so(known: str, holds: bool, asked: str) -> None:
    answer = decide(facts(Guard(1, known, holds)), condition(asked))
    if answer is not None:
        for world in worlds():
            if truth(known, world) is holds:
                assert truth(asked, world) is answer, (known, holds, asked, world)


@pytest.mark.parametrize(
    ("text", "holds", "expected"),
    [
        ("sk->sk_state == TCP_LISTEN", True, ["sk->sk_state in {TCP_LISTEN}"]),
        ("sk->sk_state == A || sk->sk_state == B", True, ["sk->sk_state in {A, B}"]),
        ("sk->sk_state == A || sk->sk_state == B", False, ["sk->sk_state not in {A}", "sk->sk_state not in {B}"]),
        ("!req", False, ["req not in {0}"]),
        ("th->syn && !th->ack", True, ["th->ack in {0}", "th->syn not in {0}"]),
        ("(1 << sk->sk_state) & (TCPF_LISTEN | TCPF_CLOSE)", True, ["sk->sk_state in {TCP_CLOSE, TCP_LISTEN}"]),
        ("(1 << sk->sk_state) & ~(TCPF_LISTEN)", True, ["sk->sk_state not in {TCP_LISTEN}"]),
        ("(p = get(q)) == NULL", False, ["p not in {0}"]),
        ("!(p = get(q))", False, ["p not in {0}"]),
        ("(*p).f == PF_INET", True, ["p->f in {AF_INET}"]),
        ("a || b", True, []),
        ("a ? b : c", True, ["a?b:c not in {0}"]),
        ("nsk != sk", False, ["nsk==sk not in {0}"]),
        ("f(a, b != c)", True, ["f(a,b!=c) not in {0}"]),
    ],
)
def test_facts(text: str, holds: bool, expected: list[str]) -> None:
    assert sorted(map(str, facts(Guard(1, text, holds)))) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NULL", "0"),
        ("false", "0"),
        ("0x10UL", "16"),
        ("010", "8"),
        ("-EINVAL", "-EINVAL"),
        ("AF_INET", "AF_INET"),
        ("PF_INET", "AF_INET"),
        ("sk", ""),
        ("f(X)", ""),
        ("(TCP_LISTEN)", "TCP_LISTEN"),
    ],
)
def test_constants(text: str, name: str) -> None:
    assert constant(text) == name


def test_lvalues_are_compared_without_white_space() -> None:
    assert lvalue("( sk -> sk_state )") == lvalue("sk->sk_state")
    assert lvalue("sizeof (struct sock)") == "sizeof(struct sock)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!dst && !dst", "!dst"),
        ("!(x == 1) && x == 2 && drop", "x == 2 && drop"),
        ("x == 1 && !(x != 2) && y", "x == 1 && !(x != 2) && y"),  # contradictory: two values of x, so both are told
        ("a && (b || c)", "a && (b || c)"),
        ("a || b", "a || b"),
    ],
)
def test_a_nested_guard_says_nothing_twice(text: str, expected: str) -> None:
    assert shortened(Guard(1, text, False)).text == expected
    assert shortened(Guard(1, text, True)).text == text

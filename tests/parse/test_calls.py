"""What is a call in a run of tokens, and what only looks like one."""

from __future__ import annotations

import pytest

from kread.parse.calls import calls
from kread.parse.expand import Expander


def found(text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(call.kind, call.callee, call.args) for call in calls(Expander(lambda name: ()).expand(text).tokens)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(a, g(b))", [("name", "f", ("a", "g(b)")), ("name", "g", ("b",))]),
        ("f()", [("name", "f", ())]),
        ("return f(a);", [("name", "f", ("a",))]),
        ("else f(a);", [("name", "f", ("a",))]),
        ("a * f(b)", [("name", "f", ("b",))]),
        ("x = *f(b)", [("name", "f", ("b",))]),
        ("(f)(a)", [("name", "f", ("a",))]),
        ("(&f)(a)", [("name", "f", ("a",))]),
        ("({ int x = 1; (&f); })(a)", [("name", "f", ("a",))]),
        ("p->ops->f(a)", [("pointer", "p->ops->f", ("a",))]),
        ("get(p)->ops.f(a)", [("name", "get", ("p",)), ("pointer", "get(p)->ops.f", ("a",))]),
        ("(*p->f)(a)", [("pointer", "*p->f", ("a",))]),
        ("table[i](a)", [("pointer", "table[i]", ("a",))]),
        ("((p)->f)(a)", [("pointer", "(p)->f", ("a",))]),
        ("f(a)(b)", [("name", "f", ("a",)), ("pointer", "f(a)", ("b",))]),
        ("({ typeof(p->f) g = (p->f); g(a); })", [("pointer", "p->f", ("a",))]),
        ("({ typeof(f) g = (f); ({ typeof(g) h = (g); h(a); }); })", [("name", "f", ("a",))]),
        ("({ __auto_type g = f; g(a); })", [("name", "f", ("a",))]),
        ("({ int g = f; g(a); })", [("name", "g", ("a",))]),
        ("({ x = 1; p->f; })(a)", [("pointer", "p->f", ("a",))]),
        ("__builtin_expect(f(a), 1)", [("builtin", "__builtin_expect", ("f(a)", "1")), ("name", "f", ("a",))]),
        ("_Generic(x, int: f, default: g)(x)", [("pointer", "_Generic(x, int: f, default: g)", ("x",))]),
        ("_Generic(0, int: f, default: g)(0)", [("name", "f", ("0",))]),
        ("_Generic((__alignof__(struct s)), struct s *: f, default: g)(0)", [("name", "g", ("0",))]),
        (
            "_Generic(sizeof(s) + x, struct s *: f, default: g)(0)",
            [("pointer", "_Generic(sizeof(s) + x, struct s *: f, default: g)", ("0",))],
        ),
        ("int x __attribute__((__cleanup__(f))) = g();", [("cleanup", "f", ()), ("name", "g", ())]),
    ],
)
def test_calls(text: str, expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "if (a) while (b) switch (c) { }",
        "sizeof(f(a)) + sizeof (b)",
        "typeof(f(a)) x;",
        "_Static_assert(f(a), m);",
        "(u32)(x) + (struct s *)(y) + (foo_t)(z) + (typeof(a) *)(b)",
        "(u8)(u16)(x)",
        "(void (*)(int))(p)",
        "extern int f(int);",
        "static struct s *f(int a) { }",
        "; foo_t *f(int a);",
        "__attribute__((format(printf, 1, 2)))",
        'asm volatile ("" : "=r" (x) : [n] "i" (y))',
        'extern void stop(void) __attribute__((__error__("no"))); if (a) stop();',
        "a (",
        ")(",
        "[ ] ( )",
    ],
)
def test_no_calls(text: str) -> None:
    assert found(text) == []


def test_a_name_can_be_ignored() -> None:
    tokens = Expander(lambda name: ()).expand("m(f(a))").tokens
    assert [call.callee for call in calls(tokens, ignore="m".__eq__)] == ["f"]

"""Expressions: how each reads, that writing them back changes nothing, and that real source is read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kread.parse.expression import MAX_DEPTH, last_value, parse, parse_with
from kread.parse.terms import (
    BINARY,
    Assign,
    Binary,
    Call,
    Cast,
    Comma,
    Compound,
    Conditional,
    Expr,
    Field,
    Generic,
    Index,
    Initializer,
    Literal,
    Name,
    Opaque,
    Sizeof,
    StmtExpr,
    TypeArg,
    Unary,
    unparse,
)
from kread.parse.transparent import strip, wrappers

A, B, C, P, X, Y = map(Name, "abcpxy")

READINGS: list[tuple[str, Expr]] = [
    ("x->a.b", Field(Field(X, "a", True), "b", False)),
    ("x[a](b, &c)", Call(Index(X, A), (B, Unary("&", C)))),
    ("p->ops->f(x)", Call(Field(Field(P, "ops", True), "f", True), (X,))),
    ("(*p->f)(x)", Call(Unary("*", Field(P, "f", True)), (X,))),
    ("(*p)++", Unary("p++", Unary("*", P))),
    ("*p++", Unary("*", Unary("p++", P))),
    ("a - b - c", Binary("-", Binary("-", A, B), C)),
    ("a + b * c == x && y", Binary("&&", Binary("==", Binary("+", A, Binary("*", B, C)), X), Y)),
    ("!a & b", Binary("&", Unary("!", A), B)),
    ("a = b = c", Assign("=", A, Assign("=", B, C))),
    ("a ? b : c ? x : y", Conditional(A, B, Conditional(C, X, Y))),
    ("a ?: b", Conditional(A, None, B)),
    ("a, b", Comma(A, B)),
    ("f((a, b), c)", Call(Name("f"), (Comma(A, B), C))),
    ("&&a", Unary("&&", A)),
    # casts: by the words, by what follows, by a name that is a type's by custom
    ("(struct s *)x->y", Cast("struct s *", Field(X, "y", True))),
    ("(foo *)x", Cast("foo *", X)),
    ("(__force __be32) x", Cast("__force __be32", X)),
    ("(u32)(x)", Cast("u32", X)),
    ("(u8)-x", Cast("u8", Unary("-", X))),
    ("(foo)x", Cast("foo", X)),
    ("(void (*)(int))x", Cast("void (*)(int)", X)),
    ("(typeof(x) *)y", Cast("typeof(x) *", Y)),
    ("(const struct s __rcu *)x", Cast("const struct s __rcu *", X)),
    ("(unsigned long)(u8)x", Cast("unsigned long", Cast("u8", X))),
    # and what only looks like one
    ("(a)(x)", Call(A, (X,))),
    ("(a) - x", Binary("-", A, X)),
    ("(a) & x", Binary("&", A, X)),
    ("(a) * x", Binary("*", A, X)),
    ("(a * b) + c", Binary("+", Binary("*", A, B), C)),
    ("(struct s){ .a = 1, }", Compound("struct s", ".a = 1,")),
    ("&(struct s){ 0 }", Unary("&", Compound("struct s", "0"))),
    ("sizeof(struct s) * a", Binary("*", Sizeof("sizeof", "struct s"), A)),
    ("sizeof *p + a", Binary("+", Sizeof("sizeof", "*p"), A)),
    ("sizeof(x)->y", Sizeof("sizeof", "(x)->y")),
    # arguments that are types, members, nothing
    ("container_of(p, struct s, a.b)", Call(Name("container_of"), (P, TypeArg("struct s"), Field(A, "b", False)))),
    ("min_t(unsigned int, a, b)", Call(Name("min_t"), (TypeArg("unsigned int"), A, B))),
    ("f(const u8 *, int (*)(void))", Call(Name("f"), (TypeArg("const u8 *"), TypeArg("int (*)(void)")))),
    ("f(struct s *a, b)", Call(Name("f"), (TypeArg("struct s *a"), B))),
    ("f(.a = 1, { 2 })", Call(Name("f"), (Initializer(".a = 1"), Initializer("{ 2 }")))),
    ("f()", Call(Name("f"), ())),
    (
        'f("a" PRI "b\\n", \'c\', 0x1fUL)',
        Call(Name("f"), (Literal('"a" PRI "b\\n"'), Literal("'c'"), Literal("0x1fUL"))),
    ),
    ("_Generic(a, int: b, default: c)(x)", Call(Generic(A, (("int", B), ("default", C))), (X,))),
    ("({ typeof(x) a = (x); b(); a; })", StmtExpr("typeof(x) a = (x); b(); a;", A, (("a", X),))),
    ("({ if (a) b(); })", StmtExpr("if (a) b();", None, ())),
    ("a /* why */ + // so\n b", Binary("+", A, B)),
    # what is no expression
    ("", Opaque("")),
    ("a b c ]", Opaque("a b c ]")),
    ("f(a +, b)", Call(Name("f"), (Opaque("a +"), B))),
]


@pytest.mark.parametrize(("text", "expected"), READINGS, ids=[text for text, _ in READINGS])
def test_reads(text: str, expected: Expr) -> None:
    assert parse(text) == expected
    assert parse(unparse(expected)) == expected


def test_a_type_known_to_the_caller_makes_a_cast() -> None:
    assert parse_with("(a)(x)", {"a"}.__contains__) == Cast("a", X)
    assert parse_with("(a)-x", {"a"}.__contains__) == Cast("a", Unary("-", X))


def test_the_value_of_statements() -> None:
    assert last_value("({ int a = b; f(a); a + 1; })") == Binary("+", A, Literal("1"))
    assert last_value("f(a); if (b) { c; } x->y;") == Field(X, "y", True)
    assert last_value("do { f(a); } while (0)") is None
    assert last_value("a") == A


@pytest.mark.parametrize(
    ("text", "core"),
    [
        ("(struct s *)x->a", "x->a"),
        ("READ_ONCE(x->a)", "x->a"),
        ("rcu_dereference_protected(x->a, lockdep_is_held(&l))", "x->a"),
        ("((struct s *)unlikely(READ_ONCE((x->a))))", "x->a"),
        ("({ typeof(x->a) p = READ_ONCE(x->a); f(); (struct s *)p; })", "x->a"),
        ("({ int a = b; ({ int c = a; c; }); })", "b"),
        ("*&x", "x"),
        ("&*x", "x"),
        ("(f(), x)", "x"),
        ("other(x)", "other(x)"),
        ("({ int a = a; a; })", "a"),
    ],
)
def test_strip_finds_what_an_expression_is_about(text: str, core: str) -> None:
    assert strip(parse(text)) == parse(core)


def test_wrappers_are_data_with_reasons() -> None:
    assert strip(parse("mine(x, y)"), {"mine": 1}) == Y
    assert wrappers()["READ_ONCE"] == 0


_NAMES = st.sampled_from(["a", "b", "sk", "x_1"]).map(Name)
_TYPES = st.sampled_from(["struct s *", "u32", "unsigned int", "foo_t *", "const char *"])


def _wider(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    args = st.lists(st.one_of(inner, _TYPES.map(TypeArg)), max_size=3).map(tuple)
    return st.one_of(
        st.builds(Field, inner, st.sampled_from(["f", "g"]), st.booleans()),
        st.builds(Index, inner, inner),
        st.builds(Call, inner, args),
        st.builds(Unary, st.sampled_from(["&", "*", "!", "~", "-", "+", "++", "--", "p++", "p--"]), inner),
        st.builds(Cast, _TYPES, inner),
        st.builds(Conditional, inner, st.none() | inner, inner),
        st.builds(Binary, st.sampled_from(sorted(BINARY)), inner, inner),
        st.builds(Assign, st.sampled_from(["=", "+=", "<<="]), inner, inner),
        st.builds(Comma, inner, inner),
        st.builds(Sizeof, st.just("sizeof"), st.sampled_from(["struct s", "a->b"])),
        st.builds(Compound, st.just("struct s"), st.just(".a = 1")),
    )


_TERMS = st.recursive(st.one_of(_NAMES, st.sampled_from(["1", '"s"']).map(Literal)), _wider, max_leaves=12)


@settings(max_examples=600, deadline=None)
@given(_TERMS)
def test_what_is_written_reads_as_it_was(expr: Expr) -> None:
    assert parse(unparse(expr)) == expr


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab1(){}[]*&-+>.,;:?=! \n/_%#\\", max_size=40))
def test_no_text_is_refused_and_writing_settles(text: str) -> None:
    once = unparse(parse(text))
    assert unparse(parse(once)) == once


def test_deep_nesting_is_no_crash() -> None:
    for text in (
        "(" * 5000 + "a" + ")" * 5000,
        "-" * 5000 + "a",
        "a" + "(a" * 3000,
        "f(" * 2000 + ")" * 2000,
        "a?" * 4000,
    ):
        assert parse(text) is not None
    shallow = "(" * (MAX_DEPTH // 4) + "a" + ")" * (MAX_DEPTH // 4)
    assert parse(shallow) == A


_LITERAL = re.compile(
    r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|/\*.*?\*/|//[^\n]*|^[ \t]*\#(?:[^\\\n]|\\.|\\\n)*", re.S | re.M
)
_BRACKET = re.compile(r"[(){}\[\],;]")
_HEAD = re.compile(r"\b(if|while|switch|return|[A-Za-z_]\w*)\s*\(")


def expressions(text: str) -> list[str]:
    """Conditions and calls in function bodies, found by a rough scan that knows nothing of expressions."""
    clean = _LITERAL.sub(lambda m: m.group() if m.group()[0] in "\"'" else re.sub(r"[^\n]", " ", m.group()), text)
    found = []
    for written in re.findall(r"^\{\n(.*?)^\}", clean, re.S | re.M):
        body = _LITERAL.sub(lambda m: '"' + "x" * (len(m.group()) - 2) + '"', written)
        for head in _HEAD.finditer(body):
            depth = 0
            for bracket in _BRACKET.finditer(body, head.end() - 1):
                depth += {"(": 1, ")": -1}.get(bracket.group(), 0)
                if depth == 0:
                    start = head.end() if head.group(1) in ("if", "while", "switch") else head.start()
                    end = bracket.start() if start == head.end() else bracket.end()
                    if head.group(1) not in ("return", "for"):
                        found.append(written[start:end])
                    break
    return found


def test_real_source_is_read(tree: Callable[[str], Path]) -> None:
    texts: list[str] = []
    for file in sorted((tree("6.12") / "net" / "ipv4").glob("*.c")):
        texts += expressions(file.read_text(errors="replace"))
    assert len(texts) > 10_000
    opaque = [text for text in texts if "Opaque(" in repr(parse(text))]
    assert len(opaque) < len(texts) / 1000, opaque[:40]
    unstable = [text for text in texts if parse(unparse(parse(text))) != parse(text)]
    assert unstable == []


def test_time_is_proportional() -> None:
    """Not a timed test of speed: doubling a text must not square the work."""
    short, long = (f"f({'a->b(c), ' * n}a)" for n in (400, 1600))
    spent = []
    for text in (short, long):
        start = time.process_time()
        parse.__wrapped__(text)
        spent.append(time.process_time() - start)
    assert spent[1] < 16 * spent[0] + 0.05

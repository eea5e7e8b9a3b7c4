"""Macro expansion, compared token by token with what `gcc -E` makes of the same text."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kread.parse import expand
from kread.parse.expand import Expander, Expansion, Macro
from kread.parse.tokens import words

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: apt-get install gcc")

_DEFINE = re.compile(r"#define (\w+)(?:\(([^)]*)\))?(?: (.*))?")


def macros(source: str) -> Callable[[str], Sequence[Macro]]:
    """A lookup for #define lines; a name defined twice has alternatives, `// CONDITION` is the presence."""
    found: dict[str, list[Macro]] = {}
    for number, line in enumerate(source.strip().splitlines(), 1):
        text, _, presence = line.strip().partition(" // ")
        match = _DEFINE.fullmatch(text.strip())
        assert match is not None, line
        params = None if match[2] is None else tuple(p.strip() for p in match[2].split(",") if p.strip())
        found.setdefault(match[1], []).append(Macro(match[1], params, match[3] or "", "t.h", number, presence))
    return lambda name: found.get(name, ())


def by_gcc(source: str) -> tuple[list[str], str]:
    """The tokens that gcc's preprocessor gives for a text, and its complaints."""
    done = subprocess.run(
        ["gcc", "-E", "-P", "-std=gnu11", "-x", "c", "-"], input=source, capture_output=True, text=True, check=False
    )
    return words(done.stdout), done.stderr


#: Each case: what it shows, the macros, the text.
CASES = [
    ("object-like", "#define A 1 + B\n#define B 2", "A B C"),
    ("function-like", "#define F(x, y) x + y", "F(1, 2) F (3,\n4) F"),
    ("arguments are expanded first", "#define F(x) G(x)\n#define G(x) [x]\n#define A B\n#define B 7", "F(A) G(F(A))"),
    ("but not beside # and ##", "#define S(x) #x\n#define C(x, y) x##y\n#define A B", "S(A) C(A, A) S( A  +  1 )"),
    ("a string in a string", "#define S(x) #x", r"""S("a\n" 'b' '"' "\\")"""),
    ("two levels make a string of the value", "#define S(x) T(x)\n#define T(x) #x\n#define A 1 + 2", "S(A) S(  A)"),
    ("a pasted name is looked up", "#define C(x, y) x##y\n#define AB 9", "C(A, B) C(, B) C(A,) C(,)"),
    ("a chain of pastes", "#define C(x, y, z) x##_##y##z", "C(a, b, c) C(a, , c) C(, , )"),
    ("paste inside an object-like body", "#define A x ## y ## 1\n#define xy1 3", "A"),
    ("pasted operators", "#define C(x, y) x ## y", "a C(-, >) b C(<, <=) c C(+, +)"),
    ("a name in its own expansion stays", "#define f(x) f(x + 1)\n#define a a + b\n#define b a", "f(f(1)) a b"),
    ("rescanned with what follows", "#define F(x) [x]\n#define N F\n#define O F (", "N(1) O 2) N N(3)"),
    ("a macro's end may be left by its arguments", "#define f(a) a*g\n#define g(a) f(a)", "f(2)(9) f(f)(1)(2)"),
    ("parentheses and strings in arguments", "#define F(x, y) y|x", "F((1, 2), [3) F(\"),\", ')') F({a, b)"),
    ("no arguments", "#define F() 1\n#define G(x) <x>", "F() F( ) G() G( )"),
    (
        "variadic",
        "#define F(...) f(__VA_ARGS__)\n#define G(x, ...) g(x, __VA_ARGS__)",
        "F() F(1) F(1, 2) G(1) G(1, 2, 3)",
    ),
    ("named variadic", "#define F(a, r...) f(a, r)\n#define S(r...) #r", "F(1) F(1, 2, 3) S(a, b , c)"),
    (
        "the comma before ## and the variable arguments",
        "#define P(f, ...) p(f, ##__VA_ARGS__)\n#define Q(...) q(0, ##__VA_ARGS__)\n#define A 1, 2",
        "P(x) P(x, ) P(x, y) P(x, y, A) Q() Q(A)",
    ),
    (
        "__VA_OPT__",
        "#define P(f, ...) p(f __VA_OPT__(,) __VA_ARGS__)\n#define N(x, ...) __VA_OPT__(a x ## x) ## end\n#define E",
        "P(x) P(x, ) P(x, y) P(x, E) N(b) N(b, c)",
    ),
    (
        "counting arguments",
        "#define COUNT(...) N(dummy, ##__VA_ARGS__, 4, 3, 2, 1, 0)\n#define N(d, a, b, c, e, n, ...) n\n"
        "#define CAT(a, b) CAT_(a, b)\n#define CAT_(a, b) a##b\n#define F(...) CAT(f, COUNT(__VA_ARGS__))(__VA_ARGS__)",
        "F() F(x) F(x, y) F(x, F(y), z)",
    ),
    (
        "a list of macros applied",
        "#define LIST(m) m(a) m(b)\n#define M(x) x##_v = S(x),\n#define S(x) #x",
        "LIST(M) LIST(S)",
    ),
    ("comments are white space", "#define S(x) #x", "S(a/* b, c */d) S(a // )\n b)"),
]


@needs_gcc
@pytest.mark.parametrize(("source", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_expands_as_gcc_does(source: str, text: str) -> None:
    wanted, complaints = by_gcc(f"{source}\n{text}\n")
    assert not complaints
    assert words(Expander(macros(source)).expand(text).text) == wanted


_ATOMS = st.sampled_from(
    ["A", "B", "f", "g", "h", "x", "1", "+", "(1)", '"s"', "f(1)", "g(x, 2)", "h(A)", "h()", "f(g)(B)"]
)


@st.composite
def _body(draw: st.DrawFn, params: tuple[str, ...] | None) -> str:
    pieces = draw(st.lists(st.one_of(_ATOMS, st.sampled_from(params or ("z",))), max_size=6))
    body = ""
    for piece in pieces:
        how = draw(st.integers(0, 9))
        if how == 0 and piece in (params or ()):
            piece = f"#{piece}"
        body += "" if not body else "##" if how == 1 and piece[0] not in "#" else draw(st.sampled_from([" ", "  "]))
        body += piece
    return body


@st.composite
def _sources(draw: st.DrawFn) -> tuple[str, str]:
    """Macros A, B (object-like), f/1, g/2, h/variadic, and a text that uses them."""
    shapes: dict[str, tuple[str, ...] | None] = {
        "A": None,
        "B": None,
        "f": ("p",),
        "g": ("p", "q"),
        "h": ("__VA_ARGS__",),
    }
    lines = []
    for name, params in shapes.items():
        written = "" if params is None else f"({', '.join(params).replace('__VA_ARGS__', '...')})"
        lines.append(f"#define {name}{written} {draw(_body(params))}".rstrip())
    text = " ; ".join(draw(st.lists(st.lists(_ATOMS, max_size=5).map(" ".join), min_size=1, max_size=6)))
    return "\n".join(lines), text


@needs_gcc
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(_sources())
def test_expands_any_macros_as_gcc_does(case: tuple[str, str]) -> None:
    source, text = case
    wanted, complaints = by_gcc(f"{source}\n{text}\n")
    # what gcc calls an error has no meaning to compare: a wrong number of arguments, tokens that paste to none
    assume("error" not in complaints)
    assert words(Expander(macros(source)).expand(text).text) == wanted


def of(expansion: Expansion, text: str) -> expand.Token:
    return next(token for token in expansion.tokens if token[0] == text)


def test_each_token_knows_where_it_was_written() -> None:
    expander = Expander(
        macros(
            """#define OUTER(x) INNER(x, made) // CONFIG_A
            #define INNER(x, y) call_##y(x) + name // CONFIG_B"""
        )
    )
    expansion = expander.expand("before + OUTER(argument)")
    origins = {text: of(expansion, text)[3] for text in ("before", "argument", "name", "call_made")}
    assert {text: origin.kind for text, origin in origins.items()} == {
        "before": "src",
        "argument": "arg",
        "name": "body",
        "call_made": "paste",
    }
    assert [macro.name for macro in origins["name"].macros] == ["OUTER", "INNER"]
    assert origins["name"].macro is not None
    assert (origins["name"].macro.file, origins["name"].macro.line) == ("t.h", 2)
    assert origins["name"].presences == ("CONFIG_A", "CONFIG_B")
    assert set(origins["argument"].presences) == {"CONFIG_A", "CONFIG_B"}
    assert origins["before"].presences == ()
    assert expansion.presences == ("CONFIG_A", "CONFIG_B")
    assert [macro.name for macro in expansion.macros] == ["OUTER", "INNER"]


def test_offsets_are_those_of_the_text() -> None:
    text = "f(1) +\n  F(x,\n y)"
    expansion = Expander(macros("#define F(a, b) a.made(b)")).expand(text)
    assert of(expansion, "x")[2] == text.index("x")
    assert of(expansion, "y")[2] == text.index("y")
    assert of(expansion, "made")[2] == text.index("F")


def test_alternatives_are_each_seen() -> None:
    expander = Expander(
        macros(
            """#define F(x) one(x) // CONFIG_A
            #define F(x) two(G) // !CONFIG_A
            #define G 1 // CONFIG_B
            #define G 2 // !CONFIG_B"""
        )
    )
    texts = [expansion.text for expansion in expander.expansions("F(z)")]
    assert texts == ["one(z)", "two(1)", "two(2)"]


def test_alternatives_that_exclude_each_other_are_not_combined() -> None:
    expander = Expander(
        macros(
            """#define F G(1) // A
            #define F G(2) // B
            #define G(x) a##x // A
            #define G(x) b##x // B"""
        ),
        compatible=lambda presences: len(set(presences)) < 2,
    )
    assert [expansion.text for expansion in expander.expansions("F")] == ["a1", "b2"]


def test_choose_decides_between_definitions() -> None:
    expander = Expander(macros("#define F 1\n#define F 2\n#define F 3"))
    assert expander.expand("F").text == "1"
    assert expander.expand("F", choose=lambda found: found[-1]).text == "3"


def test_a_growing_expansion_stops_and_says_so() -> None:
    lines = [f"#define F{n} F{n + 1} F{n + 1} F{n + 1} F{n + 1}" for n in range(12)]
    expander = Expander(macros("\n".join(lines)))
    expansion = expander.expand("F0")
    assert len(expansion.tokens) <= expand.MAX_TOKENS
    assert expander.cut


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="FGab(),#\\\"'\n/* ;", max_size=30))
def test_no_text_is_refused(text: str) -> None:
    expander = Expander(macros("#define F(a, b) a b\n#define G F(1,"))
    assert isinstance(expander.expand(text), Expansion)

"""Invocations expanded once for all arguments are what gcc's preprocessor makes of each."""

from __future__ import annotations

import shutil
import subprocess
from itertools import product

import pytest

from kread.parse.defines import defines
from kread.parse.snippet import Snippets
from kread.parse.stand_ins import stand_ins
from kread.parse.template import Macro
from kread.parse.tokens import words

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: apt-get install gcc")

MACROS = """
#define MAKE(name, arg) HEAD(name, arg) int name##_of_##arg = sizeof(#arg "of" #name);
#define HEAD(name, arg) TYPE(arg) name;
#define TYPE(type) extern type
#define PAIR(a, ...) int a[] = { 0, ## __VA_ARGS__ }, *b##a; KEEP(__VA_ARGS__)
#define KEEP(...) extern char *k = STRING(__VA_ARGS__);
#define STRING(...) #__VA_ARGS__
#define four_of_one 4
#define bnine ninth
#define nine 9
"""

ARGUMENTS = [
    "x",
    "four",
    "nine",
    "one",
    "int",
    "struct x *",
    "long  x [ 2 ]",
    "(a, b)",
    "f(1)",
    '"s"',
    "-1",
    "2",
    "",
    "a = 1",
]


def _snippets() -> Snippets:
    found: dict[str, list[Macro]] = {}
    for row in defines(MACROS.encode()):
        found.setdefault(row.name, []).append(Macro(row.name, row.params, row.body, "a.h", row.line))
    return Snippets(lambda name: found.get(name, ()), {})


@needs_gcc
def test_what_is_made_with_any_arguments_is_what_the_preprocessor_makes() -> None:
    uses = [f"{name}({a},{b});" for name in ("MAKE", "PAIR") for a, b in product(ARGUMENTS, ARGUMENTS)]
    snippets = _snippets()
    done = subprocess.run(
        ["gcc", "-E", "-P", "-w", "-std=gnu11", "-x", "c", "-"],
        input=MACROS + "\n@\n".join(uses),
        capture_output=True,
        text=True,
        check=False,
    )
    expected = done.stdout.split("@")
    assert len(expected) == len(uses)
    for use, text in zip(uses, expected, strict=True):
        # Declarations that are equal stand there once; nothing in these macros makes any.
        assert words(snippets.make(use, "").text) == words(text), use


def test_names_share_an_expansion_and_what_shapes_one_does_not() -> None:
    def text(invocation: str) -> str:
        return stand_ins(invocation, {"M"}.__contains__).text

    assert text("F(a, b);") == text("F(c ,\n unsigned long d);".replace(" ,", ","))
    assert text("F(struct a *x)") == text("F(struct b)") != text("F(c)")
    for other in ("F(a, M)", "F(a, g(b))", "F(a, )", "F(a, { b })", "F(a, b, c)", "F(a,b)", "F(a, struct)", "G(a, b)"):
        assert text(other) != text("F(a, b)")

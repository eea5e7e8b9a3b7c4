"""What a macro's invocation at file scope comes to does not hang on which other invocations were read before it."""

from __future__ import annotations

from itertools import permutations

import pytest

from kread.parse.defines import defines
from kread.parse.snippet import Snippets
from kread.parse.template import Macro

MACROS = b"""
#define DEFINE_OP(name, call) OP_HEAD(name) { return call(name); }
#define OP_HEAD(name) STORAGE int op_##name(void)
#define STORAGE static
#define CONVERT(size) CONVERT_FROM(from_##size, u##size)
#define CONVERT_FROM(from, type) type convert_##type(type v) { return from(v); }
#define from_16 __swab16
#define GUARD(name, unlock) static void name##_end(void) { unlock; }
#define release(lock) __release(lock, 0)
"""

#: As a person expands them: what stands outside braces at any step is expanded everywhere, all else stays as written.
EXPECTED = {
    "DEFINE_OP(read, get);": "static int op_read(void) { return get(read); } ;",
    "DEFINE_OP(write, release);": "static int op_write(void) { return release(write); } ;",
    "CONVERT(32);": "u32 convert_u32(u32 v) { return from_32(v); } ;",
    "CONVERT(16);": "u16 convert_u16(u16 v) { return __swab16(v); } ;",
    "GUARD(big, release(x));": "static void big_end(void) { __release(x, 0); } ;",
    "GUARD(small, drop(x));": "static void small_end(void) { drop(x); } ;",
}


def _snippets() -> Snippets:
    found: dict[str, list[Macro]] = {}
    for row in defines(MACROS):
        found.setdefault(row.name, []).append(Macro(row.name, row.params, row.body, "a.h", row.line))
    return Snippets(lambda name: found.get(name, ()), {})


def _words(text: str) -> list[str]:
    return text.replace("\n", " ").split()


@pytest.mark.parametrize("invocation", EXPECTED)
def test_an_invocation_alone(invocation: str) -> None:
    assert _words(_snippets().make(invocation, "").text) == _words(EXPECTED[invocation])


@pytest.mark.parametrize("order", list(permutations(list(EXPECTED)[::2])))
def test_an_invocation_after_others(order: tuple[str, ...]) -> None:
    snippets = _snippets()
    for invocation in [*order, *EXPECTED]:
        assert _words(snippets.make(invocation, "").text) == _words(EXPECTED[invocation]), invocation

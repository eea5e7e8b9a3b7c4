"""A use that is answered from another with other names makes the calls that the preprocessor's text of it has."""

from __future__ import annotations

from itertools import permutations

import pytest

from kread.parse import macro_calls
from kread.parse.defines import defines
from kread.parse.macro_calls import MacroCalls
from kread.parse.renaming import Meaning, renamed
from kread.parse.template import Macro

MACROS = b"""
#define ARGS(...) __VA_ARGS__
#define TRACE(name, args, cond) do { if (cond) iterate_##name(args); } while (0)
#define iterate_special(a, b) elsewhere(b, a)
#define SIZED(stem, x) ({ stem##4(x); })
#define read_4(x) read_int(x)
"""

#: The calls of each use: what gcc -E makes of it, read by hand.
USES = {
    "TRACE(first, ARGS(skb, len), on)": [("iterate_first", ("skb", "len"))],
    "TRACE(second, ARGS(sk, sk), off)": [("iterate_second", ("sk", "sk"))],
    "TRACE(special, ARGS(skb, len), on)": [("elsewhere", ("len", "skb"))],
    "TRACE(first, ARGS(a, b), SIZED(read_, on))": [("read_int", ("on",)), ("iterate_first", ("a", "b"))],
    "TRACE(first, ARGS(a, b), SIZED(write_, on))": [("write_4", ("on",)), ("iterate_first", ("a", "b"))],
    "TRACE(third, ARGS(a, (u32)(b)), on)": [("iterate_third", ("a", "(u32)(b)"))],
    "TRACE(third, ARGS(a, (f)(b)), on)": [("f", ("b",)), ("iterate_third", ("a", "(f)(b)"))],
}


def _macro_calls() -> MacroCalls:
    found: dict[str, list[Macro]] = {}
    for row in defines(MACROS):
        found.setdefault(row.name, []).append(Macro(row.name, row.params, row.body, "a.h", row.line))
    return MacroCalls(lambda name: found.get(name, ()))


def _calls(macros: MacroCalls, use: str) -> list[tuple[str, tuple[str, ...]]]:
    return sorted((call.callee, call.args) for call in macros.calls(use))


@pytest.mark.parametrize("order", list(permutations(list(USES)[:4])))
def test_a_use_is_what_it_is_whatever_was_asked_before(order: tuple[str, ...]) -> None:
    macros = _macro_calls()
    for use in [*order, *USES]:
        assert _calls(macros, use) == sorted(USES[use]), use


def test_a_call_in_an_argument_is_found_where_it_is_written() -> None:
    macros = _macro_calls()
    for use in ("TRACE(first, ARGS(a, f(b)), on)", "TRACE(longer_name, ARGS(also_longer, g(b)), on)"):
        call = next(call for call in macros.calls(use) if call.callee in "fg")
        assert use[call.at] == call.callee
        assert call.written == "src" or call.written == "arg"


def test_names_alone_cost_no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    macros = _macro_calls()
    looks: list[str] = []
    level = macro_calls.Level
    monkeypatch.setattr(macro_calls, "Level", lambda *given: looks.append("") or level(*given))
    macros.calls("TRACE(first, ARGS(skb, len), on)")
    many = len(looks)
    macros.calls("TRACE(second, ARGS(sk, size), off)")
    assert len(looks) == many + 1


def test_what_means_something_keeps_its_name() -> None:
    meaning = Meaning({"MACRO", "made_x"}.__contains__)
    text = "MACRO(a, u32, int, NULL, __builtin_expect(a), x, y->a)"
    assert renamed(text, meaning.of).words == ["a", "x", "y"]
    meaning.met("made_kread_argument_3_")
    general = renamed(text, meaning.of)
    assert general.words == ["a", "y"]
    assert general.written(general.text) == text

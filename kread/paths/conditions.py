"""What the text of a condition says: facts about lvalues, and whether facts decide a condition.

Theory of operation: a condition is taken apart at its outermost ||, && and !, down to tests. A test becomes a Fact: an
lvalue is, or is not, one of a set of constants. `x`, `!x` and `x != NULL` are tests against 0, a comparison of two
lvalues is a fact about that comparison, and (1 << state) & (A_OPEN | A_CLOSED) is a set of states (data/conditions.toml,
[[mask]]). Facts decide another condition in three values: true, false, or not decided (None). Two names of constants
are taken to differ unless the data says that they are one ([[alias]]); a name and a number may always be equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import NamedTuple

from kread.data import load
from kread.facts import Guard
from kread.parse.wording import bare, closing, conjunction, fold, outermost

_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\Z")
_CONSTANT = re.compile(r"-?[A-Z_]*[A-Z][A-Z0-9_]*\Z|'.'\Z")
_COMPARISON = re.compile(r"==|!=|<=|>=|(?<![<-])<(?![<=])|(?<![>-])>(?![>=])")
_SET_TEST = re.compile(r"\(?\s*1U?L?\s*<<\s*(.+?)\)?\s*&\s*(~?)\s*(\w+|\([\w\s|]+\))\Z")
_ASSIGNED = re.compile(r"\(\s*([A-Za-z_][\w.>\-\[\]]*)\s*=(?!=).*\)\Z", re.S)
_WORDS = {"NULL": "0", "false": "0", "true": "1"}

#: More distinct conditions than these are not met in one answer.
CACHED = 4096


class Fact(NamedTuple):
    """The lvalue has one of the values (holds), or none of them (not holds)."""

    lvalue: str
    holds: bool
    values: frozenset[str]

    def __str__(self) -> str:
        return f"{self.lvalue} {'in' if self.holds else 'not in'} {{{', '.join(sorted(self.values))}}}"


_NOTHING = Fact("", True, frozenset())


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition taken apart: operator "and", "or", "not" over parts, or "test" with a fact."""

    operator: str
    parts: tuple[Condition, ...] = ()
    fact: Fact = _NOTHING


_ZERO = frozenset({"0"})


@cache
def _aliases() -> dict[str, str]:
    return {row["name"]: row["of"] for row in load("conditions")["alias"]}


@cache
def _masks() -> tuple[tuple[str, str], ...]:
    return tuple((row["prefix"], row["value"]) for row in load("conditions")["mask"])


def constant(text: str) -> str:
    """The canonical name of a constant, "" for anything else."""
    text = bare(text.strip())
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.match(text):
        number = text.rstrip("uUlL")
        return str(int(number, 8) if re.match(r"-?0\d", number) else int(number, 0))
    return _aliases().get(text, text) if _CONSTANT.match(text) else ""


def lvalue(text: str) -> str:
    """The canonical text of an lvalue: no white space, no outer parentheses, (*x).f as x->f."""
    text = bare(fold(text))
    assigned = _ASSIGNED.match(f"({text})")
    if assigned:
        text = assigned[1]
    text = re.sub(r"\(\*\s*(\w+)\)\.", r"\1->", text)
    return re.sub(r"\s+(?=\W)|(?<=\W)\s+", "", text)


def operands(text: str, operator: str) -> list[str]:
    """The texts between the outermost occurrences of an operator."""
    outer = outermost(text)
    parts, start = [], 0
    while (place := outer.find(operator, start)) >= 0:
        parts.append(text[start:place])
        start = place + len(operator)
    return [part.strip() for part in (*parts, text[start:])]


@lru_cache(maxsize=CACHED)
def condition(text: str) -> Condition:
    """A condition in C, taken apart; what is not understood is a test of its whole text."""
    text = bare(fold(text))
    outer = outermost(text)
    if "," in outer:
        return Condition("test", fact=Fact(text, False, _ZERO))
    if "?" not in outer:
        for operator, name in (("||", "or"), ("&&", "and")):
            if operator in outer:
                return Condition(name, tuple(condition(part) for part in operands(text, operator)))
        if text.startswith("!") and not _COMPARISON.search(outer[1:]) and "&" not in outer:
            return Condition("not", (condition(text[1:]),))
    return _test(text, outer)


def _test(text: str, outer: str) -> Condition:
    found = list(_COMPARISON.finditer(outer))
    if len(found) == 1 and not re.search(r"(?<![=!<>])=(?!=)|[?,]", outer):
        sign = found[0].group()
        left, right = text[: found[0].start()], text[found[0].end() :]
        if sign in ("==", "!="):
            return _equality(left, right, sign == "==")
        if sign in (">", "<="):
            left, right = right, left
        fact = Fact(f"{lvalue(left)}<{lvalue(right)}", sign not in (">", "<"), _ZERO)
        return Condition("test", fact=fact)
    states = _states(text)
    return Condition("test", fact=states or Fact(lvalue(text), False, _ZERO))


def _equality(left: str, right: str, equal: bool) -> Condition:
    for thing, other in ((left, right), (right, left)):
        value = constant(other)
        if value and not constant(thing):
            return Condition("test", fact=Fact(lvalue(thing), equal, frozenset({value})))
    name = "==".join(sorted((lvalue(left), lvalue(right))))
    return Condition("test", fact=Fact(name, not equal, _ZERO))


def _states(text: str) -> Fact | None:
    """(1 << x) & (PREFIX_A | ~...) as a set of values of x."""
    match = _SET_TEST.match(text)
    if not match:
        return None
    names = [name.strip() for name in bare(match[3]).split("|")]
    for prefix, value in _masks():
        if all(name.startswith(prefix) for name in names):
            values = frozenset(value + name.removeprefix(prefix) for name in names)
            return Fact(lvalue(match[1]), not match[2], values)
    return None


def _negated(what: Condition) -> Condition:
    if what.operator == "not":
        return what.parts[0]
    if what.operator == "test":
        return Condition("test", fact=what.fact._replace(holds=not what.fact.holds))
    return Condition("and" if what.operator == "or" else "or", tuple(_negated(part) for part in what.parts))


def _joined(first: Fact, second: Fact) -> Fact | None:
    """What is true when one of two facts about one lvalue is."""
    if first.lvalue != second.lvalue:
        return None
    if first.holds and second.holds:
        return first._replace(values=first.values | second.values)
    if not first.holds and not second.holds:
        return first._replace(values=first.values & second.values)
    yes, no = (first, second) if first.holds else (second, first)
    return no._replace(values=frozenset(value for value in no.values if _apart(frozenset({value}), yes.values)))


def implied(what: Condition) -> frozenset[Fact]:
    """The facts that are all true when the condition is."""
    if what.operator == "test":
        return frozenset({what.fact})
    if what.operator == "not":
        return implied(_negated(what.parts[0]))
    if what.operator == "and":
        return frozenset().union(*(implied(part) for part in what.parts))
    sides = [implied(part) for part in what.parts]
    common: frozenset[Fact] = sides[0]
    for side in sides[1:]:
        joined = (_joined(first, second) for first in common for second in side)
        common = frozenset(fact for fact in joined if fact is not None and (fact.holds or fact.values))
    return common


def facts(guard: Guard) -> frozenset[Fact]:
    """The facts that are all true where a guard is met."""
    what = condition(guard.text)
    return implied(what if guard.holds else _negated(what))


def shortened(guard: Guard) -> Guard:
    """A guard of the form `not A && B` without the parts that the others imply: `x == 1 && !(x == 2)` says `x == 1`."""
    if guard.holds or condition(guard.text).operator != "and":
        return guard
    parts = operands(bare(fold(guard.text)), "&&")
    kept: list[str] = []
    for place, part in enumerate(parts):
        known = [fact for other in (*kept, *parts[place + 1 :]) for fact in implied(condition(other))]
        if decide(known, condition(part)) is not True:
            kept.append(part)
    return guard if len(kept) == len(parts) else replace(guard, text=conjunction(kept))


def _apart(first: frozenset[str], second: frozenset[str]) -> bool:
    """Whether no value of one can be a value of the other."""
    kinds = {bool(_NUMBER.match(value)) for value in first | second}
    return len(kinds) == 1 and not first & second


def _decided(known: Fact, asked: Fact) -> bool | None:
    if known.holds:
        if known.values <= asked.values:
            return asked.holds
        return (not asked.holds) if _apart(known.values, asked.values) else None
    if asked.values <= known.values:
        return not asked.holds
    return None


def decide(known: Iterable[Fact], what: Condition) -> bool | None:
    """Whether a condition is true, given what is known; None where that does not decide it."""
    return _decide(list(known), what)


def _decide(known: list[Fact], what: Condition) -> bool | None:
    if what.operator == "test":
        for fact in known:
            if fact.lvalue == what.fact.lvalue and (answer := _decided(fact, what.fact)) is not None:
                return answer
        return None
    answers = [_decide(known, part) for part in what.parts]
    if what.operator == "not":
        return None if answers[0] is None else not answers[0]
    strong = what.operator == "or"
    if strong in answers:
        return strong
    return None if None in answers else not strong


def balanced(text: str) -> bool:
    """Whether every bracket of a text is closed."""
    return all(text.count(one) == text.count(other) for one, other in ("()", "[]", "{}")) and (
        not text.startswith("(") or closing(text, 0) >= 0
    )

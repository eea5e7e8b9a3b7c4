"""Whether the guards of several hops can be met on one way: what a path may not need at once.

Theory of operation: within one function the control flow itself rules contradictions out. Between hops, facts travel
with the arguments: a parameter has what was known of its argument's value, and a field of the object that it points to,
where the data says that the field lasts (data/conditions.toml, [[lasting]]). A constant argument is a fact about its
parameter. A fact is dropped where its operands may have changed before the call, in the caller (stale guards) or in
the callee (`changed` names). So a contradiction that is found is one of the source, as far as the data is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from kread.data import load
from kread.facts import Guard
from kread.parse.wording import closing, fold
from kread.paths.conditions import Fact, condition, constant, decide, facts, lvalue, operands

_LAST_NAME = re.compile(r"([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*$")
_POINTER_NAME = re.compile(r"\(\s*\*+\s*([A-Za-z_]\w*)")
_TOKENS = re.compile(r"(->|\.)?([A-Za-z_]\w*)")
_IMPURE = re.compile(r"\w\(|\+\+|--|[^=!<>]=[^=]")


@dataclass(frozen=True, slots=True)
class Hop:
    """One function on the way: its guards at the call that leaves it, and how it was entered.

    guards, stale -- of the call site, as kread.parse.guards gives them
    changed   -- names and "->fields" that the function may assign before the call
    entry     -- those of the guards that speak of what the function was given, whatever it assigns later
    signature -- of the function, on one line
    call      -- the text of the call that leaves it ("" for the last)
    """

    guards: tuple[Guard, ...]
    stale: tuple[Guard, ...] = ()
    changed: frozenset[str] = frozenset()
    entry: tuple[Guard, ...] = ()
    signature: str = ""
    call: str = ""


@cache
def _lasting() -> frozenset[str]:
    return frozenset(row["field"] for row in load("conditions")["lasting"])


def contradictory(first: Iterable[Guard], second: Iterable[Guard]) -> tuple[Guard, Guard] | None:
    """A guard of `first` and one of `second` that cannot both be met by the same values; None where all can.

    The texts must mean the same things on both sides: use `contradiction` for guards of different functions.
    """
    others = list(second)
    for guard in first:
        known = [fact for fact in facts(guard) if not _IMPURE.search(fact.lvalue)]
        for other in others:
            if decide(known, condition(other.text)) is (not other.holds):
                return guard, other
    return None


def _groups(text: str) -> list[tuple[int, int]]:
    """Where the outermost brackets of a text open and close."""
    found = []
    place = 0
    while (place := next((i for i in range(place, len(text)) if text[i] in "([{"), -1)) >= 0:
        end = closing(text, place)
        if end < 0:
            break
        found.append((place, end))
        place = end + 1
    return found


def _listed(text: str) -> list[str]:
    """What stands between the last of the outermost parentheses, split at its commas."""
    groups = [(start, end) for start, end in _groups(text) if text[start] == "("]
    if not groups:
        return []
    inside = text[groups[-1][0] + 1 : groups[-1][1]]
    return operands(inside, ",") if inside.strip() else []


def arguments(call: str) -> list[str]:
    """The arguments of a call's text."""
    return _listed(fold(call))


def parameters(signature: str) -> list[str]:
    """The names of the parameters in a function's signature, "" for one without a name."""
    names = []
    for part in _listed(fold(signature)):
        match = _POINTER_NAME.search(part) or _LAST_NAME.search(part)
        names.append(match[1] if match and part not in ("void", "...") else "")
    return names


def contradiction(hops: Sequence[Hop]) -> tuple[int, Guard | str, Guard] | None:
    """The first guard that cannot be met after what the hops before it needed.

    Gives the index of the hop, what refutes it (a guard of an earlier hop, or the text of a constant argument) and the
    guard. None where nothing contradicts.
    """
    known: list[tuple[Fact, Guard | str]] = []
    for index, hop in enumerate(hops):
        given = known
        known = [(fact, why) for fact, why in known if not _touched(fact.lvalue, hop.changed)]
        for guard in hop.guards:
            what = condition(guard.text)
            for fact, why in given if guard in hop.entry else known:
                if decide([fact], what) is (not guard.holds):
                    return index, why, guard
        if index + 1 < len(hops):
            stale = set(hop.stale)
            here = [(fact, guard) for guard in hop.guards if guard not in stale for fact in facts(guard)]
            known = _carried([*known, *here], arguments(hop.call), parameters(hops[index + 1].signature))
    return None


def _touched(text: str, changed: frozenset[str]) -> bool:
    return any(f"->{match[2]}" in changed if match[1] else match[2] in changed for match in _TOKENS.finditer(text))


def _carried(
    known: Sequence[tuple[Fact, Guard | str]], given: list[str], names: list[str]
) -> list[tuple[Fact, Guard | str]]:
    """What is known in the callee's words."""
    found: list[tuple[Fact, Guard | str]] = []
    if len(given) != len(names):
        return found
    for argument, name in zip(given, names, strict=True):
        if not name:
            continue
        value = constant(argument)
        if value:
            found.append((Fact(name, True, frozenset({value})), f"{name} = {argument}"))
            continue
        text = lvalue(argument)
        for fact, why in known:
            if fact.lvalue == text and not _IMPURE.search(text):
                found.append((fact._replace(lvalue=name), why))
            elif fact.lvalue.startswith(f"{text}->") and fact.lvalue[len(text) + 2 :] in _lasting():
                found.append((fact._replace(lvalue=name + fact.lvalue[len(text) :]), why))
    return found

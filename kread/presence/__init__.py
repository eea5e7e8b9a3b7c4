"""Presence conditions: under which configuration a line is compiled.

A presence condition travels as text: "" is always, "0" never, else what a person would write, such as
"(CONFIG_A || CONFIG_B) && !CONFIG_C". The text is simplified and has one spelling per shape, so it compares and
hashes like any string, and every function here is cached on it: an index holds 10**5 conditions, of
which a few thousand differ.

`CONFIG_X` stands for "built in or a module": `defined(CONFIG_X)`, IS_ENABLED(CONFIG_X) and a bare CONFIG_X all read
as it, because that is what their writers ask. (An #ifdef of a symbol that is a module is false to the compiler;
writers who know that the symbol can be one ask otherwise.) `defined(CONFIG_X_MODULE)` reads as IS_MODULE(CONFIG_X),
and what is not a configuration symbol stays an atom as written: `BITS_PER_LONG == 64`, `defined(FOO)`.

    expression  -- C preprocessor expressions: read, write, evaluate
    logic       -- conditions over atoms: simplify, implies
    reading     -- from expressions to conditions, and conditions as text
    config      -- a .config, and what it says of a condition
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from kread.presence import logic
from kread.presence.config import Config
from kread.presence.reading import ALWAYS, NEVER, condition, defines, from_directive, ifdef, ifndef, text

__all__ = [
    "ALWAYS",
    "NEVER",
    "Config",
    "atoms",
    "conj",
    "conjuncts",
    "contradicts",
    "disj",
    "from_directive",
    "ifdef",
    "ifndef",
    "implies",
    "is_open",
    "make_values",
    "needs",
    "negate",
    "replace_atoms",
    "sanitizers",
]


_TOKEN = re.compile(r"&&|\|\||[^&|]+|[&|]")


@lru_cache(maxsize=65536)
def conj(*conditions: str) -> str:
    """The condition that all of `conditions` hold; the first stays first."""
    some = [each for each in dict.fromkeys(conditions) if each]
    if len(some) < 2:
        return some[0] if some else ALWAYS
    return NEVER if NEVER in some else text(logic.simplify(logic.join(logic.AND, map(condition, some))))


@lru_cache(maxsize=65536)
def disj(*conditions: str) -> str:
    """The condition that one of `conditions` holds; of none, "never"."""
    some = [each for each in dict.fromkeys(conditions) if each != NEVER]
    if len(some) < 2:
        return some[0] if some else NEVER
    return ALWAYS if ALWAYS in some else text(logic.simplify(logic.join(logic.OR, map(condition, some))))


@lru_cache(maxsize=16384)
def negate(presence: str) -> str:
    """The opposite condition, negation pushed inward."""
    return text(logic.simplify(logic.negate(condition(presence))))


@lru_cache(maxsize=65536)
def implies(presence: str, other: str) -> bool:
    """Whether `other` holds wherever `presence` does. Above logic.MAX_ATOMS atoms False may mean "not proved"."""
    return presence == other or not other or logic.implies(condition(presence), condition(other))


@lru_cache(maxsize=65536)
def contradicts(presence: str, other: str) -> bool:
    """Whether no configuration has both. Above logic.MAX_ATOMS atoms False may mean "not proved"."""
    return logic.contradicts(condition(presence), condition(other))


@lru_cache(maxsize=16384)
def conjuncts(condition: str) -> tuple[str, ...]:
    """The parts of a condition that must all hold, as written: "A && (B || C)" has two."""
    parts = [""]
    depth = 0
    for token in _TOKEN.findall(condition):
        depth += token.count("(") - token.count(")")
        if depth == 0 and token == "||":
            return (condition,)
        if depth == 0 and token == "&&":
            parts.append("")
        else:
            parts[-1] += token
    return tuple(part.strip() for part in parts if part.strip())


def needs(presence: str) -> tuple[str, ...]:
    """The configuration symbols that `presence` asks to be set, in the order written.

    Of alternatives (`CONFIG_A || CONFIG_B`) all are named; negated ones are not.
    """
    wanted = (literal.atom for literal in logic.literals(condition(presence)) if literal.holds)
    return tuple(dict.fromkeys(name for atom in wanted for name in (logic.symbol(atom),) if name))


@lru_cache(maxsize=16384)
def atoms(presence: str) -> tuple[str, ...]:
    """The atoms of a condition, negated or not, in the order written."""
    return tuple(dict.fromkeys(literal.atom for literal in logic.literals(condition(presence))))


def replace_atoms(presence: str, known: Mapping[str, str]) -> str:
    """The condition with some atoms replaced by the conditions under which they hold."""

    def replaced(value: logic.Condition) -> logic.Condition:
        if isinstance(value, logic.Literal):
            if value.atom not in known:
                return value
            other = condition(known[value.atom])
            return other if value.holds else logic.negate(other)
        if isinstance(value, logic.Group):
            return logic.join(value.operator, map(replaced, value.parts))
        return value

    return text(logic.simplify(replaced(condition(presence))))


def make_values() -> tuple[tuple[str, str, str], ...]:
    """(name, value, when): the variables of Makefiles that stand within the names of objects."""
    return defines().make


def sanitizers(variable: str) -> tuple[str, ...]:
    """The names that the compiler doesn't define where a variable of a Makefile (`KASAN_SANITIZE`) is n."""
    return tuple(name for known, name in defines().sanitizers if known == variable)


def is_open(name: str) -> bool:
    """Whether a macro that no header defines may yet be defined: by the compiler, a Makefile or the including file."""
    known = defines()
    return name in known.open or name in known.always or any(name == value for value, _, _ in known.values)

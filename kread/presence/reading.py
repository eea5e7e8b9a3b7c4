"""From preprocessor expressions to conditions, and conditions as text.

Theory of operation. An expression's `&& || ! ?:` become logic; each other sub-expression is one atom, its text
in the one spelling of `expression.write`. Comparisons keep three of the six signs (== >= >), the others are
their negations, so `X < 2` and `X >= 2` are one atom. What only kernel headers define (which macros ask for a
symbol, which names are always or never defined) stands in data/defines.toml.

Text that is no expression becomes the atom `unreadable(...)`: unknown, but still a condition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from kread.presence import expression, logic
from kread.presence.expression import Binary, Call, Chain, Choice, Name, Node, Number, Unary
from kread.presence.logic import AND, OR, Condition, Group, Literal

ALWAYS, NEVER = "", "0"

_DEFINES = Path(__file__).parent.parent / "data" / "defines.toml"

#: Enough of an unreadable expression to recognise it by.
MAX_UNREADABLE = 60

SYMBOL = re.compile(r"CONFIG_\w+\Z")
_MODULE_SUFFIX = "_MODULE"
_WORD = re.compile(r"[A-Za-z_]\w*\Z")
_WORDS = re.compile(r"\W+", re.ASCII)
_OPPOSITE = {"!=": "==", "<": ">=", "<=": ">"}
_WRITTEN = {kept: opposite for opposite, kept in _OPPOSITE.items()}


@dataclass(frozen=True, slots=True)
class Defines:
    """data/defines.toml: names that decide conditions."""

    asks: dict[str, str]
    spellings: dict[str, str]
    always: frozenset[str]
    never: frozenset[str]
    open: frozenset[str]
    values: tuple[tuple[str, str, str], ...]
    make: tuple[tuple[str, str, str], ...]
    sanitizers: tuple[tuple[str, str], ...]


@cache
def defines() -> Defines:
    """The names of data/defines.toml."""
    import tomllib  # here, because most conditions ask configuration symbols alone and never come this way

    table = tomllib.loads(_DEFINES.read_text("utf-8"))
    asks = {row["name"]: row["kind"] for row in table["ask"]}
    return Defines(
        asks=asks,
        spellings={kind: name for name, kind in reversed(asks.items())},
        always=frozenset(row["name"] for row in table["always"]),
        never=frozenset(row["name"] for row in table["never"]),
        open=frozenset(row["name"] for row in table["open"]),
        values=tuple((row["name"], row["value"], row["when"]) for row in table["value"]),
        make=tuple((row["name"], row["value"], row["when"]) for row in table["make"]),
        sanitizers=tuple((row["variable"], row["name"]) for row in table["sanitizer"]),
    )


@lru_cache(maxsize=65536)
def from_directive(expression_text: str) -> str:
    """The presence condition of `#if expression_text`. Comments and continued lines may stand in it."""
    return text(logic.simplify(condition(expression_text)))


@lru_cache(maxsize=65536)
def ifdef(name: str) -> str:
    """The presence condition of `#ifdef name`."""
    name = expression.clean(name).split(" ", 1)[0]
    return text(_defined(name) if _WORD.match(name) else _unreadable(name))


@lru_cache(maxsize=65536)
def ifndef(name: str) -> str:
    """The presence condition of `#ifndef name`."""
    name = expression.clean(name).split(" ", 1)[0]
    return text(logic.negate(_defined(name) if _WORD.match(name) else _unreadable(name)))


@lru_cache(maxsize=65536)
def condition(presence: str) -> Condition:
    """The condition of a presence text, or of a directive's expression: they are one language."""
    if presence == ALWAYS:
        return True
    node = expression.read(presence)
    return _unreadable(presence) if node is None else _condition(node)


def _unreadable(presence: str) -> Condition:
    words = _WORDS.sub(" ", presence)[:MAX_UNREADABLE].strip()
    return Literal(f"unreadable({words})")


def _condition(node: Node) -> Condition:
    match node:
        case Number(_, value):
            return bool(value)
        case Unary("!", operand):
            return logic.negate(_condition(operand))
        case Chain(sign, parts):
            return logic.join(sign, map(_condition, parts))
        case Choice(test, yes, no):
            chosen = _condition(test)
            return logic.join(
                OR,
                (
                    logic.join(AND, (chosen, _condition(yes))),
                    logic.join(AND, (logic.negate(chosen), _condition(no))),
                ),
            )
        case Name(name):
            return _bare(name)
        case Call(name, argument):
            return _asked(name, argument)
    constant = expression.evaluate(node, _Nothing())
    if constant is not None:
        return bool(constant)
    if isinstance(node, Binary) and node.sign in _OPPOSITE:
        return Literal(expression.write(node._replace(sign=_OPPOSITE[node.sign])), False)
    return Literal(expression.write(node))


class _Nothing:
    """A scope that knows no name: what it can evaluate is a constant."""

    def value(self, name: str) -> int | None:
        return None

    def call(self, name: str, argument: str) -> int | None:
        return None


def _bare(name: str) -> Condition:
    if SYMBOL.match(name):
        return _symbol(name)
    return False if name in defines().never else Literal(name)


def _defined(name: str) -> Condition:
    if SYMBOL.match(name):
        return _symbol(name)
    if name in defines().always:
        return True
    return False if name in defines().never else Literal(f"defined({name})")


def _symbol(name: str) -> Condition:
    base = name.removesuffix(_MODULE_SUFFIX)
    return Literal(name) if base == name else Literal(f"{defines().spellings['module']}({base})")


def _asked(name: str, argument: str) -> Condition:
    if name == "defined" and _WORD.match(argument):
        return _defined(argument)
    kind = defines().asks.get(name)
    if kind is None or not SYMBOL.match(argument):
        asked = f"{name}({argument})"
        return True if asked in defines().always else Literal(asked)
    return Literal(argument if kind == "enabled" else f"{defines().spellings[kind]}({argument})")


def text(value: Condition) -> str:
    """A condition as text. && within || has its parentheses, as compilers ask."""
    if isinstance(value, bool):
        return ALWAYS if value else NEVER
    return _text(value)


def _text(value: Condition) -> str:
    if isinstance(value, Literal):
        return value.atom if value.holds else _negative(value.atom)
    assert isinstance(value, Group)
    parts = (f"({_text(part)})" if isinstance(part, Group) else _text(part) for part in value.parts)
    return f" {value.operator} ".join(parts)


@lru_cache(maxsize=16384)
def _negative(atom: str) -> str:
    node = expression.read(atom)
    if isinstance(node, Binary) and node.sign in _WRITTEN:
        return expression.write(node._replace(sign=_WRITTEN[node.sign]))
    return expression.write(Unary("!", node)) if node is not None else f"!{atom}"

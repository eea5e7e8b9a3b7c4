"""The expressions of #if and #elif: read, written in one spelling, and evaluated.

Theory of operation. An expression is cut into tokens by one regular expression and read by precedence
climbing into nodes, plain named tuples. `write` prints a node with one space around binary operators and
no needless parentheses, so equal expressions get equal text and `read(write(x)) == x`. `evaluate` computes a
node in a Scope that knows names; what the scope does not know makes the result None, except where the known
side already decides (`0 && X`). Arithmetic wraps at 64 bits, as the preprocessor's intmax_t does.

What is no expression, or nests or runs on beyond the bounds below, reads as None: the caller keeps it
as one opaque condition. No input raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol

#: Deeper nesting than any kernel source shows, far below Python's recursion limit.
MAX_DEPTH = 40

#: Arithmetic operators and comparisons in one expression; they lean left, so each makes the tree one deeper.
MAX_OPERATORS = 100

#: Four times the longest condition of a line in four releases (131 tokens, in include/acpi).
MAX_TOKENS = 500

#: More digits than a 64-bit number has in any base that C reads, suffix included.
MAX_DIGITS = 72

_BITS = 64
_SPACE = re.compile(r"\s+")
_NOISE = re.compile(r"\\\r?\n|/\*.*?(?:\*/|\Z)|//[^\n]*", re.S)
_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_$][\w$]*)|(?P<number>\d[\w.]*)|(?P<text>'(?:\\.|[^'\\])+'|\"(?:\\.|[^\"\\])*\")"
    r"|(?P<sign><<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>!~&|^?:(),])|(?P<other>\S))"
)
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)[uUlL]*\Z")
_BINDING = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7,
    "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_TIGHTEST = 11


class Number(NamedTuple):
    """An integer constant, as written and as a value."""

    text: str
    value: int


class Name(NamedTuple):
    """An identifier."""

    name: str


class Call(NamedTuple):
    """A function-like use, `name(argument)`; the argument is text, white space folded."""

    name: str
    argument: str


class Unary(NamedTuple):
    """`sign operand`, one of ! ~ - +."""

    sign: str
    operand: Node


class Binary(NamedTuple):
    """`left sign right`: arithmetic or a comparison."""

    sign: str
    left: Node
    right: Node


class Chain(NamedTuple):
    """`part && part && ...`, or the same with ||; however long, it is one level deep."""

    sign: str
    parts: tuple[Node, ...]


class Choice(NamedTuple):
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node


Node = Number | Name | Call | Unary | Binary | Chain | Choice


class Scope(Protocol):
    """What an expression is evaluated in; every answer may be None, "not known"."""

    def value(self, name: str) -> int | None:
        """The value of an identifier."""

    def call(self, name: str, argument: str) -> int | None:
        """The value of `name(argument)`, `defined(X)` included."""


class _Unreadable(Exception):
    """The text is no expression; never leaves this module."""


def clean(text: str) -> str:
    """`text` without comments and line continuations, white space folded."""
    if "/" in text or "\\" in text:
        text = _NOISE.sub(" ", text)
    return _SPACE.sub(" ", text).strip()


@lru_cache(maxsize=8192)
def read(text: str) -> Node | None:
    """The node of an expression, None where `text` is none."""
    text = clean(text)
    tokens = [(match.lastgroup or "", match[match.lastgroup or 0], match.end()) for match in _TOKEN.finditer(text)]
    if not tokens or len(tokens) > MAX_TOKENS:
        return None
    reader = _Reader(text, tokens)
    try:
        node = reader.choice(0)
    except _Unreadable:
        return None
    return node if reader.at_end else None


class _Reader:
    """Reads tokens by precedence climbing."""

    def __init__(self, text: str, tokens: list[tuple[str, str, int]]) -> None:
        self._text = text
        self._tokens = [*tokens, ("end", "", len(text))]
        self._next = 0
        self._operators = 0

    @property
    def at_end(self) -> bool:
        return self._tokens[self._next][0] == "end"

    def _take(self, token: str) -> bool:
        if self._tokens[self._next][1] != token or self.at_end:
            return False
        self._next += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise _Unreadable

    def choice(self, depth: int) -> Node:
        condition = self._binary(1, depth)
        if not self._take("?"):
            return condition
        yes = self.choice(depth + 1)
        self._expect(":")
        return Choice(condition, yes, self.choice(depth + 1))

    def _binary(self, lowest: int, depth: int) -> Node:
        left = self._unary(depth + 1)
        while True:
            kind, sign, _ = self._tokens[self._next]
            binding = _BINDING.get(sign, 0) if kind == "sign" else 0
            if binding < lowest or not binding:
                return left
            if sign in ("&&", "||"):
                parts = [left]
                while self._take(sign):
                    parts.append(self._binary(binding + 1, depth + 1))
                left = Chain(sign, tuple(parts))
                continue
            self._next += 1
            self._operators += 1
            if self._operators > MAX_OPERATORS:
                raise _Unreadable
            left = Binary(sign, left, self._binary(binding + 1, depth + 1))

    def _unary(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _Unreadable
        kind, token, _ = self._tokens[self._next]
        self._next += kind != "end"
        if kind == "name":
            return self._named(token)
        if kind == "number":
            match = _NUMBER.match(token) if len(token) <= MAX_DIGITS else None
            if match is None:
                raise _Unreadable
            return Number(token, _wrap(_integer(match[1])))
        if kind == "text" and token[0] == "'" and len(token) == 3:
            return Number(token, ord(token[1]))
        if token == "(":
            node = self.choice(depth + 1)
            self._expect(")")
            return node
        if kind == "sign" and token in "!~-+":
            return Unary(token, self._unary(depth + 1))
        raise _Unreadable

    def _named(self, name: str) -> Node:
        if name == "defined" and self._tokens[self._next][0] == "name":
            self._next += 1
            return Call(name, self._tokens[self._next - 1][1])
        if not self._take("("):
            return Name(name)
        begin, nesting = self._tokens[self._next - 1][2], 1
        while nesting:
            kind, token, end = self._tokens[self._next]
            if kind == "end":
                raise _Unreadable
            nesting += (token == "(") - (token == ")")
            self._next += 1
        return Call(name, self._text[begin : end - 1].strip())


def _integer(digits: str) -> int:
    octal = digits[0] == "0" and len(digits) > 1 and digits[1] in "01234567"
    return int(digits, 8) if octal else int(digits, 0)


def write(node: Node) -> str:
    """The one spelling of `node`."""
    return _write(node)[0]


def _write(node: Node) -> tuple[str, int]:
    match node:
        case Number() | Name():
            return node[0], _TIGHTEST
        case Call(name, argument):
            return f"{name}({argument})", _TIGHTEST
        case Unary(sign, operand):
            text, binding = _write(operand)
            bare = binding == _TIGHTEST and not (isinstance(operand, Unary) and operand.sign in "+-")
            return (f"{sign}{text}" if bare else f"{sign}({text})"), _TIGHTEST
        case Binary(sign, left, right):
            binding = _BINDING[sign]
            left_text, left_binding = _write(left)
            right_text, right_binding = _write(right)
            if left_binding < binding:
                left_text = f"({left_text})"
            if right_binding <= binding:
                right_text = f"({right_text})"
            return f"{left_text} {sign} {right_text}", binding
        case Chain(sign, parts):
            binding = _BINDING[sign]
            written = (_write(part) for part in parts)
            return f" {sign} ".join(text if inner > binding else f"({text})" for text, inner in written), binding
        case Choice(condition, yes, no):
            text, binding = _write(condition)
            return f"{text if binding else f'({text})'} ? {write(yes)} : {write(no)}", 0


def _wrap(value: int) -> int:
    value &= (1 << _BITS) - 1
    return value - (1 << _BITS) if value >> (_BITS - 1) else value


def _divide(left: int, right: int) -> int | None:
    if not right:
        return None
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int | None:
    quotient = _divide(left, right)
    return None if quotient is None else left - quotient * right


_ARITHMETIC: dict[str, Callable[[int, int], int | None]] = {
    "|": lambda left, right: left | right,
    "^": lambda left, right: left ^ right,
    "&": lambda left, right: left & right,
    "==": lambda left, right: int(left == right),
    "!=": lambda left, right: int(left != right),
    "<": lambda left, right: int(left < right),
    ">": lambda left, right: int(left > right),
    "<=": lambda left, right: int(left <= right),
    ">=": lambda left, right: int(left >= right),
    "<<": lambda left, right: left << right if 0 <= right < _BITS else None,
    ">>": lambda left, right: left >> right if 0 <= right < _BITS else None,
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "%": _remainder,
}


def evaluate(node: Node, scope: Scope) -> int | None:
    """The value of `node` in `scope`, None where the scope does not decide it."""
    match node:
        case Number(_, value):
            return value
        case Name(name):
            return scope.value(name)
        case Call(name, argument):
            return scope.call(name, argument)
        case Unary(sign, operand):
            inner = evaluate(operand, scope)
            if inner is None:
                return None
            return {"!": int(not inner), "~": ~inner, "-": _wrap(-inner), "+": inner}[sign]
        case Chain(sign, parts):
            deciding = sign == "||"
            values = [evaluate(part, scope) for part in parts]
            if any(value is not None and bool(value) is deciding for value in values):
                return int(deciding)
            return None if None in values else int(not deciding)
        case Binary(sign, left, right):
            one, two = evaluate(left, scope), evaluate(right, scope)
            result = None if one is None or two is None else _ARITHMETIC[sign](one, two)
            return None if result is None else _wrap(result)
        case Choice(condition, yes, no):
            test = evaluate(condition, scope)
            if test is None:
                one, two = evaluate(yes, scope), evaluate(no, scope)
                return one if one == two else None
            return evaluate(yes if test else no, scope)

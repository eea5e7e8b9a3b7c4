"""Expressions of kernel source, read without a compiler: text in, terms out (kread.parse.terms), never an error.

A precedence-climbing parser over the tokens of kread.parse.tokens. What a compiler knows of types is guessed
(kread.parse.type_guess); `is_type` may help. Whether an argument is a type, as macros take them, is decided by whether
it reads as one and not as an expression.

What cannot be read is Opaque, the smallest argument or group that cannot, not the whole text.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from kread.parse.calls import type_like
from kread.parse.terms import (
    ASSIGNMENT,
    BINARY,
    COMMA,
    CONDITIONAL,
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
from kread.parse.tokens import KEYWORDS, TYPE_WORDS, UNEVALUATED
from kread.parse.type_guess import TokenText, Unreadable

__all__ = ["last_value", "parse", "parse_with", "unparse"]

#: Expressions nest no deeper in real source, and operators make no longer chains; what does is Opaque, because each
#: level costs stack, here or where the terms are used.
MAX_DEPTH = 200
MAX_CHAIN = 200

#: Distinct expressions kept: those of a few hundred files.
_KEPT = 1 << 16

_ASSIGNS = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="))
_PREFIX = frozenset(("&", "*", "!", "~", "-", "+", "++", "--", "&&"))
_OPERATORS = UNEVALUATED - {"_Static_assert", "static_assert", "__attribute__", "__attribute"}
_VALUE_WORDS = _OPERATORS | {"__extension__", "_Generic"}
_TYPE_OPERATORS = frozenset(("typeof", "__typeof__", "__typeof"))


@lru_cache(maxsize=_KEPT)
def parse(text: str) -> Expr:
    """The expression that a text is; Opaque if it is none."""
    return parse_with(text, None)


def parse_with(text: str, is_type: Callable[[str], bool] | None) -> Expr:
    """As `parse`, asking `is_type` whether a name alone is that of a type."""
    parser = _Parser(text, is_type)
    return parser.whole(0, len(parser.texts) - 1, COMMA)


@lru_cache(maxsize=_KEPT)
def last_value(text: str) -> Expr | None:
    """The value of a statement expression, or of the statements in it: the last one, if it is an expression."""
    expr = parse(text)
    if isinstance(expr, StmtExpr):
        return expr.last
    if not isinstance(expr, Opaque):
        return expr
    parser = _Parser(text, None)
    return parser.block(0, len(parser.texts) - 1).last


class _Parser(TokenText):
    """The grammar: one method for each of its levels."""

    def whole(self, start: int, end: int, least: int) -> Expr:
        """The tokens from start to end as one expression, type or initialiser; Opaque if they are none."""
        depth = self.depth
        if end - start == 1:  # most arguments are one token
            text = self.texts[start]
            if text not in KEYWORDS and (text[0].isalpha() or text[0] == "_"):
                return TypeArg(text) if type_like(text) else Name(text)
        try:
            self.at = start
            if start < end and depth < MAX_DEPTH:
                if self.texts[start] in TYPE_WORDS and self.type_end(start) == end:
                    return TypeArg(self.spell(start, end))
                expr = self.binary(least)
                if self.at == end:
                    return expr
        except Unreadable:
            pass
        self.depth = depth
        return self._other(start, end)

    def _other(self, start: int, end: int) -> Expr:
        texts = self.texts
        text = self.spell(start, end)
        if start < end:
            first = texts[start]
            if first in (".", "{", "["):
                return Initializer(text)
            if first in TYPE_WORDS or self.type_end(start) == end or self.declares(start, end):
                return TypeArg(text)
        return Opaque(text)

    def binary(self, least: int) -> Expr:
        """An expression whose operators bind at least as tightly as `least`."""
        self.depth += 1
        left = self._operators(self.unary(), least)
        self.depth -= 1
        return left

    def _operators(self, left: Expr, least: int) -> Expr:
        """What binary operators make of their first operand and what follows."""
        texts = self.texts
        for _ in range(MAX_CHAIN):
            op = texts[self.at]
            binds = BINARY.get(op)
            if binds is not None:
                if binds < least:
                    return left
                self.at += 1
                left = Binary(op, left, self.binary(binds + 1))
            elif op == "?":
                if least > CONDITIONAL:
                    return left
                self.at += 1
                then = None if texts[self.at] == ":" else self.binary(COMMA)
                if texts[self.at] != ":":
                    raise Unreadable
                self.at += 1
                left = Conditional(left, then, self.binary(CONDITIONAL))
            elif op in _ASSIGNS:
                if least > ASSIGNMENT:
                    return left
                self.at += 1
                left = Assign(op, left, self.binary(ASSIGNMENT))
            elif op == ",":
                if least > COMMA:
                    return left
                self.at += 1
                left = Comma(left, self.binary(ASSIGNMENT))
            else:
                return left
        raise Unreadable

    def unary(self) -> Expr:
        text = self.texts[self.at]
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable
        expr: Expr
        if text in _PREFIX:
            self.at += 1
            expr = Unary(text, self.unary())
        elif text == "(":
            expr = self._group()
        else:
            expr = self._postfix(self._primary(text))
        self.depth -= 1
        return expr

    def _primary(self, text: str) -> Expr:
        first = text[:1]
        if first.isalpha() or first in ("_", "$"):
            if first in ("u", "U", "L") and text[-1] in "\"'":
                return self._strings()
            if text in KEYWORDS:
                return self._keyword(text)
            if self.texts[self.at + 1][:1] == '"':
                return self._strings()
            self.at += 1
            return Name(text)
        if first == '"' and len(text) > 1:
            return self._strings()
        if (
            first.isdigit()
            or (first == "'" and len(text) > 2)
            or (first == "." and len(text) > 1 and text[1].isdigit())
        ):
            self.at += 1
            return Literal(text)
        raise Unreadable

    def _strings(self) -> Expr:
        """Strings side by side, and macros that stand for strings between them."""
        start = self.at
        texts = self.texts
        while texts[self.at][-1:] == '"' or (texts[self.at].isidentifier() and texts[self.at] not in KEYWORDS):
            self.at += 1
            if texts[self.at] == "(":
                break
        if texts[self.at] == "(" and self.at in self.pairs and texts[self.at - 1].isidentifier():
            self.at = self.pairs[self.at] + 1
        return Literal(self.spell(start, self.at))

    def _keyword(self, text: str) -> Expr:
        texts = self.texts
        if text == "__extension__":
            self.at += 1
            return self.unary()
        if text == "_Generic" and texts[self.at + 1] == "(":
            return self._generic()
        if text not in _OPERATORS:
            raise Unreadable
        self.at += 1
        start = self.at
        if texts[start] == "(" and start in self.pairs:
            end = self.pairs[start]
            if texts[end + 1] not in ("{", "->", ".", "[") and (
                text in _TYPE_OPERATORS or self.reads_as_type(start + 1, end)
            ):
                self.at = end + 1
                return Sizeof(text, self.spell(start + 1, end))
        self.unary()
        if texts[start] == "(" and self.pairs.get(start) == self.at - 1:
            return Sizeof(text, self.spell(start + 1, self.at - 1))
        return Sizeof(text, self.spell(start, self.at))

    def _generic(self) -> Expr:
        start = self.at + 2
        end = self.end(self.at + 1)
        pieces = self.split(start, end)
        arms: list[tuple[str, Expr]] = []
        for first, last in pieces[1:]:
            colon = next((i for i in range(first, last) if self.texts[i] == ":"), -1)
            if colon < 0:
                raise Unreadable
            arms.append((self.spell(first, colon), self.whole(colon + 1, last, ASSIGNMENT)))
        control = self.whole(*pieces[0], ASSIGNMENT)
        self.at = end + 1
        return Generic(control, tuple(arms))

    def _postfix(self, expr: Expr) -> Expr:
        texts = self.texts
        for _ in range(MAX_CHAIN):
            text = texts[self.at]
            if text == "->" or text == ".":
                name = texts[self.at + 1]
                if not name.isidentifier():
                    raise Unreadable
                expr = Field(expr, name, text == "->")
                self.at += 2
            elif text == "(":
                expr = Call(expr, self._args())
            elif text == "[":
                end = self.end(self.at)
                idx = self.whole(self.at + 1, end, COMMA)
                expr = Index(expr, idx)
                self.at = end + 1
            elif text == "++" or text == "--":
                self.at += 1
                expr = Unary(f"p{text}", expr)
            else:
                return expr
        raise Unreadable

    def _args(self) -> tuple[Expr, ...]:
        start = self.at
        end = self.end(start)
        args = () if end == start + 1 else tuple(self.whole(*piece, ASSIGNMENT) for piece in self.split(start + 1, end))
        self.at = end + 1
        return args

    def _group(self) -> Expr:
        """What begins with `(`: a statement expression, a cast, a compound literal or a group."""
        texts = self.texts
        start = self.at
        end = self.end(start)
        if texts[start + 1] == "{" and self.pairs.get(start + 1) == end - 1:
            depth = self.depth
            block = self.block(start + 2, end - 1)
            self.depth = depth
            self.at = end + 1
            return self._postfix(block)
        after = texts[end + 1]
        if after == "{" and end + 1 in self.pairs:
            close = self.pairs[end + 1]
            self.at = close + 1
            return self._postfix(Compound(self.spell(start + 1, end), self.spell(end + 2, close)))
        if self.casts(start + 1, end, after):
            self.at = end + 1
            return Cast(self.spell(start + 1, end), self.unary())
        inner = self.whole(start + 1, end, COMMA)
        self.at = end + 1
        return self._postfix(inner)

    def block(self, start: int, end: int) -> StmtExpr:
        """The statements between braces."""
        texts, pairs = self.texts, self.pairs
        decls: list[tuple[str, Expr]] = []
        last: Expr | None = None
        index = first = start
        while index < end:
            text = texts[index]
            if text == ";":
                last = self._statement(first, index, decls)
                first = index + 1
            elif text in "([{":
                close = pairs.get(index, index)
                before = texts[index - 1]
                if text == "{" and (
                    first == index or before in ("else", "do") or (before == ")" and texts[first] in KEYWORDS)
                ):
                    first, last = close + 1, None  # a block of statements is no value
                index = close
            index += 1
        if first < end:
            last = self._statement(first, end, decls)
        return StmtExpr(self.spell(start, end), last, tuple(decls))

    def _statement(self, start: int, end: int, decls: list[tuple[str, Expr]]) -> Expr | None:
        texts = self.texts
        if start == end:
            return None
        type_end = self.type_end(start)
        # a declaration: `type name = value`; the last name of what reads as a type is the declared one
        if type_end - start > 1 and texts[type_end - 1].isidentifier() and texts[type_end] in ("=", ";", "", ",", "["):
            if texts[type_end] == "=" and type_end < end:
                decls.append((texts[type_end - 1], self.whole(type_end + 1, end, ASSIGNMENT)))
            return None
        if self.declares(start, end):
            equals = next((i for i in range(start, end) if texts[i] == "="), -1)
            if equals > 0:
                decls.append((texts[equals - 1], self.whole(equals + 1, end, ASSIGNMENT)))
            return None
        if texts[start] in KEYWORDS and texts[start] not in _VALUE_WORDS:
            return None
        expr = self.whole(start, end, COMMA)
        return None if isinstance(expr, Opaque | TypeArg) else expr

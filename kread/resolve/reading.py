"""Reads C expressions as terms (see terms), with the function-like macros that a file sees expanded on the way.

A small precedence parser: operators that carry neither functions nor addresses are passed over together with their
operands. The kernel's accessors that hand a value through (data/stores.toml) are that value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

from kread.resolve.idioms import idioms
from kread.resolve.terms import NOTHING, Term, dereferenced, either, wrapped
from kread.resolve.walking import (
    ASSIGN,
    BINARY,
    QUALIFIERS,
    TAGS,
    TOKEN,
    TYPE_WORDS,
    TYPEOF,
    UNEVALUATED,
    Walk,
    is_name,
    put_in,
    split_tokens,
)

#: The definitions of a function-like macro that a file sees: (parameters, body) each.
Bodies: TypeAlias = "Sequence[tuple[tuple[str, ...], str]]"

#: Macros may use macros; the accessors of the kernel nest below ten.
_EXPANSIONS = 12


class Reader:
    """Reads terms.

    is_type -- whether a name is a typedef
    bodies  -- (file, name) -> the definitions of a macro that is to be expanded
    """

    def __init__(self, is_type: Callable[[str], bool], bodies: Callable[[str, str], Bodies]) -> None:
        self.is_type = is_type
        self.bodies = bodies
        self._known: dict[tuple[str, str], Term] = {}

    def term(self, text: str, file: str) -> Term:
        """The term of an expression's text, read with the macros that `file` sees."""
        key = (text, file)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self.read(TOKEN.findall(text), file, {}, 0)
        return known

    def read(self, tokens: list[str], file: str, bound: dict[str, Term], depth: int) -> Term:
        """The term of an expression's tokens."""
        try:
            return _Reading(self, tokens, file, bound, depth).expression()
        except (IndexError, RecursionError):
            return NOTHING


class _Reading(Walk):
    """One pass over one expression's tokens. Running past the end is an IndexError, caught by the reader."""

    def __init__(self, reader: Reader, tokens: list[str], file: str, bound: dict[str, Term], depth: int) -> None:
        super().__init__(tokens, reader.is_type)
        self.reader = reader
        self.file = file
        self.bound = bound
        self.depth = depth

    # Expressions

    def expression(self) -> Term:
        term = self.assignment()
        while self.tokens[self.at] == ",":
            self.at += 1
            term = self.assignment()
        return term

    def assignment(self) -> Term:
        """Read an expression without commas."""
        term = self._binary()
        token = self.tokens[self.at]
        if token == "?":
            self.at += 1
            first = term if self.tokens[self.at] == ":" else self.expression()
            if self.tokens[self.at] == ":":
                self.at += 1
            other = self.assignment()
            return either(first, other)
        if token in ASSIGN:
            self.at += 1
            value = self.assignment()
            return value if token == "=" else term
        return term

    def _binary(self) -> Term:
        term = self._unary()
        tokens = self.tokens
        while tokens[self.at] in BINARY:
            operator = tokens[self.at]
            self.at += 1
            self._unary()
            # `p + 1` stays in p's array; every other operator makes a number or a truth.
            term = ("step", term) if operator in "+-" and term != NOTHING else NOTHING
        return term

    def _unary(self) -> Term:
        token = self.tokens[self.at]
        if token == "*":
            self.at += 1
            return dereferenced(self._unary())
        if token == "&":
            self.at += 1
            base = self._unary()
            return cast(Term, base[1]) if base[0] == "deref" else wrapped("address", base)
        if token == "&&":
            self.at += 2
            return NOTHING
        if token in ("!", "-", "+", "~"):
            self.at += 1
            self._unary()
            return NOTHING
        if token in ("++", "--"):
            self.at += 1
            return self._unary()
        if token in UNEVALUATED:
            self.at += 1
            if self.tokens[self.at] == "(":
                self.skip_group()
            else:
                self._unary()
            return NOTHING
        if token == "__extension__":
            self.at += 1
            return self._unary()
        if token in TAGS or token in TYPEOF or token in TYPE_WORDS or token in QUALIFIERS:
            return ("type", self.type())
        return self._postfix(self._primary())

    def _primary(self) -> Term:
        tokens = self.tokens
        token = tokens[self.at]
        if token == "(":
            if tokens[self.at + 1] == "{":
                return self._statements()
            if self.starts_cast():
                return self._cast()
            self.at += 1
            term = self.expression()
            self.skip_to(")")
            return term
        self.at += 1
        if token == "\0":
            raise IndexError
        if token == "_Generic":
            return self._generic()
        if token == "__builtin_choose_expr" and tokens[self.at] == "(":
            self.at += 1
            self.assignment()
            self.at += 1
            first = self.assignment()
            self.at += 1
            other = self.assignment()
            self.skip_to(")")
            return either(first, other)
        if is_name(token):
            if tokens[self.at] == "(" and token not in self.bound and self.depth < _EXPANSIONS:
                bodies = self.reader.bodies(self.file, token)
                if bodies:
                    return self._expansion(bodies)
            return self.bound.get(token) or ("name", token)
        if token[0] == "@":
            return ("table", token)
        return NOTHING

    def _expansion(self, bodies: Bodies) -> Term:
        """A use of a function-like macro: any of its definitions, with the arguments put in."""
        start = self.at + 1
        self.skip_group()
        given = split_tokens(self.tokens[start : self.at - 1])
        term = NOTHING
        for params, body in bodies:
            if body.startswith("do"):
                continue
            tokens = put_in(params, TOKEN.findall(body), given)
            term = either(term, self.reader.read(tokens, self.file, dict(self.bound), self.depth + 1))
        return term

    def _cast(self) -> Term:
        self.at += 1
        kind = self.type()
        self.skip_to(")")
        if self.tokens[self.at] == "{":
            self.skip_group()
            return NOTHING
        if self.tokens[self.at] in (")", ",", ";", "\0"):
            return ("type", kind)
        base = self._unary()
        return base if base == NOTHING else ("cast", kind, base)

    def _generic(self) -> Term:
        """_Generic(x, T: a, default: b): any of its values, since x's type is the caller's."""
        self.at += 1
        self.assignment()
        term = NOTHING
        while self.tokens[self.at] == ",":
            self.at += 1
            if self.tokens[self.at] == "default":
                self.at += 1
            else:
                self.type()
            self.at += 1
            term = either(term, self.assignment())
        self.skip_to(")")
        return term

    def _statements(self) -> Term:
        """`({ typeof(f) _f = (f); ...; _f; })`: the last value."""
        tokens = self.tokens
        start = self.at
        self.skip_group()
        end = self.at
        last = NOTHING
        at = start + 2
        outer = dict(self.bound)
        while at < end - 2:
            self.at = at
            if tokens[at] == "{":
                self.skip_group()
                at = self.at
                last = NOTHING
                continue
            stop = self.statement_end(at, end - 2)
            if stop > at:
                last = self._statement(at, stop)
            at = stop + 1
        self.bound = outer
        self.at = end
        return last

    def _statement(self, at: int, end: int) -> Term:
        tokens = self.tokens
        if tokens[at] in ("do", "while", "if", "for", "switch", "return", "goto", "asm", "__asm__", "_Static_assert"):
            return NOTHING
        self.at = at
        if self.starts_type(at) or (is_name(tokens[at]) and is_name(tokens[at + 1]) and at + 1 < end):
            self.type()
            if is_name(tokens[self.at]) and tokens[self.at + 1] == "=":
                name = tokens[self.at]
                self.at += 2
                self.bound[name] = self.assignment()
            return NOTHING
        if is_name(tokens[at]) and tokens[at + 1] == "=" and tokens[at] in self.bound:
            self.at += 2
            self.bound[tokens[at]] = self.assignment()
            return self.bound[tokens[at]]
        return self.expression()

    def _postfix(self, term: Term) -> Term:
        tokens = self.tokens
        while True:
            token = tokens[self.at]
            if token in ("->", "."):
                member = tokens[self.at + 1]
                self.at += 2
                if term[0] == "address" and token == "->":
                    term = ("member", term[1], member, False)
                else:
                    term = NOTHING if term == NOTHING else ("member", term, member, token == "->")
            elif token == "[":
                start = self.at + 1
                self.skip_group()
                text = "".join(tokens[start : self.at - 1])
                term = NOTHING if term == NOTHING else ("index", term, text)
            elif token == "(":
                term = self._call(term)
            elif token in ("++", "--"):
                self.at += 1
            else:
                return term

    def _call(self, callee: Term) -> Term:
        args: list[Term] = []
        self.at += 1
        tokens = self.tokens
        while tokens[self.at] != ")":
            if tokens[self.at] == ",":
                self.at += 1
                continue
            found = self.type_or_value()
            args.append(("type", found[1]) if found[0] == "type" else found[1])
            if tokens[self.at] == "\0":
                raise IndexError
            if tokens[self.at] not in (",", ")"):
                self.skip_argument()
        self.at += 1
        if callee[0] == "deref":
            callee = callee[1]
        row = idioms().through.get(callee[1]) if callee[0] == "name" else None
        if row is not None and row["argument"] < len(args):
            inner: Term = args[row["argument"]]
            return dereferenced(inner) if row["pointer"] else inner
        return ("call", callee, tuple(args))

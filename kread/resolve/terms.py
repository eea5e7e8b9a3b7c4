"""C expressions reduced to what matters for the flow of values: terms.

A function or a table gets from one place to another through names, members, indices, `&`, `*`, calls, casts and
choices. Arithmetic, comparisons and literals carry neither, and become NOTHING. A term is a plain tuple, its first
element the kind, so that terms hash and compare fast:

    ("name", x)                     x
    ("member", base, m, arrow)      base->m, base.m
    ("index", base, text)           base[text]
    ("deref", base)                 *base
    ("address", base)               &base
    ("call", callee, args)          callee(args)
    ("cast", type, base)            (type)base
    ("either", a, b)                c ? a : b, and _Generic
    ("step", base)                  base + n: another element of base's array
    ("type", type)                  a type where a value was expected: container_of(p, struct sock, m)
    ("table", "@line:column")       a compound literal, as the rows name it
    NOTHING

Types are postfix texts ("struct sock*"); a type made of an expression is ("typeof", term, operators). A statement
expression is its last value, with the variables that it declares replaced by what they are initialised with: that is what
the kernel's access macros do. Reading never fails: what is no expression yields NOTHING.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from kread.resolve.idioms import idioms

Term: TypeAlias = tuple[Any, ...]

NOTHING: Term = ("nothing",)

_TOKEN = re.compile(
    r"@\d+:\d+|[A-Za-z_$][\w$]*|\.?\d(?:[\w.]|[eEpP][+-])*|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
    r"|->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\.\.\.|[^\s]"
)
_QUALIFIERS = frozenset(
    "const volatile restrict __restrict __const __volatile__ register static extern inline __extension__".split()
)
_TAGS = frozenset({"struct", "union", "enum"})
_TYPE_WORDS = frozenset(
    "void char short int long float double signed unsigned _Bool bool __int128 __signed__ __builtin_va_list".split()
)
_TYPEOF = frozenset({"typeof", "__typeof__", "__typeof", "typeof_unqual", "__auto_type"})
_BINARY = frozenset("+ - * / % << >> < > <= >= == != & ^ | && ||".split())
_ASSIGN = frozenset("= += -= *= /= %= <<= >>= &= ^= |=".split())
_UNEVALUATED = frozenset({"sizeof", "_Alignof", "__alignof__", "alignof", "offsetof", "__builtin_offsetof"})

#: A type ends here when it stands in parentheses or as an argument.
_TYPE_END = frozenset({")", ","})


def is_name(token: str) -> bool:
    """Whether a token is a C identifier."""
    return token[0].isalpha() or token[0] in "_$"


#: The definitions of a function-like macro that a file sees: (parameters, body) each. None: the name is no macro to expand.
Bodies: TypeAlias = "Sequence[tuple[tuple[str, ...], str]]"

#: Macros may use macros; the accessors of the kernel nest below ten.
_EXPANSIONS = 12


class Reader:
    """Reads terms. `is_type` says of a name whether it is a typedef, `bodies` gives (file, name)'s macro definitions."""

    def __init__(self, is_type: Callable[[str], bool], bodies: Callable[[str, str], Bodies]) -> None:
        self.is_type = is_type
        self.bodies = bodies
        self._known: dict[tuple[str, str], Term] = {}

    def term(self, text: str, file: str) -> Term:
        """The term of an expression's text, read with the macros that `file` sees."""
        key = (text, file)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self.read(_TOKEN.findall(text), file, {}, 0)
        return known

    def read(self, tokens: list[str], file: str, bound: dict[str, Term], depth: int) -> Term:
        """The term of an expression's tokens."""
        try:
            return _Reading(self, tokens, file, bound, depth).expression()
        except (IndexError, RecursionError):
            return NOTHING


class _Reading:
    """One pass over one expression's tokens. Running past the end is an IndexError, caught by the reader."""

    def __init__(self, reader: Reader, tokens: list[str], file: str, bound: dict[str, Term], depth: int) -> None:
        tokens.append("\0")
        self.tokens = tokens
        self.at = 0
        self.reader = reader
        self.is_type = reader.is_type
        self.file = file
        self.bound = bound
        self.depth = depth

    # Types

    def _starts_type(self, at: int) -> bool:
        token = self.tokens[at]
        return (
            token in _TAGS
            or token in _TYPE_WORDS
            or token in _TYPEOF
            or token in _QUALIFIERS
            or (is_name(token) and self.is_type(token))
        )

    def _type(self) -> Any:
        """Read a type name; the place after it is where the abstract declarator ends."""
        tokens = self.tokens
        base: Any = ""
        while True:
            token = tokens[self.at]
            if token in _QUALIFIERS:
                self.at += 1
            elif token in _TAGS:
                base = f"{token} {tokens[self.at + 1]}"
                self.at += 2
            elif token in _TYPEOF:
                self.at += 1
                if tokens[self.at] == "(":
                    self.at += 1
                    inner = self._type_or_value()
                    self._skip_to(")")
                    base = ("typeof", inner[1], "") if inner[0] != "type" else inner[1]
            elif token in _TYPE_WORDS:
                base = f"{base} {token}" if isinstance(base, str) and base else token
                self.at += 1
            elif not base and is_name(token):
                base = token
                self.at += 1
            else:
                break
        operators = ""
        while True:
            token = tokens[self.at]
            if token == "*":
                operators += "*"
                self.at += 1
            elif token in _QUALIFIERS:
                self.at += 1
            elif token == "[":
                self.at += 1
                self._skip_to("]")
                operators += "[]"
            elif token == "(" and tokens[self.at + 1] == "*":
                # A pointer to a function: `int (*)(struct sock *)`. Its parameters don't matter for the flow.
                self._skip_group()
                if tokens[self.at] == "(":
                    self._skip_group()
                operators += "()*"
            else:
                break
        if isinstance(base, tuple):
            return (base[0], base[1], base[2] + operators)
        return base + operators

    def _type_or_value(self) -> tuple[Any, Any]:
        if self._starts_type(self.at):
            start = self.at
            found = self._type()
            if self.tokens[self.at] in _TYPE_END:
                return ("type", found)
            self.at = start
        return ("value", self._assignment())

    # Places in the tokens

    def _skip_group(self) -> None:
        """Pass a group in brackets that opens here."""
        depth = 0
        tokens = self.tokens
        while True:
            token = tokens[self.at]
            self.at += 1
            if token in ("(", "[", "{"):
                depth += 1
            elif token in (")", "]", "}"):
                depth -= 1
                if depth == 0:
                    return
            elif token == "\0":
                raise IndexError

    def _skip_to(self, end: str) -> None:
        """Pass everything up to `end` on this level, and it too."""
        tokens = self.tokens
        while tokens[self.at] != end:
            if tokens[self.at] in ("(", "[", "{"):
                self._skip_group()
            elif tokens[self.at] == "\0":
                raise IndexError
            else:
                self.at += 1
        self.at += 1

    # Expressions

    def expression(self) -> Term:
        term = self._assignment()
        while self.tokens[self.at] == ",":
            self.at += 1
            term = self._assignment()
        return term

    def _assignment(self) -> Term:
        term = self._binary()
        token = self.tokens[self.at]
        if token == "?":
            self.at += 1
            if self.tokens[self.at] == ":":
                first = term
            else:
                first = self.expression()
            if self.tokens[self.at] == ":":
                self.at += 1
            other = self._assignment()
            return _either(first, other)
        if token in _ASSIGN:
            self.at += 1
            value = self._assignment()
            return value if token == "=" else term
        return term

    def _binary(self) -> Term:
        term = self._unary()
        tokens = self.tokens
        while tokens[self.at] in _BINARY:
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
            return _dereferenced(self._unary())
        if token == "&":
            self.at += 1
            base = self._unary()
            return cast(Term, base[1]) if base[0] == "deref" else _of("address", base)
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
        if token in _UNEVALUATED:
            self.at += 1
            if self.tokens[self.at] == "(":
                self._skip_group()
            else:
                self._unary()
            return NOTHING
        if token == "__extension__":
            self.at += 1
            return self._unary()
        if token in _TAGS or token in _TYPEOF or token in _TYPE_WORDS or token in _QUALIFIERS:
            return ("type", self._type())
        return self._postfix(self._primary())

    def _primary(self) -> Term:
        tokens = self.tokens
        token = tokens[self.at]
        if token == "(":
            if tokens[self.at + 1] == "{":
                return self._statements()
            if self._is_cast():
                return self._cast()
            self.at += 1
            term = self.expression()
            self._skip_to(")")
            return term
        self.at += 1
        if token == "\0":
            raise IndexError
        if token == "_Generic":
            return self._generic()
        if token == "__builtin_choose_expr" and tokens[self.at] == "(":
            self.at += 1
            self._assignment()
            self.at += 1
            first = self._assignment()
            self.at += 1
            other = self._assignment()
            self._skip_to(")")
            return _either(first, other)
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
        self._skip_group()
        given = _split(self.tokens[start : self.at - 1])
        term = NOTHING
        for params, body in bodies:
            if body.startswith("do"):
                continue
            named = dict(zip(params, given, strict=False))
            if params and params[-1].endswith("..."):
                rest = given[len(params) - 1 :]
                joined = [token for arg in rest for token in (*arg, ",")][:-1]
                named[params[-1][:-3] or "__VA_ARGS__"] = joined
            tokens: list[str] = []
            for token in _TOKEN.findall(body):
                tokens.extend(named.get(token, (token,)))
            term = _either(term, self.reader.read(tokens, self.file, dict(self.bound), self.depth + 1))
        return term

    def _is_cast(self) -> bool:
        """Whether the group that opens here is a type, and what follows is what is cast."""
        at = self.at + 1
        tokens = self.tokens
        if self._starts_type(at):
            return True
        if not is_name(tokens[at]):
            return False
        at += 1
        stars = at
        while tokens[at] == "*":
            at += 1
        if tokens[at] != ")":
            return False
        after = tokens[at + 1]
        if at > stars:
            return is_name(after) or after in ("(", "&", "*")
        return is_name(after)

    def _cast(self) -> Term:
        self.at += 1
        kind = self._type()
        self._skip_to(")")
        if self.tokens[self.at] == "{":
            self._skip_group()
            return NOTHING
        if self.tokens[self.at] in (")", ",", ";", "\0"):
            return ("type", kind)
        base = self._unary()
        return base if base == NOTHING else ("cast", kind, base)

    def _generic(self) -> Term:
        """_Generic(x, T: a, default: b): any of its values, since x's type is the caller's."""
        self.at += 1
        self._assignment()
        term = NOTHING
        while self.tokens[self.at] == ",":
            self.at += 1
            if self.tokens[self.at] == "default":
                self.at += 1
            else:
                self._type()
            self.at += 1
            term = _either(term, self._assignment())
        self._skip_to(")")
        return term

    def _statements(self) -> Term:
        """`({ typeof(f) _f = (f); ...; _f; })`: the last value."""
        tokens = self.tokens
        start = self.at
        self._skip_group()
        end = self.at
        last = NOTHING
        at = start + 2
        outer = dict(self.bound)
        while at < end - 2:
            self.at = at
            if tokens[at] == "{":
                self._skip_group()
                at = self.at
                last = NOTHING
                continue
            stop = self._statement_end(at, end - 2)
            if stop > at:
                last = self._statement(at, stop)
            at = stop + 1
        self.bound = outer
        self.at = end
        return last

    def _statement_end(self, at: int, end: int) -> int:
        depth = 0
        for place in range(at, end):
            token = self.tokens[place]
            if token in ("(", "[", "{"):
                depth += 1
            elif token in (")", "]", "}"):
                depth -= 1
            elif token == ";" and depth == 0:
                return place
        return end

    def _statement(self, at: int, end: int) -> Term:
        tokens = self.tokens
        if tokens[at] in ("do", "while", "if", "for", "switch", "return", "goto", "asm", "__asm__", "_Static_assert"):
            return NOTHING
        self.at = at
        if self._starts_type(at) or (is_name(tokens[at]) and is_name(tokens[at + 1]) and at + 1 < end):
            self._type()
            if is_name(tokens[self.at]) and tokens[self.at + 1] == "=":
                name = tokens[self.at]
                self.at += 2
                self.bound[name] = self._assignment()
            return NOTHING
        if is_name(tokens[at]) and tokens[at + 1] == "=" and tokens[at] in self.bound:
            self.at += 2
            self.bound[tokens[at]] = self._assignment()
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
                self._skip_group()
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
            found = self._type_or_value()
            args.append(("type", found[1]) if found[0] == "type" else found[1])
            if tokens[self.at] == "\0":
                raise IndexError
            if tokens[self.at] not in (",", ")"):
                self._skip_argument()
        self.at += 1
        if callee[0] == "deref":
            callee = callee[1]
        row = idioms().through.get(callee[1]) if callee[0] == "name" else None
        if row is not None and row["argument"] < len(args):
            inner: Term = args[row["argument"]]
            return _dereferenced(inner) if row["pointer"] else inner
        return ("call", callee, tuple(args))

    def _skip_argument(self) -> None:
        while self.tokens[self.at] not in (",", ")"):
            if self.tokens[self.at] in ("(", "[", "{"):
                self._skip_group()
            elif self.tokens[self.at] == "\0":
                raise IndexError
            else:
                self.at += 1


def _split(tokens: list[str]) -> list[list[str]]:
    """A macro's arguments: the tokens between the commas of the first level."""
    args: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
        elif token == "," and depth == 0:
            args.append([])
            continue
        args[-1].append(token)
    return args


def _dereferenced(base: Term) -> Term:
    """`*base`; the access macros' `*(volatile T *)&(x)` is x."""
    if base[0] == "cast" and base[2][0] == "address":
        return cast(Term, base[2][1])
    return cast(Term, base[1]) if base[0] == "address" else _of("deref", base)


def _of(kind: str, base: Term) -> Term:
    return base if base == NOTHING else (kind, base)


def _either(first: Term, other: Term) -> Term:
    if first in (NOTHING, other):
        return other
    return first if other == NOTHING else ("either", first, other)

"""C's tokens as the reader of terms walks over them: brackets passed, type names read.

Types are read in the postfix form of the rows: `const struct sock *` is "struct sock*". Of a pointer to a function only
that it is one is kept, since parameters don't matter for the flow of values.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

TOKEN = re.compile(
    r"@\d+:\d+|[A-Za-z_$][\w$]*|\.?\d(?:[\w.]|[eEpP][+-])*|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
    r"|->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\.\.\.|[^\s]"
)
QUALIFIERS = frozenset(
    [
        "const",
        "volatile",
        "restrict",
        "__restrict",
        "__const",
        "__volatile__",
        "register",
        "static",
        "extern",
        "inline",
        "__extension__",
    ]
)
TAGS = frozenset({"struct", "union", "enum"})
TYPE_WORDS = frozenset(
    [
        "void",
        "char",
        "short",
        "int",
        "long",
        "float",
        "double",
        "signed",
        "unsigned",
        "_Bool",
        "bool",
        "__int128",
        "__signed__",
        "__builtin_va_list",
    ]
)
TYPEOF = frozenset({"typeof", "__typeof__", "__typeof", "typeof_unqual", "__auto_type"})
BINARY = frozenset(["+", "-", "*", "/", "%", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "&", "^", "|", "&&", "||"])
ASSIGN = frozenset(["=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "^=", "|="])
UNEVALUATED = frozenset({"sizeof", "_Alignof", "__alignof__", "alignof", "offsetof", "__builtin_offsetof"})

#: A type ends here when it stands in parentheses or as an argument.
TYPE_END = frozenset({")", ","})


def is_name(token: str) -> bool:
    """Whether a token is a C identifier."""
    return token[0].isalpha() or token[0] in "_$"


class Walk(ABC):
    """A place in a list of tokens. Running past the end is an IndexError, caught by the reader."""

    def __init__(self, tokens: list[str], is_type: Callable[[str], bool]) -> None:
        tokens.append("\0")
        self.tokens = tokens
        self.at = 0
        self.is_type = is_type

    @abstractmethod
    def assignment(self) -> Any:
        """Read an expression without commas: `typeof` takes one."""

    # Types

    def starts_type(self, at: int) -> bool:
        """Whether a type begins at a token."""
        token = self.tokens[at]
        return (
            token in TAGS
            or token in TYPE_WORDS
            or token in TYPEOF
            or token in QUALIFIERS
            or (is_name(token) and self.is_type(token))
        )

    def type(self) -> Any:
        """Read a type name; the place after it is where the abstract declarator ends."""
        tokens = self.tokens
        base: Any = ""
        while True:
            token = tokens[self.at]
            if token in QUALIFIERS:
                self.at += 1
            elif token in TAGS:
                base = f"{token} {tokens[self.at + 1]}"
                self.at += 2
            elif token in TYPEOF:
                self.at += 1
                if tokens[self.at] == "(":
                    self.at += 1
                    inner = self.type_or_value()
                    self.skip_to(")")
                    base = ("typeof", inner[1], "") if inner[0] != "type" else inner[1]
            elif token in TYPE_WORDS:
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
            elif token in QUALIFIERS:
                self.at += 1
            elif token == "[":
                self.at += 1
                self.skip_to("]")
                operators += "[]"
            elif token == "(" and tokens[self.at + 1] == "*":
                # A pointer to a function: `int (*)(struct sock *)`. Its parameters don't matter for the flow.
                self.skip_group()
                if tokens[self.at] == "(":
                    self.skip_group()
                operators += "()*"
            else:
                break
        if isinstance(base, tuple):
            return (base[0], base[1], base[2] + operators)
        return base + operators

    def type_or_value(self) -> tuple[str, Any]:
        """Read an argument: ("type", type) or ("value", term)."""
        if self.starts_type(self.at):
            start = self.at
            found = self.type()
            if self.tokens[self.at] in TYPE_END:
                return ("type", found)
            self.at = start
        return ("value", self.assignment())

    def starts_cast(self) -> bool:
        """Whether the group that opens here is a type, and what follows is what is cast."""
        at = self.at + 1
        tokens = self.tokens
        if self.starts_type(at):
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

    # Places in the tokens

    def skip_group(self) -> None:
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

    def skip_to(self, end: str) -> None:
        """Pass everything up to `end` on this level, and it too."""
        tokens = self.tokens
        while tokens[self.at] != end:
            if tokens[self.at] in ("(", "[", "{"):
                self.skip_group()
            elif tokens[self.at] == "\0":
                raise IndexError
            else:
                self.at += 1
        self.at += 1

    def skip_argument(self) -> None:
        """Pass what is left of an argument, up to the comma or bracket after it."""
        while self.tokens[self.at] not in (",", ")"):
            if self.tokens[self.at] in ("(", "[", "{"):
                self.skip_group()
            elif self.tokens[self.at] == "\0":
                raise IndexError
            else:
                self.at += 1

    def statement_end(self, at: int, end: int) -> int:
        """Where the statement that begins at a token ends: its semicolon, or `end`."""
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


def split_tokens(tokens: list[str]) -> list[list[str]]:
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


def put_in(params: Sequence[str], body: Sequence[str], given: Sequence[list[str]]) -> list[str]:
    """The tokens of a macro's body with its arguments put in."""
    named = dict(zip(params, given, strict=False))
    if params and params[-1].endswith("..."):
        rest = given[len(params) - 1 :]
        joined = [token for arg in rest for token in (*arg, ",")][:-1]
        named[params[-1][:-3] or "__VA_ARGS__"] = joined
    tokens: list[str] = []
    for token in body:
        tokens.extend(named.get(token, (token,)))
    return tokens

"""The calls in a run of expanded tokens.

In expression position a C call is a name or an expression followed by `(`, and the ways in which it is not a call are
few: keywords, operands that are never evaluated (`sizeof`, `typeof`), casts, declarations (two names in a row, or a
name after `type *` at the start of a statement), attributes, and members of `asm`. Here no syntax tree is built: an
expansion can be any piece of C, half a statement or three definitions.

A function that the same piece declares with the attribute `error` is there to stop the compiler, and never called.
A variable that the piece itself makes as a copy (`typeof(f) g = (f);`) stands for what it copies: a call of `g` is one
of `f`, so the way of writing it that avoids a costly indirect jump says the same as the plain one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kread.parse.copied import Copies, last_statement, peels
from kread.parse.expand import Origin, Token, spell
from kread.parse.tokens import KEYWORDS, UNEVALUATED, closing, is_word
from kread.parse.type_text import chosen_by, is_type, type_like

#: Names whose calls the compiler itself makes or folds.
BUILTIN_PREFIXES = ("__builtin_", "__sync_", "__atomic_")

#: Keywords that an expression can follow directly.
_BEFORE_EXPRESSION = frozenset(("return", "else", "do", "case", "goto", "__extension__", "sizeof", "__label__"))


class ExpandedCall(NamedTuple):
    """One call.

    kind    -- "name" (`callee` is a function's or a variable's name), "pointer" (an expression), "builtin", "cleanup"
               (the compiler calls `callee` when a variable goes out of scope)
    callee  -- the callee expression, on one line
    args    -- the arguments' texts
    origin  -- where the callee's last name was written
    written -- "src", "arg", "argname" (only the name stands in an argument), "body", "paste" or "cleanup"
    at      -- offset in the expanded text: of the name, or of the macro that made it
    """

    kind: str
    callee: str
    args: tuple[str, ...]
    origin: Origin
    written: str
    at: int


def calls(tokens: list[Token], *, ignore: Callable[[str], bool] | None = None) -> list[ExpandedCall]:
    """The calls in expanded tokens, in their order. `ignore` says of a name before `(` that it is no function
    (a macro left as written; inside its own expansion a macro's name is one)."""
    return [call for call, _ in Finder(tokens, ignore).found]


class Finder:
    """One look over tokens.

    found -- the calls, each with the index of its opening parenthesis
    dead  -- by index, whether a token stands in an operand that is never evaluated (1) or not (0)
    pairs -- the index of the closing bracket by that of the opening one
    asked -- the tokens whose type decides what is called (`_Generic`)
    """

    def __init__(self, tokens: list[Token], ignore: Callable[[str], bool] | None = None) -> None:
        self.tokens = tokens
        self.ignore = ignore
        self.texts = [token[0] for token in tokens]
        self.pairs = closing(self.texts)
        self.opens = {end: start for start, end in self.pairs.items()}
        self.dead = bytearray(len(tokens))
        self.stoppers: set[str] = set()
        self.asked: list[str] = []
        self._copies: Copies | None = None
        found = self._find() if self.pairs else []
        self.found = [(call, paren) for call, paren in found if call.callee not in self.stoppers]

    def _find(self) -> list[tuple[ExpandedCall, int]]:
        texts = self.texts
        found: list[tuple[ExpandedCall, int]] = []
        index = -1
        while True:
            try:
                index = texts.index("(", index + 1)
            except ValueError:
                return found
            before = texts[index - 1] if index else ""
            if not before or index not in self.pairs:
                continue
            if before in UNEVALUATED:
                end = self.pairs[index]
                self.dead[index:end] = b"\1" * (end - index)
                if before in ("__attribute__", "__attribute"):
                    found += [(call, index) for call in self._cleanup(index)]
                index = end
            elif before not in KEYWORDS:
                found += [(call, index) for call in self._call(index, before)]

    def _call(self, paren: int, before: str) -> list[ExpandedCall]:
        if is_word(before):
            if self.ignore is not None and not self.tokens[paren - 1][4] and self.ignore(before):
                return []
            if paren >= 2 and self.texts[paren - 2] in ("->", "."):
                return [self._made("pointer", self._start(paren - 1), paren, paren - 1)]
            if self._declared(paren - 1, paren):
                return []
            kind = "builtin" if before.startswith(BUILTIN_PREFIXES) else "name"
            copied = self.copied(before, paren - 1)
            if copied is not None:
                return [self._of_copy(copied, paren)]
            return [self._made(kind, paren - 1, paren, paren - 1)]
        if before == "]":
            start = self._start(paren - 1)
            return [self._made("pointer", start, paren, start)] if self.texts[start] != "[" else []
        if before == ")" and paren - 1 in self.opens:
            return self._through_group(paren, self.opens[paren - 1])
        return []

    def copied(self, name: str, before: int) -> tuple[int, int] | None:
        """The tokens (first, behind the last) that a name met at the index `before` is a copy of, None if of none."""
        if self._copies is None:
            self._copies = Copies(self.texts, self.pairs)
        return self._copies.of(name, before)

    def _of_copy(self, copied: tuple[int, int], paren: int) -> ExpandedCall:
        """The call of what a variable is a copy of."""
        start, stop = copied
        return self._spelled(self.kind(start, stop), start, stop, paren, self.named(start, stop))

    def kind(self, start: int, stop: int) -> str:
        """The kind of a call of these tokens."""
        return "name" if stop - start == 1 and is_word(self.texts[start]) else "pointer"

    def named(self, start: int, stop: int) -> int:
        """The index of the token that says where an expression was written: its last name, if it ends in one."""
        return stop - 1 if is_word(self.texts[stop - 1]) else start

    def _through_group(self, paren: int, group: int) -> list[ExpandedCall]:
        """`(...)(args)`: a call of what the first parentheses give, unless they hold a type or belong to a keyword."""
        texts = self.texts
        before = texts[group - 1] if group else ""
        if before == "_Generic":
            return self._of_arms(paren, group)
        if before in KEYWORDS:
            return []
        inner = texts[group + 1 : paren - 1]
        if not is_word(before) and (not inner or is_type(inner)):
            return []
        if before and (is_word(before) or before in ")]"):
            if self._declared(group - 1, group):
                return []
            return [self._made("pointer", self._start(paren - 1), paren, group - 1)]  # f(x)(y)
        name = self._final_name(group, paren - 1)
        if name is None:
            return [self._made("pointer", group, paren, group)]
        return [self._made("name", name, paren, name)]

    def _of_arms(self, paren: int, group: int) -> list[ExpandedCall]:
        """`_Generic(x, type: f, ...)(args)`: a call of each arm that is a name and that the type of x may choose; where
        only declarations say which, a call of the whole choice."""
        texts = self.texts
        arms: list[tuple[str, int]] = []
        start = comma = 0
        index = group + 1
        while index < paren - 1:
            if texts[index] == ",":
                comma = comma or index
                start = index + 1
            elif texts[index] == ":" and is_word(texts[index + 1]) and texts[index + 2] in (",", ")"):
                arms.append((" ".join(texts[start:index]), index + 1))
            index = self.pairs.get(index, index) + 1
        self.asked += texts[group + 1 : comma]
        chosen = chosen_by(texts[group + 1 : comma])
        if not chosen and len(arms) > 1:
            return [self._spelled("pointer", group - 1, paren, paren, arms[0][1])]
        fitting = [arm for arm in arms if arm[0] in chosen] or [arm for arm in arms if arm[0] == "default" and chosen]
        return [self._made("name", name, paren, name) for _, name in fitting or arms]

    @property
    def arms(self) -> frozenset[int]:
        """The indices of tokens that begin an arm of a choice by type: a macro there stands for whole arms."""
        texts = self.texts
        found: set[int] = set()
        if "_Generic" not in texts:
            return frozenset()
        for place, text in enumerate(texts[:-1]):
            index = place + 2
            while text == "_Generic" and index < self.pairs.get(place + 1, 0):
                if texts[index - 1] == ",":
                    found.add(index)
                index = self.pairs.get(index, index) + 1
        return frozenset(found)

    def _final_name(self, group: int, end: int) -> int | None:
        """The index of the one name that a group in parentheses comes to: `(f)`, `(&f)`, `(*f)`, `({ ...; f; })`."""
        texts = self.texts
        while True:
            start, stop = group + 1, end
            if texts[start] == "{" and self.pairs.get(start) == stop - 1:
                stop -= 1
                while stop > start and texts[stop - 1] == ";":
                    stop -= 1
                start = next((i + 1 for i in range(stop - 1, start, -1) if texts[i] in ";{}"), start + 1)
            while start < stop and texts[start] in "&*":
                start += 1
            if stop - start == 1:
                return start if texts[start].isidentifier() and texts[start] not in KEYWORDS else None
            if start < stop and texts[start] == "(" and self.pairs.get(start) == stop - 1:
                group, end = start, stop - 1
                continue
            return None

    def _start(self, last: int) -> int:
        """The first token of the postfix expression that ends at `last`."""
        texts = self.texts
        index = last
        while True:
            while texts[index] in (")", "]") and index in self.opens:
                group = self.opens[index]
                if group == 0:
                    return 0
                before = texts[group - 1]
                if before in (")", "]") or (is_word(before) and before not in KEYWORDS):
                    index = group - 1
                    continue
                index = group
                break
            if index >= 2 and texts[index - 1] in ("->", "."):
                index -= 2
                continue
            return index

    def _declared(self, name: int, paren: int) -> bool:
        """Whether `name (` declares or defines a function instead of calling it."""
        texts = self.texts
        index = name - 1
        while index >= 0 and (texts[index] == "*" or is_word(texts[index])):
            if texts[index] in _BEFORE_EXPRESSION:
                return False
            index -= 1
        first = index + 1
        if first == name:
            return False
        head = texts[first:name]
        if all(text == "*" for text in head):
            return False
        end = self.pairs.get(paren, paren)
        after = texts[end + 1] if end + 1 < len(texts) else ""
        if head[0] == "extern" or "extern" in head:
            stop = next((i for i in range(end, len(texts)) if texts[i] in ";{"), len(texts))
            if any("error" in text for text in texts[end:stop] if text[0] != '"'):
                self.stoppers.add(texts[name])
            return True
        if head[-1] != "*":
            return True  # two names in a row
        if index >= 0 and texts[index] not in ";{}":
            return False  # a product inside an expression
        typed = any(type_like(text) for text in head)
        return typed or (after in ("{", ";") and index >= 0)

    def _cleanup(self, paren: int) -> list[ExpandedCall]:
        texts = self.texts
        found = []
        for index in range(paren, self.pairs[paren] - 2):
            if texts[index] in ("cleanup", "__cleanup__") and texts[index + 1] == "(" and texts[index + 3] == ")":
                name = self.tokens[index + 2]
                found.append(ExpandedCall("cleanup", name[0], (), name[3], "cleanup", name[2]))
        return found

    def _made(self, kind: str, start: int, paren: int, name: int) -> ExpandedCall:
        end = paren
        while kind == "pointer" and self.texts[start] == "(" and peels(self.texts, self.pairs, start, end):
            start, end = start + 1, end - 1
        if kind == "pointer":
            start, end = last_statement(self.texts, self.pairs, start, end)
        else:
            start, end = name, name + 1
        return self._spelled(kind, start, end, paren, name)

    def _spelled(self, kind: str, start: int, end: int, paren: int, name: int) -> ExpandedCall:
        """A call of the tokens from `start` to `end`; those of the arguments begin at `paren`, `name` says where it
        was written."""
        token = self.tokens[name]
        written = token[3].kind
        if written == "arg" and self.tokens[paren][3].kind not in ("arg", "src"):
            written = "argname"
        return ExpandedCall(kind, spell(self.tokens[start:end]), self._args(paren), token[3], written, token[2])

    def _args(self, paren: int) -> tuple[str, ...]:
        texts = self.texts
        end = self.pairs[paren]
        args: list[str] = []
        start = index = paren + 1
        while index < end:
            if texts[index] == ",":
                args.append(spell(self.tokens[start:index]))
                start = index + 1
            index = self.pairs.get(index, index) + 1
        if start < end or args:
            args.append(spell(self.tokens[start:end]))
        return tuple(args)

"""The tokens of an expression, and the types in them that only a compiler knows and a reader guesses.

A type shows itself by its words (`struct`, `unsigned`), by two names in a row, by a star at the end, by a name that
is a type's by custom; a cast also by what follows it, because a name or a number cannot follow an expression.
"""

from __future__ import annotations

from collections.abc import Callable

from kread.parse.calls import type_like
from kread.parse.tokens import KEYWORDS, TYPE_WORDS, closing, glue, lex


class Unreadable(Exception):
    """The text at hand is no expression."""


class TokenText:
    """A text as tokens, with a place in it (`at`) and how deep the reader is (`depth`)."""

    __slots__ = ("at", "blanks", "depth", "is_type", "pairs", "texts")

    def __init__(self, text: str, is_type: Callable[[str], bool] | None) -> None:
        tokens = lex(text)
        self.texts = [token for _, token in tokens]
        self.blanks = [blank for blank, _ in tokens]
        self.pairs = closing(self.texts)
        self.texts.append("")
        self.blanks.append("")
        self.at = 0
        self.depth = 0
        self.is_type = is_type

    def spell(self, start: int, end: int) -> str:
        """Tokens as text, white space folded."""
        texts = self.texts
        pieces: list[str] = []
        for index in range(start, end):
            if pieces and (self.blanks[index] or glue(texts[index - 1], texts[index])):
                pieces.append(" ")
            pieces.append(texts[index])
        return "".join(pieces)

    def declares(self, start: int, end: int) -> bool:
        """`foo_t x`, `foo_t *x = y`: two names, stars between them at most."""
        texts = self.texts
        index = start
        while index < end and texts[index].isidentifier():
            index += 1
        names = index - start
        while index < end and texts[index] == "*":
            index += 1
        if index < end and texts[index].isidentifier() and names:
            index += 1
            names += 1
        return names > 1 and (index == end or texts[index] in ("=", "["))

    def split(self, start: int, end: int) -> list[tuple[int, int]]:
        """The pieces between commas."""
        texts, pairs = self.texts, self.pairs
        pieces: list[tuple[int, int]] = []
        index = start
        while index < end:
            text = texts[index]
            if text == ",":
                pieces.append((start, index))
                start = index + 1
            elif text in "([{":
                index = pairs.get(index, index)
            index += 1
        pieces.append((start, end))
        return pieces

    def casts(self, start: int, end: int, after: str) -> bool:
        """Whether `( start..end ) after` is a cast."""
        if not after or not self.reads_as_type(start, end):
            return False
        first = after[0]
        if first.isalnum() or first in "_$\"'":
            return True
        if first in "(~!" and after != "!=":
            return first != "(" or end - start > 1 or self.names_type(start)
        if after in ("-", "+", "&", "*", "++", "--", "&&"):
            return end - start > 1 or self.names_type(start)
        return False

    def names_type(self, index: int) -> bool:
        name = self.texts[index]
        return type_like(name) or (self.is_type is not None and self.is_type(name))

    def reads_as_type(self, start: int, end: int) -> bool:
        return start < end and self.type_end(start) == end

    def type_end(self, start: int) -> int:
        """The end of what reads as a type from `start` on; `start` itself if nothing does."""
        texts, pairs = self.texts, self.pairs
        index = start
        while True:
            text = texts[index]
            if text in ("typeof", "__typeof__", "__typeof", "__attribute__", "_Atomic") and index + 1 in pairs:
                index = pairs[index + 1] + 1
            elif text.isidentifier() and (text not in KEYWORDS or text in TYPE_WORDS):
                index += 1
            else:
                break
        if index == start:
            return start
        while True:
            text = texts[index]
            if text == "*" or (texts[index - 1] == "*" and text.isidentifier()):
                index += 1
            elif text == "(" and texts[index + 1] == "*" and texts[index + 2] == ")" and texts[index + 3] == "(":
                index = pairs.get(index + 3, len(texts)) + 1
            elif text == "[" and index in pairs and texts[index + 1] == "]":
                index += 2
            elif text == "[" and index in pairs and texts[start] in TYPE_WORDS:
                index = pairs[index] + 1
            else:
                break
            if index >= len(texts):
                return start
        names = index - start
        starred = "*" in texts[start + 1 : index]
        # `a * b` has a star inside, `foo_t *` ends with one; `a b` can only be a type
        if starred and texts[start] not in TYPE_WORDS and texts[index - 1] not in ("*", "]", ")"):
            return index if any(t in TYPE_WORDS for t in texts[start:index]) else start
        return index if names else start

    def end(self, start: int) -> int:
        end = self.pairs.get(start)
        if end is None:
            raise Unreadable
        return end

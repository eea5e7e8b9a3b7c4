"""What an invocation comes to as one text: one declaration a line, each once, each token with its origin.

An expansion is cut into declarations where C ends one, at a `;` or behind a function's body. Alternatives of a macro agree in
most of theirs, so what several have stands there once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from kread.parse.expansion import Token, spell
from kread.parse.tokens import RECORDS, glue

#: The tokens of a declaration, and whether it ends an expansion.
Part: TypeAlias = "tuple[list[Token], bool]"


class Snippet(NamedTuple):
    """The expansions of an invocation as one text, one declaration a line, each once.

    lines  -- the offset at which each line begins
    starts -- the offset at which each token begins
    last   -- the lines that end an expansion
    """

    text: str
    lines: list[int]
    starts: list[int]
    tokens: list[Token]
    last: frozenset[int]

    def token(self, line: int, column: int) -> Token:
        """The token at a place of the text."""
        offset = self.lines[line - 1] + column - 1
        return self.tokens[max(0, bisect_right(self.starts, offset) - 1)]


def parts_of(expansions: list[list[Token]]) -> list[Part]:
    """The declarations of all expansions, each once."""
    found: dict[tuple[str, tuple[tuple[str, ...], ...]], Part] = {}
    for tokens in expansions:
        declared = _declarations(tokens)
        for number, part in enumerate(declared, 1):
            found.setdefault(_key(spell(part), part), (part, number == len(declared)))
    return list(found.values())


def _key(text: str, part: list[Token]) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """What tells a declaration from others: its text, and the conditions of its tokens."""
    return text, tuple(dict.fromkeys([token[3].presences for token in part]))


def snippet_of(declared: Iterable[Part]) -> Snippet:
    """Declarations as one text: what arguments make equal stands there once."""
    seen: set[tuple[str, tuple[tuple[str, ...], ...]]] = set()
    pieces: list[str] = []
    lines: list[int] = []
    starts: list[int] = []
    kept: list[Token] = []
    last: set[int] = set()
    at = 0
    for part, ends in declared:
        text, places = _spelled(part)
        key = _key(text, part)
        if key in seen:
            continue
        seen.add(key)
        lines.append(at)
        if ends:
            last.add(len(lines))
        starts += [at + place for place in places]
        pieces.append(text)
        kept += part
        at += len(text) + 1
    return Snippet("\n".join(pieces), lines, starts, kept, frozenset(last))


def _declarations(tokens: list[Token]) -> list[list[Token]]:
    """The tokens of each declaration: up to a `;`, or a function body's `}`, outside brackets."""
    found: list[list[Token]] = []
    part: list[Token] = []
    depth = 0
    body = False
    for token in tokens:
        text = token[0]
        if text == "{" and depth == 0:
            body = bool(part) and part[-1][0] not in ("=", "union", "struct", "enum") and part[0][0] not in RECORDS
            body = body and any(before[0] == ")" for before in part)
        part.append(token)
        depth += {"{": 1, "}": -1, "(": 1, ")": -1}.get(text, 0)
        if depth == 0 and (text == ";" or (text == "}" and body)):
            found.append(part)
            part = []
            body = False
    return [*found, part] if part else found


def _spelled(tokens: list[Token]) -> tuple[str, list[int]]:
    """Tokens as text on one line, and where each begins."""
    pieces: list[str] = []
    starts: list[int] = []
    last = ""
    at = 0
    for text, space, _, _, _ in tokens:
        if last and (space or glue(last, text)):
            pieces.append(" ")
            at += 1
        starts.append(at)
        pieces.append(text)
        at += len(text)
        last = text
    return "".join(pieces), starts

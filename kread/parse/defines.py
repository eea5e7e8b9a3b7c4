"""What a file defines and includes: its `#define` and `#include` lines, as bytes give them.

Theory of operation: one regular expression walks the whole text and stops at comments, literals and the two
directives, so that a `#define` inside a comment or a string is none, and everything else passes at the speed of
the expression engine. A definition's end is its first line end that no backslash precedes; the comments in it and its
continuations are folded into single spaces. Any bytes are taken: what doesn't look like a definition is not one.

The condition under which a definition holds is not looked at here: conditional.py knows it by line.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Define(NamedTuple):
    """One `#define`. `params` is None for an object-like macro; a variadic one ends in "..." or "name...".

    `body` is on one line: continuations joined, comments removed, white space folded.
    """

    name: str
    params: tuple[str, ...] | None
    body: str
    line: int
    end_line: int


#: A directive's text: up to the first line end that is neither continued nor within a comment.
REST_OF_LINE = rb"[^\n\\/]*+(?>(?:(?:/\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)(?:\*/|\Z)|/|\\(?:\r?\n|.?))[^\n\\/]*+)*)"

#: Comments and literals come first, since they hide what stands in them.
_TOKEN = re.compile(
    rb"/\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)(?:\*/|\Z)"
    rb"|//[^\n\\]*+(?>(?:\\(?:\r?\n|.?)[^\n\\]*+)*)"
    rb"|\"(?>(?:[^\"\\\n]|\\(?:\r?\n|.?))*)\"?"
    rb"|'(?>(?:[^'\\\n]|\\.)*)'?"
    rb"|\#[ \t]*+(?:define[ \t]++(?P<define>" + REST_OF_LINE + rb")"
    rb"|include[ \t]*+(?P<include>\"[^\"\n]*+\"|<[^>\n]*+>)"
    rb"|" + REST_OF_LINE + rb")"
)
_COMMENT = re.compile(rb"/\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)\*/|\\\r?\n|//.*|(\"(?>(?:[^\"\\\n]|\\.)*)\")")
_HEAD = re.compile(r"([A-Za-z_]\w*)(?:\(([^()]*)\))?")


def _folded(found: re.Match[bytes]) -> bytes:
    return found.group(1) or b" "


def _define(text: bytes, line: int) -> Define | None:
    lines = 0
    if b"\\" in text or b"/" in text:
        lines = text.count(b"\n")
        text = _COMMENT.sub(_folded, text)
    head = _HEAD.match(text.decode("utf-8", "replace"))
    if head is None:
        return None
    name, params = head.groups()
    listed: tuple[str, ...] | None = None
    if params is not None:
        listed = tuple(param for param in ("".join(part.split()) for part in params.split(",")) if param)
    return Define(name, listed, " ".join(head.string[head.end() :].split()), line, line + lines)


def defines(text: bytes) -> list[Define]:
    """Every definition in `text`, in its order."""
    found: list[Define] = []
    line, place = 1, 0
    if b"define" not in text:
        return found
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "define":
            start = token.start()
            line += text.count(b"\n", place, start)
            place = start
            define = _define(token.group("define"), line)
            if define is not None:
                found.append(define)
    return found


class Include(NamedTuple):
    """One `#include`: the name, whether it stands in quotes, and its line."""

    name: str
    quoted: bool
    line: int


def includes(text: bytes) -> list[Include]:
    """Every `#include` in `text`, in its order."""
    if b"include" not in text:
        return []
    found = []
    line, place = 1, 0
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "include":
            line += text.count(b"\n", place, token.start())
            place = token.start()
            name = token.group("include").decode("utf-8", "replace")
            found.append(Include(name[1:-1], name[0] == '"', line))
    return found

"""The first step of preparation: comments, literals and directives lose their content, at the same length.

Theory of operation: what stands in comments and literals only misleads the steps that follow (a brace in a
string, a macro's name in a comment), so comments become spaces and the inside of literals becomes underscores.
Directives become spaces too, and are returned as a list, because the next step chooses between their branches. Line
ends stay where they are, always.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kread.parse.defines import REST_OF_LINE


class Directive(NamedTuple):
    """A directive that was blanked: its extent, its keyword and the rest of its line."""

    start: int
    end: int
    keyword: bytes
    rest: bytes


_TOKEN = re.compile(
    rb"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)"
    rb"|//[^\n\\]*+(?:\\(?:\r?\n|.?)[^\n\\]*+)*+"
    rb"|\"[^\"\\\n]*+(?:\\(?:\r?\n|.?)[^\"\\\n]*+)*+\"?"
    rb"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'?"
    rb"|\#[ \t]*+(?P<keyword>[a-z]++)?(?P<rest>" + REST_OF_LINE + rb")"
    rb"|\\\r?\n"
)
_SPACES = bytes(10 if byte == 10 else 32 for byte in range(256))
_FILLING = bytes(10 if byte == 10 else 95 for byte in range(256))
_COMMENT = re.compile(rb"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/|//.*+|\\\r?\n", re.S)


def spaces(text: bytes) -> bytes:
    """`text` with every byte but the line ends made a space."""
    return text.translate(_SPACES)


def without_comments(text: bytes) -> bytes:
    """The rest of a directive without its comments and continuations, on one line."""
    if b"/" in text or b"\\" in text:
        text = _COMMENT.sub(b" ", text)
    return text.strip()


def _literal(text: bytes) -> bytes:
    quote = text[:1]
    if len(text) < 2 or text[-1:] != quote:
        return text.translate(_SPACES)
    if quote == b"'":
        return b"'" + text[1:-1].translate(_FILLING) + b"'" if len(text) > 2 else b" 0"
    inside = text[1:-1].translate(_FILLING)
    if b"\n" not in inside:
        return b'"' + inside + b'"'
    # A literal that goes on over a line end becomes several, which C joins again.
    parts = [part if index == 0 else part[1:] for index, part in enumerate(inside.split(b"\n"))]
    last = len(parts) - 1
    shown = []
    for index, part in enumerate(parts):
        opening = b'"'
        if index < last:
            part = part[:-1]
        shown.append(opening + part + b'"')
    text_back = b"\n".join(shown)
    return text_back if len(text_back) == len(text) else text.translate(_SPACES)


def blank(text: bytes) -> tuple[bytes, list[Directive]]:
    """The text without the content of comments, literals and directives, and the conditional directives."""
    found: list[Directive] = []

    def replace(token: re.Match[bytes]) -> bytes:
        shown: bytes = token.group()
        first = shown[0]
        if first == 34 or first == 39:
            return _literal(shown)
        if first == 35:
            keyword = token.group("keyword") or b""
            if keyword in _CONDITIONAL:
                found.append(Directive(token.start(), token.end(), keyword, token.group("rest")))
        return shown.translate(_SPACES)

    return _TOKEN.sub(replace, text), found


_CONDITIONAL = frozenset((b"if", b"ifdef", b"ifndef", b"elif", b"elifdef", b"elifndef", b"else", b"endif"))

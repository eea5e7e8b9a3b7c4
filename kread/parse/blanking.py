"""The first step of preparation: comments, literals and directives lose their content, at the same length.

Theory of operation: what stands in comments and literals only misleads the steps that follow (a brace in a
string, a macro's name in a comment), so comments become spaces and the inside of literals becomes underscores.
Directives become spaces too: what they ask is known from conditional.py. Line ends stay where they are, always.
"""

from __future__ import annotations

import re

from kread.parse.defines import REST_OF_LINE

_TOKEN = re.compile(
    rb"/\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)(?:\*/|\Z)"
    rb"|//[^\n\\]*+(?>(?:\\(?:\r?\n|.?)[^\n\\]*+)*)"
    rb"|\"[^\"\\\n]*+(?>(?:\\(?:\r?\n|.?)[^\"\\\n]*+)*)\"?"
    rb"|'[^'\\\n]*+(?>(?:\\.[^'\\\n]*+)*)'?"
    rb"|\#" + REST_OF_LINE + rb"|\\\r?\n"
)
_SPACES = bytes(10 if byte == 10 else 32 for byte in range(256))
_FILLING = bytes(10 if byte == 10 else 95 for byte in range(256))


def spaces(text: bytes) -> bytes:
    """`text` with every byte but the line ends made a space."""
    return text.translate(_SPACES)


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


def _replaced(token: re.Match[bytes]) -> bytes:
    shown = token.group()
    return _literal(shown) if shown[0] in b"\"'" else shown.translate(_SPACES)


def blank(text: bytes) -> bytes:
    """The text without the content of comments, literals and directives."""
    return _TOKEN.sub(_replaced, text)

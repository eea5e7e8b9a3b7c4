"""C source cut into coloured pieces, one line at a time, for the terminal and the page.

Theory of operation: one regular expression of alternatives, tried at each place; what none matches is plain. A line
is looked at alone: a line that can only be the inside of a comment (it begins with a star, as the kernel's style has
it) is one. Pieces joined give the line back, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORDS = (
    "break case const continue default do else enum extern for goto if inline register restrict return sizeof static "
    "struct switch typedef typeof union volatile while"
)
_TYPES = (
    "auto bool char double float int long short signed unsigned void "
    "u8 u16 u32 u64 s8 s16 s32 s64 __be16 __be32 __le16 __le32 __u8 __u16 __u32 __u64 size_t ssize_t"
)

_PIECE = re.compile(
    r"(?P<comment>/\*.*?(?:\*/|$)|//.*$)"
    r"|(?P<string>\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?|<[\w/.-]+\.h>)"
    r"|(?P<preproc>^\s*#\s*\w+)"
    r"|(?P<number>\b(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b)"
    rf"|(?P<keyword>\b(?:{'|'.join(_WORDS.split())})\b)"
    rf"|(?P<type>\b(?:{'|'.join(_TYPES.split())})\b)"
    r"|(?P<word>\w+)"
)
_INSIDE_COMMENT = re.compile(r"^\s*\*(?:\s|/|$)")


def pieces(line: str) -> Iterator[tuple[str, str]]:
    """(kind, text) for each piece of a line; the kind is "" for what has no colour."""
    if _INSIDE_COMMENT.match(line):
        yield "comment", line
        return
    done = 0
    for match in _PIECE.finditer(line):
        if match.lastgroup == "word":
            continue
        if match.start() > done:
            yield "", line[done : match.start()]
        yield match.lastgroup or "", match.group()
        done = match.end()
    if done < len(line):
        yield "", line[done:]

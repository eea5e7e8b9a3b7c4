"""Balanced brackets by regular expression, for the steps of preparation.

Theory of operation: a bracket that closes is found by an expression that nests to a fixed depth with possessive
repeats, so it runs at the engine's speed and never backtracks. Deeper text does not match and is left alone: the
parser then meets it as it was written.
"""

from __future__ import annotations

import re

#: Parentheses nest about this deep in kernel C (measured on 6.12's net/: 11); each level lengthens the expression.
NESTING = 14


def _nested(opening: bytes, closing: bytes) -> bytes:
    pattern = b"[^" + opening + closing + b"]*+"
    for _ in range(NESTING):
        pattern = b"[^%b]*+(?>(?:\\%b%b\\%b[^%b]*+)*)" % (
            opening + closing,
            opening,
            pattern,
            closing,
            opening + closing,
        )
    return b"\\" + opening + pattern + b"\\" + closing


#: A parenthesis with what it encloses.
PARENS = _nested(b"(", b")")
#: Braces with what they enclose.
BRACES = _nested(b"{", b"}")

_BRACKET = re.compile(rb"[()]")


def closing(text: bytes, start: int) -> int:
    """The offset behind the parenthesis that closes the one at `start`, at any depth; -1 when none does."""
    depth = 0
    for found in _BRACKET.finditer(text, start):
        depth += 1 if found.group() == b"(" else -1
        if depth == 0:
            return found.end()
    return -1


_SPLITTER = re.compile(rb"[()\[\]{},]")


def split(args: bytes) -> list[tuple[int, int]]:
    """The extents of the arguments in `args`, which is a parenthesis with what it encloses."""
    parts = []
    depth, start = 0, 1
    for found in _SPLITTER.finditer(args):
        mark = found.group()
        if mark == b"," and depth == 1:
            parts.append((start, found.start()))
            start = found.end()
        elif mark in b"([{":
            depth += 1
        elif mark in b")]}":
            depth -= 1
    parts.append((start, len(args) - 1))
    return parts

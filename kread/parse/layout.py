"""How a prepared text lies: its outermost braces and what stands between them.

Theory of operation: the braces are walked once. What lies between two outermost pairs of braces is file scope, and
what stands before a brace says what it opens: `)` a function's body, `=` an initialiser, `struct x` a record. A
brace inside a parenthesis at file scope belongs to the arguments of a macro, and is no block of its own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kread.parse.brackets import BRACES, closing


class Block(NamedTuple):
    """An outermost pair of braces: [start, end) with both braces; `kind` is "body", "record", "enum" or "table"."""

    start: int
    end: int
    kind: str


_BLOCK = re.compile(BRACES)
_BRACE = re.compile(rb"[{}]")
_RECORD = re.compile(rb"\b(struct|union|enum)\b(?:\s+\w+)*(?:\s*:\s*\w+)?\s*\Z")


def _kind(lead: bytes) -> str:
    lead = lead[-_LEAD:].rstrip()
    last = lead[-1:]
    if last == b")":
        return "body"
    if last == b"=":
        return "table"
    found = _RECORD.search(lead)
    if found is None:
        return "body"
    return "enum" if found.group(1) == b"enum" else "record"


#: How much of the text before a brace tells what it opens.
_LEAD = 300


def blocks(text: bytes) -> list[Block]:
    """The outermost blocks, in order. One that nothing closes ends with the text."""
    found = []
    behind = 0
    place = text.find(b"{")
    while place >= 0:
        lead = text[behind:place]
        if lead.count(b"(") > lead.count(b")"):
            skip = _argument_end(text, behind, place)
            if skip > place:
                place = text.find(b"{", skip)
                continue
        whole = _BLOCK.match(text, place)
        end = whole.end() if whole is not None else _end(text, place)
        found.append(Block(place, end, _kind(lead)))
        behind = end
        place = text.find(b"{", end)
    return found


def _end(text: bytes, start: int) -> int:
    """Behind the brace that closes the one at `start`, at any depth."""
    depth = 0
    for found in _BRACE.finditer(text, start):
        depth += 1 if found.group() == b"{" else -1
        if depth == 0:
            return found.end()
    return len(text)


def _argument_end(text: bytes, start: int, place: int) -> int:
    """Behind the parenthesis that is open at `place`, which was opened after `start`."""
    stack = []
    for found in re.finditer(rb"[()]", text[start:place]):
        if found.group() == b"(":
            stack.append(found.start())
        elif stack:
            stack.pop()
    return closing(text, start + stack[0]) if stack else -1

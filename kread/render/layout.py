"""Rows of text that never overflow: a word, a text that wraps under itself, and a place at the right edge.

Theory of operation: every line of kread's terminal output is one Row. Width is measured on the plain text, before
colour and hyperlinks are put round it. A long text is broken at spaces, before && and || where there are any, and
goes on under its own beginning; its place stands on the first line, so that the eye finds all places in one column. A
place that would break a word, or leave the text less than a third of the line, gets a line of its own; so does that of
a title which fills its line.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kread.render.style import PLAIN, Style

if TYPE_CHECKING:
    from kread.render.links import LinkMaker

#: Narrower than this nothing can be laid out; the text is then laid out as if it were this wide.
NARROWEST = 40
#: Blanks between a text and its place.
GAP = 2

#: Where a condition is best broken: before an operator, and before what happens otherwise.
_OPERATOR = re.compile(r" (&&|\|\||  else) ")


@dataclass(frozen=True, slots=True)
class Row:
    """One line before it is laid out.

    indent -- blanks before `word`
    hang   -- more blanks before the lines after the first
    word   -- "if", "by", ... ("" = none), padded to `column`
    text   -- what wraps
    place  -- what stands at the right edge ("" = nothing)
    role   -- the role of the text ("code" = C, highlighted); `word_role` that of the word
    file, line -- what the place links to ("" = nothing)
    text_link -- whether the text itself links to the cross-reference
    """

    text: str
    indent: int = 0
    hang: int = 0
    word: str = ""
    column: int = 0
    place: str = ""
    role: str = ""
    word_role: str = ""
    file: str = ""
    line: int = 0
    text_link: bool = False


def wrap(text: str, width: int) -> list[str]:
    """The lines of `text`, none wider than `width`; broken before && and || where that helps."""
    if len(text) <= width:
        return [text]
    lines: list[str] = []
    current = ""
    parts = _OPERATOR.split(text)
    pieces = [parts[0], *(f"{parts[i]} {parts[i + 1]}" for i in range(1, len(parts), 2))]
    for piece in pieces:
        if current and len(current) + 1 + len(piece) <= width:
            current += " " + piece
            continue
        if current:
            lines.append(current.lstrip())
        *full, current = textwrap.wrap(piece.lstrip(), width, break_on_hyphens=False, break_long_words=True) or [""]
        lines += full
    return [*lines, current.lstrip()]


@dataclass(frozen=True, slots=True)
class Layout:
    """Lays rows out at a width, in a style, with hyperlinks where there is a link maker."""

    width: int = 80
    style: Style = PLAIN
    links: LinkMaker | None = None

    @property
    def columns(self) -> int:
        return max(self.width, NARROWEST)

    def lines(self, row: Row) -> list[str]:
        """The lines that a row makes, without trailing blanks."""
        lead = row.indent + max(row.column, len(row.word) + 1 if row.word else 0)
        place = row.place
        room = self.columns - lead - (len(place) + GAP if place else 0)
        longest = max(map(len, row.text.split()), default=0)
        apart = bool(place) and (longest > room or room < min(len(row.text), (self.columns - lead) // 3))
        apart = apart or (bool(place) and row.role == "title" and len(row.text) > room)
        if apart:
            room = self.columns - lead
        texts = wrap(row.text, max(room - row.hang, NARROWEST // 4)) if len(row.text) > room else [row.text]
        out = []
        for number, text in enumerate(texts):
            head = " " * row.indent + row.word if number == 0 else ""
            painted = " " * row.indent + self._word(row) if head.strip() else ""
            body = self._painted(row, text)
            line = painted + " " * (lead - len(head) if head.strip() else lead + (row.hang if number else 0)) + body
            if number == 0 and place and not apart:
                line += " " * (self.columns - lead - len(text) - len(place)) + self._place(row)
            out.append(line)
        if apart:
            out.append(" " * max(self.columns - len(place), 0) + self._place(row))
        return [line.rstrip() for line in out]

    def _word(self, row: Row) -> str:
        """The word of a row; beside a line of code it is the line's number, which leads to git web."""
        painted = self.style.paint(row.word_role or row.role, row.word)
        linked = row.role == "code" and row.file
        return self.links.to_git(painted, row.file, row.line) if self.links and linked else painted

    def _place(self, row: Row) -> str:
        painted = self.style.paint("place", row.place)
        return self.links.to_file(painted, row.file, row.line) if self.links and row.file else painted

    def _painted(self, row: Row, text: str) -> str:
        if row.role == "code" and self.style.color:
            from kread.render.highlight import pieces

            return "".join(self.style.paint(kind, piece) for kind, piece in pieces(text))
        painted = self.style.paint(row.role, text)
        return self.links.to_reference(painted, row.file, row.line) if self.links and row.text_link else painted

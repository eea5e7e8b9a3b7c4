"""From a file as written to texts of the same length that a C parser reads without stumbling.

Theory of operation: kernel C is C after the preprocessor; before it, tree-sitter stumbles in nearly every file. So
each file is rewritten, byte for byte at the same length and with its line ends where they were, in steps:
    blanking   -- comments, literals and directives lose their content;
    branches   -- of alternatives that can't stand side by side one is kept; the others go into variants;
    macros     -- annotations become spaces, loop heads become `while`, as the release's own definitions say;
    rewriting  -- what is left of macros at file scope, in bodies and in records becomes what C has there.
Line and column of every fact stay true, and its wording is taken from the file as written. Nothing is ever refused:
text that is no C comes out as some text of the same length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from kread.parse import branches
from kread.parse.blanking import blank, spaces
from kread.parse.conditional import Conditions
from kread.parse.layout import blocks
from kread.parse.macro_table import HEADS, MacroTable
from kread.parse.rewriting import Invocation, body
from kread.parse.rewriting import table as table_values
from kread.parse.scope import Scope, enumeration, local_records, record
from kread.parse.words import assembler, by_name, fixed_word, fixed_words
from kread.parse.words import words as words_of

#: Texts of one file. The files of 6.12 need five at most; one that asks for more than this is no source to be read.
MOST_TEXTS = 64


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file made ready for the parser.

    text          -- the primary text, as long as the file
    code          -- the file without the content of comments, literals and directives
    variants      -- further texts, each with other branches; blank but for the declarations around them
    variant_lines -- for each variant the lines that no text before it shows: (first, last), inclusive
    made          -- heads of functions that macros make: at `start` a function of no parameters is declared instead
    invocations   -- other macros used as declarations or members, blanked or rewritten
    annotations   -- annotations with arguments, blanked
    complete      -- False when the file has more alternatives than MOST_TEXTS shows
    """

    text: bytes
    code: bytes
    variants: tuple[bytes, ...] = ()
    variant_lines: tuple[tuple[tuple[int, int], ...], ...] = ()
    made: tuple[Invocation, ...] = ()
    invocations: tuple[Invocation, ...] = ()
    annotations: tuple[Invocation, ...] = ()
    complete: bool = True


def prepare(text: bytes, table: MacroTable, conditions: Conditions) -> Prepared:
    """`text` rewritten so that it parses, with what was learned on the way."""
    code = blank(text)
    top = branches.groups(conditions, len(text))
    count = branches.mark(code, top)
    scope = Scope()
    present = words_of(code)
    kinds = table.kinds
    words = {word.encode(): kinds[word] for word in present & kinds.keys()}
    fixed = fixed_words(present)
    extents: list[tuple[int, int]] = []
    branches.dropped(top, 0, extents)
    plain = branches.without(code, extents)
    primary = _rewritten(plain, table, words, fixed, scope)
    variants, lines = [], []
    if count > 1:
        starts = _line_starts(text)
        items = _Items(plain)
        for number in range(1, min(count, MOST_TEXTS)):
            fresh: list[tuple[int, int]] = []
            branches.added(top, number, fresh)
            if fresh:
                variants.append(_rewritten(_variant(code, top, number, fresh, items), table, words, fixed, scope))
                lines.append(_lines(fresh, starts))
    return Prepared(
        primary,
        code,
        tuple(variants),
        tuple(lines),
        tuple(dict.fromkeys(scope.made)),
        tuple(dict.fromkeys(scope.invocations)),
        tuple(dict.fromkeys(scope.annotations)),
        count <= MOST_TEXTS,
    )


def _line_starts(text: bytes) -> list[int]:
    starts = [0]
    starts.extend(found.end() for found in re.finditer(rb"\n", text))
    return starts


def _lines(extents: list[tuple[int, int]], starts: list[int]) -> tuple[tuple[int, int], ...]:
    """The lines inside branches: a branch begins at the end of its directive's line."""
    found = []
    for start, end in extents:
        first, last = bisect_right(starts, start) + 1, bisect_right(starts, end) - 1
        if first <= last:
            found.append((first, last))
    return tuple(found)


class _Items:
    """Finds the declaration around a place, in a text whose blocks are known."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self.blocks = blocks(plain)
        self.ends = [block.end for block in self.blocks]

    def start(self, place: int) -> int:
        """Where the declaration around `place` begins: behind a `;` or a body."""
        index = bisect_right(self.ends, place)
        upto = min(place, self.blocks[index].start) if index < len(self.blocks) else place
        while index:
            block = self.blocks[index - 1]
            cut = self.plain.rfind(b";", block.end, upto)
            if cut >= 0:
                return cut + 1
            if block.kind == "body":
                return block.end
            index -= 1
            upto = block.start
        return self.plain.rfind(b";", 0, upto) + 1

    def end(self, place: int) -> int:
        """Where the declaration around `place` has ended."""
        index = bisect_right(self.ends, place)
        while index < len(self.blocks):
            block = self.blocks[index]
            if place <= block.start:
                cut = self.plain.find(b";", place, block.start)
                if cut >= 0:
                    return cut + 1
            place = block.end
            if block.kind == "body":
                return place
            index += 1
        return self.plain.find(b";", place) + 1 or len(self.plain)


def _variant(code: bytes, top: list[branches.Group], number: int, fresh: list[tuple[int, int]], items: _Items) -> bytes:
    """The declarations around the branches that this variant adds, with its choice of branches."""
    extents: list[tuple[int, int]] = []
    branches.dropped(top, number, extents)
    chosen = branches.without(code, extents)
    shown = bytearray(spaces(code))
    for start, end in fresh:
        first, last = items.start(start), items.end(end)
        shown[first:last] = chosen[first:last]
    return bytes(shown)


def _rewritten(
    code: bytes, table: MacroTable, words: dict[bytes, str], fixed: re.Pattern[bytes] | None, scope: Scope
) -> bytes:
    spelled = assembler(code, words)
    if spelled != code:
        code, fixed = spelled, fixed_words(None)
    if fixed is not None:
        code = fixed.sub(fixed_word, code)
    code = by_name(code, words, scope.annotations)
    heads = {word: kind.encode() for word, kind in words.items() if kind in HEADS}
    pieces = []
    place = 0
    behind = ""
    for block in blocks(code):
        pieces.append(scope.between(code, place, block.start, behind, block.kind))
        inside = code[block.start : block.end]
        if block.kind == "body":
            inside = body(inside, heads)
            if b"struct" in inside or b"union" in inside:
                inside = local_records(inside, block.start, table, words, scope)
        elif block.kind == "record":
            inside = record(inside, block.start, table, words, scope)
        elif block.kind == "enum":
            inside = enumeration(inside)
        else:
            inside = table_values(inside)
        pieces.append(inside)
        place, behind = block.end, block.kind
    pieces.append(scope.between(code, place, len(code), behind, ""))
    return b"".join(pieces)

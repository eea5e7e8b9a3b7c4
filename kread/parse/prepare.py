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
from kread.parse.brackets import PARENS
from kread.parse.conditional import Conditions
from kread.parse.layout import blocks
from kread.parse.macro_table import (
    ASSEMBLER,
    ASSEMBLER_CALL,
    FRAGMENT,
    HEADS,
    STRONG,
    STRONG_CALL,
    WEAK,
    WEAK_CALL,
    MacroTable,
)
from kread.parse.rewriting import Invocation, before, body, head
from kread.parse.scope import Scope, enumeration, record, table_values


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file made ready for the parser.

    text          -- the primary text, as long as the file
    variants      -- further texts, each with other branches; blank but for the declarations around them
    variant_lines -- for each variant the lines that no text before it shows: (first, last), inclusive
    made          -- heads of functions that macros make: at `start` a function of no parameters is declared instead
    invocations   -- other macros used as declarations or members, blanked or rewritten
    annotations   -- annotations with arguments, blanked
    """

    text: bytes
    variants: tuple[bytes, ...] = ()
    variant_lines: tuple[tuple[tuple[int, int], ...], ...] = ()
    made: tuple[Invocation, ...] = ()
    invocations: tuple[Invocation, ...] = ()
    annotations: tuple[Invocation, ...] = ()


def prepare(text: bytes, table: MacroTable, conditions: Conditions) -> Prepared:
    """`text` rewritten so that it parses, with what was learned on the way."""
    code = blank(text)
    top = branches.groups(conditions, len(text))
    count = branches.mark(code, top)
    scope = Scope()
    words = _words(code, table)
    extents: list[tuple[int, int]] = []
    branches.dropped(top, 0, extents)
    plain = branches.without(code, extents)
    primary = _rewritten(plain, table, words, scope)
    variants, lines = [], []
    if count > 1:
        starts = _line_starts(text)
        cuts = _cuts(plain)
        for number in range(1, count):
            fresh: list[tuple[int, int]] = []
            branches.added(top, number, fresh)
            if fresh:
                variants.append(_rewritten(_variant(code, top, number, fresh, cuts), table, words, scope))
                lines.append(_lines(fresh, starts))
    return Prepared(
        primary,
        tuple(variants),
        tuple(lines),
        tuple(dict.fromkeys(scope.made)),
        tuple(dict.fromkeys(scope.invocations)),
        tuple(dict.fromkeys(scope.annotations)),
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


def _cuts(plain: bytes) -> list[int]:
    """Offsets at which one declaration has ended and the next one not begun."""
    cuts = [0]
    place = 0
    for block in blocks(plain):
        cuts.extend(found.end() for found in re.finditer(rb";", plain[place : block.start])) if place == 0 else None
        if place:
            cuts.extend(place + found.end() for found in re.finditer(rb";", plain[place : block.start]))
        if block.kind == "body":
            cuts.append(block.end)
        place = block.end
    cuts.extend(place + found.end() for found in re.finditer(rb";", plain[place:]))
    cuts.append(len(plain))
    return cuts


def _variant(
    code: bytes, top: list[branches.Group], number: int, fresh: list[tuple[int, int]], cuts: list[int]
) -> bytes:
    """The declarations around the branches that this variant adds, with its choice of branches."""
    extents: list[tuple[int, int]] = []
    branches.dropped(top, number, extents)
    chosen = branches.without(code, extents)
    shown = bytearray(spaces(code))
    for start, end in fresh:
        first = cuts[bisect_right(cuts, start) - 1]
        after = bisect_right(cuts, end)
        last = cuts[after] if after < len(cuts) else len(code)
        shown[first:last] = chosen[first:last]
    return bytes(shown)


# Macros by name

_NO_WORD = bytes(byte if chr(byte).isalnum() and byte < 128 or byte == 95 else 32 for byte in range(256))


def _words(code: bytes, table: MacroTable) -> dict[bytes, str]:
    """The names in a file that the table has a kind for."""
    kinds = table.kinds
    found = {}
    for word in set(code.translate(_NO_WORD).split()):
        kind = kinds.get(word.decode())
        if kind is not None:
            found[word] = kind
    return found


def _rewritten(code: bytes, table: MacroTable, words: dict[bytes, str], scope: Scope) -> bytes:
    assembler = [word for word, kind in words.items() if kind == ASSEMBLER]
    if assembler:
        code = re.sub(rb"\b(?:" + b"|".join(assembler) + rb")\b", lambda found: b"asm".ljust(len(found.group())), code)
    code = _fixed_words(code, scope)
    if words:
        code = _by_name(code, words, scope)
    heads = {word: kind.encode() for word, kind in words.items() if kind in HEADS}
    pieces = []
    place = 0
    behind = ""
    for block in blocks(code):
        pieces.append(scope.between(code, place, block.start, behind, block.kind))
        inside = code[block.start : block.end]
        if block.kind == "body":
            inside = body(inside, heads)
        elif block.kind == "record":
            inside = record(inside, block.start, table, words, scope)
        elif block.kind == "enum":
            inside = enumeration(inside)
        else:
            inside = table_values(body(inside, heads))
        pieces.append(inside)
        place, behind = block.end, block.kind
    pieces.append(scope.between(code, place, len(code), behind, ""))
    return b"".join(pieces)


_FIXED = re.compile(
    rb"\b(?:(?P<attribute>__attribute__|__attribute|__declspec|_Alignas)"
    rb"|(?P<asm>(?:asm|__asm__|__asm)(?:\s+(?:volatile|__volatile__|goto|inline))*+)"
    rb"|(?P<typeof>typeof|__typeof__|__typeof|typeof_unqual|__typeof_unqual__))\s*"
    + PARENS
    + rb"|\b(?P<keyword>(?:__alignof__|__alignof|alignof|_Alignof|offsetof|__builtin_offsetof)\b)"
    rb"|\b(?P<word>__signed__|__signed|auto)\b"
)


def _fixed_words(code: bytes, scope: Scope) -> bytes:
    """Attributes and assembler become spaces, `typeof(...)` a type's name."""

    def replace(found: re.Match[bytes]) -> bytes:
        shown = found.group()
        if found.lastgroup == "word":
            return b"Auto" if shown == b"auto" else b"signed".ljust(len(shown))
        if found.lastgroup == "keyword":
            return b"X" + shown[1:]  # the grammar knows these words, and takes less behind them than the compiler
        if found.lastgroup != "typeof":
            return spaces(shown)
        return b"typeof_" + spaces(shown[7:]) if b"\n" in shown else b"typeof".ljust(len(shown), b"_")

    return _FIXED.sub(replace, code)


def _by_name(code: bytes, words: dict[bytes, str], scope: Scope) -> bytes:
    """Annotations become spaces, heads become `while` or `if`."""
    named = [word for word, kind in words.items() if kind in _REPLACED]
    if not named:
        return code
    pattern = re.compile(rb"\b(" + b"|".join(sorted(named, reverse=True)) + rb")\b(\s*" + PARENS + rb")?")
    kinds = {word: words[word] for word in named}

    def replace(found: re.Match[bytes]) -> bytes:
        word, args = found.group(1), found.group(2)
        kind = kinds[word]
        shown = found.group()
        ahead = before(code, found.start())
        last = ahead[-1:]
        if last == b"." or ahead[-2:] == b"->":
            return shown
        follows = code[found.end() : found.end() + 80].lstrip()[:1]
        if kind in HEADS:
            if args is None or last in _BEFORE_VALUE or (follows in _AFTER_VALUE and last not in _STATEMENT_ENDS):
                return shown
            return head(kind.encode(), shown, len(args.lstrip()))
        if kind == FRAGMENT:
            return shown if last in (b"(", b",") and follows in (b",", b")") else spaces(word) + (args or b"")
        if kind in (STRONG, WEAK):
            if kind == WEAK and not (last in _BEFORE_WORD or follows in _STARTS_WORD):
                return shown
            return spaces(word) + (args or b"") if args else spaces(word)
        if args is None:
            return shown
        if kind == ASSEMBLER_CALL:
            return spaces(shown)
        if kind == WEAK_CALL and follows == b";" and (last in b";{}:" or (last == b")" and word[:2] != b"__")):
            return shown
        if kind == WEAK_CALL and follows in (b"{", b";") and last in _BEFORE_WORD and last not in b")]":
            return shown  # the definition of the function whose stub the macro is
        scope.annotations.append(Invocation(found.start(), found.end(), word, args.strip()))
        return spaces(shown)

    return pattern.sub(replace, code)


_REPLACED = frozenset((STRONG, WEAK, STRONG_CALL, WEAK_CALL, FRAGMENT, ASSEMBLER_CALL, *HEADS))
_AFTER_VALUE = frozenset(b",)=.-[?:<>!&|+/%^]"[i : i + 1] for i in range(16))
_STATEMENT_ENDS = (b";", b"{", b"}", b")")
_BEFORE_VALUE = frozenset(b"(,=&*+-!<>|?"[i : i + 1] for i in range(12))
_WORD_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"
_BEFORE_WORD = frozenset(bytes((byte,)) for byte in _WORD_BYTES + b"*)]")
_STARTS_WORD = frozenset(bytes((byte,)) for byte in _WORD_BYTES + b"*{")

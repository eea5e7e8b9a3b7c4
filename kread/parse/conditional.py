"""The preprocessor conditionals of a C file: which condition each line stands under.

Theory of operation. One bytes regular expression finds the directives #if ... #endif by their `#`, which is rare in
C. Whether a candidate lies in a comment is decided by the last `/*` and `*/` since the directive before it; only where
these leave a doubt are the file's comments and strings scanned. The directives are then matched with a stack into a
tree of groups, each with its branches, and the branches into regions of lines with one presence condition. A line
that holds a directive has the condition of the group around it.

An include guard is no condition: the group that asks for a name not yet defined and defines it first thing,
with nothing but comments and other directives before it, has the presence of what else it asks (mostly nothing).

Text that is no C makes no error: a stray #else or #endif is listed and otherwise ignored, an open group ends
with the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kread import presence

_BLANK = b" \t\f\v\r"
_DIRECTIVE = re.compile(
    rb"#[ \t]*(ifdef|ifndef|if|elifdef|elifndef|elif|else|endif)\b"
    rb"((?>(?:[^\\/\n]++|\\\r?\n|/\*.*?(?:\*/|\Z)|//(?>(?:[^\\\n]++|\\\r?\n|\\)*)|[\\/])*))",
    re.S,
)
_LEXICAL = re.compile(
    rb"/\*.*?(?:\*/|\Z)|//(?>(?:[^\\\n]++|\\\r?\n|\\)*)"
    rb"|\"(?>(?:[^\"\\\n]++|\\\r?\n|\\.)*)\"|'(?>(?:[^'\\\n]++|\\\r?\n|\\.)*)'",
    re.S,
)
_PREAMBLE = re.compile(
    rb"(?>(?:\s++|/\*.*?\*/|//[^\n]*+|#[ \t]*+(?!if|el|end)(?>(?:[^\\/\n]++|\\\r?\n|/\*.*?(?:\*/|\Z)|[\\/])*))*)", re.S
)
_DEFINE = re.compile(rb"(?>(?:\s++|/\*.*?\*/|//[^\n]*+)*)#[ \t]*define[ \t]+(\w+)[ \t]*+([^\n]*+)", re.S)
_REST = re.compile(rb"(?>(?:\s++|/\*.*?\*/|//[^\n]*+)*)\Z", re.S)
_UNDEFINED = re.compile(r"!\s*defined\s*\(?\s*(\w+)\s*\)?")
_COMMENT = re.compile(rb"/\*.*?(?:\*/|\Z)|//[^\n]*", re.S)


class Directive(NamedTuple):
    """A conditional directive, with its continued lines and comments.

    kind       -- "if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else" or "endif"
    expression -- what it asks, as written ("" for else and endif)
    line, end_line -- its lines
    begin, end -- its bytes, from the start of its first line to the line end (exclusive) of its last
    """

    kind: str
    expression: str
    line: int
    end_line: int
    begin: int
    end: int


class Branch(NamedTuple):
    """The lines between two directives of a group.

    condition -- when this branch is taken, within the group: its own question and no earlier one
    presence  -- `condition` with that of the groups around it
    first_line, last_line -- the body; last_line < first_line where it is empty
    groups    -- the groups in the body
    """

    directive: Directive
    condition: str
    presence: str
    first_line: int
    last_line: int
    groups: tuple[Group, ...]


class Group(NamedTuple):
    """#if ... #endif: its branches in order; `endif` is None where the file ends first.

    guard -- the group is an include guard, so its name is no part of the condition
    """

    branches: tuple[Branch, ...]
    endif: Directive | None
    guard: bool


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditionals of one file.

    groups     -- the outermost groups, in order
    directives -- every conditional directive, stray ones included, in order
    """

    groups: tuple[Group, ...]
    directives: tuple[Directive, ...]
    lines: int
    _starts: list[int] = field(repr=False)
    _texts: list[str] = field(repr=False)

    def at(self, line: int) -> str:
        """The presence condition of a line, counted from 1; "" for one outside the file."""
        index = bisect_right(self._starts, line) - 1
        return self._texts[index] if index >= 0 else presence.ALWAYS

    @property
    def regions(self) -> list[tuple[int, int, str]]:
        """The lines under a condition, sorted: (first line, last line, presence)."""
        ends = [*(start - 1 for start in self._starts[1:]), self.lines]
        rows = zip(self._starts, ends, self._texts, strict=True)
        return [(begin, end, text) for begin, end, text in rows if text and begin <= end]


def conditions(text: bytes) -> Conditions:
    """The conditionals of a C file. Any bytes are taken; cost is linear in the length."""
    directives = list(_directives(text))
    return _Builder(text, directives).build()


def _directives(text: bytes) -> Iterator[Directive]:
    """The conditional directives outside comments."""
    comments: _Comments | None = _Comments(text) if b"/*/" in text else None
    counted = end = 0
    line = 1
    for match in _DIRECTIVE.finditer(text):
        hash_at = match.start()
        begin = text.rfind(b"\n", 0, hash_at) + 1
        before = text[begin:hash_at].strip(_BLANK)
        if before and not before.endswith(b"*/"):
            continue
        if text[max(0, begin - 3) : begin].endswith((b"\\\n", b"\\\r\n")):
            continue
        if comments is None and (before or text.rfind(b"/*", end, hash_at) > text.rfind(b"*/", end, hash_at)):
            comments = _Comments(text)
        if comments is not None and not comments.may_start(begin, hash_at):
            continue
        line += text.count(b"\n", counted, hash_at)
        end = match.end()
        end_line = line + text.count(b"\n", hash_at, end)
        kind = match[1].decode()
        asked = "" if kind in ("else", "endif") else _expression(match[2])
        yield Directive(kind, asked, line, end_line, begin, end)
        counted, line = end, end_line


def _expression(written: bytes) -> str:
    if b"/" in written:
        written = _COMMENT.sub(b" ", written)
    if b"\\" in written:
        written = written.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    return " ".join(written.decode("utf-8", "replace").split())


class _Comments:
    """Where the comments of a file are, found by scanning its comments and strings."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        spans = [match.span() for match in _LEXICAL.finditer(text) if text[match.start()] == 0x2F]
        self._begins = [begin for begin, _ in spans]
        self._ends = [end for _, end in spans]

    def _end_of(self, offset: int) -> int:
        """The end of the comment around `offset`, `offset` itself where there is none."""
        index = bisect_right(self._begins, offset) - 1
        return max(offset, self._ends[index]) if index >= 0 else offset

    def may_start(self, begin: int, hash_at: int) -> bool:
        """Whether only white space and comments stand between `begin` and `hash_at`, itself outside comments."""
        offset = begin
        while offset < hash_at:
            after = self._end_of(offset)
            if after == offset:
                if self._text[offset] not in _BLANK:
                    return False
                after += 1
            offset = after
        return offset == hash_at and self._end_of(hash_at) == hash_at


class _Open:
    """A group that is being read."""

    __slots__ = ("branches", "condition", "directive", "groups", "guard", "left", "outer", "presence")

    def __init__(self, outer: str, directive: Directive, condition: str, guard: bool) -> None:
        self.outer = outer
        self.guard = guard
        self.branches: list[Branch] = []
        self.left = presence.ALWAYS
        self.begin(directive, condition)

    def begin(self, directive: Directive, asked: str) -> None:
        """Start a branch: `left` is what the branches before it leave over."""
        self.directive = directive
        self.condition = presence.conj(self.left, asked)
        self.left = presence.conj(self.left, presence.negate(asked))
        self.presence = presence.conj(self.outer, self.condition)
        self.groups: list[Group] = []

    def end(self, last_line: int) -> None:
        """End the branch at hand."""
        first_line = self.directive.end_line + 1
        groups = tuple(self.groups)
        self.branches.append(Branch(self.directive, self.condition, self.presence, first_line, last_line, groups))


class _Builder:
    """Matches directives into groups, and groups into regions."""

    def __init__(self, text: bytes, directives: list[Directive]) -> None:
        self._text = text
        self._directives = directives
        self._stack: list[_Open] = []
        self._groups: list[Group] = []
        self._starts = [1]
        self._texts = [presence.ALWAYS]

    def build(self) -> Conditions:
        for index, directive in enumerate(self._directives):
            kind = directive.kind
            if kind.startswith("if"):
                guard = _guard(self._text, self._directives) if index == 0 else None
                outer = self._stack[-1].presence if self._stack else presence.ALWAYS
                asked = _asked(directive) if guard is None else guard
                self._region(directive.line, outer)
                self._stack.append(_Open(outer, directive, asked, guard is not None))
            elif not self._stack:
                continue
            elif kind == "endif":
                self._close(directive.line - 1, directive)
            else:
                group = self._stack[-1]
                group.end(directive.line - 1)
                self._region(directive.line, group.outer)
                group.begin(directive, _asked(directive))
            if self._stack and kind != "endif":
                self._region(directive.end_line + 1, self._stack[-1].presence)
        lines = self._text.count(b"\n") + (not self._text.endswith(b"\n") and bool(self._text))
        while self._stack:
            self._close(lines, None)
        self._region(lines + 1, presence.ALWAYS)
        return Conditions(tuple(self._groups), tuple(self._directives), lines, self._starts, self._texts)

    def _close(self, last_line: int, endif: Directive | None) -> None:
        group = self._stack.pop()
        group.end(last_line)
        siblings = self._stack[-1].groups if self._stack else self._groups
        siblings.append(Group(tuple(group.branches), endif, group.guard))
        if endif is not None:
            self._region(endif.line, group.outer)

    def _region(self, line: int, text: str) -> None:
        """From `line` on, the presence is `text`."""
        if self._starts[-1] == line:
            self._starts.pop()
            self._texts.pop()
        if not self._texts or self._texts[-1] != text:
            self._starts.append(line)
            self._texts.append(text)


def _asked(directive: Directive) -> str:
    """The presence that a directive asks for by itself."""
    kind = directive.kind
    if kind == "else":
        return presence.ALWAYS
    if kind.endswith("ndef"):
        return presence.ifndef(directive.expression)
    if kind.endswith("def"):
        return presence.ifdef(directive.expression)
    return presence.from_directive(directive.expression)


def _guard(text: bytes, directives: list[Directive]) -> str | None:
    """What the include guard of a file asks besides its name, None where the first group is no guard."""
    first = directives[0]
    define = _DEFINE.match(text, first.end)
    if define is None:
        return None
    name = define[1].decode("utf-8", "replace")
    rest = ""
    if first.kind == "ifndef" and first.expression.split(" ", 1)[0] == name:
        rest = "1"
    elif first.kind == "if" and name in first.expression:
        rest = _UNDEFINED.sub(lambda match: "1" if match[1] == name else match[0], first.expression)
        rest = rest if rest != first.expression else ""
    preamble = _PREAMBLE.match(text, 0, first.begin)
    if not rest or preamble is None or preamble.end() != first.begin:
        return None
    depth = 1
    for directive in directives[1:]:
        depth += directive.kind.startswith("if")
        depth -= directive.kind == "endif"
        if depth == 1 and directive.kind.startswith("el"):
            return None
        if not depth:
            whole = _REST.match(text, directive.end) is not None
            value = _COMMENT.sub(b"", define[2]).strip()
            only_define = _REST.match(text, define.end(), directive.begin) is not None
            return presence.from_directive(rest) if whole or not (value or only_define) else None
    return presence.from_directive(rest)

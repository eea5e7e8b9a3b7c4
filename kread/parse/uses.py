"""The calls that macros make: each use of a macro that can lead to a call is replaced by the calls that it makes.

A use is a name and the arguments behind it. The outermost use is taken whole, so what it hands to an inner macro,
drops or evaluates twice comes out as the compiler sees it: the calls that the syntax tree saw inside the use give way
to those that its macros make of them. Where a macro has several definitions, each is tried, and a call gets the
condition of those that make it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Protocol

from kread import presence
from kread.parse.calls import ExpandedCall
from kread.parse.template import Macro
from kread.parse.unit import FILE_SCOPE, CallRow, Unit, UsedMacro

#: Comments, literals and directives: nothing in them is a use.
_HIDDEN = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|^[ \t]*\#(?:[^\n\\]|\\[^\n]|\\\n)*", re.S | re.M
)
_NOT_NEWLINE = re.compile(r"[^\n]")
_PARENS = re.compile(r"[()]")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")

#: A macro's body is quoted as evidence up to this length: one line of a wide terminal.
QUOTED = 160


def balanced(text: str, start: int) -> int:
    """The offset behind the parenthesis that closes the one at `start`, or -1."""
    depth = 0
    for match in _PARENS.finditer(text, start):
        depth += 1 if match.group() == "(" else -1
        if depth == 0:
            return match.end()
    return -1


class MacroAnswers(Protocol):
    """Says which calls a text makes through macros, and whether a name can lead to any."""

    def matters(self, name: str) -> bool: ...

    def calls(self, text: str) -> tuple[ExpandedCall, ...]: ...


class MacroUses:
    """Adds to a unit the calls that macros make in it.

    original -- the file
    code     -- the same without the content of comments, literals and directives, and without what is no use
    at       -- the presence of a line
    macros   -- answers for the macros
    settle   -- a condition of a macro as it is in this file
    """

    def __init__(
        self,
        unit: Unit,
        original: bytes,
        code: bytes,
        at: Callable[[int], str],
        macros: MacroAnswers,
        settle: Callable[[str], str] = str,
    ) -> None:
        self.unit = unit
        self.clean = code.decode("latin-1")
        self.at = at
        self.macros = macros
        self.settle = settle
        self._original = original
        self._known: dict[UsedMacro, int] = {}
        self._bounds = sorted(
            (row.begin_line, row.end_line, index) for index, row in enumerate(unit.functions) if not row.macro
        )
        self._begins = [begin for begin, _, _ in self._bounds]
        self._heads = {(row.line, row.column) for row in unit.functions}

    @cached_property
    def lines(self) -> list[int]:
        """The offset at which each line begins."""
        return [0, *accumulate(len(line) + 1 for line in self._original.split(b"\n"))]

    def owner(self, line: int) -> int:
        """The function whose lines hold `line`, or FILE_SCOPE."""
        place = bisect_right(self._begins, line) - 1
        if place >= 0 and line <= self._bounds[place][1]:
            return self._bounds[place][2]
        return FILE_SCOPE

    def written(self, start: int, stop: int) -> str:
        """A stretch of the text as written, without comments and directives, at the same length."""
        text = self._original[start:stop].decode("latin-1")
        return _HIDDEN.sub(_hide, text) if "#" in text or "/" in text else text

    def place(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset."""
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    def take(self, names: Iterable[str]) -> None:
        """Take the uses of those of these names that matter, in function bodies, and replace the calls that the tree
        saw in them."""
        bodies = [(start, stop, frozenset(_WORD.findall(self.clean, start, stop))) for start, stop in self._bodies()]
        matter = self.macros.matters
        wanted = {
            name for name in frozenset().union(*(words for _, _, words in bodies)).intersection(names) if matter(name)
        }
        if not wanted:
            return
        depths = {(row.line, row.column): row.depth for row in self.unit.calls if row.depth}
        ranges: list[tuple[int, int]] = []
        made: list[CallRow] = []
        end = 0
        for first, last, words in bodies:
            if wanted.isdisjoint(words):
                continue
            for match in _WORD.finditer(self.clean, first, last):
                if match.group() not in wanted:
                    continue
                start = match.start()
                if start < end or self.clean[start - 1 : start] == "." or self.clean[start - 2 : start] == "->":
                    continue
                line, column = self.place(start)
                owner = self.owner(line)
                if owner == FILE_SCOPE or (line, column) in self._heads:
                    continue
                end = self._stop(match.end())
                depth = depths.get((line, column), 0)
                made.extend(self._calls(owner, line, column, start, end, depth))
                ranges.append((start, end))
        self._replace(ranges, made)

    def _bodies(self) -> Iterable[tuple[int, int]]:
        """The stretches of the text that are lines of functions."""
        past = 0
        for begin, end, _ in self._bounds:
            start = self.lines[max(begin - 1, past)]
            stop = self.lines[min(end, len(self.lines) - 1)]
            if start < stop:
                yield start, stop
            past = max(past, end)

    def _stop(self, offset: int) -> int:
        """Where a use that begins with a name ending at `offset` ends: with its arguments, if it has any, and with
        those that its value is called with."""
        while True:
            rest = offset
            while self.clean[rest : rest + 1] in (" ", "\t", "\n"):
                rest += 1
            stop = balanced(self.clean, rest) if self.clean[rest : rest + 1] == "(" else -1
            if stop < 0:
                return offset
            offset = stop

    def _calls(self, owner: int, line: int, column: int, start: int, stop: int, depth: int) -> list[CallRow]:
        """The calls of one use, those written in its arguments included."""
        text = self.written(start, stop)
        conditions: dict[tuple[int, str, str, tuple[str, ...]], list[str]] = {}
        samples: dict[tuple[int, str, str, tuple[str, ...]], ExpandedCall] = {}
        for call in self.macros.calls(text):
            if call.kind == "builtin":
                continue
            if call.kind == "cleanup":
                call = call._replace(written="cleanup")
            macro = call.origin.macro
            if macro is not None and macro.body == macro.name and len(call.origin.macros) == 1:
                # The name is a function's where no definition of the macro holds: the call is the one written.
                call = call._replace(written="arg" if call.at else "src", origin=call.origin._replace(macros=()))
            key = (call.at if call.written in ("src", "arg") else 0, call.callee, call.written, call.args)
            condition = presence.conj(*call.origin.presences)
            if condition != "0":
                conditions.setdefault(key, []).append(condition)
                samples.setdefault(key, call)
        rows: list[CallRow] = []
        for key, call in samples.items():
            row, col = self.place(start + call.at) if call.written in ("src", "arg") else (line, column)
            condition = presence.conj(self.at(row), self.settle(presence.disj(*conditions[key])))
            if condition == "0":
                continue
            macros = call.origin.macros
            index = self.macro(call.origin.macro or macros[-1], macros[0].name) if macros else -1
            args = tuple(" ".join(arg.split()) for arg in call.args)
            rows.append(CallRow(owner, row, col, call.callee, args, condition, call.written, index, depth))
        return rows

    def macro(self, macro: Macro, outer: str) -> int:
        """The index of a macro as evidence, `outer` being the one that the file uses."""
        params = f"({', '.join(macro.params)})" if macro.params is not None else ""
        text = f"#define {macro.name}{params} {macro.body}"
        return self.used(UsedMacro(macro.name, macro.file, macro.line, text[:QUOTED], outer))

    def used(self, used: UsedMacro) -> int:
        """The index of a macro as evidence."""
        index = self._known.get(used)
        if index is None:
            index = self._known[used] = len(self.unit.used_macros)
            self.unit.used_macros.append(used)
        return index

    def _replace(self, ranges: Sequence[tuple[int, int]], made: list[CallRow]) -> None:
        starts = [start for start, _ in ranges]
        kept: list[CallRow] = []
        for row in self.unit.calls:
            offset = self.lines[row.line - 1] + row.column - 1 if row.line <= len(self.lines) else -1
            place = bisect_right(starts, offset) - 1
            if place < 0 or offset >= ranges[place][1]:
                kept.append(row)
        self.unit.calls[:] = kept + made


def _hide(match: re.Match[str]) -> str:
    """A comment or directive blanked, at the same length: offsets stay true. Literals stay."""
    piece = match.group()
    return piece if piece[0] in "\"'" else _NOT_NEWLINE.sub(" ", piece)

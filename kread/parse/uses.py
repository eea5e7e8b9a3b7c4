"""The calls that macros make: each use of a macro that can lead to a call is expanded, and its calls become rows.

A use is a name and the arguments behind it. The outermost use is expanded whole, so what it hands to an inner macro, drops or
evaluates twice comes out as the compiler sees it: the calls that the syntax tree saw inside the use give way to
those of the expansion. Where a macro has several definitions, each is tried, and a call gets the condition of those
that make it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from kread import presence
from kread.parse.calls import ExpandedCall, calls
from kread.parse.expand import Expander
from kread.parse.template import Macro
from kread.parse.unit import FILE_SCOPE, CallRow, Unit, UsedMacro

#: Comments, strings and directives: nothing in them is a use. Group 1 is kept out of the blanking of strings.
_HIDDEN = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|^[ \t]*\#(?:[^\n\\]|\\[^\n]|\\\n)*", re.S | re.M
)
_NOT_NEWLINE = re.compile(r"[^\n]")
_PARENS = re.compile(r"[()]")

#: A macro's body is quoted as evidence up to this length: one line of a wide terminal.
QUOTED = 160


def blank(text: str) -> str:
    """The text with comments, literals and directives blanked: same length, same lines."""
    return _HIDDEN.sub(lambda match: _NOT_NEWLINE.sub(" ", match.group()), text)


def balanced(text: str, start: int) -> int:
    """The offset behind the parenthesis that closes the one at `start`, or -1."""
    depth = 0
    for match in _PARENS.finditer(text, start):
        depth += 1 if match.group() == "(" else -1
        if depth == 0:
            return match.end()
    return -1


class MacroUses:
    """Expands the uses in one file. `expander` gives the expander for a text, `skippable` says that a macro's
    expansion can't matter, `at` is the presence of a line."""

    def __init__(
        self,
        unit: Unit,
        original: bytes,
        at: Callable[[int], str],
        expander: Expander,
        skippable: Callable[[str], bool],
    ) -> None:
        self.unit = unit
        self.text = original.decode("latin-1")
        self.clean = blank(self.text)
        self.at = at
        self.expander = expander
        self.skippable = skippable
        self.lines = [0, *(match.end() for match in re.finditer("\n", self.text))]
        self._known: dict[tuple[Macro, str], int] = {}
        bounds = sorted((row.begin_line, row.end_line, index) for index, row in enumerate(unit.functions) if not row.macro)
        self._begins = [begin for begin, _, _ in bounds]
        self._bounds = bounds

    def owner(self, line: int) -> int:
        """The function whose lines hold `line`, or FILE_SCOPE."""
        place = bisect_right(self._begins, line) - 1
        if place >= 0 and line <= self._bounds[place][1]:
            return self._bounds[place][2]
        return FILE_SCOPE

    def place(self, offset: int) -> tuple[int, int]:
        """(line, column) of an offset."""
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    def take(self, names: Iterable[str]) -> None:
        """Expand the uses of these names in function bodies, and replace the calls that the tree saw in them."""
        wanted = sorted(names)
        if not wanted:
            return
        pattern = re.compile(r"(?<![\w$])(?:" + "|".join(map(re.escape, wanted)) + r")(?![\w$])")
        ranges: list[tuple[int, int]] = []
        made: list[CallRow] = []
        end = 0
        for match in pattern.finditer(self.clean):
            start = match.start()
            if start < end or self.clean[start - 1 : start] == "." or self.clean[start - 2 : start] == "->":
                continue
            line, column = self.place(start)
            owner = self.owner(line)
            if owner == FILE_SCOPE:
                continue
            stop = self._stop(match.end())
            found = self._expanded(owner, line, column, start, stop)
            if found is None:
                continue
            made.extend(found)
            ranges.append((start, stop))
            end = stop
        self._replace(ranges, made)

    def _stop(self, offset: int) -> int:
        """Where a use that begins with a name ending at `offset` ends: with its arguments, if it has any."""
        rest = offset
        while rest < len(self.clean) and self.clean[rest] in " \t\n":
            rest += 1
        if self.clean[rest : rest + 1] == "(":
            stop = balanced(self.clean, rest)
            if stop > 0:
                return stop
        return offset

    def _expanded(self, owner: int, line: int, column: int, start: int, stop: int) -> list[CallRow] | None:
        """The calls of one use, or None where the name is no use (a function-like macro without arguments)."""
        text = self.text[start:stop]
        if "#" in text or "/" in text:
            text = _strip(text)
        expansions = self.expander.expansions(text)
        if not any(expansion.macros for expansion in expansions):
            return None
        conditions: dict[tuple[int, str, str, tuple[str, ...]], list[str]] = {}
        samples: dict[tuple[int, str, str, tuple[str, ...]], ExpandedCall] = {}
        for expansion in expansions:
            for call in calls(expansion.tokens, ignore=self.skippable):
                if call.kind == "builtin":
                    continue
                key = (call.at if call.written in ("src", "arg") else 0, call.callee, call.written, call.args)
                condition = presence.conj(*call.origin.presences)
                if condition != "0":
                    conditions.setdefault(key, []).append(condition)
                    samples.setdefault(key, call)
        here = self.at(line)
        rows: list[CallRow] = []
        for key, call in samples.items():
            row, col = self.place(start + call.at) if call.written in ("src", "arg") else (line, column)
            condition = presence.conj(self.at(row) if row != line else here, presence.disj(*conditions[key]))
            if condition == "0":
                continue
            macros = call.origin.macros or expansions[0].macros
            index = self._macro(call.origin.macro or macros[-1], macros[0].name) if macros else -1
            rows.append(CallRow(owner, row, col, call.callee, call.args, condition, call.written, index))
        return rows

    def _macro(self, macro: Macro, outer: str) -> int:
        key = (macro, outer)
        index = self._known.get(key)
        if index is None:
            index = self._known[key] = len(self.unit.used_macros)
            params = f"({', '.join(macro.params)})" if macro.params is not None else ""
            text = f"#define {macro.name}{params} {macro.body}"
            self.unit.used_macros.append(UsedMacro(macro.name, macro.file, macro.line, text[:QUOTED], outer))
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


def _strip(text: str) -> str:
    """The text without comments and directives, at the same length: offsets into it stay true."""

    def hide(match: re.Match[str]) -> str:
        piece = match.group()
        return piece if piece[0] in "\"'" else _NOT_NEWLINE.sub(" ", piece)

    return _HIDDEN.sub(hide, text)

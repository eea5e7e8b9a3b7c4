"""The lines of a function that matter for one call: signature, guards, exits, locks, the call, with `...` between.

Theory of operation: what matters is known by its line (guards, locks, the call). Each is widened to the text that makes
it readable: a condition to the line that closes its parentheses, a case label by its switch, an else branch by the line
of the else, an early exit by the jump that it takes. All other lines between become one `...`; a gap of blank lines and
lone braces is no gap. Pure: lines in, lines out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kread.facts import Guard, Held

#: A condition, a call or a signature of more lines than this is cut.
STRETCH_LIMIT = 16

#: The jump of an early exit is looked for in this many lines after its condition; with no more than SHORT_ARM
#: lines between, the whole arm is shown.
ARM_LIMIT = 30
SHORT_ARM = 3

_NOT_CODE = re.compile(r'/\*.*?(?:\*/|$)|//.*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'')
_ELSE = re.compile(r"\s*(?:\}\s*)?else\b")
_SWITCH = re.compile(r"\s*switch\s*\(")
_EMPTY = re.compile(r"[\s{}]*\Z")
_DIRECTIVE = re.compile(r"\s*#")

#: Of two roles for one line the one that says more.
_RANK = {"call": 0, "guard": 1, "exit": 2, "held": 3, "then": 4, "signature": 5}


@dataclass(frozen=True, slots=True)
class SliceLine:
    """A line of a slice: its number (0 for `...`), its text as written, and why it is there.

    role -- "signature", "guard", "then" (a variable that a guard named becomes another thing), "exit", "held", "call",
            "elided", or "body" in a function that is shown whole
    """

    line: int
    text: str
    role: str


class Site(Protocol):
    """What is known about the call: a kread.facts.Step or a kread.parse.guards.SiteContext."""

    @property
    def guards(self) -> tuple[Guard, ...]: ...
    @property
    def held(self) -> tuple[Held, ...]: ...


def slice_lines(
    lines: Sequence[str], start: int, end: int, call_line: int, site: Site, nested: Sequence[Guard] = ()
) -> tuple[SliceLine, ...]:
    """The slice of the function on lines `start` to `end` of a file for the call on `call_line` (0: no call).

    lines  -- the lines of the file, as written
    nested -- guards to show beside those of the site
    """
    text = _Text(lines, start, end)
    roles: dict[int, str] = {}

    def add(role: str, *numbers: int) -> None:
        for number in numbers:
            if start <= number <= end and _RANK[role] < _RANK.get(roles.get(number, ""), len(_RANK)):
                roles[number] = role

    add("signature", *text.closed_from(start))
    for guard in (*site.guards, *nested):
        if guard.then:
            add("then", *text.closed_from(guard.then_line))
        add("guard", *text.closed_from(guard.line))
        if guard.kind == "case":
            add("guard", *text.switch_above(guard.line))
        elif guard.kind == "if" and not guard.holds:
            add("guard", *text.else_below(guard.line, call_line))
        elif guard.kind == "exit":
            add("exit", *text.jump_below(guard))
    for held in site.held:
        add("held", *text.closed_from(held.line))
    if call_line:
        add("call", *text.closed_from(call_line))
    return tuple(_with_gaps(text, roles))


def statement_lines(lines: Sequence[str], start: int, end: int, line: int) -> tuple[SliceLine, ...]:
    """The lines of the statement or condition that a line stands in, from its beginning to its end."""
    text = _Text(lines, start, end)
    first = line
    while first > start + 1 and line - first < STRETCH_LIMIT:
        above = text.code(first - 1).rstrip()
        if not above.strip() or above.endswith((";", "{", "}", ":")) or _DIRECTIVE.match(above):
            break
        first -= 1
    return tuple(SliceLine(number, text.at(number), "guard") for number in text.closed_from(first))


def _with_gaps(text: _Text, roles: dict[int, str]) -> list[SliceLine]:
    found: list[SliceLine] = []
    last = 0
    for number in sorted(roles):
        between = range(last + 1, number) if last else ()
        if any(not _EMPTY.match(text.code(line)) for line in between):
            found.append(SliceLine(0, "...", "elided"))
        found.append(SliceLine(number, text.at(number), roles[number]))
        last = number
    return found


class _Text:
    """The lines of one function, by their numbers in the file."""

    def __init__(self, lines: Sequence[str], start: int, end: int) -> None:
        self.lines = lines
        self.start = start
        self.end = min(end, len(lines))

    def at(self, number: int) -> str:
        return self.lines[number - 1].rstrip() if 0 < number <= len(self.lines) else ""

    def code(self, number: int) -> str:
        """The line without comments, strings, and the inside of a comment that began above."""
        text = _NOT_CODE.sub("", self.at(number))
        return "" if text.lstrip().startswith("*") and not text.lstrip().startswith("*/") else text

    def indent(self, number: int) -> int:
        text = self.at(number).expandtabs(8)
        return len(text) - len(text.lstrip())

    def closed_from(self, first: int) -> list[int]:
        """The line and those after it, up to where its parentheses are closed."""
        depth = 0
        opened = False
        found: list[int] = []
        for number in range(first, min(first + STRETCH_LIMIT, self.end + 1)):
            code = self.code(number).rstrip()
            found.append(number)
            depth += code.count("(") - code.count(")")
            opened = opened or "(" in code
            if depth <= 0 and (opened or code.endswith((";", ":", "{", "}", ")"))):
                break
        return found

    def switch_above(self, number: int) -> list[int]:
        """The switch that a case label belongs to."""
        depth = self.indent(number)
        for above in range(number - 1, self.start, -1):
            if _SWITCH.match(self.at(above)) and self.indent(above) <= depth:
                return self.closed_from(above)
        return []

    def else_below(self, number: int, call_line: int) -> list[int]:
        """The else of an if, where it stands before the call."""
        depth = self.indent(number)
        for below in range(number + 1, call_line + 1):
            if self.indent(below) == depth and _ELSE.match(self.at(below)):
                return [below]
        return []

    def jump_below(self, guard: Guard) -> list[int]:
        """The jump of an early exit, with the lines of its arm where they are few."""
        wanted = guard.exit.split(" or ")[0]
        begin = self.closed_from(guard.line)[-1]
        for below in range(guard.line, min(begin + ARM_LIMIT, self.end) + 1):
            if wanted and wanted.split("(")[0] in " ".join(self.code(below).split()):
                between = below - begin - 1
                return list(range(begin + 1, below + 1)) if between <= SHORT_ARM else [below]
        return []

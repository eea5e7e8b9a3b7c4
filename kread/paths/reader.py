"""What notes and the page need of the source, read from the tree of a graph when it is asked for.

Theory of operation: guards, locks and exits come from `sites`, which reads one function at a time; here they are put
beside the lines of the function, its slice, the comment that stands above it, the members of structures that the
slice asks, and what is changed before the call. A change counts only where the flow of control confirms that it can
happen before the call; the text gives its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from functools import cached_property

from kread.facts import Function, Step
from kread.graph.records import Records
from kread.parse.context import SiteContext
from kread.paths.effects import Effect, effects
from kread.paths.members import declared, members
from kread.paths.sites import Sites, begin_of
from kread.paths.slices import SliceLine, slice_lines, statement_lines

#: More changes than this before one call are a list that nobody reads; the line from which on there are more is told.
CHANGES_SHOWN = 16
#: A comment of more lines than this is a chapter of its own; its beginning is shown.
COMMENT_LINES = 30
#: Where a path ends there is no call to slice for: a function of up to so many lines is shown whole.
WHOLE_FUNCTION = 48
#: More members than this are the whole structure.
READS_SHOWN = 16
#: Between a comment and the function that it speaks of: a blank line, or an attribute.
COMMENT_GAP = 1

_ASSIGNED = re.compile(r"^\s*[\w()&*.\[\]>-]*(?:->|\.)\w+(?:\[[^\]]*\])?\s*=(?!=)")
#: A comment that only names the file that the code came from says nothing of the function.
_ORIGIN = re.compile(r"From [\w./-]+\.[ch]\.?")
_STARS = re.compile(r"^\s*/?\*+/?\s?|\s*\*/\s*$")


class SourceReader:
    """Reads functions of one graph's tree; every answer is about the release at hand."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites

    @cached_property
    def _records(self) -> Records:
        return Records(self._sites.graph)

    def file(self, name: str) -> list[str]:
        """The lines of a file, without their ends; none for a file that is gone."""
        return [line.decode("utf-8", "replace").rstrip("\r\n") for line in self._sites.lines(name)]

    def _begin(self, function: Function) -> int:
        return begin_of(self._sites.lines(function.file), function)

    def lines(self, function: Function) -> Sequence[str]:
        """The lines of a function as written, from the one on which its definition begins."""
        return self.file(function.file)[self._begin(function) - 1 : function.end_line]

    def slice(self, step: Step) -> Sequence[SliceLine]:
        """The lines that matter for the call that leaves a step; where none leaves it, a short function whole."""
        function = step.function
        line = step.edge.site.line if step.edge and step.edge.site.file == function.file else 0
        file = self.file(function.file)
        begin = self._begin(function)
        found = slice_lines(file, begin, function.end_line, line, step)
        if step.edge is None and function.end_line - function.line < WHOLE_FUNCTION:
            signature = {one.line for one in found}
            return [
                SliceLine(number, text.rstrip(), "signature" if number in signature else "body")
                for number, text in enumerate(self.lines(function), begin)
            ]
        return found

    def statement(self, function: Function, line: int) -> Sequence[SliceLine]:
        """The whole statement that a line of a function belongs to."""
        return statement_lines(self.file(function.file), function.line, function.end_line, line)

    def reads(self, step: Step) -> Sequence[tuple[str, str, int]]:
        """(structure, member, line) of what the slice of a step asks; what an assignment sets is not asked."""
        rows = [(one.line, _ASSIGNED.sub("", one.text)) for one in self.slice(step) if one.line]
        known = declared(self.lines(step.function))
        found = members(rows, known, self._records.member_record, self._records.conversion)
        return list(found)[:READS_SHOWN]

    def comment(self, function: Function) -> str:
        """The comment right above a function, without its stars ("" = none)."""
        above = self.file(function.file)[: self._begin(function) - 1]
        for _ in range(COMMENT_GAP):
            if above and not above[-1].strip():
                above.pop()
        if not above or not above[-1].rstrip().endswith("*/"):
            return ""
        begin = len(above) - 1
        while begin > 0 and "/*" not in above[begin]:
            begin -= 1
        if not above[begin].lstrip().startswith("/*"):
            return ""  # a comment behind code speaks of that code
        said = [_STARS.sub("", line).rstrip() for line in above[begin:]]
        if len(said) > COMMENT_LINES:
            said = [*said[:COMMENT_LINES], "..."]
        text = "\n".join(said).strip("\n")
        return "" if _ORIGIN.fullmatch(text) else text

    def exits(self, step: Step) -> Sequence[tuple[int, str, str]]:
        """(line, what, reason) of the exits before the call that no guard of the step tells already."""
        told = {guard.line for guard in step.guards}
        found = [one for one in self._context(step).exits if one.line not in told]
        return [(one.line, f"{one.text}: {one.what}" if one.text else one.what, one.reason) for one in found]

    def changes(self, step: Step) -> Sequence[tuple[int, str]]:
        """(line, as written) of what is assigned or done before the call; by the whole function, without one."""
        function, edge = step.function, step.edge
        lines = self.lines(function)
        context = self._context(step)
        avoided = {(one.line, one.holds) for one in context.exits} | {(one.line, not one.holds) for one in step.guards}
        found: list[tuple[int, str]] = []
        for one in effects(lines, self._begin(function), declared(lines)):
            if edge and one.line >= edge.site.line:
                break
            if edge is None or (f"->{one.field}" in context.changed if one.field else self._passed(step, one, avoided)):
                found.append((one.line, one.text))
        more = [(line, "...") for line, _ in found[CHANGES_SHOWN : CHANGES_SHOWN + 1]]
        return found[:CHANGES_SHOWN] + more

    def _passed(self, step: Step, effect: Effect, avoided: Set[tuple[int, bool]]) -> bool:
        """Whether control can come by a call on its way to the call of the step: under no condition that must not hold."""
        context = self._sites.context(step.function, effect.line, effect.column)
        if context.faulty:
            return False
        return avoided.isdisjoint((guard.line, guard.holds) for guard in context.guards)

    def _context(self, step: Step) -> SiteContext:
        if step.edge is None or step.edge.site.file != step.function.file:
            return SiteContext()
        return self._sites.context(step.function, step.edge.site.line, step.edge.site.column)

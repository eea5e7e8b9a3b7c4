"""Where the release at hand decides a rule of the model: file:line, for answers that a reader checks in the source."""

from __future__ import annotations

from collections.abc import Sequence

from kread.facts import Function
from kread.model.rules import Rule, normalise
from kread.paths.find import Finder


class RulePlaces:
    """Call it with a rule: the line that holds its condition, else the first line of its function."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    def __call__(self, rule: Rule) -> str:
        graph = self._finder.graph
        for guard in sorted(rule.guards, key=lambda one: one.function != rule.function):
            for number in graph.find(guard.function):
                function = graph.function(number)
                line = self._line(function, guard.spellings)
                if line:
                    return f"{function.file}:{line}"
        found = graph.find(rule.function)
        return str(graph.function(found[0]).location) if found else ""

    def _line(self, function: Function, spellings: Sequence[str]) -> int:
        lines = self._finder.sites.lines(function.file)[function.line - 1 : function.end_line]
        for number, line in enumerate(lines, function.line):
            text = normalise(line.decode("utf-8", "replace"))
            if any(spelling in text for spelling in spellings):
                return number
        return 0

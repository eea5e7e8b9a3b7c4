"""The guards of call sites, read from the source when a path needs them.

Guards are not in the index: they are asked of a few functions at a time, and one function is prepared and read in a
millisecond or two. Only the function's own lines are prepared; the macros that decide how they parse are the release's, kept with
the graph, and the file's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from kread.facts import Function
from kread.graph.callgraph import CallGraph
from kread.parse.conditional import conditions
from kread.parse.defines import defines
from kread.parse.guards import SiteContext, function_contexts
from kread.parse.macro_table import MacroTable
from kread.parse.prepare import Prepared, prepare


class Sites:
    """Reads functions of a graph's tree. What was read once is kept."""

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._files: dict[str, list[bytes]] = {}
        self._tables: dict[str, MacroTable] = {}
        self._prepared: dict[tuple[str, int], tuple[Prepared, bytes, int]] = {}
        self._known: dict[tuple[str, int, int], SiteContext] = {}

    def lines(self, file: str) -> list[bytes]:
        """The lines of a file as written, with their ends."""
        if file not in self._files:
            try:
                self._files[file] = (self._graph.root / file).read_bytes().splitlines(keepends=True)
            except OSError:
                self._files[file] = []
        return self._files[file]

    def context(self, function: Function, line: int, column: int) -> SiteContext:
        """What is known of the call at line and column of a function."""
        return self.contexts(function, [(line, column)])[0]

    def contexts(self, function: Function, sites: Sequence[tuple[int, int]]) -> list[SiteContext]:
        """What is known of several calls of one function; the function is read once."""
        missing = [site for site in sites if (function.file, *site) not in self._known]
        if missing:
            prepared, written, first = self._function(function)
            by_text: dict[bytes, list[tuple[int, int]]] = {}
            for site in missing:
                by_text.setdefault(_text_for(prepared, site[0] - first + 1), []).append(site)
            for text, wanted in by_text.items():
                for site, found in zip(wanted, function_contexts(text, written, first, wanted), strict=True):
                    self._known[(function.file, *site)] = found
        return [self._known[(function.file, *site)] for site in sites]

    def _function(self, function: Function) -> tuple[Prepared, bytes, int]:
        key = (function.file, function.line)
        if key not in self._prepared:
            lines = self.lines(function.file)
            first = _begin(lines, function.line)
            written = b"".join(lines[first - 1 : function.end_line])
            self._prepared[key] = prepare(written, self._table(function.file), conditions(written)), written, first
        return self._prepared[key]

    def _table(self, file: str) -> MacroTable:
        if "" not in self._tables:
            self._tables[""] = MacroTable(*self._graph.store.packed("macro_table"))
        if file not in self._tables:
            own = defines(b"".join(self.lines(file)))
            self._tables[file] = self._tables[""].overlay(own) if own else self._tables[""]
        return self._tables[file]


def _text_for(prepared: Prepared, line: int) -> bytes:
    """The prepared text that shows a line (counted from 1): the primary one, or the variant of its branch."""
    for text, ranges in zip(prepared.variants, prepared.variant_lines, strict=True):
        if any(first <= line <= last for first, last in ranges):
            return text
    return prepared.text


def _begin(lines: Sequence[bytes], line: int) -> int:
    """The line on which a definition begins whose name stands on `line`: its type may stand above."""
    first = line
    while first > 1 and lines[first - 2].strip() and lines[first - 2][:1].isalpha() and b";" not in lines[first - 2]:
        first -= 1
    return first

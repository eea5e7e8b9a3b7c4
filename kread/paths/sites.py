"""The guards of call sites, read from the source when a path needs them, and kept for the next time.

Guards are not in the index: they are asked of a few functions at a time, and one function is prepared and read in a few
milliseconds. What was read lies beside the graph, so that a question about the same functions needs no parser at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kread.facts import Function, Guard, Held
from kread.graph.callgraph import CallGraph
from kread.index.contexts import ContextStore, key
from kread.parse.context import Exit, SiteContext

if TYPE_CHECKING:
    from kread.parse.macro_table import MacroTable


class Sites:
    """Reads functions of a graph's tree. What was read once is kept; `keep` writes it beside the graph."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self._store = ContextStore(graph.file, graph.store.meta("stamp"))
        self._files: dict[str, list[bytes]] = {}
        self._table: MacroTable | None = None
        self._known: dict[str, SiteContext] = {}
        self._fresh: dict[str, Any] = {}

    def lines(self, file: str) -> list[bytes]:
        """The lines of a file as written, with their ends."""
        if file not in self._files:
            try:
                self._files[file] = (self.graph.root / file).read_bytes().splitlines(keepends=True)
            except OSError:
                self._files[file] = []
        return self._files[file]

    def context(self, function: Function, line: int, column: int) -> SiteContext:
        """What is known of the call at line and column of a function."""
        return self.contexts(function, [(line, column)])[0]

    def contexts(self, function: Function, sites: Sequence[tuple[int, int]]) -> list[SiteContext]:
        """What is known of several calls of one function; the function is read once."""
        keys = [key(function.file, *site) for site in sites]
        self.load(keys)
        missing = [site for site, name in zip(sites, keys, strict=True) if name not in self._known]
        if missing:
            for site, found in zip(missing, self._read(function, missing), strict=True):
                name = key(function.file, *site)
                self._known[name] = found
                self._fresh[name] = _packed(found)
        return [self._known[name] for name in keys]

    def load(self, keys: Sequence[str]) -> None:
        """Take what is kept of these sites (see kread.index.contexts.key), in one go."""
        kept = self._store.get(name for name in keys if name not in self._known)
        self._known |= {name: _unpacked(row) for name, row in kept.items()}

    def keep(self) -> None:
        """Write what was read in this run beside the graph."""
        self._store.put(self._fresh)
        self._fresh = {}

    def _read(self, function: Function, sites: Sequence[tuple[int, int]]) -> list[SiteContext]:
        from kread.parse.macro_table import MacroTable
        from kread.parse.sites import site_contexts

        if self._table is None:
            self._table = MacroTable(*self.graph.store.packed("macro_table"))
        lines = self.lines(function.file)
        return site_contexts(b"".join(lines), begin_of(lines, function), function.end_line, sites, self._table)


def _packed(context: SiteContext) -> tuple[Any, ...]:
    """A context as values that marshal takes."""
    return (
        [_guard(guard) for guard in context.guards],
        [_guard(guard) for guard in context.nested],
        [(held.line, held.text) for held in context.held],
        [(one.line, one.text, one.holds, one.what, one.reason, one.labels) for one in context.exits],
        [_guard(guard) for guard in context.stale],
        sorted(context.changed),
        [_guard(guard) for guard in context.entry],
        context.written,
        context.faulty,
    )


def _guard(guard: Guard) -> tuple[Any, ...]:
    return (
        guard.line,
        guard.text,
        guard.holds,
        guard.kind,
        guard.exit,
        guard.reason,
        guard.rare,
        guard.then,
        guard.then_line,
    )


def _unpacked(row: tuple[Any, ...]) -> SiteContext:
    guards, nested, held, exits, stale, changed, entry, written, faulty = row
    return SiteContext(
        tuple(Guard(*one) for one in guards),
        tuple(Guard(*one) for one in nested),
        tuple(Held(*one) for one in held),
        tuple(Exit(*one) for one in exits),
        tuple(Guard(*one) for one in stale),
        frozenset(changed),
        tuple(Guard(*one) for one in entry),
        written,
        faulty,
    )


def begin_of(lines: Sequence[bytes], function: Function) -> int:
    """The line of a file on which a definition begins whose name stands on `function.line`: its type may stand above."""
    first = function.line
    while first > 1 and (above := lines[first - 2]).strip() and above[:1].isalpha() and b";" not in above:
        first -= 1
    return first

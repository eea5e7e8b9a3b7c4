"""The functions of a release as the check sees them: their statements, in one spelling.

Theory of operation: a function is found by its name in the graph, read from its file by syntax, and kept as statements
whose texts are normalised as the model's anchors are, with the names looked through that say only how a value is read.
A name that several files define is narrowed by [place] of data/readings.toml; several definitions of one file, as an
#ifdef keeps them, stand one after the other. A constant is found likewise: the name of a macro stands for one statement,
the macro's body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from kread.data import load
from kread.facts import Function
from kread.graph.callgraph import CallGraph
from kread.model.rules import normalise
from kread.parse.idioms import idioms
from kread.parse.macro_table import MacroTable
from kread.parse.pieces import pieces
from kread.parse.wording import seen_through

#: More distinct texts than these are not met in one check.
_TEXTS = 8192


@lru_cache(maxsize=_TEXTS)
def canonical(text: str) -> str:
    """C text in the one spelling in which texts are compared."""
    return normalise(seen_through(text, idioms().transparent))


def squeezed(text: str) -> str:
    """The same without any blank at all, for texts that begin or end beside a word."""
    return canonical(text).replace(" ", "")


def mentions(text: str, part: str) -> bool:
    """Whether a canonical text holds another, not in the middle of a word."""
    place = text.find(part)
    while place >= 0:
        end = place + len(part)
        begins = not _is_word(part[:1]) or not _is_word(text[place - 1 : place])
        if begins and (not _is_word(part[-1:]) or not _is_word(text[end : end + 1])):
            return True
        place = text.find(part, place + 1)
    return False


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a function, or the head of one: where, as written, and in the spelling that is compared."""

    file: str
    line: int
    written: str
    text: str
    choice: bool

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


class Bodies:
    """Reads functions of a graph's tree; what was read once is kept."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self._data: dict[str, bytes] = {}
        self._read: dict[str, tuple[Statement, ...]] = {}
        self._table: MacroTable | None = None

    def functions(self, name: str) -> list[Function]:
        """The definitions that a name means here, narrowed to the one file that data names for it."""
        found = [self.graph.function(number) for number in self.graph.find(name)]
        place = load("readings")["place"].get(name, {}).get("file", "")
        found = [each for each in found if each.end_line > each.line and (not place or each.file == place)]
        return sorted(found)

    def defined(self, name: str) -> bool:
        """Whether the tree defines it, as a function or as a macro."""
        if any(each.end_line > each.line for each in map(self.graph.function, self.graph.find(name))):
            return True
        return bool(self.graph.store.query("SELECT 1 FROM macro WHERE name = ? LIMIT 1", [name]))

    def statements(self, name: str) -> tuple[Statement, ...]:
        """The statements of a function in order; none where the tree does not define it."""
        if name not in self._read:
            found = tuple(each for function in self.functions(name) for each in self._statements(function))
            self._read[name] = found or tuple(self._constants(name))
        return self._read[name]

    def text(self, name: str) -> str:
        """A function's statements as one text without blanks."""
        return ";".join(each.text for each in self.statements(name)).replace(" ", "")

    def file(self, name: str) -> bytes:
        """A file of the tree as written."""
        if name not in self._data:
            self._data[name] = (self.graph.root / name).read_bytes()
        return self._data[name]

    def keep(self, other: Bodies, but: str) -> None:
        """Take over what another one of the same graph has read, except for one function."""
        self._read = {name: found for name, found in other._read.items() if name != but}
        self._table = other._table

    def _constants(self, name: str) -> list[Statement]:
        """The bodies of the macros of that name which take no arguments, each as a statement."""
        rows = self.graph.store.query("SELECT file, line, params FROM macro WHERE name = ? ORDER BY file, line", [name])
        found = []
        for file, line, params in rows:
            written = self.file(file).decode("utf-8", "replace").splitlines()[line - 1]
            match = re.match(rf"\s*#\s*define\s+{name}\s+(.+?)\s*(/[/*]|$)", written)
            if params is None and match is not None:
                found.append(Statement(file, line, f"#define {name} {match[1]}", canonical(match[1]), False))
        return found

    def _statements(self, function: Function) -> list[Statement]:
        if self._table is None:
            self._table = MacroTable(*self.graph.store.packed("macro_table"))
        found = pieces(self.file(function.file), function.line, function.end_line, self._table)
        return [Statement(function.file, each.line, each.text, canonical(each.text), each.choice) for each in found]

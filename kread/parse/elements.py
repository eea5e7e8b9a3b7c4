"""Values of initialisers that macros make: `static struct entry list[] = { ENTRY("a", show_a), MORE_ENTRIES };`.

The extractor notes the use of the macro as one value. Where the macro can come to braces or to designators, the use is
expanded with all alternatives, as an invocation at file scope is (kread.parse.snippet), and what it comes to is read as an
initialiser of its own, whose values take the place of the one: those of braces lie where the use stood, those under
designators beside it, and of several elements each has its own position. What they say stands on the line of the
use. A value that a macro makes can be the use of another macro, so this goes on until none is left.

A variable whose whole initialiser is such a use (`struct notifier nb = NOTIFIER(f);`) becomes a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from kread import presence
from kread.parse.conditional import conditions
from kread.parse.declarations import Snippet
from kread.parse.extract import Extractor
from kread.parse.macro_table import MacroTable
from kread.parse.prepare import prepare
from kread.parse.snippet import Snippets
from kread.parse.unit import EntryRow, FlowRow, TableRow, Unit, VariableRow

#: Macros in initialisers lead to others at most this often: a table of the proc file system goes through two.
MOST_NESTED = 6
#: A value longer than this is no use of a macro but a parenthesis that never closes.
LONGEST = 20_000

_USE = re.compile(r"([A-Za-z_]\w*)\s*(?:\(.*\))?\Z", re.S)
#: What an initialiser of several values has: braces that are no statement's, or a designator.
_VALUES = re.compile(r"(?:[^(\s]|\A)\s*\{|[.\]]\s*\w*\s*=[^=]")
_HEAD = "struct kread_elements elements = { "
_TAIL = " };"

#: (macro, text of its use) -> what expands it
Expander = Callable[[str, str], Snippets]


class _Value(NamedTuple):
    """One value of an initialiser: the way to it, its text, and its condition."""

    path: tuple[str, ...]
    value: str
    cond: str


def take_elements(unit: Unit, table: MacroTable, expander: Expander, first: tuple[int, int] = (0, 0)) -> None:
    """Replace, in a unit, each value that is the use of a macro by what the macro makes of it.

    table -- what preparation knows of the macros that the unit's file sees
    first -- the first entry and the first flow that are looked at: those before were made with other macros
    """
    entries: list[EntryRow] = []
    for row in unit.entries[first[0] :]:
        made = _made(_Value(row.path, row.value, row.cond), table, expander)
        if made is None:
            entries.append(row)
        else:
            entries += [row._replace(path=each.path, value=each.value, cond=each.cond) for each in made]
    declared = {(row.function, row.line, row.name): row for row in unit.variables}
    flows: list[FlowRow] = []
    for flow in unit.flows[first[1] :]:
        variable = declared.get((flow.function, flow.line, flow.target))
        made = _made(_Value(("#0",), flow.value, flow.cond), table, expander) if variable is not None else None
        if made is None or variable is None:
            flows.append(flow)
            continue
        entries += [
            EntryRow(len(unit.tables), flow.line, each.path[1:], each.value, each.cond)
            for each in made
            if each.path[0] == "#0" and len(each.path) > 1
        ]
        unit.tables.append(_table(variable))
    unit.entries[first[0] :] = entries
    unit.flows[first[1] :] = flows


def _table(row: VariableRow) -> TableRow:
    return TableRow(row.function, row.line, 1, row.name, row.type, int(row.storage == "static"), row.cond)


def _made(value: _Value, table: MacroTable, expander: Expander, depth: int = 0) -> list[_Value] | None:
    """What the use of a macro comes to; None for any other value, and for a macro that makes no initialiser."""
    found = _USE.match(value.value)
    if found is None or depth == MOST_NESTED or len(value.value) > LONGEST:
        return None
    snippets = expander(found.group(1), value.value)
    if not snippets.can_initialise(found.group(1)):
        return None
    snippet = snippets.make(f"{value.value};", value.cond)
    rows = list(_read(snippet, value.path, table)) if _VALUES.search(snippet.text) else []
    if not rows:
        return None
    every: list[_Value] = []
    for row in dict.fromkeys(rows):
        inner = row._replace(cond=presence.conj(value.cond, row.cond))
        if inner.value == value.value:
            return None
        every += _made(inner, table, expander, depth + 1) or [inner]
    return every


def _read(snippet: Snippet, path: tuple[str, ...], table: MacroTable) -> Iterator[_Value]:
    """The values of a snippet, read as an initialiser that stands at a place of another."""
    lines = [line.rstrip("; ") for line in snippet.text.split("\n")]
    data = "".join(f"{_HEAD}{line}{_TAIL}\n" for line in lines).encode("latin-1", "replace")
    made = Unit("")
    extractor = Extractor(made, data, lambda line: presence.ALWAYS)
    extractor.take(prepare(data, table, conditions(data)).text)
    for row in made.entries:
        origin = snippet.token(row.line, 1)[3]
        if len(row.path) > 1 or row.path[0][0] != "#":
            yield _Value(_placed(path, row.path), row.value, presence.conj(*origin.presences))


def _placed(path: tuple[str, ...], inner: Sequence[str]) -> tuple[str, ...]:
    """Where a value of an initialiser at `path` lies: behind it, or beside it."""
    first = inner[0]
    if first[0] != "#":
        return (*path[:-1], *inner)
    if first == "#0":
        return (*path, *inner[1:])
    last = path[-1]
    number = f"#{int(last[1:]) + int(first[1:])}" if last[1:].isdigit() and first[1:].isdigit() else "#+"
    return (*path[:-1], number, *inner[1:])

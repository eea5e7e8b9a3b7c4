"""Rows of tables that macros write: `static const struct entry rows[] = { ROW("fd", fd_operations), ... };`

The parser sees such a row as one value, the use of a macro. Where the macro's bodies have braces, the use is expanded as
the initialiser of a variable of its own (kread.parse.snippet); what that variable gets are the row's values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kread import presence
from kread.parse.extract import Extractor
from kread.parse.snippet import Snippets
from kread.parse.unit import EntryRow, Unit

#: The variable whose initialiser a row becomes. Its type does not matter.
_VARIABLE = "static struct row_ row_ = {use};"
_USE = re.compile(r"([A-Za-z_]\w*)\s*\(.*\)", re.S)

#: A use longer than this is a table of its own, not a row of one.
_LONGEST = 2000

#: Macros of rows stand for macros of rows; the kernel's nest below three.
_NESTING = 4


def take_rows(unit: Unit, expander: Callable[[str, str], Snippets]) -> None:
    """Put the values that macros write in the place of their uses, in all tables of a unit.

    expander -- (macro, text of its use) -> what expands it
    """
    if any(_USE.fullmatch(row.value) for row in unit.entries):
        unit.entries = [made for row in unit.entries for made in _opened(row, expander, _NESTING)]


def _opened(row: EntryRow, expander: Callable[[str, str], Snippets], depth: int) -> Iterator[EntryRow]:
    found = list(_made(row, expander)) if depth else []
    if not found:
        yield row
    for each in found:
        yield from _opened(each, expander, depth - 1)


def _made(row: EntryRow, expander: Callable[[str, str], Snippets]) -> Iterator[EntryRow]:
    """The rows that the use of a macro stands for; none if it is a value."""
    use = _USE.fullmatch(row.value)
    if use is None or len(row.value) > _LONGEST:
        return
    snippets = expander(use.group(1), row.value)
    if not snippets.can_make(use.group(1)):
        return
    made = Unit("")
    data = snippets.make(_VARIABLE.format(use=row.value), row.cond).text.encode("latin-1", "replace")
    Extractor(made, data, lambda line: presence.ALWAYS).take(data)
    seen: set[tuple[tuple[str, ...], str]] = set()
    for entry in made.entries:
        if made.tables[entry.table].name == "row_" and (entry.path, entry.value) not in seen:
            seen.add((entry.path, entry.value))
            yield row._replace(path=row.path + entry.path, value=entry.value)

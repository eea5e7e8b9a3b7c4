"""Uses of macros that move values: stores, lists, registrations of callbacks, and the heads of loops.

The calls that a macro makes are found by expanding it, and what it was written as is gone then. But
`timer_setup(&t, f, 0)` says more than the calls that it comes to, and a loop's head sets its variable without any
call. So the uses of the few macros that move functions and objects (data/stores.toml and data/registrars.toml name
them), and of all that begin a loop, are kept as they are written: flows whose target is "use".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from kread.data import load
from kread.parse.macro_table import MacroTable
from kread.parse.unit import FILE_SCOPE, FlowRow
from kread.parse.uses import MacroUses, balanced

#: The target of a flow that is a macro's use.
USE = "use"

#: The kinds of macros that begin a loop.
_LOOPS = ("for", "while")

#: A literal whose content is blanked: it holds no function and no object.
_LITERAL = re.compile(r"\"_*\"|'_*'")

#: A use longer than this is a loop whose parentheses don't match, not a statement.
_LONGEST = 2000


@cache
def movers() -> frozenset[str]:
    """The names in the data files whose uses are kept."""
    rows = [row for kind in ("store", "copy", "list_add", "list_each") for row in load("stores")[kind]]
    rows += load("registrars")["registrar"]
    names = {name for row in rows for name in row["names"]}
    return frozenset(names | {row["update"] for row in load("static_calls")["static_call"]})


def take_moves(uses: MacroUses, table: MacroTable, mentioned: Iterable[str], at: Callable[[int], str]) -> None:
    """Add the uses that the file of `uses` makes, of the macro names that it mentions."""
    wanted = [name for name in mentioned if name in movers() or table.kinds.get(name) in _LOOPS]
    if not wanted:
        return
    pattern = re.compile(r"(?<![\w$])(?:" + "|".join(map(re.escape, sorted(wanted))) + r")\s*\(")
    for match in pattern.finditer(uses.clean):
        line, _ = uses.place(match.start())
        owner = uses.owner(line)
        end = balanced(uses.clean, match.end() - 1)
        if owner == FILE_SCOPE or end < 0 or end - match.start() > _LONGEST:
            continue
        text = " ".join(_LITERAL.sub(" ", uses.clean[match.start() : end]).split())
        uses.unit.flows.append(FlowRow(owner, line, USE, text, at(line)))

"""Functions that are written under a name that a macro replaces.

After `#define find_init tree_find_init`, what is declared or defined as `find_init` is tree_find_init to the compiler, and so to
whoever calls it.

A name counts as such where the macro is one other name, holds wherever the function is compiled, and is not taken back by an
`#undef` of the file. In the file that defines it, it renames what stands below it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from kread import presence
from kread.parse.template import Macro
from kread.parse.tokens import KEYWORDS
from kread.parse.unit import Unit

_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_UNDEF = re.compile(rb"^[ \t]*#[ \t]*undef[ \t]+(\w+)", re.M)

#: A name that stands for a name, and so on: the kernel's chains have two links.
_MOST_LINKS = 4


def rename(unit: Unit, data: bytes, mentioned: Iterable[str], seen: Callable[[str], Sequence[Macro]]) -> None:
    """Give the functions of a unit, and what it declares, the names that the compiler knows.

    mentioned -- the macro names in the file's text
    seen      -- name -> the definitions that the file can mean
    """
    macros = frozenset(mentioned)
    if macros.isdisjoint(row.name for rows in (unit.functions, unit.prototypes) for row in rows):
        return
    taken_back = {name.decode() for name in _UNDEF.findall(data)}

    def renamed(name: str, line: int, cond: str) -> str:
        for _ in range(_MOST_LINKS):
            if name in taken_back:
                break
            other = next((macro.body for macro in seen(name) if _holds(macro, unit.file, line, cond)), name)
            if other == name:
                break
            name = other
        return name

    for index, row in enumerate(unit.functions):
        if not row.macro and row.name in macros:
            name = renamed(row.name, row.line, row.cond)
            if name != row.name:
                unit.functions[index] = row._replace(name=name, macro=row.name)
    for index, prototype in enumerate(unit.prototypes):
        if prototype.name in macros:
            name = renamed(prototype.name, prototype.line, prototype.cond)
            unit.prototypes[index] = prototype._replace(name=name)


def _holds(macro: Macro, file: str, line: int, cond: str) -> bool:
    """Whether a macro renames what stands on a line under a condition."""
    return (
        macro.params is None
        and _NAME.match(macro.body) is not None
        and macro.body not in KEYWORDS
        and (macro.file != file or macro.line < line)
        and presence.implies(cond, macro.presence)
    )

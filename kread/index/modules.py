"""Whether a source is compiled for a module: what `#ifdef MODULE` asks in it.

The build defines the name for the objects of a module. Which ones these are, the Makefiles say: a source that is made
under symbols is part of a module where one of them is m, and one that is always made is none.
"""

from __future__ import annotations

from collections.abc import Mapping

from kread import presence
from kread.parse.unit import Unit

_MODULE = presence.ifdef("MODULE")

#: What a packed unit holds if it asks.
MARK = _MODULE.encode()


def settle(unit: Unit, built: Mapping[str, str]) -> None:
    """Put the condition of the build for the name in the functions and calls of a .c file.

    built -- the condition under which a file is compiled
    """
    if not unit.file.endswith(".c"):
        return
    if not any(_MODULE in row.cond for rows in (unit.functions, unit.calls) for row in rows):
        return
    symbols = [atom for atom in presence.atoms(built.get(unit.file, "")) if atom.startswith("CONFIG_")]
    known = {_MODULE: presence.disj(*(presence.ifdef(f"{symbol}_MODULE") for symbol in symbols))}
    if not symbols:
        known = {_MODULE: presence.NEVER}
    unit.functions[:] = [row._replace(cond=presence.replace_atoms(row.cond, known)) for row in unit.functions]
    unit.calls[:] = [
        row._replace(cond=presence.replace_atoms(row.cond, known)) if _MODULE in row.cond else row for row in unit.calls
    ]

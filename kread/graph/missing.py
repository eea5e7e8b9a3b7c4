"""What to say of a name that no function of a scope has: what it is instead, where it is, or what it may have meant.

Asked in the order in which a reader would: another file's function, one that the configuration leaves out, a macro, a
member of a structure, a function that the tree defines outside of the scope, a misspelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kread.errors import UnknownSymbol
from kread.index.elsewhere import defined_elsewhere

if TYPE_CHECKING:
    from kread.graph.callgraph import CallGraph


#: Names like the one that was asked for: looked at, and told.
LIKE, SHOWN = 12, 3
#: The part of their letters that two names share at least to be called alike.
ALIKE = 0.6
#: A piece of a name is a third of it, but no shorter than this: one letter is in nearly every name.
PIECE = 2


def missing(graph: CallGraph, symbol: str) -> UnknownSymbol:
    """The error for a symbol that `CallGraph.find` does not find: what it is, and what to do."""
    scope = graph.store.meta("scope")
    hint = ""
    what = _other_thing(graph, symbol)
    if not what:
        outside = defined_elsewhere(graph.file.parent, graph.store.meta("tree"), symbol.rpartition(":")[2])
        if outside:
            what = f"{symbol} is defined outside of the scope, in {', '.join(outside)}"
            hint = f"Widen the scope: {_wider(scope, outside[0])}"
        else:
            what = f"no function {symbol or repr(symbol)}"
    return UnknownSymbol(
        "no-such-function", what, where=f"{graph.release}, scope {scope}", hint=hint or _nearest(graph, symbol)
    )


def _wider(scope: str, file: str) -> str:
    """The options that ask for a scope and one file more."""
    return " ".join(f"--scope {place}" for place in (*scope.split("+"), file))


def _other_thing(graph: CallGraph, symbol: str) -> str:
    """What the scope knows under that name, or nothing."""
    file, _, name = symbol.rpartition(":")
    if not name:  # what members without a name are called
        return ""
    rows = graph.named(name)
    if rows and file:
        return f"{name} is not defined in {file}, but in " + ", ".join(sorted({row[1] for row in rows}))
    if rows:
        return f"{name} is not compiled under this configuration: it needs {rows[0][2]}"
    macros = graph.store.query("SELECT file, line FROM macro WHERE name = ? ORDER BY file, line LIMIT 1", [name])
    if macros:
        return f"{name} is a macro, not a function ({macros[0][0]}:{macros[0][1]}); kread show {name} prints it"
    query = "SELECT record FROM member WHERE name = ? AND record NOT LIKE '%@%' ORDER BY record LIMIT 1"
    fields = graph.store.query(query, [name])
    if fields and not file:
        return f"{name} is a member of {fields[0][0]}, not a function; kread slot {fields[0][0].split()[-1]}.{name}"
    return ""


def _nearest(graph: CallGraph, symbol: str) -> str:
    from difflib import get_close_matches

    name = symbol.rpartition(":")[2]
    pieces = _pieces(name)
    # SQLite looks through the names of a whole kernel in the time in which difflib compares some thousand.
    like = " OR ".join("instr(name, ?)" for _ in pieces)
    query = f"SELECT DISTINCT name FROM function WHERE length(name) BETWEEN ? AND ? AND ({like})"
    share = ALIKE / (2 - ALIKE)  # of the longer name's letters the shorter one has at least these
    names = [row[0] for row in graph.store.query(query, [len(name) * share, len(name) / share, *pieces])]
    close = get_close_matches(name, names, n=LIKE, cutoff=ALIKE)
    # What the configuration leaves out is no help to who asks for a path in it.
    close = [name for name in close if graph.find(name)][:SHOWN]
    return "Nearest: " + ", ".join(close) if close else "Another scope may hold it: kread index --scope DIR"


def _pieces(name: str) -> list[str]:
    """Beginning, middle and end of a name: who mistypes a letter or two leaves one of them as it is."""
    size = max(PIECE, len(name) // 3)
    middle = (len(name) - size) // 2
    return sorted({name[:size], name[max(middle, 0) :][:size], name[-size:]})

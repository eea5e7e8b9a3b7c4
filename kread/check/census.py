"""What kread could not read or resolve in a scope, and on what it stands: the numbers behind `kread doctor`.

A fault is a line that the parser could not read even after preparation. An unresolved call is one through a pointer
for which nothing in the scope provides a function. Both are counted and can be listed, because a graph that hides its
holes is worth less than one that has them. Reasons name what is missing; their classes leave the names out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kread.graph.callgraph import CallGraph, Unresolved

#: Where a reason names something of the kernel's.
_NAMES = re.compile(r"\b(into|the parameter|the record of|the static call) \S+")

#: What kread stands on, as the package registry names it.
PACKAGES = ("tree-sitter", "tree-sitter-c", "networkx", "typer", "GitPython")


@dataclass(frozen=True, slots=True, order=True)
class FaultLine:
    """A line that the parser could not read: where, in which function ("" at file scope), and the line itself."""

    file: str
    line: int
    function: str
    text: str


@dataclass(frozen=True, slots=True)
class Census:
    """The numbers of one scope."""

    release: str
    scope: str
    root: str
    files: int
    functions: int
    edges: tuple[tuple[str, str, int], ...]
    outside: int
    faults: tuple[FaultLine, ...]
    unresolved: tuple[Unresolved, ...]

    @property
    def faults_by_file(self) -> list[tuple[str, int]]:
        """Files with faults, those with the most first."""
        return _most(Counter(fault.file for fault in self.faults))

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why calls are unresolved, the most frequent reason first."""
        return _most(Counter(reason_class(call.reason) for call in self.unresolved))


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def reason_class(reason: str) -> str:
    """A reason without its names: "no call in the scope hands a function to the parameter ..."."""
    return _NAMES.sub(r"\1 ...", reason)


def census(graph: CallGraph) -> Census:
    """Count a graph's faults, unresolved calls and edges."""
    store = graph.store
    functions = store.query("SELECT count(*) FROM function WHERE defined")[0][0]
    outside = store.query("SELECT count(*) FROM edge WHERE callee IN (SELECT id FROM function WHERE NOT defined)")
    kinds = store.query("SELECT kind, grade, count(*) FROM edge GROUP BY kind, grade ORDER BY kind, grade")
    faults = store.query("SELECT file, line, function, construct FROM fault ORDER BY file, line")
    return Census(
        release=graph.release,
        scope=store.meta("scope"),
        root=str(graph.root),
        files=int(store.meta("files")),
        functions=functions,
        edges=tuple((kind, grade, count) for kind, grade, count in kinds),
        outside=outside[0][0],
        faults=tuple(FaultLine(*row) for row in faults),
        unresolved=tuple(graph.unresolved()),
    )


def versions() -> Sequence[tuple[str, str]]:
    """What kread stands on, each with its version ("missing" where it is not there)."""
    import platform
    import sqlite3
    from importlib import metadata

    from kread import __version__
    from kread.parse.unit import EXTRACTOR_VERSION

    found = [("kread", f"{__version__}, extractor {EXTRACTOR_VERSION}"), ("Python", platform.python_version())]
    for name in PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            found.append((name, "missing"))
    found.append(("SQLite", sqlite3.sqlite_version))
    return found

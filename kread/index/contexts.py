"""Contexts of call sites that were read once, kept beside the graph that they belong to.

Theory of operation: guards are read from the source when a path needs them, a function in some milliseconds. The next
question often passes the same functions, so what was read is kept in a small SQLite file of its own, named after the
graph and its stamp: a graph that is built anew begins with an empty one. It is a cache and nothing else: where it
can't be read or written, contexts are read from the source again and nobody is told.
"""

from __future__ import annotations

import marshal
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

#: Somebody else writes: so much time is given to them, and then this run's contexts are not kept.
PATIENCE_SECONDS = 0.2

#: SQLite takes at most this many values in one statement on its oldest supported builds.
_VALUES = 500

Key = str


def key(file: str, line: int, column: int) -> Key:
    """The key of a call site."""
    return f"{file}:{line}:{column}"


@cache
def _readers() -> int:
    """When the code that reads contexts, or its data, changed last: what other code read is not kept."""
    package = Path(__file__).resolve().parent.parent
    folders = (package / "parse", package / "data")
    return max(entry.stat().st_mtime_ns for folder in folders for entry in os.scandir(folder) if entry.is_file())


class ContextStore:
    """Packed contexts (values that marshal takes) by call site, for one graph."""

    def __init__(self, graph_file: Path, stamp: str) -> None:
        self._file = graph_file.with_suffix(".contexts")
        self._stamp = f"{stamp} {_readers()}"

    def get(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """What is kept of these sites."""
        wanted = list(keys)
        if not wanted or not self._file.is_file():
            return {}
        found: dict[Key, Any] = {}
        with suppress(sqlite3.Error, OSError, ValueError, EOFError, TypeError), closing(self._open("ro")) as db:
            for start in range(0, len(wanted), _VALUES):
                part = wanted[start : start + _VALUES]
                marks = ",".join("?" * len(part))
                query = f"SELECT site, data FROM context WHERE stamp = ? AND site IN ({marks})"
                found |= {site: marshal.loads(data) for site, data in db.execute(query, [self._stamp, *part])}
        return found

    def put(self, contexts: Mapping[Key, Any]) -> None:
        """Keep contexts for the next run; those of an older graph are dropped."""
        if not contexts:
            return
        with suppress(sqlite3.Error, OSError, ValueError), closing(self._open("rwc")) as db, db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS context (site TEXT PRIMARY KEY, stamp TEXT, data BLOB) WITHOUT ROWID"
            )
            db.execute("DELETE FROM context WHERE stamp != ?", [self._stamp])
            rows = [(site, self._stamp, marshal.dumps(data)) for site, data in contexts.items()]
            db.executemany("INSERT OR REPLACE INTO context VALUES (?, ?, ?)", rows)

    def _open(self, mode: str) -> sqlite3.Connection:
        address = f"file:{quote(str(self._file))}?mode={mode}"
        return sqlite3.connect(address, uri=True, timeout=PATIENCE_SECONDS)

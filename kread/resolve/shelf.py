"""Rows by key: in memory as long as they are few, in a file when they are many.

Linking looks most things up by a name: the calls of a function, what is stored into a member. All calls of net/ are a
few hundred thousand, and a dictionary is the fastest place for them; those of the whole tree are ten million, and
would be gigabytes. So a shelf that grows too long is moved to a private SQLite database, which vanishes with
the process, and is read from there key by key.
"""

from __future__ import annotations

import marshal
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Generic, TypeVar

from kread.errors import SourceError

Key = TypeVar("Key")
Row = TypeVar("Row")

#: Rows of a shelf that are held in memory, where each takes some 300 bytes: all of net fits.
MOST_ROWS = 1_000_000

#: Pages of a database that are held in memory, in KB.
_CACHE = 8_000


class Shelf(Generic[Key, Row]):
    """Rows by key, in the order in which they were added. All are added before the first is asked for.

    plain, make -- a row as a tuple of what marshal can write, and back
    """

    def __init__(self, plain: Callable[[Row], tuple[Any, ...]], make: Callable[[tuple[Any, ...]], Row]) -> None:
        self._plain = plain
        self._make = make
        self._rows: dict[Key, list[Row]] = defaultdict(list)
        self._count = 0
        self._database: sqlite3.Connection | None = None
        self._indexed = False

    def add(self, key: Key, row: Row) -> None:
        self._rows[key].append(row)
        self._count += 1
        if self._count >= MOST_ROWS:
            self._move()

    def get(self, key: Key) -> Sequence[Row]:
        """The rows of a key."""
        if self._database is None:
            return self._rows.get(key, ())
        return [self._make(marshal.loads(data)) for (data,) in self._rows_of(self._database, repr(key))]

    def pop(self, key: Key) -> Sequence[Row]:
        """The rows of a key, which nobody will ask for again."""
        if self._database is None:
            return self._rows.pop(key, ())
        return self.get(key)

    def rows(self) -> Iterator[Row]:
        """All rows: those of a key together, or in the order in which they were added."""
        if self._database is None:
            yield from chain.from_iterable(self._rows.values())
            return
        self._index(self._database)
        for (data,) in self._database.execute("SELECT data FROM row ORDER BY number"):
            yield self._make(marshal.loads(data))

    def _move(self) -> None:
        """Move what is in memory to the database."""
        if self._database is None:
            self._database = sqlite3.connect("")
            self._database.execute("PRAGMA journal_mode=OFF")
            self._database.execute(f"PRAGMA cache_size=-{_CACHE}")
            self._database.execute("CREATE TABLE row (number INTEGER PRIMARY KEY, key TEXT, data BLOB)")
        rows = ((repr(key), marshal.dumps(self._plain(row))) for key, rows in self._rows.items() for row in rows)
        with _room():
            self._database.executemany("INSERT INTO row (key, data) VALUES (?, ?)", rows)
        self._rows.clear()
        self._count = 0

    def _rows_of(self, database: sqlite3.Connection, key: str) -> Iterator[tuple[bytes]]:
        self._index(database)
        return database.execute("SELECT data FROM row WHERE key = ? ORDER BY number", (key,))

    def _index(self, database: sqlite3.Connection) -> None:
        """Move the last rows, and sort the keys, before the first question."""
        if not self._indexed:
            self._move()
            with _room():
                database.execute("CREATE INDEX row_key ON row (key)")
            self._indexed = True


@contextmanager
def _room() -> Iterator[None]:
    """A database that finds no room says so as an error of ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise SourceError(
            "no-room-to-link",
            f"linking finds no room for its rows: {error}",
            where="the directory of temporary files",
            hint="free some space, or set SQLITE_TMPDIR to a directory that has some; what was parsed is kept",
        ) from error

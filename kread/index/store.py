"""What kread remembers on disk: facts per blob, and one linked graph per release and scope.

Two SQLite files. `facts.sqlite` is shared by all releases: a row holds the packed unit of a blob, and the digest of
the macros that its reading depended on; so an equal file is parsed once, whatever the release. A linked graph is a
file of its own, `<release>-<ident>-<scope>.sqlite`, written beside its place and renamed when it is whole: a reader
sees the old graph or the new one, never half of one, and an interrupted link loses nothing but itself.

An index of another extractor version, or one that SQLite calls damaged, is set aside and built again.
"""

from __future__ import annotations

import hashlib
import marshal
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from kread.errors import SourceError
from kread.parse.unit import EXTRACTOR_VERSION

#: Rows are written in batches of this many, so that an interrupted index loses at most one batch.
BATCH = 64

_FACTS_SCHEMA = """
CREATE TABLE IF NOT EXISTS head (blob TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unit (blob TEXT, deps TEXT, data BLOB NOT NULL, PRIMARY KEY (blob, deps)) WITHOUT ROWID;
"""

_GRAPH_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE packed (key TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE function (
    id INTEGER PRIMARY KEY, name TEXT, file TEXT, line INTEGER, end_line INTEGER, static INTEGER, macro TEXT,
    presence TEXT, signature TEXT, defined INTEGER);
CREATE TABLE edge (
    id INTEGER PRIMARY KEY, caller INTEGER, callee INTEGER, file TEXT, line INTEGER, column INTEGER, text TEXT,
    kind TEXT, grade TEXT, candidates INTEGER, presence TEXT, slot TEXT, object TEXT, context TEXT, evidence BLOB);
CREATE TABLE slot (
    record TEXT, field TEXT, function INTEGER, object TEXT, file TEXT, line INTEGER, text TEXT, presence TEXT);
CREATE TABLE unresolved (caller INTEGER, file TEXT, line INTEGER, text TEXT, reason TEXT);
CREATE TABLE fault (file TEXT, line INTEGER, function TEXT, construct TEXT);
CREATE TABLE member (
    record TEXT, position INTEGER, name TEXT, type TEXT, file TEXT, line INTEGER, presence TEXT);
CREATE TABLE macro (name TEXT, file TEXT, line INTEGER, params TEXT, body TEXT, presence TEXT);
"""

_GRAPH_INDEXES = """
CREATE INDEX function_name ON function (name);
CREATE INDEX edge_caller ON edge (caller);
CREATE INDEX edge_callee ON edge (callee);
CREATE INDEX slot_field ON slot (field, record);
CREATE INDEX member_record ON member (record);
CREATE INDEX macro_name ON macro (name);
"""


def blob_hash(data: bytes) -> str:
    """A file's identity: what it holds, not where it lies."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _open(file: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(file, timeout=60)
    except sqlite3.Error as error:
        raise SourceError(
            "index-unreadable",
            f"The index can't be opened: {error}",
            where=str(file),
            hint="Set KREAD_HOME to a writable directory.",
        ) from error


class FactStore:
    """The facts of every blob that was read. Safe for two processes at once: SQLite serialises the writers."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._connection = self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        connection = _open(self.file)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, EXTRACTOR_VERSION):
                connection.executescript("DROP TABLE IF EXISTS head; DROP TABLE IF EXISTS unit;")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_FACTS_SCHEMA)
            connection.execute(f"PRAGMA user_version={EXTRACTOR_VERSION}")
            connection.commit()
        except sqlite3.DatabaseError as error:
            connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise SourceError(
                    "index-unwritable",
                    f"The index can't be written: {error}",
                    where=str(self.file),
                    hint="Free some space, or set KREAD_HOME to a writable directory.",
                ) from error
            self.file.unlink(missing_ok=True)
            return self._prepared()
        return connection

    def heads(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """The packed directives of those blobs that are known."""
        return dict(self._fetch("SELECT blob, data FROM head WHERE blob IN", list(blobs)))

    def units(self, keys: Mapping[str, str]) -> dict[str, bytes]:
        """blob -> packed unit, for those blobs whose macro digest is still the one asked for."""
        rows = self._fetch("SELECT blob, deps, data FROM unit WHERE blob IN", list(keys))
        return {blob: data for blob, deps, data in rows if keys[blob] == deps}

    def _fetch(self, query: str, values: list[str]) -> Iterator[Any]:
        for start in range(0, len(values), 500):
            part = values[start : start + 500]
            yield from self._connection.execute(f"{query} ({','.join('?' * len(part))})", part)

    def add_heads(self, rows: Iterable[tuple[str, bytes]]) -> None:
        self._write("INSERT OR REPLACE INTO head VALUES (?, ?)", rows)

    def add_units(self, rows: Iterable[tuple[str, str, bytes]]) -> None:
        self._write("INSERT OR REPLACE INTO unit VALUES (?, ?, ?)", rows)

    def _write(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        try:
            with self._connection:
                self._connection.executemany(statement, rows)
        except sqlite3.OperationalError as error:
            raise SourceError(
                "index-unwritable",
                f"The index can't be written: {error}",
                where=str(self.file),
                hint="Free some space, or set KREAD_HOME to a writable directory; what was indexed so far is kept.",
            ) from error

    def close(self) -> None:
        self._connection.close()


def write_graph(
    file: Path, meta: Mapping[str, str], packed: Mapping[str, Any], tables: Mapping[str, Iterable[tuple[Any, ...]]]
) -> None:
    """Write a linked graph to a fresh file; the caller renames it into place."""
    file.unlink(missing_ok=True)
    with closing(_open(file)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=OFF")
            connection.execute("PRAGMA synchronous=OFF")
            connection.executescript(_GRAPH_SCHEMA)
            connection.execute(f"PRAGMA user_version={EXTRACTOR_VERSION}")
            connection.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
            connection.executemany(
                "INSERT INTO packed VALUES (?, ?)",
                ((key, zlib.compress(marshal.dumps(value), 1)) for key, value in sorted(packed.items())),
            )
            for table, rows in tables.items():
                width = len(connection.execute(f"SELECT * FROM {table} LIMIT 0").description)
                connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * width)})", rows)
            connection.executescript(_GRAPH_INDEXES)
            connection.commit()
        except sqlite3.OperationalError as error:
            file.unlink(missing_ok=True)
            raise SourceError(
                "index-unwritable",
                f"The graph can't be written: {error}",
                where=str(file),
                hint="Free some space, or set KREAD_HOME to a writable directory.",
            ) from error


class GraphStore:
    """A linked graph, read only. Queries read the rows that they need and no more."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)

    def query(self, statement: str, values: Iterable[Any] = ()) -> list[Any]:
        return self._connection.execute(statement, tuple(values)).fetchall()

    def rows(self, statement: str, values: Iterable[Any] = ()) -> Iterator[Any]:
        """Like `query`, one row after the other."""
        return self._connection.execute(statement, tuple(values))

    def meta(self, key: str) -> str:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def packed(self, key: str) -> Any:
        """A packed value by its key, or None."""
        row = self._connection.execute("SELECT data FROM packed WHERE key = ?", (key,)).fetchone()
        return marshal.loads(zlib.decompress(row[0])) if row else None

    def close(self) -> None:
        self._connection.close()


def is_graph(file: Path) -> bool:
    """Whether a file is a linked graph that this kread wrote."""
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA user_version").fetchone()[0] == EXTRACTOR_VERSION)
    except sqlite3.Error:
        return False

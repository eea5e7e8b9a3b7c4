"""What kread remembers on disk: facts per blob, and one linked graph per release and scope.

Two SQLite files. `facts-<extractor>.sqlite` is shared by all releases: a row holds the packed unit of a blob, and the
digest of the macros that its reading depended on; so an equal file is parsed once, whatever the release. Beside them
stand the directives of each blob, which depend on nothing else. A linked graph
is a file of its own, `<release>-<ident>-<scope>.sqlite`, written beside its place and renamed when it is whole: a
reader sees the old graph or the new one, never half of one, and an interrupted link loses nothing but itself.

What another extractor version wrote, or what SQLite calls damaged, is removed and made again.
"""

from __future__ import annotations

import glob
import hashlib
import marshal
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from kread.errors import SourceError
from kread.parse.unit import EXTRACTOR_VERSION
from kread.source.home import lock

#: Rows are written in batches of this many, or of about this many packed bytes (seconds of reading), so that an index that
#: is killed loses no more than one batch.
BATCH = 64
BATCH_BYTES = 1_000_000

#: Seconds that a process waits for another that writes; a batch takes milliseconds.
PATIENCE = 60

_FACTS_SCHEMA = """
CREATE TABLE IF NOT EXISTS unit (blob TEXT, deps TEXT, data BLOB NOT NULL, PRIMARY KEY (blob, deps)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (blob TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
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
CREATE TABLE links (page INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE label (id INTEGER PRIMARY KEY, kind TEXT, grade TEXT, presence TEXT);
CREATE TABLE macro (name TEXT, file TEXT, line INTEGER, params TEXT, body TEXT, presence TEXT);
"""

_GRAPH_INDEXES = """
CREATE INDEX function_name ON function (name);
CREATE INDEX edge_ends ON edge (caller, callee);
CREATE INDEX edge_callee ON edge (callee);
CREATE INDEX edge_object ON edge (object) WHERE object != '';
CREATE INDEX slot_field ON slot (field, record);
CREATE INDEX slot_function ON slot (function);
CREATE INDEX member_record ON member (record);
CREATE INDEX macro_name ON macro (name);
"""


def blob_hash(data: bytes) -> str:
    """A file's identity: what it holds, not where it lies."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def facts_file(folder: Path) -> Path:
    """Where the facts of this extractor are kept below a folder."""
    return folder / f"facts-{EXTRACTOR_VERSION}.sqlite"


class FactStore:
    """The facts of every blob that was read. Two processes may use one: SQLite serialises the writers."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            # Two processes that make one database at once would meet in the switch of its journal's mode.
            with lock(file.with_suffix(".lock")):
                self._connection = self._prepared()
        except sqlite3.Error as error:
            raise _unwritable(error, file) from error

    def _prepared(self) -> sqlite3.Connection:
        for old in self.file.parent.glob("facts*.sqlite*"):
            if not old.name.startswith(self.file.name):
                old.unlink(missing_ok=True)
        try:
            return self._opened()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._remove()
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file, timeout=PATIENCE)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_FACTS_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _remove(self) -> None:
        """Remove a damaged database with its journals."""
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.file}{ending}").unlink(missing_ok=True)

    def add_units(self, rows: Sequence[tuple[str, str, bytes]]) -> None:
        """Keep (blob, macro digest, packed unit) rows."""
        self._add("INSERT OR REPLACE INTO unit VALUES (?, ?, ?)", rows)

    def add_heads(self, rows: Sequence[tuple[str, bytes]]) -> None:
        """Keep (blob, packed directives) rows."""
        self._add("INSERT OR REPLACE INTO head VALUES (?, ?)", rows)

    def _add(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        try:
            self._insert(statement, rows)
        except sqlite3.OperationalError as error:
            raise _unwritable(error, self.file) from error
        except sqlite3.DatabaseError:
            self._connection.close()
            with lock(self.file.with_suffix(".lock")):
                self._remove()
                self._connection = self._opened()
            self._insert(statement, rows)

    def _insert(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with self._connection:
            self._connection.executemany(statement, rows)

    def close(self) -> None:
        self._connection.close()


class FactReader:
    """Reads facts that a FactStore keeps. What cannot be read is not known: the blob is parsed again.

    It may be used in processes that are forked after it was made: each opens the store for itself, since SQLite's
    connections do not survive a fork. What they inherit they leave alone.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connections: dict[int, sqlite3.Connection] = {}

    def _connection(self) -> sqlite3.Connection:
        process = os.getpid()
        known = self._connections.get(process)
        if known is None:
            where = f"file:{quote(str(self._file))}?mode=ro"
            known = self._connections[process] = sqlite3.connect(where, uri=True, timeout=PATIENCE)
        return known

    def unit(self, blob: str, digest: str) -> bytes | None:
        """The packed unit of a blob that was read with macros of this digest."""
        data: bytes | None = self._data("SELECT data FROM unit WHERE blob = ? AND deps = ?", (blob, digest))
        return data

    def has_unit(self, blob: str, digest: str) -> bool:
        """Whether `unit` has this one."""
        return self._data("SELECT 1 FROM unit WHERE blob = ? AND deps = ?", (blob, digest)) is not None

    def head(self, blob: str) -> bytes | None:
        """The packed directives of a blob."""
        data: bytes | None = self._data("SELECT data FROM head WHERE blob = ?", (blob,))
        return data

    def _data(self, statement: str, key: tuple[str, ...]) -> Any:
        try:
            row = self._connection().execute(statement, key).fetchone()
        except sqlite3.DatabaseError:
            return None
        return None if row is None else row[0]

    def close(self) -> None:
        known = self._connections.pop(os.getpid(), None)
        if known is not None:
            known.close()


def _unwritable(error: Exception, file: Path) -> SourceError:
    return SourceError(
        "index-unwritable",
        f"the index can't be written: {error}",
        where=str(file),
        hint="free some space, or set KREAD_HOME to a writable directory; what was indexed so far is kept",
    )


#: What a graph says of itself, and values that are stored as they are: every query reads some, and unpacking would be
#: a tenth of its time.
Summary: TypeAlias = tuple[Mapping[str, str], Mapping[str, Any]]


def write_graph(file: Path, tables: Mapping[str, Iterable[tuple[Any, ...]]], summary: Callable[[], Summary]) -> None:
    """Write a linked graph beside its place and rename it into place; what an interrupted one left is removed.

    The rows are taken as they come, and `summary` is asked when all are written.
    """
    for left in file.parent.glob(f"{glob.escape(file.name)}.*.tmp"):
        left.unlink(missing_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        with closing(sqlite3.connect(fresh)) as connection:
            _fill(connection, tables, summary)
        os.replace(fresh, file)
    except (sqlite3.OperationalError, OSError) as error:
        raise _unwritable(error, file) from error
    finally:
        fresh.unlink(missing_ok=True)


def _fill(
    connection: sqlite3.Connection, tables: Mapping[str, Iterable[tuple[Any, ...]]], summary: Callable[[], Summary]
) -> None:
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.executescript(_GRAPH_SCHEMA)
    connection.execute(f"PRAGMA user_version={EXTRACTOR_VERSION}")
    for table, rows in tables.items():
        width = len(connection.execute(f"SELECT * FROM {table} LIMIT 0").description)
        connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * width)})", rows)
    meta, packed = summary()
    connection.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
    connection.executemany(
        "INSERT INTO packed VALUES (?, ?)",
        ((key, marshal.dumps(value)) for key, value in sorted(packed.items())),
    )
    connection.executescript(_GRAPH_INDEXES)
    connection.commit()


class GraphStore:
    """A linked graph, read only. Queries read the rows that they need and no more.

    A graph that turns out to be damaged is removed, so that the next run makes it again.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        # The file is never changed once it has its name, so SQLite need not lock it.
        self._connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro&immutable=1", uri=True)

    def query(self, statement: str, values: Iterable[Any] = ()) -> list[Any]:
        """All rows of a query."""
        return list(self.rows(statement, values))

    def rows(self, statement: str, values: Iterable[Any] = ()) -> Iterator[Any]:
        """Like `query`, one row after the other."""
        try:
            yield from self._connection.execute(statement, tuple(values))
        except sqlite3.DatabaseError as error:
            if str(error).startswith("no such"):
                raise
            self.close()
            with suppress(OSError):
                self.file.unlink(missing_ok=True)
            raise SourceError(
                "index-damaged",
                f"the index is damaged: {error}",
                where=str(self.file),
                hint="it is removed now: run the command again, which makes it again",
            ) from error

    def meta(self, key: str) -> str:
        """What the graph says of itself under a key ("" = nothing)."""
        rows = self.query("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else ""

    def packed(self, key: str) -> Any:
        """A packed value by its key, or None."""
        rows = self.query("SELECT data FROM packed WHERE key = ?", (key,))
        return marshal.loads(rows[0][0]) if rows else None

    def close(self) -> None:
        self._connection.close()


def is_graph(file: Path) -> bool:
    """Whether a file is a linked graph that this kread wrote."""
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro&immutable=1", uri=True)) as connection:
            return bool(connection.execute("PRAGMA user_version").fetchone()[0] == EXTRACTOR_VERSION)
    except sqlite3.Error:
        return False

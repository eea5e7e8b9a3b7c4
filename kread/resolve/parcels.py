"""What the linking of one region found, on disk: rows by the file that they stand in, and what concerns all of it.

A process writes a parcel beside its place and renames it, so that a parcel that is there is whole. What an interrupted
run has finished is read by the next one.
"""

from __future__ import annotations

import marshal
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kread.errors import SourceError


class ParcelWriter:
    """A parcel being written: what is added is packed at once. It is in its place when the `with` ends without an error."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._fresh = place.with_name(f"{place.name}.{os.getpid()}.tmp")

    def __enter__(self) -> ParcelWriter:
        with _room(self._place):
            self._connection = sqlite3.connect(self._fresh)
            self._connection.execute("PRAGMA journal_mode=OFF")
            self._connection.execute("PRAGMA synchronous=OFF")
            self._connection.execute(
                "CREATE TABLE part (kind TEXT, file TEXT, data BLOB, PRIMARY KEY (file, kind)) WITHOUT ROWID"
            )
        return self

    def add(self, kind: str, file: str, rows: Any) -> None:
        """Add the rows of a kind that stand in a file ("": that concern the whole region), once."""
        with _room(self._place):
            data = zlib.compress(marshal.dumps(rows), 1)
            self._connection.execute("INSERT INTO part VALUES (?, ?, ?)", (kind, file, data))

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        with closing(self._connection), _room(self._place):
            self._connection.commit()
            if error is None:
                os.replace(self._fresh, self._place)


class Parcel:
    """A parcel, read."""

    def __init__(self, place: Path) -> None:
        self._connection = sqlite3.connect(place)

    def files(self) -> Iterator[str]:
        """The files of which it has rows."""
        for (file,) in self._connection.execute("SELECT DISTINCT file FROM part WHERE file != ''"):
            yield file

    def rows(self, kind: str, file: str) -> Any:
        """The rows of a kind that stand in a file, None if there are none."""
        query = "SELECT data FROM part WHERE kind = ? AND file = ?"
        found = self._connection.execute(query, (kind, file)).fetchone()
        return marshal.loads(zlib.decompress(found[0])) if found is not None else None


@contextmanager
def _room(place: Path) -> Iterator[None]:
    """What cannot be written is an error of ours."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise SourceError(
            "index-unwritable",
            f"what was linked can't be written: {error}",
            where=str(place),
            hint="free some space, or set KREAD_HOME to a writable directory; what was linked so far is kept",
        ) from error

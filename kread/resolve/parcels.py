"""What the linking of one region found, on disk: rows by the file that they stand in, and what concerns all of it.

A process writes a parcel beside its place and renames it, so that a parcel that is there is whole. What an interrupted
run has finished is read by the next one.
"""

from __future__ import annotations

import marshal
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kread.errors import SourceError

#: The key of what concerns the whole region: no file is called so.
_WHOLE = ""


def write_parcel(place: Path, whole: Any, rows: Iterable[tuple[str, Any]]) -> None:
    """Write what concerns all of a region, and (file, rows) pairs."""
    fresh = place.with_name(f"{place.name}.{os.getpid()}.tmp")
    with _room(place):
        with closing(sqlite3.connect(fresh)) as connection:
            connection.execute("PRAGMA journal_mode=OFF")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("CREATE TABLE part (file TEXT PRIMARY KEY, data BLOB) WITHOUT ROWID")
            pairs = ((file, zlib.compress(marshal.dumps(value), 1)) for file, value in [(_WHOLE, whole), *rows])
            connection.executemany("INSERT INTO part VALUES (?, ?)", pairs)
            connection.commit()
        os.replace(fresh, place)


class Parcel:
    """A parcel, read."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._connection = sqlite3.connect(place)

    def files(self) -> Iterator[str]:
        """The files of which it has rows."""
        for (file,) in self._connection.execute("SELECT file FROM part WHERE file != ?", (_WHOLE,)):
            yield file

    def whole(self) -> Any:
        """What concerns all of the region."""
        return self.rows(_WHOLE)

    def rows(self, file: str) -> Any:
        """The rows of a file, None if it has none."""
        found = self._connection.execute("SELECT data FROM part WHERE file = ?", (file,)).fetchone()
        return marshal.loads(zlib.decompress(found[0])) if found is not None else None

    def close(self) -> None:
        self._connection.close()


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

"""Where kread keeps what it keeps, and how two processes share it.

Theory of operation: releases are data and live under the data directory, the index can be made again and lives under
the cache directory. KREAD_HOME puts both in one place; otherwise they follow the XDG base directory specification
(XDG_DATA_HOME and XDG_CACHE_HOME, by default ~/.local/share and ~/.cache, each with `kread` below).

Whatever is made, is made under a temporary name in the same file system and then renamed, so that nobody ever sees
half of it. A `lock` is an advisory lock on a file: the kernel releases it when its holder dies, by whatever signal,
so a lock is never stale, and whoever holds one may remove what a dead holder left under temporary names.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kread.errors import SourceError

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def _base(variable: str, default: str) -> Path:
    if home := os.environ.get("KREAD_HOME"):
        return Path(home).expanduser().absolute()
    # The specification: a relative path in an XDG variable is to be ignored.
    chosen = os.environ.get(variable, "")
    if os.path.isabs(chosen):
        return Path(chosen) / "kread"
    user = os.path.expanduser("~")
    if not os.path.isabs(user):
        raise SourceError(
            "no-home",
            "this user has no home directory",
            where="neither HOME nor KREAD_HOME is set",
            hint="set KREAD_HOME to a directory that kread may write to",
        )
    return Path(user) / default / "kread"


def data_dir() -> Path:
    """The directory of what cannot be made again without a fetch (not created)."""
    return _base("XDG_DATA_HOME", ".local/share")


def cache_dir() -> Path:
    """The directory of what can be made again from the data (not created)."""
    return _base("XDG_CACHE_HOME", ".cache")


def releases_dir() -> Path:
    """The directory of the releases and their records (not created)."""
    return data_dir() / "releases"


def index_dir() -> Path:
    """The directory of the indexes (not created)."""
    return cache_dir() / "index"


def temporary_dir() -> Path:
    """The directory for what is being fetched: in the file system of the releases, so that a rename suffices."""
    return data_dir() / "tmp"


def storage_error(error: OSError, where: Path | str, doing: str = "write") -> SourceError:
    """The SourceError that tells a user what an OSError from reading or writing kread's own files means."""
    place = str(where)
    if error.errno in _NO_SPACE:
        return SourceError(
            "no-space",
            "no space is left on the device",
            where=place,
            hint="free some space, or set KREAD_HOME to a directory on another disk, and run the command again",
        )
    return SourceError(
        "home-unusable",
        f"cannot {doing} there: {error.strerror or error}",
        where=place,
        hint="set KREAD_HOME to a directory that you can write to",
    )


def ensure_dir(folder: Path) -> Path:
    """Make `folder` and its parents where they are missing; SourceError where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder, "make the directory") from error
    return folder


@contextmanager
def lock(file: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the exclusive lock `file` for the time of the `with`; `waiting` is called once if another holds it."""
    ensure_dir(file.parent)
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise storage_error(error, file) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_atomically(file: Path, content: bytes) -> None:
    """Replace `file` by `content` at once: a reader sees the old content or the new, never a part."""
    import tempfile

    ensure_dir(file.parent)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, file)
    except BaseException as error:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):
            raise storage_error(error, file) from error
        raise


def remove_tree(folder: Path) -> None:
    """Remove `folder` and all below it, as far as possible: what stays is stale, and the next run tries again."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def free_bytes(folder: Path) -> int:
    """The bytes that may still be written below `folder`, whose nearest existing parent is asked."""
    import shutil

    for place in (folder, *folder.parents):
        if place.exists():
            return shutil.disk_usage(place).free
    return 0

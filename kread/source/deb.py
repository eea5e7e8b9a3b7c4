"""A .deb of kernel source, unpacked as far as the scope needs it, without its gigabyte and a half on disk.

Theory of operation: a .deb is an `ar` archive whose member data.tar.* holds one file that matters, the release's own
tar archive. Both are read as streams, one in the other: what the outer one gives goes straight into `archive`, which
keeps the scope and trusts nothing.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from typing import BinaryIO

from kread.errors import SourceError
from kread.source.archive import unpack_stream
from kread.source.compressed import DAMAGE, Counted, Plain, TooMuch
from kread.source.progress import Progress

_AR_MAGIC = b"!<arch>\n"
_AR_HEADER_BYTES = 60
_INNER = re.compile(r"(?:\./)?usr/src/(?:[^/]+/)?linux-source-[^/]+\.tar\.[a-z0-9]+\Z")
_CHUNK = 1 << 16


class _Member:
    """The bytes of one member of an `ar` archive."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self._raw = raw
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._raw.read(self._left if size < 0 else min(size, self._left))
        if not chunk and size and self._left:
            raise EOFError("the package ends in the middle")
        self._left -= len(chunk)
        return chunk


def unpack_deb(package: Path, into: Path, folders: tuple[str, ...], progress: Progress) -> None:
    """Unpack the top-level files and `folders` of the release in the .deb `package` into the empty folder `into`.

    SourceError "bad-package" where it is no package of kernel source, and what `archive.unpack_stream` raises.
    """
    progress.phase(f"unpacking {package.name}")
    total = package.stat().st_size
    try:
        with open(package, "rb") as raw:
            outer = Counted(_data_member(raw), lambda done: progress.advance(done, total, "B"))
            with (
                Plain(outer) as plain,
                tarfile.open(fileobj=plain, mode="r|", bufsize=_CHUNK) as tar,  # type: ignore[call-overload]
            ):
                while (member := tar.next()) is not None:
                    if member.isreg() and _INNER.match(member.name):
                        inner = tar.extractfile(member)
                        assert inner is not None
                        return unpack_stream(Counted(inner), into, folders, str(package))
    except (tarfile.TarError, TooMuch, *DAMAGE) as error:
        raise _bad(package, str(error)) from error
    raise _bad(package, "it holds no archive of kernel source")


def _data_member(raw: BinaryIO) -> _Member:
    if raw.read(len(_AR_MAGIC)) != _AR_MAGIC:
        raise ValueError("it is no Debian package")
    while len(header := raw.read(_AR_HEADER_BYTES)) == _AR_HEADER_BYTES:
        name, size = header[:16].decode("ascii", "replace").strip().rstrip("/"), int(header[48:58])
        if size < 0:
            raise ValueError("it is no Debian package")
        if name.startswith("data.tar"):
            return _Member(raw, size)
        raw.seek(size + size % 2, 1)  # members begin at even places
    raise ValueError("it holds no data.tar")


def _bad(package: Path, why: str) -> SourceError:
    return SourceError(
        "bad-package",
        f"this package cannot be used: {why}",
        where=str(package),
        hint="run the command again, or take the release from git: `kread clone --from git`",
    )

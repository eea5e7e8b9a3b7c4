"""A tar archive of a kernel release, unpacked as far as the scope needs it, and trusted in nothing.

Theory of operation: the archive is read once, from its first byte to its last, and only what lies at the top or below
one of the wanted folders is written. An archive from elsewhere may be hostile or damaged, so: a name that is absolute
or climbs, a link that leads out of the tree, a device, a header or a total beyond every release's, and a second top
folder each refuse the whole archive; nothing but regular files and folders is ever made on disk, so no name can be
redirected while it is written. A link within the tree becomes a copy of what it names, at the end. The caller gives
an empty folder and throws it away when this raises.
"""

from __future__ import annotations

import errno
import os
import posixpath
import tarfile
from pathlib import Path

from kread.errors import SourceError
from kread.source.compressed import DAMAGE, Counted, Plain, Readable, TooMuch
from kread.source.home import storage_error
from kread.source.progress import Progress
from kread.source.tree import MAX_FILE_BYTES

#: Releases have about 90,000 members (6.12: 93,000 with folders).
MAX_MEMBERS = 1_000_000

#: The scope of a release is about 150 MB.
MAX_WRITTEN_BYTES = 2_000_000_000

#: The longest name of 6.12 has 107 characters; below our own folder it must stay shorter than the system's limit.
MAX_NAME = 1000

#: A long name or a table of attributes has a few kilobytes; tarfile would read any length into memory.
MAX_HEADER_BYTES = 1_000_000

_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)

_NOT_A_NAME = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})

_CHUNK = 1 << 16


class _Refused(Exception):
    """The archive holds what no archive of a release holds; the text says what."""


class _Member(tarfile.TarInfo):
    """A member whose header is looked at before tarfile acts on it."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str | None, errors: str) -> _Member:
        member = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type]  # typeshed wants encoding: str
        if member.type in _HEADERS and member.size > MAX_HEADER_BYTES:
            raise _Refused(f"it holds a header of {member.size} bytes")
        if member.size < 0:
            raise _Refused("it holds a member of negative length")
        return member


def unpack(archive: Path, into: Path, folders: tuple[str, ...], progress: Progress) -> str:
    """Unpack the top-level files and `folders` of the release in `archive` into the empty folder `into`.

    Returns the archive's SHA-256. SourceError "bad-archive" where it is damaged or hostile, "no-space" and
    "home-unusable" where `into` cannot be written.
    """
    progress.phase(f"unpacking {archive.name}")
    try:
        total = archive.stat().st_size
        with open(archive, "rb", buffering=0) as raw:
            packed = Counted(raw, lambda done: progress.advance(done, total, "B"))
            unpack_stream(packed, into, folders, str(archive))
            return packed.sha256
    except OSError as error:
        raise SourceError(
            "no-archive",
            f"cannot read the archive: {error.strerror or error}",
            where=str(archive),
            hint="give a linux-*.tar.xz, .tar.gz or .tar.zst that you can read",
        ) from error


def unpack_stream(packed: Counted, into: Path, folders: tuple[str, ...], name: str) -> None:
    """Like `unpack`, from the bytes of an archive that errors call `name`."""
    try:
        with Plain(packed) as plain:
            _unpack_members(plain, into, folders)
            if plain.drain().strip(b"\0"):
                raise _Refused("its end is missing")
        while packed.read(_CHUNK):  # to its last byte, for the digest
            pass
    except (_Refused, TooMuch) as error:
        raise _bad(name, str(error)) from error
    except (tarfile.TarError, RecursionError, *DAMAGE) as error:
        raise _bad(name, f"it is damaged or cut short: {error}") from error


def _unpack_members(plain: Readable, into: Path, folders: tuple[str, ...]) -> None:
    writer = _Writer(into)
    wanted = tuple(f"{folder}/" for folder in folders)
    links: list[tuple[str, str]] = []
    top = ""
    count = 0
    with tarfile.open(fileobj=plain, mode="r|", bufsize=_CHUNK, tarinfo=_Member) as tar:  # type: ignore[call-overload]
        while (member := tar.next()) is not None:
            # tarfile keeps every member it has seen; a release has ninety thousand.
            tar.members = []
            count += 1
            if count > MAX_MEMBERS:
                raise _Refused(f"it holds more than {MAX_MEMBERS} members")
            name = _safe(member.name)
            head, _, rest = name.partition("/")
            top = top or head
            if head != top:
                raise _Refused(f"it holds more than one top folder: {_shown(top)} and {_shown(head)}")
            keep = bool(rest) and ("/" not in rest or rest.startswith(wanted))
            if member.isdir():
                continue
            if member.issym() or member.islnk():
                target = _link_target(member, name)
                if keep:
                    links.append((rest, target.partition("/")[2]))
            elif not member.isreg() or member.issparse():
                raise _Refused(f"it holds a member that is no file, folder or link: {_shown(name)}")
            elif keep:
                if member.size > MAX_FILE_BYTES:
                    raise _Refused(f"it holds a file of {member.size} bytes: {_shown(name)}")
                stream = tar.extractfile(member)
                assert stream is not None
                writer.write(rest, stream, member.size)
    if not top:
        raise _Refused("it is empty, or no tar archive")
    for link, target in links:
        writer.copy(link, target)


class _Writer:
    """Writes regular files below a folder that nobody else writes to, and counts them."""

    def __init__(self, into: Path) -> None:
        self._into = str(into)
        self._made: set[str] = set()
        self._bytes = 0

    def write(self, name: str, stream: Readable, size: int) -> None:
        self._bytes += size
        if self._bytes > MAX_WRITTEN_BYTES:
            raise _Refused(f"the folders that kread needs hold more than {MAX_WRITTEN_BYTES // 1_000_000_000} GB")
        content = stream.read(size)
        if len(content) != size:
            raise EOFError("a file ends in the middle")
        path = f"{self._into}/{name}"
        try:
            self._folder(path.rpartition("/")[0])
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:
                os.unlink(path)  # as tar does: of two members of one name the later one counts
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            with os.fdopen(handle, "wb", buffering=0) as file:
                rest = memoryview(content)
                while rest:
                    rest = rest[file.write(rest) :]
        except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
            if not os.access(self._into, os.W_OK):
                raise storage_error(error, self._into) from error
            raise _Refused(f"it holds one name as a file and as a folder: {_shown(name)}") from error
        except OSError as error:
            if error.errno in _NOT_A_NAME:
                raise _Refused(f"it holds a name that no file here can have: {_shown(name)}") from error
            raise storage_error(error, path) from error

    def copy(self, name: str, target: str) -> None:
        source = f"{self._into}/{target}"
        # A link to a folder, to another link or out of the scope stands for nothing that kread reads.
        if target and os.path.isfile(source):
            with open(source, "rb") as stream:
                self.write(name, stream, os.path.getsize(source))

    def _folder(self, folder: str) -> None:
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            self._made.add(folder)


def _safe(name: str) -> str:
    """The member's name without "./" and trailing "/"; refused where it is absolute, climbs or is too long."""
    plain = posixpath.normpath(name)
    if name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise _Refused(f"it holds a name that leads out of it: {_shown(name)}")
    if len(plain) > MAX_NAME:
        raise _Refused(f"it holds a name that is too long: {_shown(name)}")
    return plain


def _link_target(member: tarfile.TarInfo, name: str) -> str:
    """Where a link leads, as a name in the archive; refused where that is out of its top folder."""
    # A hard link names a member, a symbolic link a place relative to its own folder.
    base = "" if member.islnk() else posixpath.dirname(name)
    target = posixpath.normpath(posixpath.join(base, member.linkname))
    if target.startswith("/") or target.partition("/")[0] != name.partition("/")[0] or "\0" in target:
        raise _Refused(f"it holds a link that leads out of it: {_shown(name)} to {_shown(member.linkname)}")
    return target


def _shown(name: str) -> str:
    """A name from a hostile archive, fit for a terminal."""
    text = name if len(name) <= 80 else f"{name[:77]}..."
    return ascii(text)[1:-1]


def _bad(name: str, why: str) -> SourceError:
    return SourceError(
        "bad-archive",
        f"this archive cannot be used: {why}",
        where=name,
        hint="get the archive again and compare its checksum with the publisher's; nothing of it was kept",
    )

"""A tree of kernel source: its name, where it came from, and its files; read only.

Theory of operation: whatever the way a tree came here (a clone, a package, an archive, a directory of the user's),
the rest of kread sees a `SourceTree`. Its release is what the top Makefile itself says, never what was asked for.
`ident` tells two trees of one release apart: it is a short digest of what the tree was made from (a commit, a
package's version, an archive's digest, a directory's path), so it is the same on every run.

A tree may be hostile: names that lead out of it (`..`, absolute names, symbolic links), things that are no files (a
device, a FIFO that would block), files without end. So `read` opens what is a regular file below the root and nothing
else, and never writes.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kread.data import load
from kread.errors import SourceError

#: The longest file that is read. The longest header of the kernel (register masks of a graphics driver) has some 25 MB.
MAX_FILE_BYTES = 64 * 1024 * 1024

#: The release stands in the first lines of the top Makefile; more of it need not be read.
_MAKEFILE_HEAD_BYTES = 4096

_MORE_BYTES = 4096

_RELEASE_LINE = re.compile(rb"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=[ \t]*([^\s#]*)", re.MULTILINE)
_EXTRA = re.compile(rb"[-.+~A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A tree of kernel source.

    root    -- the absolute directory that holds it
    release -- its name by its own Makefile, e.g. "v6.12.117"
    origin  -- what it was made from, for people, e.g. "Debian linux-source-6.12 6.12.117-1"
    ident   -- twelve hexadecimal digits that tell it from another tree of the same release
    """

    root: Path
    release: str
    origin: str
    ident: str

    def read(self, file: str) -> bytes:
        """The bytes of `file` (relative to the root); SourceError where it is no regular file of this tree."""
        path = self._inside(file)
        if path is None:
            raise self._no_file(file, "no such file in this tree")
        try:
            return _read_regular(path, MAX_FILE_BYTES)
        except ValueError as error:
            raise self._no_file(file, str(error)) from error
        except OSError as error:
            raise self._no_file(file, f"cannot read the file: {error.strerror}") from error

    def exists(self, file: str) -> bool:
        """Whether `file` (relative to the root) is a regular file of this tree."""
        path = self._inside(file)
        return path is not None and os.path.isfile(path)

    def files(self, folder: str, suffix: str | tuple[str, ...] = "") -> list[str]:
        """The regular files below `folder` ("" = the whole tree) whose names end in `suffix`, sorted.

        Links to directories are not followed, links to files are where they stay in the tree.
        """
        return sorted(
            name
            for name, entry in self._entries(folder, [])
            if name.endswith(suffix)
            and (entry.is_file(follow_symlinks=False) or (entry.is_symlink() and self.exists(name)))
        )

    def folders(self, folder: str) -> list[str]:
        """The directories in which `files` looks, `folder` first; none where it is no directory of this tree."""
        found: list[str] = []
        for _ in self._entries(folder, found):
            pass
        return found

    def _entries(self, folder: str, seen: list[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """What is no directory below `folder`, with its name; the directories that could be listed are added to `seen`."""
        folder = folder.strip("/")
        start = self._inside(folder) if folder else str(self.root)
        pending = [] if start is None else [(start, f"{folder}/" if folder else "")]
        while pending:
            here, prefix = pending.pop()
            try:
                with os.scandir(here) as entries:
                    seen.append(prefix)
                    for entry in entries:
                        name = prefix + entry.name
                        if not entry.is_dir(follow_symlinks=False):
                            yield name, entry
                        elif entry.name != ".git":
                            pending.append((entry.path, f"{name}/"))
            except OSError:
                # A directory that may not be listed holds nothing for us, like one that is not there.
                continue

    def _inside(self, file: str) -> str | None:
        """The path of `file` where it stays below the root and is there; links are followed, and must stay too."""
        if not file or file.startswith("/") or "\0" in file:
            return None
        folder, _, name = file.rpartition("/")
        if name in {"", ".", ".."}:
            return None
        root = _real(str(self.root))
        parent = _real(f"{root}/{folder}") if folder else root
        if parent != root and not parent.startswith(f"{root}/"):
            return None
        path = f"{parent}/{name}"
        try:
            status = os.lstat(path)
        except OSError:
            return None
        if stat.S_ISLNK(status.st_mode):
            path = os.path.realpath(path)
            if not path.startswith(f"{root}/"):
                return None
        return path

    def _no_file(self, file: str, what: str) -> SourceError:
        return SourceError(
            "no-file",
            what,
            where=f"{self.root}/{file}",
            hint=f"this is {self.release} from {self.origin}; `kread clone` fetches a release again",
        )

    def __str__(self) -> str:
        return self.release


@lru_cache(maxsize=16384)
def _real(folder: str) -> str:
    """The real path of a directory; kept, because the files of one directory are read one after the other."""
    return os.path.realpath(folder)


def _read_regular(path: str, limit: int, whole: bool = True) -> bytes:
    """At most `limit` bytes of a regular file; ValueError where it is none, or where the `whole` is longer."""
    # O_NONBLOCK: opening a FIFO must not wait for its writer.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("this is not a regular file")
        if whole and status.st_size > limit:
            raise ValueError(f"the file is longer than {limit} bytes")
        content = os.read(handle, min(status.st_size, limit))
        # One read is enough, except for a file that grows or one of a pseudo file system, which has no size.
        while len(content) < limit and (more := os.read(handle, min(limit - len(content), _MORE_BYTES))):
            content += more
        return content
    finally:
        os.close(handle)


def make_ident(what: str) -> str:
    """The ident of a tree that was made from `what`, e.g. "git:<commit>" or "dir:<path>"."""
    import hashlib

    return hashlib.sha256(what.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def read_release(root: Path) -> str:
    """The release that the tree below `root` says it is ("v6.12.117", "v6.12-rc3"); SourceError where it says none."""
    try:
        head = _read_regular(str(root / "Makefile"), _MAKEFILE_HEAD_BYTES, whole=False)
    except ValueError as error:
        raise _no_tree(root, f"its Makefile: {error}") from error
    except OSError as error:
        raise _no_tree(root, f"no Makefile: {error.strerror}") from error
    values: dict[bytes, bytes] = dict(_RELEASE_LINE.findall(head))
    version, patch = values.get(b"VERSION", b""), values.get(b"PATCHLEVEL", b"")
    sub, extra = values.get(b"SUBLEVEL", b"") or b"0", values.get(b"EXTRAVERSION", b"")
    if not (version.isdigit() and patch.isdigit() and sub.isdigit() and _EXTRA.match(extra)):
        raise _no_tree(root, "its Makefile names no release")
    # The kernel's own tags leave out a SUBLEVEL of 0: v6.12, v6.13-rc1.
    numbers = f"v{int(version)}.{int(patch)}" + (f".{int(sub)}" if int(sub) else "")
    return numbers + extra.decode("ascii")


def open_tree(root: Path | str, origin: str = "", ident: str = "") -> SourceTree:
    """The tree in the directory `root`, in place; SourceError where that is no kernel tree."""
    folder = Path(os.path.abspath(os.path.expanduser(root)))
    if not folder.is_dir():
        raise SourceError(
            "no-directory",
            "there is no such directory",
            where=str(folder),
            hint="give the directory that holds the kernel's top Makefile",
        )
    release = read_release(folder)
    for part in load("scopes")["fetch"]["layout"]:
        if not (folder / part).is_dir():
            raise _no_tree(folder, f"it has no directory {part}")
    real = os.path.realpath(folder)
    return SourceTree(folder, release, origin or f"directory {folder}", ident or make_ident(f"dir:{real}"))


def _no_tree(root: Path, why: str) -> SourceError:
    return SourceError(
        "no-kernel-tree",
        f"this is no kernel source tree ({why})",
        where=str(root),
        hint="give the directory that holds the kernel's top Makefile, or run `kread clone v6.12`",
    )

"""Compressed bytes in, plain bytes out, streaming and with a limit on everything that a hostile file could inflate.

Theory of operation: the format is told by the first bytes, never by the name. gzip and bzip2 go through the standard
library. xz goes through the program `xz` where it is installed, because that works beside us and on every core, else
through the library. Python 3.11 knows no zstd: the program `zstd` is needed, and where it is missing the error says
so. A program is fed through a pipe by a thread. Both xz and zstd get a limit on their memory, which a header may ask
to be gigabytes. What comes out is counted by `Plain`, which stops at a total no kernel release reaches and at a ratio
no kernel source has, so a bomb is met after some megabytes and not when the disk is full.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import shutil
import subprocess
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Protocol, cast

from kread.errors import SourceError

#: A release unpacks to 1.6 GB (6.12, 7.2). Three times that leaves room for a decade.
MAX_PLAIN_BYTES = 5_000_000_000

#: Kernel source shrinks to a tenth (xz). A run of zeros shrinks to a thousandth (gzip) or less.
MAX_RATIO = 60

#: Below this much plain text the ratio says nothing: a small archive may be one long comment.
RATIO_FREE_BYTES = 64_000_000

#: xz -9e asks for 65 MB, zstd --ultra -22 for 128; a header may ask for 4 GB.
MAX_MEMORY = 256_000_000

_CHUNK = 1 << 18

#: `xz -T0` unpacks block by block on every core; with more memory than MAX_MEMORY it takes fewer.
_XZ = ("--decompress", "--stdout", "--quiet", "--threads=0", f"--memlimit-decompress={MAX_MEMORY}")
_ZSTD = ("--decompress", "--stdout", "--quiet", f"--memory={MAX_MEMORY // 1_000_000}MB")

#: What the decompressors raise for bytes that are not what they should be (bz2 raises a bare OSError).
DAMAGE = (EOFError, lzma.LZMAError, zlib.error, OSError, ValueError)


class TooMuch(Exception):
    """The plain text is more than any kernel release has; its text says which limit was hit."""


class Readable(Protocol):
    """Anything with `read(size)`; b"" is the end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Counted:
    """`raw`, counting and hashing what is read from it, and telling `advance` how much that is."""

    def __init__(self, raw: Readable, advance: Callable[[int], None] | None = None) -> None:
        self._raw = raw
        self._advance = advance
        self._digest = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._raw.read(size)
        self.count += len(chunk)
        self._digest.update(chunk)
        if self._advance is not None:
            self._advance(self.count)
        return chunk

    @property
    def sha256(self) -> str:
        """The digest of what was read so far."""
        return self._digest.hexdigest()


class Plain:
    """The plain bytes of the compressed bytes in `packed`, within the limits; use it in a `with`."""

    def __init__(self, packed: Counted) -> None:
        self._packed = packed
        self._count = 0
        self._tail = b""
        self._program: _Program | None = None
        head = _Pushback(packed)
        magic = head.peek(6)
        self._stream: Readable = head
        if magic.startswith(b"\xfd7zXZ\0"):
            if program := shutil.which("xz"):
                self._stream = self._program = _Program(head, [program, *_XZ])
            else:
                self._stream = _Streams(head, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_MEMORY))
        elif magic.startswith(b"BZh"):
            self._stream = _Streams(head, bz2.BZ2Decompressor)
        elif magic.startswith(b"\x1f\x8b"):
            self._stream = gzip.GzipFile(fileobj=cast(IO[bytes], head), mode="rb")  # it calls read() only
        elif magic.startswith(b"\x28\xb5\x2f\xfd"):
            self._stream = self._program = _Program(head, [_find_zstd(), *_ZSTD])

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._stream.read(size)
        self._count += len(chunk)
        if self._count > MAX_PLAIN_BYTES:
            raise TooMuch(f"it unpacks to more than {MAX_PLAIN_BYTES // 1_000_000_000} GB")
        if self._count > RATIO_FREE_BYTES and self._count > MAX_RATIO * self._packed.count:
            raise TooMuch(f"it unpacks to more than {MAX_RATIO} times its size")
        self._tail = chunk[-1024:] if len(chunk) >= 1024 else (self._tail + chunk)[-1024:]
        return chunk

    def drain(self) -> bytes:
        """Read to the end, so that every sum is checked; the last 1024 plain bytes."""
        while self.read(_CHUNK):
            pass
        return self._tail

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *error: object) -> None:
        if self._program is not None:
            self._program.close()


class _Pushback:
    """A stream whose first bytes can be looked at before they are read."""

    def __init__(self, raw: Readable) -> None:
        self._raw = raw
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (chunk := self._raw.read(size - len(self._ahead))):
            self._ahead += chunk
        return self._ahead

    def read(self, size: int = -1, /) -> bytes:
        if self._ahead:
            size = len(self._ahead) if size < 0 else size
            chunk, self._ahead = self._ahead[:size], self._ahead[size:]
            return chunk
        return self._raw.read(size)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Streams:
    """Plain bytes of one or more compressed streams, one after the other, as `cat a.xz b.xz` makes them."""

    def __init__(self, raw: Readable, make: Callable[[], _Decompressor]) -> None:
        self._raw = raw
        self._make = make
        self._now = make()
        self._begun = False
        self._ended = False

    def read(self, size: int = -1, /) -> bytes:
        limit = size if size >= 0 else _CHUNK
        while not self._ended:
            data = b""
            if self._now.eof:
                # Between two streams xz allows padding with zeros.
                data = self._now.unused_data.lstrip(b"\0")
                while not data and (more := self._raw.read(_CHUNK)):
                    data = more.lstrip(b"\0")
                if not data:
                    self._ended = True
                    return b""
                self._now = self._make()
            elif self._now.needs_input:
                data = self._raw.read(_CHUNK)
                if not data:
                    raise EOFError("the compressed data end in the middle")
            if chunk := self._now.decompress(data, limit):
                return chunk
        return b""


class _Program:
    """Plain bytes from a program, which a thread of its own feeds."""

    def __init__(self, raw: Readable, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._feed, args=(raw,), daemon=True)
        self._thread.start()

    def _feed(self, raw: Readable) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            while chunk := raw.read(_CHUNK):
                stdin.write(chunk)
        except BrokenPipeError:
            pass  # the program has ended; its exit status says whether that was right
        except Exception as error:
            self._error = error
        finally:
            with suppress(OSError):
                stdin.close()

    def read(self, size: int = -1, /) -> bytes:
        stdout: IO[bytes] | None = self._process.stdout
        assert stdout is not None
        if chunk := stdout.read(size):
            return chunk
        self._thread.join()
        if self._error is not None:
            raise self._error
        if self._process.wait() != 0:
            raise EOFError("the compressed data are not right")
        return b""

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._thread.join()


def _find_zstd() -> str:
    program = shutil.which("zstd")
    if program is None:
        raise SourceError(
            "no-zstd",
            "this archive is compressed with zstd, and there is no program zstd here to unpack it",
            hint="install it (`apt install zstd`), or take the .tar.xz or .tar.gz of the same release",
        )
    return program

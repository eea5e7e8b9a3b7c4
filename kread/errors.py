"""What kread says when it cannot go on: what happened, where, and what to do next.

Every error that a user can cause or meet is a KreadError with a slug (stable, for scripts and tests), a
message (what and where) and a hint (what to do). The exit code belongs to the kind of error, as the
contract in ARCHITECTURE.md lists them; `kread.cli` is the only place that prints one.
"""

from __future__ import annotations

from typing import Any

EXIT_ANSWERED = 0
EXIT_NO = 1
EXIT_USAGE = 2
EXIT_UNKNOWN_SYMBOL = 3
EXIT_NO_SOURCE = 4
EXIT_FAULT = 70
EXIT_INTERRUPTED = 130


class KreadError(Exception):
    """An error with its three lines: what, where, what to do.

    slug  -- a stable short name, e.g. "no-such-release"
    what  -- what went wrong, one sentence
    where -- the file, URL, release or symbol it concerns ("" where the sentence says it)
    hint  -- what to do next
    """

    exit_code = EXIT_FAULT

    def __init__(self, slug: str, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.slug = slug
        self.what = what
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        # As it stands, an exception is made again of its message alone: a process that reports one would be lost.
        return _again, (type(self), self.slug, self.what, self.where, self.hint)

    def __str__(self) -> str:
        return "\n".join(line for line in (self.what, self.where, self.hint) if line)


def _again(kind: type[KreadError], slug: str, what: str, where: str, hint: str) -> KreadError:
    return kind(slug, what, where=where, hint=hint)


class UsageError(KreadError):
    """The command line, or a file that the user wrote, is not what kread takes."""

    exit_code = EXIT_USAGE


class UnknownSymbol(KreadError):
    """No function, struct or slot of that name in the scope; the hint names the nearest."""

    exit_code = EXIT_UNKNOWN_SYMBOL


class SourceError(KreadError):
    """The source or the index is missing, damaged or cannot be fetched."""

    exit_code = EXIT_NO_SOURCE

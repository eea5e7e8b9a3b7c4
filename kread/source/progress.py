"""How a long piece of work tells what it is doing.

Theory of operation: whoever fetches calls `phase` when a new phase begins, `advance` as often as it likes within it,
and `say` for what a reader must know even without a terminal (where a release comes from, and why). `Silent` drops it
all, for callers that are no command. `Reporter` writes to a stream, normally standard error: on a terminal a bar that
is drawn over and over on one line and gone when the work is done; in a pipe the lines of `say` alone.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Protocol, TextIO

#: A bar that is redrawn more often than this is slower, not smoother.
_SECONDS_BETWEEN_DRAWS = 0.1

_BAR_COLUMNS = 24

#: In a pipe, a phase says so often how far it is.
_SECONDS_BETWEEN_LINES = 60

#: Before a phase has lasted so long, what is left of it is a guess.
_SECONDS_BEFORE_ESTIMATE = 10


class Progress(Protocol):
    """What a piece of work reports to."""

    def say(self, text: str) -> None:
        """One line that a reader must know."""

    def phase(self, name: str) -> None:
        """A phase begins, e.g. "receiving objects"; it lasts until the next."""

    def advance(self, done: float, total: float, unit: str) -> None:
        """`done` of `total` units of this phase are done (total 0 = not known); unit "B" is shown as KB, MB, GB."""


class Silent:
    """Reports nothing."""

    def say(self, text: str) -> None: ...

    def phase(self, name: str) -> None: ...

    def advance(self, done: float, total: float, unit: str) -> None: ...


class Reporter:
    """Writes to `stream`: a bar on a terminal, plain lines elsewhere. Use it in a `with`, which clears the bar."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._drawing = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._name = ""
        self._drawn_at = 0.0
        self._began_at = 0.0
        self._on_screen = False

    def say(self, text: str) -> None:
        self._clear()
        print(text, file=self._stream, flush=True)

    def phase(self, name: str) -> None:
        if name != self._name:
            self._name = name
            self._began_at = time.monotonic()
            self._drawn_at = 0.0 if self._drawing else self._began_at
            self._draw(name)

    def advance(self, done: float, total: float, unit: str) -> None:
        now = time.monotonic()
        pause = _SECONDS_BETWEEN_DRAWS if self._drawing else _SECONDS_BETWEEN_LINES
        if now - self._drawn_at < pause and (done < total or not self._drawing):
            return
        self._drawn_at = now
        left = _left(now - self._began_at, done, total)
        if not self._drawing:
            print(f"{self._name}: {_amount(done, unit, total)}{left}", file=self._stream, flush=True)
            return
        text = f"{self._name}  {_amount(done, unit)}"
        if total > 0:
            filled = int(_BAR_COLUMNS * min(done / total, 1.0))
            bar = "#" * filled + "." * (_BAR_COLUMNS - filled)
            text = f"{self._name}  [{bar}] {_amount(done, unit, total)}{left}"
        self._draw(text)

    def _draw(self, text: str) -> None:
        if self._drawing:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[K{text[:width]}")
            self._stream.flush()
            self._on_screen = True

    def _clear(self) -> None:
        if self._on_screen:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._on_screen = False

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *error: object) -> None:
        self._clear()


def _amount(done: float, unit: str, total: float = 0) -> str:
    if unit != "B":
        return f"{done:.0f} of {total:.0f} {unit}" if total else f"{done:.0f} {unit}"
    return f"{_bytes(done)} of {_bytes(total)}" if total else _bytes(done)


def _left(seconds: float, done: float, total: float) -> str:
    """The time that is left of a phase if it goes on as it went for so many seconds, as text; "" while that is a guess."""
    if seconds < _SECONDS_BEFORE_ESTIMATE or not 0 < done < total:
        return ""
    left = seconds * (total - done) / done
    if left < 60:
        return f", {max(left, 1):.0f} s left"
    return f", {left / 60:.0f} min left" if left < 3600 else f", {left / 3600:.1f} h left"


def _bytes(count: float) -> str:
    for name in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {name}" if name == "B" else f"{count:.1f} {name}"
        count /= 1000
    return f"{count:.2f} GB"

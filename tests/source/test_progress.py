"""A bar on a terminal only."""

from __future__ import annotations

import io
import os
import pty

import pytest

from kread.source.progress import Reporter


def work(reporter: Reporter) -> None:
    with reporter:
        reporter.phase("downloading")
        reporter.advance(1_500_000, 3_000_000, "B")
        reporter.advance(3_000_000, 3_000_000, "B")
        reporter.say("from Debian")
        reporter.phase("receiving")
        reporter.advance(40, 40, "objects, 2 MiB")


def test_in_a_pipe_there_are_the_lines_and_no_bar() -> None:
    stream = io.StringIO()
    work(Reporter(stream))
    assert stream.getvalue() == "from Debian\n"


def test_on_a_terminal_there_is_a_bar_with_bytes_and_phase_and_it_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        work(Reporter(terminal))
        shown = ""
        while not shown.count("\n") or not shown.endswith("\r\x1b[K") or "receiving  [" not in shown:
            shown += os.read(ours, 65536).decode()  # a terminal passes on in parts
    os.close(ours)
    assert "downloading  [############............] 1.5 MB of 3.0 MB" in shown
    assert "receiving  [########################] 40 of 40 objects, 2 MiB" in shown
    assert "\x1b[Kfrom Debian\r\n" in shown
    assert shown.endswith("\r\x1b[K")
    assert all(len(line) <= 80 + len("\x1b[K") for line in shown.split("\r"))

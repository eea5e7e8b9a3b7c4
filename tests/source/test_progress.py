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


def test_what_takes_long_says_how_long_it_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("kread.source.progress.time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    with Reporter(stream) as reporter:
        reporter.phase("parsing")
        for done in range(1, 101):
            clock[0] += 6
            reporter.advance(done * 1_000_000, 100_000_000, "B")
        reporter.phase("linking")
        clock[0] += 59
        reporter.advance(1, 2, "files")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "parsing: 10.0 MB of 100.0 MB, 9 min left"
    assert lines[8] == "parsing: 90.0 MB of 100.0 MB, 1 min left"
    assert lines[9:] == ["parsing: 100.0 MB of 100.0 MB"]

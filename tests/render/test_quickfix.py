"""Quickfix lines, read by vim itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import samples

from kread.render.quickfix import edge_lines, quickfix


def test_each_line_has_one_place() -> None:
    lines = quickfix(samples.ANSWER).splitlines()
    assert len(lines) == 4 + 5 + 3 + 4
    assert all(re.fullmatch(r"[\w./]+:\d+:\d+: \S.*", line) for line in lines)
    assert not any(re.search(r":\d", line.split(": ", 1)[1]) for line in lines)


def test_vim_jumps_to_the_places(tmp_path: Path) -> None:
    vim = shutil.which("vim") or pytest.skip("no vim; to enable, install the package vim")
    (tmp_path / "errors").write_text(quickfix(samples.ANSWER) + edge_lines([samples.TABLE_EDGE]))
    script = "call writefile(map(getqflist(), {_, q -> bufname(q.bufnr).'|'.q.lnum.'|'.q.col.'|'.q.valid}), 'found')"
    subprocess.run(
        [vim, "-u", "NONE", "-N", "-es", "-q", "errors", "-c", script, "-c", "qa!"],
        cwd=tmp_path,
        timeout=30,
        check=False,
    )
    found = (tmp_path / "found").read_text().splitlines()
    assert len(found) == 17
    assert all(line.endswith("|1") for line in found)
    assert found[1] == "net/thing/input.c|2349|9|1"
    assert found[-1] == "net/thing/input.c|1920|9|1"

"""`kread clone` and `kread releases` as a user runs them: streams, exit codes, a bar on a terminal only."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

KREAD = [sys.executable, "-c", "from kread.cli.main import main; main()"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KREAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path / "home"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "linux-6.12.7"
    (root / "include/linux").mkdir(parents=True)
    (root / "net").mkdir()
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\nEXTRAVERSION =\n")
    (root / "net/socket.c").write_bytes(os.urandom(2_000_000))
    (root / "include/linux/x.h").write_text("/* x */\n")
    subprocess.run(["tar", "-czf", "linux-6.12.7.tar.gz", root.name], cwd=tmp_path, check=True)
    return tmp_path / "linux-6.12.7.tar.gz"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*KREAD, *arguments], capture_output=True, text=True, check=False)


def test_clone_prints_the_folder_and_says_the_rest_on_standard_error(home: Path, archive: Path) -> None:
    done = run("clone", "--from", str(archive))
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert Path(line, "net/socket.c").is_file()
    assert Path(line).is_relative_to(home)
    assert done.stderr == "v6.12.7 is here now, from archive linux-6.12.7.tar.gz\n"


@pytest.mark.usefixtures("home")
def test_on_a_terminal_there_is_a_bar_with_bytes_and_phase(archive: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*KREAD, "clone", "--from", str(archive)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:
        pass  # the terminal's other end is closed
    os.close(ours)
    process.communicate()
    assert process.returncode == 0
    assert b"unpacking linux-6.12.7.tar.gz  [" in shown
    assert b" of 2.0 MB" in shown


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["clone", "--from", "/nowhere"], 4),
        (["clone", "v6.12", "--remote", "git://127.0.0.1:1/x"], 4),
        (["clone", "--from", "/"], 4),
        (["clone", "v6.12", "--from", "debian", "--remote", "x"], 2),
        (["clone", "-x"], 2),
        (["releases", "--format", "html"], 2),
    ],
)
def test_an_error_has_its_exit_code_and_says_what_where_and_what_to_do(arguments: list[str], code: int) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    if code == 4:
        assert done.stderr.startswith("kread: ")
        assert len(done.stderr.splitlines()) == 3


@pytest.mark.usefixtures("home")
def test_a_damaged_archive_says_so_in_three_lines(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-500_000])
    done = run("clone", "--from", str(archive))
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 3
    assert run("releases").stdout == ""


@pytest.mark.usefixtures("home")
def test_releases_lists_what_is_here_and_what_it_was_made_from(archive: Path) -> None:
    assert run("releases").stdout == ""
    root = run("clone", "--from", str(archive)).stdout.strip()
    folder = str(archive.parent / "linux-6.12.7")
    run("clone", "--from", folder)
    text = run("releases")
    assert text.returncode == 0
    assert [line.split(None, 2)[0] for line in text.stdout.splitlines()[::2]] == ["v6.12.7", "v6.12.7"]
    assert f"directory {folder}" in text.stdout
    listed = json.loads(run("releases", "--format", "json").stdout)
    assert listed["schema"] == "kread.releases/1"
    assert [row["root"] for row in listed["releases"]] == [folder, root]
    assert len({row["ident"] for row in listed["releases"]}) == 2

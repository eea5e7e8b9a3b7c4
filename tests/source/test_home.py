"""Where things are kept, and what two processes may do there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kread.errors import EXIT_NO_SOURCE, SourceError
from kread.source import home as home_module
from kread.source.home import cache_dir, data_dir, ensure_dir, free_bytes, lock, storage_error, write_atomically

HOLD = """
import sys, time
from pathlib import Path
from kread.source.home import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_kread_home_holds_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KREAD_HOME", str(tmp_path))
    assert data_dir() == cache_dir() == tmp_path


def test_without_it_the_xdg_directories_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KREAD_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert data_dir() == tmp_path / ".local/share/kread"
    assert cache_dir() == tmp_path / "caches/kread"


@pytest.mark.parametrize("place", ["file/below", "/proc/kread", "/dev/null/kread"])
def test_a_home_that_cannot_be_made_is_an_error_of_three_lines(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError) as caught:
        ensure_dir(tmp_path / place)
    assert (caught.value.slug, caught.value.exit_code) == ("home-unusable", EXIT_NO_SOURCE)
    assert len(str(caught.value).splitlines()) == 3


def test_a_lock_keeps_another_process_out_until_its_holder_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "x.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(file)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == "held\n"
        waited: list[bool] = []

        def kill_it() -> None:
            waited.append(True)
            holder.send_signal(signal.SIGKILL)

        with lock(file, kill_it):
            assert waited == [True]
    with lock(file, kill_it):
        assert waited == [True]


def test_a_write_that_fails_leaves_the_old_content_and_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "record.json"
    write_atomically(file, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceError) as caught:
        write_atomically(file, b"new")
    assert caught.value.slug == "no-space"
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_quota_counts_as_a_full_disk() -> None:
    import errno

    assert storage_error(OSError(errno.EDQUOT, "Disk quota exceeded"), "x").slug == "no-space"
    assert storage_error(OSError(errno.EROFS, "Read-only file system"), "x").slug == "home-unusable"


def test_free_space_is_asked_of_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not/yet") == pytest.approx(home_module.free_bytes(tmp_path), rel=0.1)

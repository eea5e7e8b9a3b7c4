"""Programs in other kernels: the userland that is made for them, read by others' cpio, and how an emulator's end is told."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "benchmarks"))

import emulate  # noqa: E402


@pytest.fixture(scope="module")
def userland(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = io.BytesIO()
    taken = tmp_path_factory.mktemp("along")
    (taken / "odd.txt").write_text("12345")
    python = os.path.realpath(sys.executable)
    emulate.write_initramfs(out, [python, "program.py", "--seven"], Path("/imports"), [taken])
    return out.getvalue()


def test_another_s_cpio_unpacks_what_was_written(userland: bytes, tmp_path: Path) -> None:
    cpio = next(([found] for name in ("cpio", "bsdcpio") if (found := shutil.which(name))), None)
    if cpio is None and (busybox := shutil.which("busybox")):
        cpio = [busybox, "cpio"]
    if cpio is None:
        pytest.skip("no cpio here; to enable, install cpio or busybox")
    subprocess.run([*cpio, "-id"], input=userland, cwd=tmp_path, check=True)
    init = (tmp_path / "init").read_text()
    python = os.path.realpath(sys.executable)
    assert init.startswith(f"#!{python} ")
    assert "'program.py', '--seven'" in init
    assert (tmp_path / "init").stat().st_mode & 0o111
    assert (tmp_path / python.lstrip("/")).read_bytes() == Path(python).read_bytes()
    assert [file.read_text() for file in tmp_path.rglob("odd.txt")] == ["12345"]
    assert len(list(tmp_path.rglob("tomllib/__init__.py"))) == 1
    assert list(tmp_path.rglob("libc.so*"))


def emulator(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a shell script in the place of the emulator."""
    (folder / emulate.EMULATOR).write_text(f"#!/bin/sh\n{script}\n")
    (folder / emulate.EMULATOR).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def run(folder: Path, seconds: int = 20) -> int:
    return emulate.run(folder / "kernel", ["program.py"], folder, [], folder / "console", seconds)


def test_what_the_program_writes_is_passed_on_and_its_end_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator(tmp_path, f"echo one; echo; echo '{emulate.LAST}3'", monkeypatch)
    assert run(tmp_path) == 3
    assert capsys.readouterr().out == "one\n\n"


@pytest.mark.parametrize("script", ["echo one", "exec sleep 60"])
def test_a_machine_that_ends_without_a_word_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    emulator(tmp_path, script, monkeypatch)
    with pytest.raises(emulate.EmulatorError, match="console has what the kernel said"):
        run(tmp_path, seconds=1)


def test_without_an_emulator_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(emulate.EmulatorError, match="qemu-system-x86"):
        run(tmp_path)

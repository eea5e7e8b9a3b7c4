"""A Python program of this checkout in another kernel: this machine's own Python as the whole userland of an emulated one.

Theory of operation: an initramfs is written here, file by file (the "newc" format of cpio): this interpreter, its standard
library, the shared objects that both need, and what is to be taken along, each at the place that it has here. Its /init is
a Python script: it mounts /proc, /sys and /dev, runs the program with its output on the second serial line, tells how it
ended, and reboots, which ends the emulator. So nothing is installed, no disk is made, and no module is loaded.

Time in there is counted in instructions: a nanosecond each, and where all processors wait, it leaps to the next timer. So a
timer of a minute takes no time, and no load of this machine makes one late.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

EMULATOR = "qemu-system-x86_64"
#: One processor: time that is counted in instructions makes two wait for each other.
MEMORY_MB, PROCESSORS = 1024, 1
#: A nanosecond of the emulated clock for each instruction, and none while nothing is to be done.
CLOCK = "shift=0,sleep=off"
#: The last line that /init writes, with the program's exit code.
LAST = "the program ended with "
#: Folders of the standard library that no program of ours imports, by name, and endings of files.
UNUSED = frozenset(
    {"test", "tests", "site-packages", "dist-packages", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo"}
)
UNUSED_ENDINGS = (".opt-1.pyc", ".opt-2.pyc", ".a", ".exe")

_INIT = """#!{python} -S
import ctypes, os, subprocess, termios, tty
libc = ctypes.CDLL(None, use_errno=True)
for kind, place in (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")):
    os.makedirs(place, exist_ok=True)
    if libc.mount(kind.encode(), place.encode(), kind.encode(), 0, None):
        raise OSError(ctypes.get_errno(), "mount " + kind)
out = os.open("/dev/ttyS1", os.O_RDWR)
tty.setraw(out)
done = subprocess.run({command!r}, stdout=out, stderr=out, cwd={cwd!r}, env={env!r})
os.write(out, ("\\n{last}" + str(done.returncode) + "\\n").encode())
termios.tcdrain(out)
libc.reboot(0x1234567)
"""


class EmulatorError(Exception):
    """The emulated machine cannot be had, or did not come to its end."""


def run(kernel: Path, program: Sequence[str], imports: Path, along: Iterable[Path], console: Path, seconds: int) -> int:
    """Run `python PROGRAM...` in the kernel image, with its output on ours as it comes; its exit code.

    imports -- the folder that it imports from
    along   -- files and folders that it needs beside the standard library
    console -- where the kernel's own messages go
    EmulatorError where there is no emulator, or no end within `seconds`, or none that /init told.
    """
    for tool in (EMULATOR, "ldd"):
        if shutil.which(tool) is None:
            raise EmulatorError(f"there is no {tool} here; on Debian it is in qemu-system-x86 and libc-bin")
    with tempfile.TemporaryDirectory() as folder:
        initramfs = Path(folder) / "initramfs"
        with initramfs.open("wb") as file:
            write_initramfs(file, [os.path.realpath(sys.executable), *program], imports, along)
        command = [
            *(EMULATOR, "-accel", "tcg", "-icount", CLOCK, "-rtc", "clock=vm", "-cpu", "max"),
            *("-smp", str(PROCESSORS), "-m", str(MEMORY_MB), "-nodefaults", "-display", "none", "-no-reboot"),
            *("-serial", f"file:{console}", "-serial", "stdio", "-kernel", str(kernel), "-initrd", str(initramfs)),
            *("-append", "console=ttyS0 panic=-1 mitigations=off"),
        ]
        try:
            return _follow(command, seconds)
        except EmulatorError as error:
            raise EmulatorError(f"{error}; {console} has what the kernel said") from None


def _follow(command: Sequence[str], seconds: int) -> int:
    """Pass on what the program writes, until it has told how it ended."""
    bounded = ["timeout", str(seconds), *command]
    with subprocess.Popen(bounded, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout is not None
        code = None
        for line in emulator.stdout:
            if line.startswith(LAST):
                code = int(line.removeprefix(LAST))
            else:
                print(line, end="", flush=True)
    if code is None:
        raise EmulatorError(f"the emulated machine ended without a word, or took longer than {seconds} s")
    return code


def write_initramfs(out: BinaryIO, command: Sequence[str], imports: Path, along: Iterable[Path]) -> None:
    """Write the userland: /init, which runs `command`, the interpreter with what it needs, and what is taken along."""
    library = Path(os.path.realpath(sysconfig.get_path("stdlib")))
    extensions = sorted(library.rglob("lib-dynload/*.so"))
    env = {"PYTHONPATH": str(imports), "PATH": "/", "HOME": "/"}
    init = _INIT.format(python=command[0], command=list(command), cwd="/", env=env, last=LAST)
    archive = _Archive(out)
    archive.add(Path("/init"), init.encode())
    places = [Path(command[0]), *_shared_objects([Path(command[0]), *extensions]), library, *along]
    for file in dict.fromkeys(file for place in places for file in _files(place)):
        archive.add(file, file.read_bytes(), int(file.stat().st_mtime))
    archive.end()


def _shared_objects(files: Iterable[Path]) -> list[Path]:
    """The shared objects that these need, as the dynamic loader finds them, itself among them."""
    said = subprocess.run(["ldd", *map(str, files)], capture_output=True, text=True, check=False).stdout
    return sorted({Path(found) for found in re.findall(r"(/\S+) \(0x", said)})


def _files(place: Path) -> Iterator[Path]:
    """A file itself, or the files below a folder that a program may import or read."""
    if place.is_file():
        yield place
    for root, folders, names in os.walk(place):
        folders[:] = sorted(each for each in folders if each not in UNUSED and not each.startswith("."))
        yield from (Path(root) / each for each in sorted(names) if not each.endswith(UNUSED_ENDINGS))


class _Archive:
    """A cpio archive of the "newc" format: a header of hexadecimal numbers, the name, the data, each filled up to 4 bytes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._size = 0
        self._entries = 0
        self._folders: set[Path] = {Path("/")}

    def add(self, path: Path, data: bytes, changed: int = 0) -> None:
        """Add a file, after the folders that it lies in; `changed` is what compiled modules compare."""
        for folder in reversed(path.parents):
            if folder not in self._folders:
                self._folders.add(folder)
                self._entry(str(folder), stat.S_IFDIR | 0o755, b"", 0)
        self._entry(str(path), stat.S_IFREG | 0o755, data, changed)

    def end(self) -> None:
        """The entry after the last."""
        self._entry("TRAILER!!!", 0, b"", 0)

    def _entry(self, path: str, mode: int, data: bytes, changed: int) -> None:
        self._entries += 1
        name = path.lstrip("/").encode() + b"\0"
        fields = (self._entries, mode, 0, 0, 1, changed, len(data), 0, 0, 0, 0, len(name), 0)
        self._write(b"070701" + b"".join(b"%08X" % field for field in fields) + name)
        self._write(data)

    def _write(self, data: bytes) -> None:
        padded = data + bytes(-(self._size + len(data)) % 4)
        self._out.write(padded)
        self._size += len(padded)

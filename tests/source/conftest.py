"""What the tests of kread/source share: an empty home, a slice of a real tree, and a git server that serves it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from git_server import Server, free_port, git, wait_for

#: Of the real tree: files at the top, in the scope, outside of it, and a link within it.
SLICE = (
    "Makefile",
    "Kbuild",
    "Kconfig",
    "include/linux/tcp.h",
    "include/linux/types.h",
    "include/uapi/linux/input-event-codes.h",
    "include/dt-bindings/input/linux-event-codes.h",
    "arch/x86/include/asm/current.h",
    "arch/x86/Makefile",
    "arch/arm64/Makefile",
    "drivers/net/loopback.c",
    "lib/siphash.c",
    "net/socket.c",
    "net/Makefile",
    *(
        "net/ipv4/Makefile",
        "net/ipv4/tcp_input.c",
        "net/ipv4/tcp_ipv4.c",
        "net/ipv4/tcp.c",
        "net/ipv4/inet_hashtables.c",
    ),
    "net/ipv4/netfilter",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of kread's, and of the user's."""
    folder = tmp_path / "kread-home"
    user = tmp_path / "user"
    user.mkdir()
    monkeypatch.setenv("KREAD_HOME", str(folder))
    monkeypatch.setenv("HOME", str(user))
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    return folder


@pytest.fixture(scope="session")
def part(tree: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `linux-6.12` with some fifty real files of 6.12."""
    real = tree("6.12")
    folder = tmp_path_factory.mktemp("part") / "linux-6.12"
    for name in SLICE:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (real / name).is_dir():
            shutil.copytree(real / name, target, symlinks=True)
        elif (real / name).is_symlink() or (real / name).exists():
            shutil.copy2(real / name, target, follow_symlinks=False)
    link = folder / "include/dt-bindings/input/linux-event-codes.h"
    if not link.is_symlink():  # a fetch of an archive turned it into a copy
        link.unlink(missing_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("../../uapi/linux/input-event-codes.h")
    return folder


@pytest.fixture(scope="session")
def server(part: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`git daemon` with tags v6.12, v6.12.1, v6.13-rc1, next-1, a submodule, a link out of the tree, and a hook."""
    if shutil.which("git") is None:
        pytest.skip("no git; to enable, install it")
    base = tmp_path_factory.mktemp("git")
    work = base / "work"
    shutil.copytree(part, work, symlinks=True)
    git("init", "--quiet", cwd=work)
    (work / "include/linux/outside.h").symlink_to("/etc/passwd")
    (work / ".gitmodules").write_text('[submodule "evil"]\n\tpath = net/evil\n\turl = git://127.0.0.1:1/evil\n')
    git("add", "--all", "--force", ".", cwd=work)
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},net/evil", cwd=work)
    git("commit", "--quiet", "-m", "a release", cwd=work)
    for tag in ("v6.12", "v6.12.1", "next-1"):
        git("tag", "-a", "-m", tag, tag, cwd=work)
    git("tag", "v6.13-rc1", cwd=work)
    repository = base / "linux.git"
    git("clone", "--quiet", "--bare", str(work), str(repository), cwd=base)
    git("config", "uploadpack.allowFilter", "true", cwd=repository)
    hook = repository / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {base}/hook-ran\n")
    hook.chmod(0o755)
    port = free_port()
    command = ["git", "daemon", f"--base-path={base}", "--export-all", "--listen=127.0.0.1", f"--port={port}"]
    daemon = subprocess.Popen([*command, "--reuseaddr"], stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(port)
        yield Server(port, repository)
    finally:
        os.killpg(daemon.pid, 15)
        daemon.wait()
    assert not (base / "hook-ran").exists()

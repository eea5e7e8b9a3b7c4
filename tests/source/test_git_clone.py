"""Clones over a real transport: what comes, what does not, and every way in which a server can fail."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from git_server import Server, between, git

from kread.errors import EXIT_NO_SOURCE, SourceError, UsageError
from kread.source import git_clone, git_process
from kread.source.git_clone import Cloned, clone, tag_of
from kread.source.git_process import shown
from kread.source.progress import Silent

FOLDERS = ("include", "net", "arch/x86/include", "lib", "tools/testing/selftests/net/packetdrill")


def clone_from(url: str, into: Path, tag: str = "v6.12", have: Callable[[str], bool] = lambda _: False) -> Cloned:
    into.mkdir(parents=True, exist_ok=True)
    return clone(tag, into, FOLDERS, (url,), Silent(), have)


@pytest.mark.usefixtures("home")
def test_a_clone_has_the_scope_and_nothing_else(server: Server, part: Path, tmp_path: Path) -> None:
    into = tmp_path / "clone"
    cloned = clone_from(server.url, into)
    assert cloned.commit == git("rev-parse", "v6.12^{commit}", cwd=server.repository)
    assert {entry.name for entry in into.iterdir()} == {
        *(".git", ".gitmodules", "Makefile", "Kbuild", "Kconfig", "include", "net", "arch", "lib")
    }
    for name in ("net/socket.c", "net/ipv4/tcp_input.c", "include/linux/tcp.h", "arch/x86/include/asm/current.h"):
        assert (into / name).read_bytes() == (part / name).read_bytes()
    assert not (into / "drivers").exists()
    assert not (into / "arch/arm64").exists()
    assert git("status", "--porcelain", cwd=into) == ""


@pytest.mark.usefixtures("home")
def test_a_clone_is_shallow_and_has_no_file_that_the_scope_leaves_out(server: Server, tmp_path: Path) -> None:
    into = tmp_path / "clone"
    clone_from(server.url, into)
    assert (into / ".git/shallow").exists()
    assert git("rev-list", "--count", "HEAD", cwd=into) == "1"
    objects = git("cat-file", "--batch-check", "--batch-all-objects", cwd=into).splitlines()
    have = {line.split()[0] for line in objects if line.split()[1] == "blob"}
    listed = [line.split(None, 3) for line in git("ls-tree", "-r", "HEAD", cwd=into).splitlines()]
    in_scope = {
        name
        for _, kind, name, file in listed
        if kind == "blob" and ("/" not in file or file.startswith(tuple(f"{folder}/" for folder in FOLDERS)))
    }
    assert have == in_scope
    assert len(have) < len(listed)


@pytest.mark.usefixtures("home")
def test_no_submodule_is_followed(server: Server, tmp_path: Path) -> None:
    into = tmp_path / "clone"
    clone_from(server.url, into)
    assert not (into / ".git/modules").exists()
    assert list((into / "net/evil").iterdir()) == []


def test_no_hook_and_no_setting_of_the_user_is_obeyed_except_the_network(
    server: Server, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = Path(os.environ["HOME"])
    hooks = user / "template/hooks"
    hooks.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {user}/ran\n")
        (hooks / name).chmod(0o755)
    (user / ".gitconfig").write_text(
        f"[core]\n hooksPath = {hooks}\n autocrlf = true\n fsmonitor = {hooks}/post-checkout\n"
        f"[init]\n templateDir = {user}/template\n"
        "[fetch]\n fsckObjects = true\n"
        f'[url "{server.url.rpartition("/")[0]}/"]\n insteadOf = kernel:\n'
    )
    decoy = tmp_path / "decoy"
    decoy.mkdir()
    git("init", "--quiet", "--template=", cwd=decoy)
    before = sorted(decoy.rglob("*"))
    monkeypatch.setenv("GIT_DIR", str(decoy / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(decoy))
    monkeypatch.setenv("GIT_INDEX_FILE", str(decoy / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(decoy / "objects"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.hookspath={hooks}'")
    cloned = clone_from(f"kernel:{server.repository.name}", tmp_path / "clone")
    assert cloned.commit
    assert not (user / "ran").exists()
    assert not (tmp_path / "clone/.git/hooks").exists()
    assert b"\r" not in (tmp_path / "clone/net/socket.c").read_bytes()
    assert sorted(decoy.rglob("*")) == before


@pytest.mark.usefixtures("home")
def test_a_missing_tag_names_the_nearest(server: Server, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        clone_from(server.url, tmp_path / "clone", "v6.12.4")
    assert (caught.value.slug, caught.value.exit_code) == ("no-such-tag", EXIT_NO_SOURCE)
    assert "v6.12.1, v6.12, v6.13-rc1" in caught.value.hint
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.usefixtures("home")
def test_a_tag_that_is_no_release_can_be_cloned(server: Server, tmp_path: Path) -> None:
    clone_from(server.url, tmp_path / "clone", "next-1")
    assert (tmp_path / "clone/net/socket.c").exists()


@pytest.mark.usefixtures("home")
def test_what_is_here_is_not_fetched(server: Server, tmp_path: Path) -> None:
    seen: list[str] = []
    cloned = clone_from(server.url, tmp_path / "clone", have=lambda identity: bool(seen.append(identity)) or True)
    assert seen == [f"git:{git('rev-parse', 'v6.12^{commit}', cwd=server.repository)}"] == [cloned.identity]
    assert not (tmp_path / "clone/net").exists()


@pytest.mark.usefixtures("home")
def test_a_server_without_filters_serves_too(server: Server, tmp_path: Path) -> None:
    git("config", "uploadpack.allowFilter", "false", cwd=server.repository)
    try:
        clone_from(server.url, tmp_path / "clone")
    finally:
        git("config", "uploadpack.allowFilter", "true", cwd=server.repository)
    assert (tmp_path / "clone/net/socket.c").exists()
    assert not (tmp_path / "clone/drivers").exists()


@pytest.mark.usefixtures("home")
def test_remotes_are_tried_in_order(server: Server, tmp_path: Path) -> None:
    into = tmp_path / "clone"
    into.mkdir()
    remotes = ("git://127.0.0.1:1/nobody", server.url)
    assert clone("v6.12", into, FOLDERS, remotes, Silent(), lambda _: False).url == server.url


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "url",
    [
        *(
            "git://127.0.0.1:1/nobody",
            "https://127.0.0.1:1/nobody",
            "http://kread.invalid/linux.git",
            "ssh://127.0.0.1:1/x",
        ),
        *("/nowhere/linux.git", "ext::sh -c 'touch /tmp/kread-ext'", "--upload-pack=touch /tmp/kread-ext", "", "x\ny"),
    ],
)
def test_a_remote_that_cannot_be_reached_fails_at_once(tmp_path: Path, url: str) -> None:
    begun = time.monotonic()
    with pytest.raises(SourceError) as caught:
        clone_from(url, tmp_path / "clone")
    assert (caught.value.slug, caught.value.exit_code) == ("no-remote", EXIT_NO_SOURCE)
    assert len(str(caught.value).splitlines()) == 3
    assert time.monotonic() - begun < git_process.ANSWER_SECONDS
    assert not Path("/tmp/kread-ext").exists()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("limit", [0, 600, 5_000, 100_000])
@pytest.mark.parametrize("stall", [True, False], ids=["silent", "broken"])
def test_a_connection_that_fails_in_the_middle_is_an_error(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, stall: bool
) -> None:
    monkeypatch.setattr(git_clone, "ANSWER_SECONDS", 2)
    monkeypatch.setattr(git_process, "SILENCE_SECONDS", 2)
    with between(server.port, limit, stall=stall) as port, pytest.raises(SourceError) as caught:
        clone_from(f"git://127.0.0.1:{port}/{server.repository.name}", tmp_path / "clone")
    assert caught.value.slug == "no-remote"
    assert len(str(caught.value).splitlines()) == 3
    assert not (tmp_path / "clone/net").exists()


@pytest.mark.usefixtures("home")
def test_without_git_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="apt install git"):
        clone_from("git://127.0.0.1:1/x", tmp_path / "clone")


@pytest.mark.parametrize(
    ("release", "tag"),
    [
        *(("v6.12", "v6.12"), ("6.12", "v6.12"), ("v6.12.0", "v6.12"), ("6.12.117", "v6.12.117")),
        *(("v6.13-rc1", "v6.13-rc1"), ("next-20250101", "next-20250101")),
    ],
)
def test_a_release_has_the_tag_that_the_kernel_gives_it(release: str, tag: str) -> None:
    assert tag_of(release) == tag


@pytest.mark.parametrize(
    "release", ["", "-x", "--upload-pack=x", "a b", "a..b", "v6.12^{}", "a\n", "x/", "*", "é", "@{-1}"]
)
def test_what_is_no_tag_is_a_usage_error(release: str) -> None:
    with pytest.raises(UsageError):
        tag_of(release)


def test_a_urls_secret_is_not_shown() -> None:
    assert shown("cannot access 'https://me:secret@host/x'") == "cannot access 'https://host/x'"
    assert Cloned("https://token@host/linux.git", "v6.12", "1").origin == "git https://host/linux.git v6.12"

"""The whole of a fetch: two at once, killed in the middle, no space, no network; and what stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from git_server import Server, between, git

from kread.errors import EXIT_INTERRUPTED, EXIT_NO_SOURCE, KreadError, SourceError, UsageError
from kread.source import fetch, git_clone
from kread.source.fetch import need, obtain
from kread.source.home import data_dir, releases_dir, temporary_dir
from kread.source.progress import Silent
from kread.source.releases import find_release, list_releases

KREAD = [sys.executable, "-c", "from kread.cli.main import main; main()"]


class Said(Silent):
    """Keeps what a fetch says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*KREAD, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def nothing_left_behind() -> bool:
    """Whether the home holds neither half a release nor a temporary file."""
    stale = list(temporary_dir().iterdir()) if temporary_dir().is_dir() else []
    kept = {file.name for file in releases_dir().iterdir()} if releases_dir().is_dir() else set()
    whole = {name for tree in list_releases() for name in (tree.root.name, f"{tree.root.name}.json")}
    return not stale and kept <= whole | {f"{tree.release}-{tree.ident}.json" for tree in list_releases()}


@pytest.fixture
def archive(part: Path, tmp_path: Path) -> Path:
    file = tmp_path / "linux-6.12.tar.gz"
    subprocess.run(["tar", "-I", "gzip -1", "-cf", str(file), part.name], cwd=part.parent, check=True)
    return file


@pytest.mark.usefixtures("home")
def test_git_debian_directory_and_archive_of_one_release_are_told_apart(
    server: Server, part: Path, archive: Path
) -> None:
    trees = [obtain("v6.12", remote=server.url), obtain(source=str(part)), obtain(source=str(archive))]
    assert len({tree.release for tree in trees}) == 1
    assert len({tree.ident for tree in trees}) == 3
    assert list_releases() == trees[::-1]
    assert len({tree.read("net/socket.c") for tree in trees}) == 1
    assert nothing_left_behind()


@pytest.mark.usefixtures("home")
def test_the_release_is_what_the_tree_says(server: Server, part: Path) -> None:
    tree = obtain("v6.12.1", remote=server.url)
    assert tree.release == fetch.open_tree(part).release != "v6.12.1"
    assert find_release("v6.12").root == tree.root == releases_dir() / f"{tree.release}-{tree.ident}"


@pytest.mark.usefixtures("home")
def test_a_second_fetch_finds_the_first(server: Server, archive: Path) -> None:
    for arguments in ({"remote": server.url}, {"source": str(archive)}):
        first = obtain(**arguments)
        said = Said()
        assert obtain(**arguments, progress=said) == first
        assert said.lines == [f"{first.release} is here already, from {first.origin}"]
    said = Said()
    assert obtain("v6.12", progress=said) == find_release("v6.12")
    assert need("v6.12") == find_release("v6.12")
    assert nothing_left_behind()


@pytest.mark.usefixtures("home")
def test_a_tree_with_fewer_folders_than_wanted_now_is_fetched_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "folders", lambda: ("net", "include"))
    first = obtain("v6.12", remote=server.url)
    assert not first.exists("lib/siphash.c")
    monkeypatch.undo()
    os.environ["KREAD_HOME"] = str(first.root.parent.parent)
    second = obtain("v6.12", remote=server.url)
    assert second.root == first.root
    assert second.exists("lib/siphash.c")
    assert nothing_left_behind()


@pytest.mark.usefixtures("home")
def test_a_scope_with_more_folders_has_the_tree_fetched_again_and_the_folders_stay(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "folders", lambda: ("net", "include"))
    first = obtain("v6.12", remote=server.url)
    assert need("v6.12", more=("net",)) == first
    assert not first.exists("lib/siphash.c")
    said = Said()
    whole = need("v6.12", said, more=("net", "lib"))
    assert "was fetched without lib, which the scope needs" in said.lines[0]
    assert (whole.root, whole.origin) == (first.root, first.origin)
    assert whole.exists("lib/siphash.c")
    for again in (need("v6.12", more=("lib",)), obtain("v6.12", remote=server.url), need("v6.12", more=("lib",))):
        assert again == whole
    assert nothing_left_behind()


@pytest.mark.usefixtures("home")
def test_more_folders_come_from_where_the_tree_came(
    server: Server, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "folders", lambda: ("net", "include"))
    obtain("v6.12", remote=server.url)
    first = obtain(source=str(archive))
    whole = need(f"{first.release}@{first.ident}", more=("lib",))
    assert (whole.root, whole.origin) == (first.root, first.origin)
    assert whole.exists("lib/siphash.c")
    assert need(f"{first.release}@{first.ident}", more=("lib", "net")) == whole
    archive.rename(archive.with_name("elsewhere.tar.gz"))
    with pytest.raises(SourceError, match="no such directory or archive") as caught:
        need(f"{first.release}@{first.ident}", more=("kernel",))
    assert caught.value.where == str(archive)
    assert whole.exists("lib/siphash.c")
    assert nothing_left_behind()


def test_a_directory_is_used_in_place_and_nothing_is_written_to_it(home: Path, part: Path, tmp_path: Path) -> None:
    copy = tmp_path / "linux"
    shutil.copytree(part, copy, symlinks=True)
    before = {file: file.lstat().st_mtime_ns for file in copy.rglob("*")}
    tree = obtain(source=str(copy))
    assert (tree.root, tree.release) == (copy, find_release().release)
    assert {file: file.lstat().st_mtime_ns for file in copy.rglob("*")} == before
    assert need(str(copy)).ident == tree.ident


@pytest.mark.usefixtures("home")
def test_another_release_than_the_one_asked_for_is_refused(part: Path, archive: Path) -> None:
    for source in (part, archive):
        with pytest.raises(SourceError) as caught:
            obtain("v5.10", source=str(source))
        assert caught.value.slug == "other-release"
    assert list_releases() == []
    assert nothing_left_behind()


@pytest.mark.usefixtures("home")
def test_what_is_no_kernel_tree_is_refused_and_not_kept(tmp_path: Path) -> None:
    other = tmp_path / "project"
    other.mkdir()
    (other / "Makefile").write_text("all:\n")
    git("init", "--quiet", cwd=other)
    git("add", "--all", cwd=other)
    git("commit", "--quiet", "-m", "x", cwd=other)
    git("tag", "v6.12", cwd=other)
    subprocess.run(["tar", "-czf", "project.tar.gz", "project"], cwd=tmp_path, check=True)
    for arguments in (
        {"source": str(other)},
        {"source": str(tmp_path / "project.tar.gz")},
        {"remote": str(other)},
    ):
        with pytest.raises(SourceError) as caught:
            obtain(**arguments)
        assert caught.value.slug == "no-kernel-tree"
        assert len(str(caught.value).splitlines()) == 3
    with pytest.raises(SourceError, match="no such directory or archive"):
        obtain(source=str(tmp_path / "nothing"))
    assert list_releases() == []
    assert nothing_left_behind()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("source", ["debian", "/tmp"])
def test_a_remote_goes_with_git_only(source: str) -> None:
    with pytest.raises(UsageError):
        obtain("v6.12", source=source, remote="git://127.0.0.1/x")


@pytest.mark.usefixtures("home")
def test_where_git_reaches_no_remote_debians_package_is_taken_and_it_is_said_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(git_clone, "default_remotes", lambda: ("git://127.0.0.1:1/a", "git://127.0.0.1:1/b"))
    asked: list[str] = []

    def no_debian(name: str, *_: object) -> tuple[str, str]:
        asked.append(name)
        raise SourceError("no-debian", "apt cannot get a package of kernel source", where="apt says no", hint="x")

    monkeypatch.setattr(fetch, "_debian", no_debian)
    said = Said()
    with pytest.raises(SourceError) as caught:
        obtain("v6.12", progress=said)
    assert asked == ["v6.12"]
    assert said.lines[-1].endswith("taking Debian's package instead")
    assert all(url in caught.value.where for url in ("127.0.0.1", "apt says no"))
    assert (caught.value.slug, caught.value.exit_code) == ("not-fetched", EXIT_NO_SOURCE)
    with pytest.raises(SourceError, match="any remote"):
        obtain("v6.12", source="git")
    assert asked == ["v6.12"]  # who asks for git gets git or an error
    assert nothing_left_behind()


@pytest.mark.usefixtures("home")
def test_a_tag_that_does_not_exist_is_no_reason_to_take_another_source(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_clone, "default_remotes", lambda: (server.url,))
    with pytest.raises(SourceError) as caught:
        obtain("v6.12.4")
    assert caught.value.slug == "no-such-tag"


@pytest.mark.usefixtures("home")
def test_two_processes_that_want_one_release_fetch_it_once(server: Server) -> None:
    processes = [start("clone", "v6.12", "--remote", server.url) for _ in range(3)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], results
    assert {out for out, _ in results} == {f"{find_release('v6.12').root}\n"}
    assert sum("is here now" in said for _, said in results) == 1
    assert sum("is here already" in said for _, said in results) == 2
    assert nothing_left_behind()


@pytest.mark.parametrize(
    ("number", "limit"),
    # After so many bytes: within the folders, within the files.
    [(signal.SIGKILL, 600), (signal.SIGKILL, 100_000), (signal.SIGINT, 100_000), (signal.SIGTERM, 100_000)],
)
@pytest.mark.usefixtures("home")
def test_a_clone_that_is_ended_in_the_middle_leaves_nothing_and_the_next_completes(
    server: Server, number: int, limit: int
) -> None:
    with between(server.port, limit, stall=True) as port:
        process = start("clone", "v6.12", "--remote", f"git://127.0.0.1:{port}/{server.repository.name}")
        pack = "*/tree/.git/objects/pack/tmp_pack_*" if limit > 1000 else "*/tree/.git/config"
        _until(lambda: any(temporary_dir().glob(pack)) or process.poll() is not None)
        time.sleep(0.2)
        process.send_signal(number)
        _, said = process.communicate(timeout=10)
    assert process.returncode == {signal.SIGINT: EXIT_INTERRUPTED}.get(signal.Signals(number), -number), said
    assert list_releases() == []
    assert not list(releases_dir().iterdir()) if releases_dir().is_dir() else True
    if number == signal.SIGINT:
        assert nothing_left_behind()
    tree = obtain("v6.12", remote=server.url)
    assert tree.exists("net/ipv4/tcp_input.c")
    assert nothing_left_behind()


@pytest.mark.usefixtures("home")
def test_an_unpacking_that_is_killed_leaves_nothing_and_the_next_completes(archive: Path) -> None:
    process = start("clone", "--from", str(archive))
    _until(lambda: any(temporary_dir().glob("*/tree/*")) or process.poll() is not None)
    process.kill()
    process.communicate(timeout=10)
    killed_in_time = process.returncode == -signal.SIGKILL
    assert list_releases() == [] or not killed_in_time
    tree = obtain(source=str(archive))
    assert tree.exists("net/ipv4/tcp_input.c")
    assert nothing_left_behind()


@pytest.mark.usefixtures("home")
def test_a_fetch_that_was_killed_before_its_record_is_done_again(archive: Path) -> None:
    tree = obtain(source=str(archive))
    shutil.rmtree(tree.root / "net/ipv4")
    (releases_dir() / f"{tree.root.name}.json").unlink()
    assert list_releases() == []
    assert obtain(source=str(archive)).exists("net/ipv4/tcp_input.c")


@pytest.mark.usefixtures("home")
def test_too_little_space_is_found_before_anything_is_fetched(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "free_bytes", lambda _: 1_000_000)
    with pytest.raises(SourceError) as caught:
        obtain("v6.12", remote=server.url)
    assert (caught.value.slug, caught.value.exit_code) == ("no-space", EXIT_NO_SOURCE)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.usefixtures("home")
def test_the_space_that_is_asked_for_is_that_of_the_folders(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "free_bytes", lambda _: 500_000_000)
    with pytest.raises(SourceError, match="and a fetch needs 1400 MB"):
        obtain("v6.12", remote=server.url, more=("drivers",))
    with pytest.raises(SourceError, match="and a fetch needs 1900 MB"):
        obtain("v6.12", remote=server.url, more=("drivers", "fs", "arch", "sound", "samples"))
    obtain("v6.12", remote=server.url, more=("fs/ext4",))


ON_A_SMALL_DISK = """
import sys
from kread.source import fetch
from kread.errors import KreadError
fetch._NEEDED_BYTES = dict.fromkeys(fetch._NEEDED_BYTES, 0)
try:
    fetch.obtain(**{sys.argv[1]: sys.argv[2]})
except KreadError as error:
    stale = [file.name for file in fetch.temporary_dir().iterdir()]
    print(error.slug, len(str(error).splitlines()), stale)
"""


@pytest.mark.parametrize("way", ["archive", "git"])
def test_a_disk_that_fills_up_is_an_error_and_nothing_stays(
    server: Server, archive: Path, tmp_path: Path, way: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=300k none "$1" && shift && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(disk)]
    if not shutil.which("unshare") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("no small disk can be mounted here; to enable, allow user namespaces")
    arguments = ["source", str(archive)] if way == "archive" else ["remote", server.url]
    done = subprocess.run(
        [*command, sys.executable, "-c", ON_A_SMALL_DISK, *arguments],
        env={**os.environ, "KREAD_HOME": str(disk)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "no-space 3 []\n", done.stderr


@pytest.mark.parametrize("place", ["/proc/kread", "/dev/null/kread"])
def test_a_home_that_cannot_be_written_is_an_error(
    server: Server, part: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("KREAD_HOME", place)
    for arguments in ({"remote": server.url}, {"source": str(part)}):
        with pytest.raises(KreadError) as caught:
            obtain("v6.12", **arguments)
        assert (caught.value.slug, caught.value.exit_code) == ("home-unusable", EXIT_NO_SOURCE)


@pytest.mark.usefixtures("home")
def test_need_fetches_the_default_and_passes_other_errors_on(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_clone, "default_remotes", lambda: (server.url,))
    with pytest.raises(SourceError, match="called nonsense"):
        need("nonsense")
    with pytest.raises(SourceError):
        need("/nowhere/at/all")
    assert need().exists("net/socket.c")
    assert data_dir().is_dir()


def _until(condition: object) -> None:
    assert callable(condition)
    for _ in range(400):
        if condition():
            return
        time.sleep(0.025)
    pytest.fail("it did not come so far")

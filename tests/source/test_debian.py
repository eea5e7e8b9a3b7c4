"""Debian's package: through a real apt from an archive on this disk, and the package itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kread.errors import EXIT_NO_SOURCE, SourceError
from kread.source import debian
from kread.source.apt_sources import read_archives
from kread.source.deb import unpack_deb
from kread.source.debian import fetch_debian
from kread.source.fetch import folders, obtain
from kread.source.home import temporary_dir
from kread.source.progress import Silent
from kread.source.tree import open_tree

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("apt-get", "apt-cache", "dpkg-deb"))), reason="no apt; to enable, run on Debian"
)

FOLDERS = ("include", "net", "arch/x86/include", "lib")


def build(part: Path, work: Path, name: str, version: str, compression: str = "xz") -> Path:
    """A package of kernel source with `part` in it, as Debian's are made, by dpkg-deb."""
    root = work / f"{name}_{version}"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "usr/src").mkdir(parents=True)
    (root / "usr/share/doc").mkdir(parents=True)
    control = (
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Test <t@example.org>\nDescription: x\n"
    )
    (root / "DEBIAN/control").write_text(control)
    (root / "usr/share/doc/README").write_text("x" * 999)
    archive = root / f"usr/src/{name}.tar.xz"
    subprocess.run(["tar", "-I", "xz -0", "-cf", str(archive), part.name], cwd=part.parent, check=True)
    package = work / f"{name}_{version}_all.deb"
    subprocess.run(["dpkg-deb", f"-Z{compression}", "-b", str(root), str(package)], check=True, capture_output=True)
    return package


@pytest.fixture(scope="module")
def package(part: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(part, tmp_path_factory.mktemp("package"), "linux-source-6.12", "6.12.117-1")


@pytest.fixture
def machine(package: Path, part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose only source of packages is an archive on this disk: bookworm without, trixie with 6.12."""
    archive = tmp_path / "debian"
    (archive / "pool").mkdir(parents=True)
    shutil.copy(package, archive / "pool")
    content = package.read_bytes()
    control = subprocess.run(["dpkg-deb", "-f", str(package)], capture_output=True, text=True, check=True).stdout
    entry = (
        f"{control}Filename: pool/{package.name}\nSize: {len(content)}\n"
        f"SHA256: {hashlib.sha256(content).hexdigest()}\n\n"
    )
    older = entry.replace("6.12", "6.1").replace("6.1.117", "6.1.192")
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    for suite, packages in {"bookworm": older, "trixie": entry + older}.items():
        folder = archive / f"dists/{suite}/main/binary-{architecture.stdout.strip()}"
        folder.mkdir(parents=True)
        (folder / "Packages").write_text(packages)
        name = folder.relative_to(archive / f"dists/{suite}") / "Packages"
        (archive / f"dists/{suite}/Release").write_text(
            f"Suite: {suite}\nCodename: {suite}\nComponents: main\nArchitectures: {architecture.stdout.strip()}\n"
            f"SHA256:\n {hashlib.sha256(packages.encode()).hexdigest()} {len(packages)} {name}\n"
        )
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "sources.list").write_text(f"deb [trusted=yes] file:{archive} bookworm main\n")
    monkeypatch.setattr(debian, "read_archives", lambda: read_archives(etc))
    return archive


@pytest.mark.usefixtures("home", "machine")
def test_a_release_of_another_suite_is_found_and_unpacked(part: Path) -> None:
    tree = obtain("v6.12", source="debian")
    assert tree.origin == "Debian linux-source-6.12 6.12.117-1"
    assert tree.read("net/socket.c") == (part / "net/socket.c").read_bytes()
    assert not tree.exists("drivers/net/loopback.c")
    assert list(temporary_dir().iterdir()) == []
    assert obtain("6.12.117", source="debian") == tree


@pytest.mark.usefixtures("home", "machine")
def test_a_release_that_debian_lacks_is_told_the_nearest() -> None:
    with pytest.raises(SourceError) as caught:
        obtain("v6.12.5", source="debian")
    assert (caught.value.slug, caught.value.exit_code) == ("no-such-package", EXIT_NO_SOURCE)
    assert "v6.12.117, v6.1.192" in caught.value.hint
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.usefixtures("home")
def test_an_archive_that_is_gone_is_an_error(machine: Path) -> None:
    shutil.rmtree(machine)
    with pytest.raises(SourceError) as caught:
        obtain("v6.12", source="debian")
    assert (caught.value.slug, caught.value.exit_code) == ("no-debian", EXIT_NO_SOURCE)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.usefixtures("home")
def test_a_package_that_was_changed_on_the_way_is_refused_by_apt(machine: Path) -> None:
    (deb,) = (machine / "pool").iterdir()
    content = bytearray(deb.read_bytes())
    content[len(content) // 2] ^= 1
    deb.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        obtain("v6.12", source="debian")
    assert caught.value.slug == "no-debian"
    assert list(temporary_dir().iterdir()) == []


@pytest.mark.usefixtures("home", "machine")
def test_the_machines_own_apt_is_not_touched() -> None:
    places = [Path("/var/lib/apt/lists"), Path("/var/cache/apt/archives"), Path("/etc/apt")]
    before = [sorted((entry.name, entry.stat().st_mtime_ns) for entry in place.iterdir()) for place in places]
    obtain("v6.12", source="debian")
    after = [sorted((entry.name, entry.stat().st_mtime_ns) for entry in place.iterdir()) for place in places]
    assert after == before


@pytest.mark.usefixtures("home")
def test_without_apt_the_error_says_what_else_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError) as caught:
        obtain("v6.12", source="debian")
    assert caught.value.slug == "no-apt"


@pytest.mark.parametrize("compression", ["xz", "gzip", "none"])
def test_a_package_is_unpacked_as_dpkg_and_tar_do_it(part: Path, tmp_path: Path, compression: str) -> None:
    package = build(part, tmp_path / "work", "linux-source-6.12", "6.12.117-1", compression)
    ours = tmp_path / "ours"
    ours.mkdir()
    unpack_deb(package, ours, FOLDERS, Silent())
    theirs = tmp_path / "theirs"
    subprocess.run(["dpkg-deb", "-x", str(package), str(theirs)], check=True)
    subprocess.run(["tar", "-xf", "usr/src/linux-source-6.12.tar.xz"], cwd=theirs, check=True)
    for folder in FOLDERS:
        compared = subprocess.run(
            ["diff", "-r", str(theirs / part.name / folder), str(ours / folder)], capture_output=True, check=False
        )
        assert compared.returncode == 0, compared.stdout
    assert open_tree(ours).release == open_tree(part).release


def damaged(package: Path) -> dict[str, bytes]:
    content = package.read_bytes()
    return {
        "empty": b"",
        "no package": b"x" * 5000,
        "cut in the first member": content[:100],
        "cut in the last member": content[:-5000],
        "damaged in the middle": content[: len(content) // 2] + bytes(64) + content[len(content) // 2 + 64 :],
        "no data": content[:68] + content[68:].replace(b"data.tar", b"nothing."),
        "a negative length": content[:8] + b"data.tar".ljust(48) + b"-5".ljust(10) + b"`\n" + content,
        "no number": content[:8] + b"data.tar".ljust(48) + b"many".ljust(10) + b"`\n" + content,
    }


@pytest.mark.parametrize(
    "case",
    [
        *("empty", "no package", "cut in the first member", "cut in the last member", "damaged in the middle"),
        *("no data", "a negative length", "no number"),
    ],
)
def test_a_damaged_package_is_refused(package: Path, tmp_path: Path, case: str) -> None:
    (tmp_path / "x.deb").write_bytes(damaged(package)[case])
    (tmp_path / "into").mkdir()
    with pytest.raises(SourceError) as caught:
        unpack_deb(tmp_path / "x.deb", tmp_path / "into", FOLDERS, Silent())
    assert caught.value.slug in {"bad-package", "bad-archive"}
    assert len(str(caught.value).splitlines()) == 3


def test_a_package_of_something_else_is_refused(tmp_path: Path, part: Path) -> None:
    package = build(part, tmp_path / "work", "other-source-6.12", "1")
    (tmp_path / "into").mkdir()
    with pytest.raises(SourceError, match="no archive of kernel source"):
        unpack_deb(package, tmp_path / "into", FOLDERS, Silent())


def test_debians_own_package_gives_the_tree_that_dpkg_unpacks(
    tree: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package of 6.12 through this machine's apt: 150 MB, once; the next run finds it in the tests' cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    monkeypatch.setenv("KREAD_HOME", str(cache / "kread-tests/home"))
    try:
        ours = obtain("v6.12", source="debian")
    except SourceError as error:
        if error.slug not in {"no-debian", "no-apt"}:
            raise
        pytest.skip(f"no package of Debian's ({error.where}); to enable, give this machine's apt an archive of Debian")
    assert ours.release.startswith("v6.12.")
    assert ours.origin.startswith("Debian linux-source-6.12 6.12.")
    theirs = open_tree(tree("6.12"))
    if theirs.release != ours.release:
        pytest.skip(f"the other tree of 6.12 is {theirs.release}, this is {ours.release}: nothing to compare with")
    for folder in folders():
        names = theirs.files(folder)
        assert ours.files(folder) == names
        assert all(ours.read(name) == theirs.read(name) for name in names)


def test_what_is_here_is_not_downloaded(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(machine / "pool")
    found = fetch_debian("v6.12", tmp_path / "into", FOLDERS, tmp_path / "apt", Silent(), lambda identity: True)
    assert found.identity == "debian:linux-source-6.12:6.12.117-1"

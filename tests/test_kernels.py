"""The kernel image of a release out of Debian's packages, those made by the real dpkg-deb."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kread.errors import SourceError
from kread.source.debian import Package
from kread.source.progress import Progress

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "benchmarks"))

import kernels  # noqa: E402

needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no dpkg-deb; to enable, run on Debian")

#: What a suite has: packages with an image, some that only ask for another package, other flavours and sources.
OFFERED = {
    "linux-image-6.12.107+deb13-cloud-amd64": ("6.12.107-1", "old"),
    "linux-image-6.12.117+deb13-cloud-amd64": ("6.12.117-1", "new"),
    "linux-image-6.12.117+deb13-amd64": ("6.12.117-1", "for machines"),
    "linux-image-7.2.13+deb14-cloud-amd64": ("7.2.13-1", ""),
    "linux-binary-7.2.13+deb14-cloud-amd64": ("7.2.13-1", "newest"),
}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let apt offer these packages; what was downloaded."""
    found: list[str] = []

    class Offering:
        trouble = ""

        def __init__(self, folder: Path) -> None:
            self.folder = folder

        def update(self, archives: object) -> None:
            pass

        def names(self, prefix: str) -> list[str]:
            return [name for name in OFFERED if name.startswith(prefix)]

        def versions(self, names: Sequence[str]) -> list[Package]:
            rows = [Package(name, OFFERED[name][0], f"v{OFFERED[name][0].partition('-')[0]}") for name in names]
            return sorted(rows, key=lambda each: (each.release, each.name), reverse=True)

        def download(self, package: Package, progress: Progress) -> Path:
            found.append(package.name)
            root = tmp_path / package.name
            (root / "DEBIAN").mkdir(parents=True)
            (root / "DEBIAN/control").write_text(
                f"Package: {package.name}\nVersion: 1\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: x\n"
            )
            if OFFERED[package.name][1]:
                (root / "boot").mkdir()
                (root / "boot/config").write_text("CONFIG_NET=y\n")
                (root / "boot/vmlinuz-6").write_text(OFFERED[package.name][1])
            file = root.with_suffix(".deb")
            subprocess.run(["dpkg-deb", "-b", str(root), str(file)], check=True, capture_output=True)
            return file

    monkeypatch.setattr(kernels, "Apt", Offering)
    monkeypatch.setattr(kernels, "archives_to_ask", lambda: [[]])
    return found


@needs_dpkg
def test_the_newest_of_a_release_is_taken_and_kept(asked: list[str], tmp_path: Path) -> None:
    assert kernels.image("6.12", tmp_path).read_text() == "new"
    assert kernels.image("v6.12.107", tmp_path).read_text() == "old"
    assert kernels.image("6.12", tmp_path).read_text() == "new"
    assert asked == ["linux-image-6.12.117+deb13-cloud-amd64", "linux-image-6.12.107+deb13-cloud-amd64"]


@needs_dpkg
def test_the_package_that_holds_the_image_is_taken(asked: list[str], tmp_path: Path) -> None:
    assert kernels.image("7.2", tmp_path).read_text() == "newest"
    assert asked == ["linux-binary-7.2.13+deb14-cloud-amd64"]


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("release", ["5.10", "6.1", "6.12.1", "newest"])
def test_a_release_that_debian_has_not_is_an_error(tmp_path: Path, release: str) -> None:
    with pytest.raises(SourceError):
        kernels.image(release, tmp_path)

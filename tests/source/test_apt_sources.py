"""Both formats of apt's settings, and the suites that an archive of Debian offers besides."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kread.data import load
from kread.source.apt_sources import Archive, debian_archives, further_suites, read_archives

ONE_LINE = """
# a comment
deb http://first/debian bookworm main contrib # the main archive
deb-src http://first/debian bookworm main
  deb [ arch=amd64 signed-by=/usr/share/keyrings/debian.gpg trusted=yes ] http://mirror/debian/ bookworm-updates main
#deb http://off/debian bookworm main
deb https://packages.example.org/apt cloud main
deb file:/srv/packages ./
"""

STANZAS = """
Types: deb deb-src
# a comment within
URIs: http://deb.debian.org/debian http://second/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://off/debian
Suites: bookworm
Components: main
Enabled: no

types: deb
uris: http://deb.debian.org/debian-security
suites: bookworm-security
components: main
signed-by: /usr/share/keyrings/debian-archive-keyring.gpg
"""


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (tmp_path / "sources.list.d/debian.sources").write_text(STANZAS)
    (tmp_path / "sources.list.d/ignored.save").write_text(ONE_LINE)
    return tmp_path


def test_both_formats_are_read(etc: Path) -> None:
    found = read_archives(etc)
    assert [(archive.uri, archive.suites, archive.components) for archive in found] == [
        ("http://first/debian", ("bookworm",), ("main", "contrib")),
        ("http://mirror/debian/", ("bookworm-updates",), ("main",)),
        ("https://packages.example.org/apt", ("cloud",), ("main",)),
        ("file:/srv/packages", ("./",), ()),
        ("http://deb.debian.org/debian", ("bookworm", "bookworm-updates"), ("main",)),
        ("http://second/debian", ("bookworm", "bookworm-updates"), ("main",)),
        ("http://deb.debian.org/debian-security", ("bookworm-security",), ("main",)),
    ]
    assert ("Signed-By", "/usr/share/keyrings/debian.gpg") in found[1].fields
    assert ("Trusted", "yes") in found[1].fields


def test_apt_itself_reads_the_same_archives(etc: Path, tmp_path: Path) -> None:
    """What we write, apt reads as it reads what we read."""
    if shutil.which("apt-get") is None:
        pytest.skip("no apt; to enable, run on Debian")

    def targets(sources_list: str, parts: str) -> list[str]:
        options = [f"Dir::Etc::sourcelist={sources_list}", f"Dir::Etc::sourceparts={parts}", f"Dir::State={tmp_path}"]
        command = ["apt-get", *(part for option in options for part in ("-o", option)), "update", "--print-uris"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return sorted({line.split()[0] for line in done.stdout.splitlines() if "InRelease" in line})

    ours = tmp_path / "ours"
    ours.mkdir()
    archives = read_archives(etc)
    (ours / "kread.sources").write_text("\n".join(archive.stanza for archive in archives))
    expected = targets(str(etc / "sources.list"), str(etc / "sources.list.d"))
    assert len(expected) == 9
    assert targets("/dev/null", str(ours)) == expected


def test_missing_settings_are_no_archives(tmp_path: Path) -> None:
    assert read_archives(tmp_path / "none") == []


def test_the_other_suites_of_debian_are_at_the_same_archive(etc: Path) -> None:
    data = load("scopes")["fetch"]["debian"]
    own = debian_archives(read_archives(etc), data["codenames"])
    assert not any("example.org" in archive.uri for archive in own)
    further = {archive.suites[0]: archive for archive in further_suites(own, data["suite"])}
    assert further["sid"].uri == "http://first/debian"
    assert further["trixie-security"].uri == "http://deb.debian.org/debian-security"
    assert ("signed-by", "/usr/share/keyrings/debian-archive-keyring.gpg") in further["trixie-security"].fields
    assert "bookworm" not in further
    assert "bookworm-security" not in further


def test_the_security_archive_lies_beside_the_main_one() -> None:
    own = [Archive("http://mirror.example/debian/", ("bookworm",), ("main",))]
    (found,) = further_suites(own, [{"name": "trixie-security"}])
    assert found.uri == "http://mirror.example/debian-security"
    assert further_suites([Archive("http://mirror.example/x", ("sid",), ())], [{"name": "trixie-security"}]) == []
    assert further_suites([], [{"name": "trixie"}]) == []

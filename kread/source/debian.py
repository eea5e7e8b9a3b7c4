"""A release from Debian's package linux-source-X.Y, through this machine's own apt, without being root.

Theory of operation: apt itself finds, downloads and checks the package, with its lists and its cache in a folder of
ours, so that nothing of the machine's own state is read stale or changed. First the machine's own suites of Debian
are asked; where they do not have the release, the other suites of Debian at the same archive are too, and one that
the archive lacks does not matter. The package is unpacked by `deb`, and thrown away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kread.data import load
from kread.errors import SourceError
from kread.source.apt_sources import Archive, debian_archives, further_suites, read_archives
from kread.source.deb import unpack_deb
from kread.source.home import ensure_dir, storage_error
from kread.source.progress import Progress
from kread.source.releases import nearest, parse_name

#: A mirror that does not answer for so long is not there. (apt itself waits two minutes, several times.)
_CONNECT_SECONDS = 20

#: All lists together are some 80 MB; a line slower than 100 KB/s will not bring the package either.
_UPDATE_SECONDS = 900

_QUERY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Package:
    """A version of a package of kernel source that apt can download, and the release in it."""

    name: str
    version: str
    release: str

    @property
    def origin(self) -> str:
        return f"Debian {self.name} {self.version}"

    @property
    def identity(self) -> str:
        return f"debian:{self.name}:{self.version}"


class Apt:
    """apt with its state in `folder`; nothing is fetched before `update`."""

    def __init__(self, folder: Path) -> None:
        for program in ("apt-get", "apt-cache"):
            if shutil.which(program) is None:
                raise SourceError(
                    "no-apt",
                    f"there is no {program} here: this is no Debian machine",
                    hint="give an archive or a directory: `kread clone --from linux-6.12.tar.xz`",
                )
        self._folder = folder
        self._parts = ensure_dir(folder / "sources.list.d")
        ensure_dir(folder / "lists" / "partial")
        ensure_dir(folder / "archives" / "partial")
        self.trouble = ""

    def _command(self, program: str, *arguments: str) -> list[str]:
        settings = {
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": str(self._parts),
            "Dir::State::lists": str(self._folder / "lists"),
            "Dir::Cache": str(self._folder),
            "Dir::Cache::archives": str(self._folder / "archives"),
            # As root apt gives its rights away to a user who may not enter our folder.
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
            "Acquire::PDiffs": "false",
            "Acquire::GzipIndexes": "true",
            "Acquire::Retries": "1",
            "Acquire::http::Timeout": str(_CONNECT_SECONDS),
            "Acquire::https::Timeout": str(_CONNECT_SECONDS),
        }
        options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        return [program, *options, *arguments]

    def update(self, archives: list[Archive]) -> None:
        """Fetch the lists of `archives`; what cannot be fetched is left out, and `trouble` says why."""
        text = "\n".join(archive.stanza for archive in archives)
        try:
            (self._parts / "kread.sources").write_text(text, encoding="utf-8")
        except OSError as error:
            raise storage_error(error, self._parts) from error
        done = self._run("apt-get", "update", seconds=_UPDATE_SECONDS)
        lines = [line for line in done.splitlines() if line.startswith(("E:", "W:", "Err:"))]
        self.trouble = lines[-1] if lines else ""

    def packages(self, prefix: str) -> list[Package]:
        """The packages of kernel source whose name begins with `prefix`, newest release first."""
        return self.versions([name for name in self.names(prefix) if parse_name(name[len(prefix) :])])

    def names(self, prefix: str) -> list[str]:
        """The packages whose name begins with `prefix`."""
        return self._run("apt-cache", "pkgnames", prefix).split()

    def versions(self, names: Sequence[str]) -> list[Package]:
        """What there is of packages that are made from a release, newest release first."""
        if not names:
            return []
        found = set()
        for line in self._run("apt-cache", "madison", *sorted(names)).splitlines():
            columns = [column.strip() for column in line.split("|")]
            if len(columns) >= 3 and "Packages" in columns[2]:
                upstream = columns[1].rpartition("-")[0].partition("+")[0].replace("~rc", "-rc")
                found.add(Package(columns[0], columns[1], f"v{upstream}"))
        return sorted(found, key=_order, reverse=True)

    def download(self, package: Package, progress: Progress) -> Path:
        """Download `package` and return its file."""
        target = ensure_dir(self._folder / "deb")
        shown = self._run("apt-cache", "show", f"{package.name}={package.version}")
        sizes = [int(line.split()[1]) for line in shown.splitlines() if line.startswith("Size: ")]
        progress.phase(f"downloading {package.name} {package.version}")
        mine, theirs = os.pipe()
        command = self._command(
            "apt-get", "download", "-o", f"APT::Status-Fd={theirs}", f"{package.name}={package.version}"
        )
        with (
            os.fdopen(mine, "r", encoding="utf-8", errors="replace") as status,
            subprocess.Popen(
                command,
                cwd=target,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                pass_fds=(theirs,),
            ) as process,
        ):
            os.close(theirs)
            try:
                for line in status:
                    fields = line.split(":")
                    if fields[0] == "dlstatus" and sizes:
                        progress.advance(sizes[0] * float(fields[2]) / 100, sizes[0], "B")
                _, said = process.communicate()
            except BaseException:
                process.kill()
                raise
        files = sorted(target.glob("*.deb"))
        if process.returncode != 0 or not files:
            self._refuse_full_disk(said)
            raise _unreachable(said.strip().splitlines()[-1:] or ["apt-get download failed"])
        return files[0]

    def _run(self, program: str, *arguments: str, seconds: int = _QUERY_SECONDS) -> str:
        try:
            done = subprocess.run(
                self._command(program, *arguments),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _unreachable([f"{program} {arguments[0]} took more than {seconds} s"]) from error
        self._refuse_full_disk(done.stdout)
        return done.stdout

    def _refuse_full_disk(self, said: str) -> None:
        if "No space left on device" in said or "don't have enough free space" in said:
            raise storage_error(OSError(28, "No space left on device"), self._folder)


def fetch_debian(
    release: str,
    into: Path,
    folders: tuple[str, ...],
    work: Path,
    progress: Progress,
    have: Callable[[str], bool],
) -> Package:
    """Unpack `release` from the package that has it into the empty folder `into`; `work` is for apt and the package.

    Where `have` says that a tree of this identity is here, nothing is downloaded. SourceError "no-debian" where apt
    gets nothing, "no-such-package" where no package has the release.
    """
    wanted = parse_name(release)
    data = load("scopes")["fetch"]["debian"]
    apt = Apt(work)
    offered: list[Package] = []
    for archives in archives_to_ask():
        progress.phase(f"asking apt for {data['package']}* in {', '.join(s for a in archives for s in a.suites)}")
        apt.update(archives)
        offered = apt.packages(data["package"])
        fitting = [p for p in offered if wanted and (name := parse_name(p.release)) and wanted.finds(name)]
        if fitting:
            package = fitting[0]
            if have(package.identity):
                return package
            progress.say(f"from Debian: {package.name} {package.version}, through this machine's apt")
            file = apt.download(package, progress)
            unpack_deb(file, into, folders, progress)
            return package
    if not offered:
        raise _unreachable([apt.trouble or "apt knows no package of kernel source"])
    near = ", ".join(nearest(list(dict.fromkeys(package.release for package in offered)), release))
    raise SourceError(
        "no-such-package",
        f"Debian has no package with the release {release}",
        where="this machine's apt and the suites of Debian beside its own",
        hint=f"the nearest that apt offers are {near}; git has every release: `kread clone {release} --from git`",
    )


def archives_to_ask() -> list[list[Archive]]:
    """Where to look, one after the other: this machine's own suites of Debian, then those with the others beside them."""
    data = load("scopes")["fetch"]["debian"]
    machine = read_archives()
    own = debian_archives(machine, data["codenames"])
    more = further_suites(own, data["suite"])
    return [own or machine, [*own, *more]] if more else [own or machine]


def _order(package: Package) -> tuple[tuple[tuple[int, ...], int, int, str], str]:
    name = parse_name(package.release)
    return (name.order if name else ((), 0, 0, ""), package.version)


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def _unreachable(said: list[str]) -> SourceError:
    return SourceError(
        "no-debian",
        "apt cannot get a package of kernel source",
        where=said[0],
        hint="check the network and the settings of apt, or give an archive: `kread clone --from linux-6.12.tar.xz`",
    )

"""A release from a git repository: shallow, without the files that the scope does not need, and without history.

Theory of operation: a full clone of Linux is gigabytes, so only this is fetched: the one commit of the tag and its
folders (a partial fetch without files), then, in one batch, the files that lie at the top or below one of the wanted
folders. They are asked for by name rather than on demand at the checkout, so that progress is known and a connection
that breaks is met before anything is written. Then the checkout needs no network. Remotes are tried in order; one
that answers but has no such tag ends the search, and the error names the nearest tags.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kread.data import load
from kread.errors import SourceError, UsageError
from kread.source.git_process import ANSWER_SECONDS, GitFailed, Repository, shown
from kread.source.progress import Progress
from kread.source.releases import nearest, parse_name

#: Every tag of the stable tree: some five thousand lines.
_ALL_TAGS_SECONDS = 60

#: What git takes as a tag's name, narrowed to what a release's tag looks like; never an option.
_TAG = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_+-]|[./](?=[A-Za-z0-9_]))*\Z")

_TAGS = "refs/tags/"


@dataclass(frozen=True, slots=True)
class Cloned:
    """What was cloned: from where, and which commit."""

    url: str
    tag: str
    commit: str

    @property
    def origin(self) -> str:
        return f"git {shown(self.url)} {self.tag}"

    @property
    def identity(self) -> str:
        return f"git:{self.commit}"


def tag_of(release: str) -> str:
    """The tag of a release in the kernel's repositories: "6.12" and "v6.12.0" are v6.12; UsageError for no name."""
    name = parse_name(release)
    tag = release
    if name is not None and len(name.numbers) > 1:
        numbers = name.numbers[:2] if name.numbers[2:] == (0,) else name.numbers
        tag = f"v{'.'.join(map(str, numbers))}{name.extra}"
    if not _TAG.match(tag):
        raise UsageError(
            "bad-release",
            f"this is no name of a release: {ascii(release)[1:-1]}",
            hint="releases are called like v6.12, v6.12.117 or v6.13-rc1",
        )
    return tag


def clone(
    release: str,
    into: Path,
    folders: tuple[str, ...],
    remotes: tuple[str, ...],
    progress: Progress,
    have: Callable[[str], bool],
) -> Cloned:
    """Clone the tag of `release` from the first of `remotes` that answers, into the empty folder `into`.

    Where `have` says that a tree of this identity is here, nothing is fetched. SourceError "no-remote" where no remote
    answers or the connection breaks, "no-such-tag" where the tag does not exist.
    """
    tag = tag_of(release)
    repository = Repository(into)
    troubles: list[str] = []
    for url in remotes:
        progress.phase(f"asking {shown(url)}")
        try:
            found = Cloned(url, tag, _commit_of(repository, url, tag))
            if not found.commit:
                raise _no_tag(repository, url, tag)
            if have(found.identity):
                return found
            progress.say(f"from {found.origin}")
            _fetch(repository, found, folders, into, progress)
            return found
        except GitFailed as failed:
            trouble = str(failed) if shown(url) in str(failed) else f"{shown(url)}: {failed}"
            troubles.append(trouble)
            if len(remotes) > 1:
                progress.say(f"git cannot clone: {trouble}")
    raise SourceError(
        "no-remote",
        "git cannot clone the release from any remote",
        where="; ".join(troubles),
        hint="check the network and the URL, or take Debian's package: `kread clone --from debian`",
    )


def _commit_of(repository: Repository, url: str, tag: str) -> str:
    """The commit that the remote's tag names; "" where it has no such tag."""
    answer = repository.run("ls-remote", "--", url, f"{_TAGS}{tag}", f"{_TAGS}{tag}^{{}}", seconds=ANSWER_SECONDS)
    named: dict[str, str] = {}
    for line in answer.decode("utf-8", "replace").splitlines():
        commit, _, ref = line.partition("\t")
        named[ref] = commit
    # An annotated tag is an object of its own; the entry with ^{} is the commit behind it.
    return named.get(f"{_TAGS}{tag}^{{}}") or named.get(f"{_TAGS}{tag}") or ""


def _fetch(repository: Repository, found: Cloned, folders: tuple[str, ...], into: Path, progress: Progress) -> None:
    tag = found.tag
    _set_up(repository, found.url, folders, into)
    said = repository.watch(
        *("fetch", "--progress", "--depth=1", "--filter=blob:none", "--no-tags", "--no-recurse-submodules"),
        *("--no-write-fetch-head", "origin", f"+{_TAGS}{tag}:{_TAGS}{tag}"),
        phase=f"{tag}: receiving the folders",
        progress=progress,
    )
    commit = repository.run("rev-parse", "--verify", f"{_TAGS}{tag}^{{commit}}").decode().strip()
    if "filtering not recognized" in said:
        progress.say("this remote sends no part of a release: all of it was received")
    else:
        with tempfile.TemporaryFile(dir=into / ".git") as wanted:
            wanted.writelines(sorted(_files(repository, commit, folders)))
            wanted.seek(0)
            repository.watch(
                *("fetch", "--progress", "--filter=blob:none", "--no-tags", "--no-recurse-submodules"),
                *("--no-write-fetch-head", "--stdin", "origin"),
                phase=f"{tag}: receiving the files",
                progress=progress,
                stdin=wanted,
            )
    repository.watch(
        *("checkout", "--progress", "--detach", "--no-recurse-submodules", commit),
        phase=f"{tag}: writing the files",
        progress=progress,
    )
    if commit != found.commit:
        raise GitFailed(f"the tag {tag} has moved while it was fetched")


def _set_up(repository: Repository, url: str, folders: tuple[str, ...], into: Path) -> None:
    for name, value in (
        ("remote.origin.url", url),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialclonefilter", "blob:none"),
        ("core.repositoryformatversion", "1"),
        ("extensions.partialclone", "origin"),
        ("core.sparsecheckout", "true"),
    ):
        repository.run("config", "--local", name, value)
    patterns = ["/*", "!/*/", *(f"/{folder}/" for folder in folders)]
    info = into / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "sparse-checkout").write_text("\n".join(patterns) + "\n", encoding="utf-8")


def _files(repository: Repository, commit: str, folders: tuple[str, ...]) -> set[bytes]:
    """The names of the objects of all files in the scope, one line each; no submodule is among them."""
    top = repository.run("ls-tree", "-z", commit)
    below = repository.run("ls-tree", "-z", "-r", commit, "--", *folders)
    found = set()
    for entry in (top + below).split(b"\0"):
        fields = entry.partition(b"\t")[0].split(b" ")
        if len(fields) == 3 and fields[1] == b"blob":
            found.add(fields[2] + b"\n")
    return found


def _no_tag(repository: Repository, url: str, tag: str) -> SourceError:
    answer = repository.run("ls-remote", "--tags", "--refs", "--", url, seconds=_ALL_TAGS_SECONDS)
    tags = [line.partition(b"\t")[2].decode("utf-8", "replace").removeprefix(_TAGS) for line in answer.splitlines()]
    near = nearest([name for name in tags if _TAG.match(name)], tag)
    return SourceError(
        "no-such-tag",
        f"there is no tag {tag}",
        where=shown(url),
        hint=f"the nearest are {', '.join(near)}" if near else "this repository has no tag of a release",
    )


def default_remotes() -> tuple[str, ...]:
    """Where a release is cloned from when no remote is given, in order."""
    return tuple(str(row["url"]) for row in load("scopes")["fetch"]["remote"])

"""Gets a release here, whatever the way: from git, from Debian, from an archive, or a directory in place.

Theory of operation: one fetch at a time holds the lock of the data directory, so two kread processes that want one
release fetch it once. What is fetched goes into a folder of `tmp/`, is asked which release it is, and only then
renamed to its place, and its record is written last. A fetch that is killed therefore leaves a folder in `tmp/` and
nothing else; the next holder of the lock removes it. With no source named, git is asked first, and where git reaches
no remote, Debian's package.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from kread.data import load
from kread.errors import SourceError, UsageError
from kread.source.home import (
    data_dir,
    ensure_dir,
    free_bytes,
    lock,
    releases_dir,
    remove_tree,
    storage_error,
    temporary_dir,
)
from kread.source.progress import Progress, Silent
from kread.source.releases import Record, Way, find_release, is_path, label, matching, parse_name, records, register
from kread.source.tree import SourceTree, make_ident, open_tree

#: Free space that a fetch asks for beforehand. A tree of the scope has 150 MB on disk, its git objects 40 MB more;
#: Debian's package and the lists that find it have 250 MB besides.
_NEEDED_BYTES = {"git": 300_000_000, "debian": 500_000_000, "archive": 200_000_000}

#: What a tree with more folders than these needs besides: for each as much as the largest has, but for those that
#: data/scopes.toml calls large; never more than a whole tree has.
_NEEDED_BY_FOLDER = 160_000_000
_NEEDED_BY_WHOLE = 1_600_000_000

#: Failures of git after which Debian's package is tried: nothing there to ask with, or nobody answered.
_GIT_UNREACHABLE = frozenset({"no-remote", "no-git"})

_Have = Callable[[str], bool]


class _Got(NamedTuple):
    """What a fetch got: how a person is told of it, what tells it from others, and where it can be got again."""

    said: str
    identity: str
    way: Way


def folders() -> tuple[str, ...]:
    """The folders of a tree that are fetched, beside the files at its top."""
    return tuple(str(row["name"]) for row in load("scopes")["fetch"]["folder"])


def default_release() -> str:
    """The release that is fetched when none is named."""
    return str(load("scopes")["fetch"]["release"])


def need(release: str | None = None, progress: Progress | None = None, more: tuple[str, ...] = ()) -> SourceTree:
    """The tree that `release` means, as `find_release` finds it, fetched first where it is not here, and again where it
    was fetched without the folders `more`."""
    try:
        tree = find_release(release)
    except SourceError as error:
        if error.slug != "no-such-release" or (release is not None and parse_name(release) is None):
            raise
        return obtain(release, progress=progress, more=more)
    fetched = (
        record for record in records() if record.tree == tree and not record.in_place
    )  # in place: has what it has
    record = next(fetched, None) if more else None
    lacking = [folder for folder in more if not _covers(record.folders, folder)] if record else []
    if record is None or not lacking:
        return tree
    if progress is not None:
        progress.say(
            f"{tree.release} was fetched without {', '.join(lacking)}, which the scope needs: fetching it again"
        )
    # From where it came: the same name elsewhere may be another tree.
    way = record.way
    return obtain(
        way.name or tree.release,
        way.source or None,
        way.remote or None,
        progress,
        (*record.folders, *lacking),
    )


def _covers(fetched: Iterable[str], folder: str) -> bool:
    return any(folder == name or folder.startswith(f"{name}/") for name in fetched)


def obtain(
    release: str | None = None,
    source: str | None = None,
    remote: str | None = None,
    progress: Progress | None = None,
    more: tuple[str, ...] = (),
) -> SourceTree:
    """Get `release` (None: what the source holds, else the default) and return its tree.

    source -- "git", "debian", a directory (used in place) or an archive; None: git, else Debian's package
    remote -- the URL for git, in place of the stable tree and its mirror
    more   -- folders that are wanted beside those that are always fetched
    SourceError where it cannot be had, UsageError where the arguments do not fit together.
    """
    report = progress if progress is not None else Silent()
    if remote is not None and source not in {None, "git"}:
        raise UsageError("remote-without-git", "--remote is for a clone by git", hint="leave out --from, or --remote")
    if source not in {None, "git", "debian"}:
        path = Path(os.path.abspath(os.path.expanduser(str(source))))
        return (
            _in_place(path, release, report) if path.is_dir() else _from_archive(path, release, _wanted(more), report)
        )
    name = release if release is not None else default_release()
    if is_path(name):
        return _in_place(Path(name), None, report)
    # What an earlier fetch was asked for stays: the tree takes the place of that one.
    wanted = _wanted((*more, *(folder for record in matching(name) for folder in record.folders)))
    if source is None and remote is None and (record := _here(name, wanted)):
        report.say(f"{record.tree.release} is here already, from {record.tree.origin}")
        return record.tree
    if source == "debian":
        return _fetch("debian", report, name, wanted, lambda into, have: _debian(name, into, wanted, report, have))
    # git runs in a folder of ours, where a relative path would lead elsewhere.
    remotes = (os.path.abspath(remote) if os.path.isdir(remote) else remote,) if remote is not None else None
    if source == "git" or remotes:
        return _fetch("git", report, name, wanted, lambda into, have: _git(name, into, wanted, remotes, report, have))
    return _fetch(
        "git",
        report,
        name,
        wanted,
        lambda into, have: _git_or_debian(name, into, wanted, report, have),
        any_source=True,
    )


def _wanted(more: Iterable[str]) -> tuple[str, ...]:
    """The folders to fetch: those that always are, and those of `more` that do not lie in one of them."""
    always = folders()
    return (*always, *dict.fromkeys(folder for folder in more if not _covers(always, folder)))


def _in_place(path: Path, release: str | None, report: Progress) -> SourceTree:
    tree = open_tree(path)
    _check_release(tree, release, str(path))
    register(tree, in_place=True)
    report.say(f"{tree.release} is used in place, from {tree.origin}")
    return tree


def _from_archive(path: Path, release: str | None, wanted: tuple[str, ...], report: Progress) -> SourceTree:
    from kread.source.archive import unpack

    if not path.is_file():
        raise SourceError(
            "no-source",
            "there is no such directory or archive",
            where=str(path),
            hint="--from takes git, debian, a directory with a kernel tree, or a linux-*.tar.xz, .tar.gz or .tar.zst",
        )
    return _fetch(
        "archive",
        report,
        release,
        wanted,
        lambda into, have: _Got(
            f"archive {path.name}", f"archive:{unpack(path, into, wanted, report)}", Way(str(path))
        ),
    )


def _git(
    name: str, into: Path, wanted: tuple[str, ...], remotes: tuple[str, ...] | None, report: Progress, have: _Have
) -> _Got:
    from kread.source.git_clone import clone, default_remotes
    from kread.source.git_process import shown

    cloned = clone(name, into, wanted, remotes or default_remotes(), report, have)
    return _Got(cloned.origin, cloned.identity, Way("git", shown(cloned.url), cloned.tag))


def _debian(name: str, into: Path, wanted: tuple[str, ...], report: Progress, have: _Have) -> _Got:
    from kread.source.debian import fetch_debian

    package = fetch_debian(name, into, wanted, into.with_name(f"{into.name}.apt"), report, have)
    return _Got(package.origin, package.identity, Way("debian"))


def _git_or_debian(name: str, into: Path, wanted: tuple[str, ...], report: Progress, have: _Have) -> _Got:
    try:
        return _git(name, into, wanted, None, report, have)
    except SourceError as error:
        if error.slug not in _GIT_UNREACHABLE:
            raise
        by_git = error
    report.say(f"{by_git.what}; taking Debian's package instead")
    remove_tree(into)
    ensure_dir(into)
    try:
        return _debian(name, into, wanted, report, have)
    except SourceError as by_debian:
        if by_debian.slug == "no-space":
            raise
        raise SourceError(
            "not-fetched",
            f"{name} can be had neither from git nor from Debian: {by_debian.what}",
            where=f"{by_git.where}; {by_debian.where}",
            hint=by_debian.hint,
        ) from by_debian


def _fetch(
    kind: str,
    report: Progress,
    release: str | None,
    wanted: tuple[str, ...],
    get: Callable[[Path, _Have], _Got],
    any_source: bool = False,
) -> SourceTree:
    """Let `get` fill a folder, and put that in its place."""
    _make_room(_NEEDED_BYTES[kind] + _needed_by(set(wanted) - set(folders())))
    with lock(data_dir() / "fetch.lock", lambda: report.say("another kread is fetching; waiting for it")):
        if any_source and release is not None and (record := _here(release, wanted)):
            return record.tree  # the other process fetched it
        temporary = ensure_dir(temporary_dir())
        try:
            for stale in temporary.iterdir():
                remove_tree(stale)
            work = Path(tempfile.mkdtemp(prefix="fetch-", dir=temporary))
            into = ensure_dir(work / "tree")
        except OSError as error:
            raise storage_error(error, temporary) from error
        try:
            got = get(into, lambda identity: _by_ident(make_ident(identity), wanted) is not None)
            if found := _by_ident(make_ident(got.identity), wanted):
                report.say(f"{found.tree.release} is here already, from {found.tree.origin}")
                return found.tree
            fetched = _open(into, got.said, got.identity)
            _check_release(fetched, None if got.way.source == "git" else release, got.said)
            tree = _put_in_place(fetched, wanted, got.way, work)
        except OSError as error:
            raise storage_error(error, work) from error
        finally:
            remove_tree(work)
    report.say(f"{tree.release} is here now, from {tree.origin}")
    return tree


def _open(into: Path, origin: str, identity: str) -> SourceTree:
    try:
        return open_tree(into, origin, make_ident(identity))
    except SourceError as error:
        hint = "take another source: `kread clone --help` lists them; nothing of this one was kept"
        raise SourceError(error.slug, error.what, where=origin, hint=hint) from error


def _put_in_place(fetched: SourceTree, wanted: tuple[str, ...], way: Way, work: Path) -> SourceTree:
    target = ensure_dir(releases_dir()) / label(fetched)
    tree = replace(fetched, root=target)
    if target.exists():
        # Without a record, or with one that an older kread wrote for fewer folders.
        os.rename(target, work / "replaced")
    os.rename(fetched.root, target)
    register(tree, wanted, way=way)
    return tree


def _needed_by(more: Iterable[str]) -> int:
    """The bytes that these folders may have."""
    large = {row["name"]: int(row["bytes"]) for row in load("scopes")["fetch"]["large"]}
    return min(_NEEDED_BY_WHOLE, sum(large.get(folder, _NEEDED_BY_FOLDER) for folder in more))


def _make_room(needed: int) -> None:
    folder = ensure_dir(data_dir())
    free = free_bytes(folder)
    if free < needed:
        raise SourceError(
            "no-space",
            f"{free // 1_000_000} MB are free, and a fetch needs {needed // 1_000_000} MB",
            where=str(folder),
            hint="free some space, or set KREAD_HOME to a directory on another disk, and run the command again",
        )


def _check_release(tree: SourceTree, release: str | None, where: str) -> None:
    wanted, found = parse_name(release) if release else None, parse_name(tree.release)
    if release and not (wanted and found and wanted.finds(found)):
        raise SourceError(
            "other-release",
            f"this is {tree.release}, not {release}",
            where=where,
            hint=f"ask for {tree.release}, or leave out the release to take what is there",
        )


def _complete(record: Record, wanted: tuple[str, ...]) -> bool:
    """Whether a record's tree has all the folders that are wanted."""
    return record.in_place or set(wanted) <= set(record.folders)


def _here(name: str, wanted: tuple[str, ...]) -> Record | None:
    return next((record for record in matching(name) if _complete(record, wanted)), None)


def _by_ident(ident: str, wanted: tuple[str, ...]) -> Record | None:
    return next((record for record in records() if record.tree.ident == ident and _complete(record, wanted)), None)

"""Which releases are here: a small record per release, and the search among them by a release's name.

Theory of operation: `releases/` in the data directory holds a folder per fetched tree, `v6.12.117-<ident>`, and
beside it the record `v6.12.117-<ident>.json`, which is written last. A folder without a record is what a killed fetch
left; a record whose folder is gone counts for nothing. A tree that is used in place (`--from DIR`) has a record only,
and says anew each time which release it is, because its owner may have moved it to another.

A name matches by whole components, so `v6.1` finds v6.1.192 and never v6.12; what matches is ordered newest release
first, and among trees of one release the one that came last. `NAME@IDENT` picks one of several trees of one name, and
`v6.12.0` is the way to ask for the release that the kernel's tags call v6.12.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from kread.errors import SourceError
from kread.source.home import releases_dir, write_atomically
from kread.source.tree import SourceTree, open_tree, read_release

_SCHEMA = "kread.release/1"
_NAME = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?([-+~.A-Za-z][-.+~A-Za-z0-9_]*)?\Z")
_CANDIDATE = re.compile(r"-rc(\d+)")

#: More digits than any release's number has: what is longer is no name of a release, and slow to convert.
_MAX_NAME = 64

#: As many names as a reader looks through when the one that was asked for does not exist.
_NEAREST = 5


@dataclass(frozen=True, slots=True)
class Name:
    """A release's name, taken apart: the numbers that it gives, and what follows them ("-rc3", "")."""

    numbers: tuple[int, ...]
    extra: str

    @property
    def order(self) -> tuple[tuple[int, ...], int, int, str]:
        """What to sort by, oldest first: a release candidate comes before its release."""
        numbers = self.numbers + (0,) * (3 - len(self.numbers))
        if match := _CANDIDATE.match(self.extra):
            return numbers, 0, int(match.group(1)), self.extra
        return numbers, 1, 0, self.extra

    def finds(self, other: Name) -> bool:
        """Whether this name, as a prefix, finds the release of the full name `other`."""
        full = other.numbers + (0,) * (3 - len(other.numbers))
        if self.extra:
            return self.numbers + (0,) * (3 - len(self.numbers)) == full and self.extra == other.extra
        return full[: len(self.numbers)] == self.numbers


@dataclass(frozen=True, slots=True)
class Way:
    """How a fetch got a release, so that it can be got from there again.

    source -- "git", "debian" or an archive's path ("" = nobody wrote it down)
    remote -- for git the URL, without a password
    name   -- for git the tag
    """

    source: str = ""
    remote: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A release that is here: its tree, what was asked of the fetch, and when it came (seconds of the Unix epoch).

    folders  -- the folders that were asked for; a later kread that wants more fetches again (none for a tree in place)
    in_place -- the tree is the user's own directory
    way      -- how it was got
    """

    tree: SourceTree
    folders: tuple[str, ...]
    in_place: bool
    added: float
    way: Way = Way()


def parse_name(name: str) -> Name | None:
    """`name` ("v6.12", "6.12.117", "v6.13-rc1") taken apart; None where it is no name of a release."""
    match = _NAME.match(name) if len(name) <= _MAX_NAME else None
    if match is None:
        return None
    return Name(tuple(int(part) for part in match.group(1, 2, 3) if part is not None), match.group(4) or "")


def label(tree: SourceTree) -> str:
    """The name of a tree's folder and record: unique, because the ident is part of it."""
    return f"{tree.release}-{tree.ident}"


def register(tree: SourceTree, folders: tuple[str, ...] = (), in_place: bool = False, way: Way = Way()) -> None:
    """Record that `tree` is here; from now on a name finds it."""
    content = {
        "schema": _SCHEMA,
        "release": tree.release,
        "origin": tree.origin,
        "ident": tree.ident,
        # A tree of ours moves with its home, so its place is not written down.
        "root": str(tree.root) if in_place else "",
        "folders": list(folders),
        "fetched": [way.source, way.remote, way.name],
        "added": time.time(),
    }
    text = json.dumps(content, indent=1, sort_keys=True) + "\n"
    write_atomically(releases_dir() / f"{label(tree)}.json", text.encode("utf-8", "surrogateescape"))


def records() -> list[Record]:
    """What is here, newest release first; a record that is damaged or whose tree is gone is left out."""
    try:
        files = sorted(releases_dir().glob("*.json"))
    except OSError:
        return []
    found = [record for file in files if (record := _read(file)) is not None]
    return sorted(found, key=lambda record: (_order(record.tree), record.added), reverse=True)


def list_releases() -> list[SourceTree]:
    """The trees that are here, newest release first, and of one release the one that came last first."""
    return [record.tree for record in records()]


def find_release(name: str | None = None) -> SourceTree:
    """The tree that `name` means; None means the newest that is here, a path to a directory that directory.

    SourceError "no-such-release" where nothing matches: its hint names what is here.
    """
    if name is not None and is_path(name):
        return open_tree(name)
    found = matching(name)
    if not found:
        raise _unknown(name)
    return found[0].tree


def matching(name: str | None) -> list[Record]:
    """The records that `name` (None = any) finds, best first."""
    if name is None:
        return records()
    base, _, ident = name.partition("@")
    wanted = parse_name(base)
    if wanted is None:
        return []
    return [
        record
        for record in records()
        if record.tree.ident.startswith(ident)
        and (full := parse_name(record.tree.release)) is not None
        and wanted.finds(full)
    ]


def nearest(names: list[str], asked: str) -> list[str]:
    """Those of `names` that someone who wrote `asked` may have meant, nearest first."""
    wanted = parse_name(asked)
    if wanted is None:
        import difflib

        return difflib.get_close_matches(asked, names, _NEAREST)
    named = [(name, text) for text in names if (name := parse_name(text)) is not None]
    return [text for _, text in sorted(named, key=lambda pair: (_distance(pair[0], wanted), pair[1]))[:_NEAREST]]


def _distance(name: Name, wanted: Name) -> tuple[int, ...]:
    pairs = zip(name.order[0], wanted.order[0], strict=False)
    return (*(abs(ours - theirs) for ours, theirs in pairs), int(name.extra != wanted.extra))


def is_path(name: str) -> bool:
    """Whether a release was given as a path to a directory rather than by its name."""
    return (
        "/" in name or name in {".", "..", "~"} or (parse_name(name.partition("@")[0]) is None and os.path.isdir(name))
    )


def _unknown(name: str | None) -> SourceError:
    here = sorted({tree.release for tree in list_releases()}, key=_text_order, reverse=True)
    hint = f"here are {', '.join(here)}; " if here else "no release is here yet; "
    fetch = name.partition("@")[0] if name and parse_name(name.partition("@")[0]) else "v6.12"
    return SourceError(
        "no-such-release",
        f"no release here is called {name}" if name else "no release is here",
        where=str(releases_dir()),
        hint=f"{hint}`kread clone {fetch}` fetches it",
    )


def _order(tree: SourceTree) -> tuple[tuple[int, ...], int, int, str]:
    return _text_order(tree.release)


def _text_order(release: str) -> tuple[tuple[int, ...], int, int, str]:
    name = parse_name(release)
    return name.order if name else ((), 0, 0, release)


def _read(file: Path) -> Record | None:
    try:
        content = json.loads(file.read_bytes())
        if content["schema"] != _SCHEMA:
            return None
        in_place = bool(content["root"])
        root = Path(content["root"]) if in_place else file.with_name(file.name[: -len(".json")])
        release = read_release(root) if in_place else str(content["release"])
        tree = SourceTree(root, release, str(content["origin"]), str(content["ident"]))
        folders, added = tuple(str(folder) for folder in content["folders"]), float(content["added"])
        way = Way(*map(str, content.get("fetched", ())))  # older records do not have it
    except (OSError, ValueError, KeyError, TypeError, SourceError):
        return None
    return Record(tree, folders, in_place, added, way) if (root / "Makefile").is_file() else None

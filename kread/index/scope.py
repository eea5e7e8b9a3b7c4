"""Which files a question is asked of: the .c files of some directories and every header that they include.

Includes are followed whatever their condition: a header that only one configuration reads still belongs to
the release, and all that it says holds under that condition. Where an include can lead to several places, the search
order of the kernel's own build decides.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kread import data, presence
from kread.errors import SourceError
from kread.source.tree import SourceTree


@dataclass(frozen=True, slots=True)
class Scope:
    """The places that were asked for, and their files: sorted names relative to the tree's root. `missing` are the
    directories of a named scope that the tree does not have."""

    name: str
    places: tuple[str, ...]
    sources: tuple[str, ...]
    missing: tuple[str, ...] = ()


@dataclass(slots=True)
class IncludeGraph:
    """Who includes whom, filled while files are read. `read` gives the bytes of a file that exists."""

    exists: Callable[[str], bool]
    read: Callable[[str], bytes]
    search: Sequence[str]
    fallbacks: Sequence[tuple[str, str]]
    direct: dict[str, dict[str, str]] = field(default_factory=dict)
    _places: dict[str, str | None] = field(default_factory=dict)
    _own: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def place(self, file: str, name: str, quoted: bool) -> str | None:
        """The file that an #include in `file` means, or None where the tree has none (a generated header)."""
        if quoted:
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(file), name))
            if self.exists(beside):
                return beside
        if name not in self._places:
            self._places[name] = next((c for c in self._candidates(name) if self.exists(c)), None)
        return self._places[name] or self._beside(posixpath.dirname(file), name)

    def _beside(self, directory: str, name: str) -> str | None:
        """The file in a directory that the Makefile of a directory adds to the search: `ccflags-y += -I $(src)/lib`."""
        for own in self._own_search(directory):
            candidate = posixpath.normpath(f"{own}/{name}")
            if self.exists(candidate):
                return candidate
        return None

    def _own_search(self, directory: str) -> tuple[str, ...]:
        """The directories that the nearest Makefile of a directory, or of those above it, adds to the search."""
        known = self._own.get(directory)
        if known is None:
            makefile = next(filter(self.exists, (f"{directory}/{name}" for name in ("Kbuild", "Makefile"))), "")
            if makefile:
                from kread.parse.kbuild import added_search

                known = added_search(self.read(makefile).decode("utf-8", "replace"), directory)
            else:
                above = posixpath.dirname(directory)
                known = self._own_search(above) if above else ()
            self._own[directory] = known
        return known

    def _candidates(self, name: str) -> Iterable[str]:
        for directory in self.search:
            yield posixpath.normpath(f"{directory}/{name}")
        for prefix, directory in self.fallbacks:
            if name.startswith(prefix):
                yield directory + name[len(prefix) :]

    def add(self, file: str, includes: Iterable[tuple[str, bool, str]]) -> Iterable[str]:
        """Note what `file` includes, and under which conditions; returns the files that were found."""
        found: dict[str, str] = {}
        for name, quoted, condition in includes:
            place = self.place(file, name, quoted)
            if place is not None:
                found[place] = presence.disj(found.get(place, presence.NEVER), condition)
        self.direct[file] = found
        return found

    def parts(self, sources: Iterable[str]) -> dict[str, dict[str, str]]:
        """The .c files that other sources include, each with those files and the condition of the #include."""
        found: dict[str, dict[str, str]] = {}
        for file in sources:
            for name, condition in self.direct.get(file, {}).items():
                if name.endswith(".c") and name != file:
                    found.setdefault(name, {})[file] = condition
        return found

    def presences(self, sources: Iterable[str]) -> dict[str, str]:
        """The files that are read under a condition only, with that condition: that of any way from the sources."""
        found = dict.fromkeys(sources, presence.ALWAYS)
        work = list(found)
        for file in work:
            for name, condition in self.direct.get(file, {}).items():
                if not condition and found.get(name) != presence.ALWAYS:
                    found[name] = presence.ALWAYS
                    work.append(name)
        rounds: dict[str, int] = defaultdict(int)
        while work:
            file = work.pop()
            for name, condition in self.direct.get(file, {}).items():
                known = found.get(name, presence.NEVER)
                if known == presence.ALWAYS:
                    continue
                rounds[name] += 1
                either = presence.disj(known, presence.conj(found[file], condition))
                if rounds[name] > _WAYS:
                    either = presence.ALWAYS
                if either != known:
                    found[name] = either
                    work.append(name)
        every = ((file, found.get(file, presence.NEVER)) for file in self.direct)
        return {file: condition for file, condition in every if condition != presence.ALWAYS}


#: A header that this many conditional ways lead to is taken to be read always: its condition would say nothing.
_WAYS = 60


def include_graph(tree: SourceTree) -> IncludeGraph:
    """An empty include graph over a tree, with the build's search order."""
    rules = data.load("includes")
    return IncludeGraph(
        tree.exists,
        tree.read,
        tuple(row["directory"] for row in rules["search"]),
        tuple((row["prefix"], row["directory"]) for row in rules["fallback"]),
    )


def find_scope(tree: SourceTree, places: Sequence[str] = ()) -> Scope:
    """The scope of that name, or of those directories and files; without any, the default scope."""
    declared = data.load("index_scopes")["scope"]
    asked = _asked(places)
    wanted: list[str] = []
    sources: dict[str, None] = {}
    missing: list[str] = []
    for place in asked:
        row = declared.get(place)
        parts = [entry["place"] for entry in row["places"]] if row is not None else [place.rstrip("/")]
        wanted += parts
        for part in parts:
            found = _sources(tree, part)
            if not found:
                missing.append(part)
            elif row is not None:
                found = [file for file in found if not file.startswith(aside())]
            sources.update(dict.fromkeys(found))
    gone = next((place for place in asked if place.rstrip("/") in missing and place not in declared), None)
    if gone is not None or not sources:
        raise SourceError(
            "no-such-scope",
            f"{gone or wanted[0]} holds no C source in {tree.release}",
            where=str(tree.root),
            hint="Name a directory of the tree, or one of: " + ", ".join(sorted(declared)),
        )
    missing = [part for part in missing if not part.endswith(".c")]
    return Scope(scope_name(places), tuple(wanted), tuple(sorted(sources)), tuple(missing))


def scope_name(places: Sequence[str] = ()) -> str:
    """The name of the scope that `find_scope` finds."""
    return "+".join(_asked(places))


def _asked(places: Sequence[str]) -> list[str]:
    declared = data.load("index_scopes")["scope"]
    return [_meant(place, declared) for place in places or ("default",)]


def scope_folders(places: Sequence[str]) -> tuple[str, ...]:
    """The directories of a tree that these places need: those of named scopes, and those that were asked for."""
    declared = data.load("index_scopes")["scope"]
    found: list[str] = []
    for place in places:
        row = declared.get(place)
        parts = [entry["place"] for entry in row["places"]] if row is not None else [_meant(place, declared)]
        for part in parts:
            folder = posixpath.dirname(part) if part.endswith(".c") and row is None else part.rstrip("/")
            if folder and not folder.startswith(".") and not folder.endswith(".c"):
                found.append(folder)
    return tuple(found)


def _meant(place: str, declared: Mapping[str, object]) -> str:
    """A scope's name, or a directory or file in one spelling: `./fs/` is `fs`, and `./kernel` is `kernel/`, since
    `kernel` is a scope's name."""
    if place in declared:
        return place
    plain = posixpath.normpath(place.lstrip("/"))
    return f"{plain}/" if plain in declared else plain


def _sources(tree: SourceTree, place: str) -> list[str]:
    if place.endswith(".c"):
        return [place] if tree.exists(place) else []
    return tree.files(place, ".c")


def aside() -> tuple[str, ...]:
    """The directories of programs that are none of the kernel's, although they lie among its folders."""
    return tuple(f"{row['place']}/" for row in data.load("index_scopes")["aside"])

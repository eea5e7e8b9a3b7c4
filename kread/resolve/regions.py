"""A large scope cut into regions along its directories, so that pointers are followed in one region after the other.

A directory with few enough sources is never cut. One with more is taken apart: each part of it that is itself too large
is cut on its own, and what is left (its own files, and its small directories, in their order) fills regions one after the
other. A region has its sources and all that these include; a file that several regions include belongs to the first,
for what is to be said of it once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

#: A scope with more sources than this is linked by regions, each of at most as many: all of net has 1,537, fs
#: 1,512. The values of pointers of so many fit into a gigabyte.
MOST_SOURCES = 1_600


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a scope.

    sources -- its .c files
    files   -- these, and all that they include, sorted
    own     -- the files that no region before it has
    """

    number: int
    sources: tuple[str, ...]
    files: tuple[str, ...]
    own: frozenset[str]


def regions(
    sources: Sequence[str], included: Callable[[Iterable[str]], Set[str]], most: int = MOST_SOURCES
) -> list[Region]:
    """The regions of a scope; `included` says what sources include, directly or through others."""
    found: list[Region] = []
    taken: set[str] = set()
    for number, part in enumerate(cut(sources, most)):
        files = {*part, *included(part)}
        found.append(Region(number, tuple(part), tuple(sorted(files)), frozenset(files - taken)))
        taken |= files
    return found


def cut(sources: Collection[str], most: int) -> list[list[str]]:
    """The sources in groups of at most `most`; more only where one directory itself has more."""
    within: dict[str, list[str]] = defaultdict(list)
    for file in sorted(sources):
        within[file].append(file)
        folder = file
        while folder:
            folder = folder.rpartition("/")[0]
            within[folder].append(file)
    below: dict[str, list[str]] = defaultdict(list)
    for name in sorted(within):
        if name:
            below[name.rpartition("/")[0]].append(name)
    return _cut("", within, below, most)


def _cut(folder: str, within: Mapping[str, list[str]], below: Mapping[str, list[str]], most: int) -> list[list[str]]:
    if len(within[folder]) <= most:
        return [within[folder]]
    found: list[list[str]] = []
    rest: list[str] = []
    for name in below[folder]:
        if len(within[name]) > most:
            found += _cut(name, within, below, most)
            continue
        if len(rest) + len(within[name]) > most:
            found.append(rest)
            rest = []
        rest = rest + within[name]
    return [*found, rest] if rest else found

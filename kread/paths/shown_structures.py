"""A structure that a reader is told to look at, on the release at hand: where it begins, and the members that matter.

Theory of operation: the members are looked up in the graph, those of anonymous records with those of the record around
them. A name that is no member may be a macro that stands for one. What the release does not have is a gap, in words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kread.graph.symbols import macros
from kread.paths.find import Finder
from kread.paths.tour_file import Structure

#: (name, type, file, line)
_Member = tuple[str, str, str, int]
#: How the types of anonymous records begin.
_ANONYMOUS = ("struct @", "union @")


@dataclass(frozen=True, slots=True)
class ShownStructure:
    """A structure on this release: where it is defined, and (member, type, file, line) of the members to look at."""

    structure: Structure
    file: str
    line: int
    members: tuple[_Member, ...]
    gaps: tuple[str, ...] = ()


def show_structure(one: Structure, finder: Finder) -> ShownStructure:
    """The structure on the release of the finder's graph; `file` is "" where that has none of its name."""
    graph = finder.graph
    found = _members(finder, f"struct {one.name}") or _members(finder, f"union {one.name}")
    if not found:
        return ShownStructure(one, "", 0, (), (f"struct {one.name} is not in {graph.release}.",))
    by_name = {member[0]: member for member in found}
    gaps: list[str] = []
    members: list[_Member] = []
    for name in one.members:
        alias = next((macro for macro in macros(graph, name) if macro.params is None), None)
        if name in by_name:
            members.append(by_name[name])
        elif alias:
            members.append((name, f"stands for {alias.body.strip()}", alias.file, alias.line))
        else:
            gaps.append(f"struct {one.name} has no member {name} in {graph.release}.")
    _, _, file, line = min(found, key=lambda member: member[2:])
    return ShownStructure(one, file, _head_line(finder, one.name, file, line), tuple(members), tuple(gaps))


def _members(finder: Finder, record: str, file: str = "") -> list[_Member]:
    """The members of a record, with those of the anonymous records in it."""
    query = "SELECT name, type, file, line FROM member WHERE record = ? AND file LIKE ? ORDER BY position"
    found: list[_Member] = []
    for member in finder.graph.store.query(query, [record, file or "%"]):
        if member[1].startswith(_ANONYMOUS) and member[1] != record:
            found += _members(finder, member[1], member[2])
        if member[0]:
            found.append(member)
    return found


def _head_line(finder: Finder, name: str, file: str, first: int) -> int:
    """The line on which the structure begins whose first member stands on a line."""
    lines = finder.sites.lines(file)
    wanted = re.compile(rb"(?:struct|union)\s+" + re.escape(name.encode()) + rb"\s*(?:\{|$)")
    return next((line for line in range(first, 0, -1) if wanted.search(lines[line - 1].rstrip())), first)

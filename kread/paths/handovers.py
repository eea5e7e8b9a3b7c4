"""Hand-overs that are not calls: one function leaves something where another finds it later.

Theory of operation: data/handovers.toml says which functions stand on the two sides and by which field or object they
meet. Whether that is so in a release is asked of its source: a side counts if it is there, and if its text, comments
aside, names the field, itself or through an accessor that it calls. A hand-over with both sides verified has the lines
that prove it; any other is not told. Nothing of this enters the call graph: a hand-over is shown apart from calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from kread import data
from kread.facts import Function
from kread.graph.callgraph import CallGraph
from kread.paths.sites import Sites

_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.S)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a hand-over: the function, and the line of `file` that names what it meets the other side in.

    `through` is the accessor that holds that line ("" = the function itself).
    """

    function: Function
    file: str
    line: int
    through: str = ""

    def __str__(self) -> str:
        return f"{self.function.name} ({self.file}:{self.line}{f', in {self.through}' if self.through else ''})"


@dataclass(frozen=True, slots=True)
class Handover:
    """Something that is left by every giver and found by every taker, verified in the source of one release.

    title -- where they meet, in words; `meets` is the field or object as the source writes it
    gives, takes -- what each side does, in words that follow its name
    """

    name: str
    title: str
    meets: str
    gives: str
    takes: str
    reason: str
    givers: tuple[Side, ...]
    takers: tuple[Side, ...]

    def __str__(self) -> str:
        return (
            f"{' and '.join(map(str, self.givers))} {self.gives}; "
            f"{' and '.join(map(str, self.takers))} {self.takes}: {self.title}"
        )


class Handovers:
    """The hand-overs of one graph, verified when they are asked for."""

    def __init__(self, graph: CallGraph, sites: Sites) -> None:
        self._graph = graph
        self._sites = sites
        self._known: dict[str, Handover | None] = {}

    def get(self, name: str) -> Handover | None:
        """The hand-over of that name with its evidence; None where this release's source doesn't show it."""
        if name not in self._known:
            self._known[name] = self._verified(_rows()[name])
        return self._known[name]

    def all(self) -> Iterable[Handover]:
        """Every hand-over that the source shows, in the order of the data."""
        found = (self.get(name) for name in _rows())
        return (handover for handover in found if handover is not None)

    def _verified(self, row: dict[str, Any]) -> Handover | None:
        for meets in row["meets"]:
            given, taken = (meets, meets) if isinstance(meets, str) else (meets["giver"], meets["taker"])
            through = row.get("through", [])
            givers = self._sides(row["givers"], given, through)
            takers = self._sides(row["takers"], taken, through)
            if givers and takers:
                said = given if given == taken else f"{given} and {taken}"
                return Handover(
                    row["name"], row["title"], said, row["gives"], row["takes"], row["reason"], givers, takers
                )
        return None

    def _sides(self, names: Sequence[str], wanted: str, through: Sequence[str]) -> tuple[Side, ...]:
        found = []
        for name in names:
            for number in self._graph.find(name):
                side = self._side(self._graph.function(number), wanted, through)
                if side is not None:
                    found.append(side)
        return tuple(found)

    def _side(self, function: Function, wanted: str, through: Sequence[str]) -> Side | None:
        line = self._line(function, wanted)
        if line:
            return Side(function, function.file, line)
        for name in through:
            if name != function.name and self._line(function, name):
                for number in self._graph.find(name):
                    accessor = self._graph.function(number)
                    line = self._line(accessor, wanted)
                    if line:
                        return Side(function, accessor.file, line, name)
        return None

    def _line(self, function: Function, wanted: str) -> int:
        return mention(self._sites.lines(function.file)[function.line - 1 : function.end_line], function.line, wanted)


def mention(lines: Sequence[bytes], first: int, wanted: str) -> int:
    """The first line (counted from `first`) that names `wanted` outside comments, 0 where none does.

    White space in `wanted` stands for any white space, also none, in the source.
    """
    text = _COMMENT.sub(lambda match: b"\n" * match.group().count(b"\n"), b"".join(lines))
    found = _pattern(wanted).search(text)
    return first + text.count(b"\n", 0, found.start()) if found else 0


@cache
def _pattern(wanted: str) -> re.Pattern[bytes]:
    inner = r"\s*".join(re.escape(part) for part in wanted.split())
    before = r"(?<!\w)" if re.match(r"\w", wanted) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", wanted) else ""
    return re.compile((before + inner + after).encode())


@cache
def _rows() -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in data.load("handovers")["handover"]}


def names() -> tuple[str, ...]:
    """The names of all hand-overs that the data declares."""
    return tuple(_rows())


def joins(caller: str, callee: str) -> bool:
    """Whether the data has a hand-over between two functions, before anything is verified."""
    giver, taker = caller.rpartition(":")[2], callee.rpartition(":")[2]
    return any(giver in row["givers"] and taker in row["takers"] for row in _rows().values())

"""Families: ways grouped by what really differs between them, each with a name, the most instructive first.

Theory of operation: data/stories.toml tells what a way is about by what it passes. Ways that tell one story are one
family; of those that tell none, each kind (its dispatches; without any, its first callee) is a family. A family is
named by its story, or else by what only it passes. The order is that of cost, weighed by how instructive the story is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from kread import data
from kread.facts import Edge, Guard
from kread.graph.search import Way
from kread.parse.context import SiteContext

#: Whoever asks how one function gets to another that it calls itself means that call, however rarely it is made.
DIRECT = 0.5


@dataclass(frozen=True, slots=True)
class Story:
    """What a way is about: a way fits that passes all of `passes` (functions between its ends, or slots), in this order,
    and none of `avoids`, and that ends at one of `ends`, if there are any. `weight` multiplies its cost: below 1 it is told
    before cheaper ones."""

    title: str
    passes: tuple[str, ...]
    avoids: frozenset[str]
    ends: frozenset[str]
    weight: float

    def fits(self, passed: Sequence[str], end: str) -> bool:
        """Whether a way that passes these things in this order, and ends there, tells this story."""
        rest = iter(passed)
        return (
            (not self.ends or end in self.ends)
            and all(wanted in rest for wanted in self.passes)
            and self.avoids.isdisjoint(passed)
        )


@cache
def stories() -> tuple[Story, ...]:
    """The stories that the data tells, in its order."""
    return tuple(
        Story(
            row["title"],
            tuple(row["passes"]),
            frozenset(row["avoids"]),
            frozenset(row.get("ends", ())),
            float(row["weight"]),
        )
        for row in data.load("stories")["story"]
    )


def story(edges: Sequence[Edge]) -> Story | None:
    """The first story that a way fits. It is about what happens between the ends: an end alone tells nothing."""
    passed = [name for edge in edges for name in (edge.slot, edge.callee.name) if name][:-1]
    return next((one for one in stories() if one.fits(passed, edges[-1].callee.name)), None)


@cache
def _rare() -> tuple[tuple[re.Pattern[str], int], ...]:
    return tuple((re.compile(row["text"]), int(row["cost"])) for row in data.load("noise")["rare"])


def _burden(guard: Guard) -> int:
    """What a condition adds: one, and more if the source itself calls it unlikely."""
    if not guard.holds or guard.kind == "exit":
        return 0
    return 1 + sum(cost for pattern, cost in _rare() if pattern.match(guard.text))


@dataclass(frozen=True, slots=True)
class ReadWay:
    """A way with its edges, what is known at each call, and its story. `single`: a family of its own, whatever its kind."""

    way: Way
    edges: tuple[Edge, ...]
    contexts: tuple[SiteContext, ...]
    story: Story | None
    single: bool = False

    @property
    def weight(self) -> float:
        """Its cost, with its guards (each condition makes a way less usual), weighed by its story."""
        burden = sum(_burden(guard) for context in self.contexts for guard in context.guards)
        direct = DIRECT if len(self.edges) == 1 and self.edges[0].kind != "callback" else 1.0
        return (self.way.cost + burden) * (self.story.weight if self.story else direct)


def families(read: Sequence[ReadWay]) -> list[tuple[str, ReadWay]]:
    """(title, way) for each family, the most instructive first."""
    best: dict[object, ReadWay] = {}
    for item in sorted(read, key=lambda item: (item.weight, item.way.functions)):
        key: object = item.way.functions if item.single else item.story.title if item.story else item.way.kind
        best.setdefault(key, item)
    ranked = sorted(best.values(), key=lambda item: (item.weight, item.way.functions))
    return list(zip(_titles(ranked), ranked, strict=True))


def _titles(ranked: Sequence[ReadWay]) -> Iterator[str]:
    between = [item.way.functions[1:-1] for item in ranked]
    told: set[str] = set()
    for place, item in enumerate(ranked):
        others = {function for index, functions in enumerate(between) if index != place for function in functions}
        title = item.story.title if item.story and item.story.title not in told else _difference(item, others, told)
        told.add(title)
        yield title


def _difference(item: ReadWay, others: Collection[int], told: Collection[str]) -> str:
    """What tells a family from the others: its dispatches, else a function that only it passes, else its first one."""
    stations = [(edge.callee.name, number) for edge, number in zip(item.edges, item.way.functions[1:-1], strict=False)]
    own = [name for name, number in stations if number not in others]
    slots = [edge.slot.rpartition(".")[2] for edge in item.edges if edge.slot]
    title = "Through " + ", then ".join(dict.fromkeys(slots)) if slots else ""
    if title and title not in told:
        return title
    for name in (*own[:1], *(name for name, _ in stations)):
        found = f"{title}, by {name}" if title else f"By {name}"
        if found not in told:
            return found
    return title or ("The direct call" if len(item.edges) == 1 else "Another way")

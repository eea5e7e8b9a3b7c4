"""Families: ways grouped by what really differs between them, each with a name, the most instructive first.

Theory of operation: data/stories.toml tells what a way is about by what it passes. Ways that tell one story are one
family; of those that tell none, each is one, but a second of a kind (its dispatches; without any, its first callee)
stands back. A family is named by its story, or else by what only it passes. The order is that of cost, weighed by how
instructive the story is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from kread import data
from kread.facts import CallSite, Edge, Function
from kread.graph.search import Way
from kread.parse.context import SiteContext
from kread.presence import conjuncts
from kread.resolve.cost import BRANCH

#: Whoever asks how one function gets to another that it calls itself means that call, however rarely it is made.
DIRECT = 0.5
#: A condition that the source itself calls unlikely, or that ends in a drop, makes a call an exception.
RARE = 6
#: Families that are read side by side: a name tells one from these.
COMPARED = 4
#: A second way of one kind tells less than the first.
AGAIN = 1.25
#: Where stories are told, a way that tells none is of less interest if it costs half as much again as the cheapest.
UNTOLD = 1.25
LONG = 1.5
#: A way through another than the usual world, where the question names none: IPv6 after IPv4, datagrams after streams.
UNUSUAL = 6
#: The source names the functions that a pointer most likely holds: another one than these.
UNNAMED = 2
#: An object has one table of a record (struct proto, say): a way that needs another one later is about another object.
CLASH = 15


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


def burden(context: SiteContext) -> int:
    """What the conditions of a call add: one for each that must hold, and more if the source itself calls it unlikely."""
    asked = [guard for guard in context.guards if guard.holds and guard.kind != "exit"]
    marked = sum(RARE for guard in context.guards if guard.rare and guard.kind != "exit")
    return len(asked) + marked + sum(cost for guard in asked for pattern, cost in _rare() if pattern.match(guard.text))


#: A condition: its function, its line and its text.
Asked = tuple[Function, int, str]


@dataclass(frozen=True, slots=True)
class ReadWay:
    """A way with its edges, what is known at each call, and its story.

    clashes -- how often it takes another table of one record
    unusual -- on how many axes it leaves the usual world
    unnamed -- at how many of its calls the source names what a pointer most likely holds, and this way takes another
    """

    way: Way
    edges: tuple[Edge, ...]
    contexts: tuple[SiteContext, ...]
    story: Story | None
    clashes: int = 0
    unusual: int = 0
    unnamed: int = 0

    @property
    def places(self) -> tuple[str, tuple[tuple[int, str, int], ...]]:
        """Where its calls stand, and what they call: of ways that weigh the same, the one that the source comes to first
        is told first."""
        calls = ((edge.site.line, edge.callee.file, edge.callee.line) for edge in self.edges)
        return self.edges[0].caller.file, tuple(calls)

    def weight(self, choices: Collection[Asked]) -> float:
        """Its cost, with its guards (each condition makes a way less usual), weighed by its story."""
        conditions = 0
        for edge, context in zip(self.edges, self.contexts, strict=True):
            conditions += burden(context)
            for guard in context.guards:
                if guard.holds and guard.kind != "exit" and (edge.caller, guard.line, guard.text) in choices:
                    conditions -= 1 + BRANCH
        direct = DIRECT if len(self.edges) == 1 and self.edges[0].kind != "callback" else 1.0
        aside = CLASH * self.clashes + UNUSUAL * self.unusual + UNNAMED * self.unnamed
        return (self.way.cost + conditions + aside) * (self.story.weight if self.story else direct)


def families(read: Sequence[ReadWay]) -> list[tuple[str, ReadWay]]:
    """(title, way) for each family, the most instructive first."""
    choices = _choices(read)
    best: dict[object, ReadWay] = {}
    weights: dict[object, float] = {}
    kinds: set[object] = set()
    told = any(item.story for item in read)
    long = LONG * min((item.way.cost for item in read), default=0)
    hops: set[tuple[int, int]] = set()
    cut = [item for item in read if any(_shortcut(item, other) for other in read)]
    for item in sorted(read, key=lambda item: (item.weight(choices), item.places)):
        passed = set(zip(item.way.functions, item.way.functions[1:], strict=False))
        if not item.story and (
            passed <= hops or item in cut or any(_in_detail(item, other) for other in best.values())
        ):
            continue
        hops |= passed
        key: object = item.story.title if item.story else item.way.functions
        if key not in best:
            best[key] = item
            aside = told and not item.story and item.way.cost > long
            weights[key] = item.weight(choices) * (AGAIN if _kind(item) in kinds else 1) * (UNTOLD if aside else 1)
            kinds.add(_kind(item))
    ranked = [best[key] for key in sorted(best, key=lambda key: (weights[key], best[key].places))]
    return list(zip(_titles(ranked), ranked, strict=True))


def _kind(item: ReadWay) -> tuple[int, ...]:
    """What a second way may have in common with a first: its dispatches; without any, the call that it ends with."""
    return item.way.kind if item.way.kind[0] >= 0 else item.way.functions[-2:]


def _in_detail(item: ReadWay, other: ReadWay) -> bool:
    """Whether a way makes all calls of another, and passes what runs between one of them and the function that it calls."""
    return {edge.site for edge in other.edges} < {edge.site for edge in item.edges}


def _shortcut(item: ReadWay, other: ReadWay) -> bool:
    """Whether a way goes from a call straight to what is handed over there, where another goes by the function that is
    called and calls it: a reader stops in that function, unless it is but an inline of a header."""
    handed = {edge.site for edge in item.edges if edge.kind in ("parameter", "callback")}
    between = [edge.callee for edge in other.edges if edge.site in handed and edge.kind in ("direct", "macro")]
    return bool(between) and all(one.file.endswith(".c") for one in between) and _in_detail(other, item)


def _choices(read: Sequence[ReadWay]) -> frozenset[Asked]:
    """The conditions that choose between two ways: one needs them true, another false. They are a burden to neither."""
    asked: dict[Asked, set[bool]] = {}
    for item in read:
        for edge, context in zip(item.edges, item.contexts, strict=True):
            for guard in context.guards:
                asked.setdefault((edge.caller, guard.line, guard.text), set()).add(guard.holds)
    return frozenset(key for key, holds in asked.items() if len(holds) > 1)


def _titles(ranked: Sequence[ReadWay]) -> Iterator[str]:
    told: set[str] = set()
    for place, item in enumerate(ranked):
        title = item.story.title if item.story and item.story.title not in told else ""
        if not title:
            title = next((found for found in _differences(item, ranked, place) if found not in told), "Another way")
        told.add(title)
        yield title


def _differences(item: ReadWay, ranked: Sequence[ReadWay], place: int) -> Iterator[str]:
    """What tells a family from those told before it (the first: from the second), the most telling first: the condition
    under which it is compiled, where the same calls mean another function of one name under the opposite one; its
    dispatches, a function that only it passes, a call that only it makes."""
    against = ranked[:place] or ranked[1:2]
    twins = [other for other in against if _as_written(other) == _as_written(item)]
    for edge in (edge for other in twins for edge, twin in zip(item.edges, other.edges, strict=True) if edge != twin):
        wanted = [each for each in conjuncts(edge.callee.presence) if each not in conjuncts(edge.caller.presence)]
        if wanted:
            yield f"With {' && '.join(wanted)}"
    others = {number for other in ranked[:COMPARED] if other is not item for number in other.way.functions}
    stations = {number for other in against for number in other.way.functions}
    passed = [(edge.callee.name, number) for edge, number in zip(item.edges, item.way.functions[1:-1], strict=False)]
    own = [name for name, number in passed if number not in others]
    own += [name for name, number in passed if number not in stations]
    through = _through(item)
    title = (
        f"Through {', then '.join(through)}" if through and any(_through(other) != through for other in ranked) else ""
    )
    if title and all(_through(other) != through for other in against):
        yield title
    if not title and not passed:
        yield "The call itself"
    for name in own:
        yield f"{title}, by {name}" if title else f"By {name}"
    hops = {(edge.caller, edge.callee) for other in against for edge in other.edges}
    for edge in item.edges:
        if (edge.caller, edge.callee) not in hops:
            yield f"Straight from {edge.caller.name} to {edge.callee.name}"
    if not against and passed:
        yield f"By {passed[0][0]}"


def _as_written(item: ReadWay) -> list[tuple[CallSite, str]]:
    """A way as the source reads without its conditions: its calls, and the names of what they call."""
    return [(edge.site, edge.callee.name) for edge in item.edges]


def _through(item: ReadWay) -> tuple[str, ...]:
    """The fields through which a way calls."""
    return tuple(dict.fromkeys(edge.slot.rpartition(".")[2] for edge in item.edges if edge.slot))

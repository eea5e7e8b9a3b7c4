"""Search for ways through a call graph: the best of each kind, the cheapest first.

Two ways between the same ends are of one kind if they pass the same dispatches (calls through pointers) at the same
sites; among ways with no dispatch at all, the first callee tells them apart. The search therefore runs on pairs (function,
kind so far) and keeps few ways for each pair. It is an A* search: the exact cost of the rest of the way, computed backwards from
the target first, orders the frontier, so ways come out in the order of their cost and functions that do
not lead to the target are never looked at. Cost: O(E log V) for the rest, then about one step for each function of each way.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

#: caller -> (callee, cost, dispatch number or 0, edge number)
Adjacency = Mapping[int, tuple[tuple[int, int, int, int], ...]]

#: Ways kept for each function and kind: the later choice among them looks at guards, which the search does not know.
WAYS_PER_KIND = 3
#: Dispatches on one way: a way through more is no explanation.
MOST_DISPATCHES = 5
#: Steps of the search before it stops and says so: the largest honest search of 6.12's net/ takes a tenth of this.
MOST_STEPS = 60_000


@dataclass(frozen=True, slots=True)
class Way:
    """One way: its functions, the edges between them, its cost and its kind."""

    functions: tuple[int, ...]
    edges: tuple[int, ...]
    cost: int
    kind: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Link:
    function: int
    edge: int
    before: _Link | None
    hops: int

    def passed(self, function: int) -> bool:
        link: _Link | None = self
        while link is not None:
            if link.function == function:
                return True
            link = link.before
        return False


def remaining(
    adjacency: Adjacency, targets: Collection[int], station: Callable[[int], int], banned: Collection[int]
) -> dict[int, int]:
    """function -> the least cost from it to a target, for those that reach one."""
    backwards: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for caller, rows in adjacency.items():
        if caller not in banned:
            for row in rows:
                backwards[row[0]].append((caller, row[1]))
    least: dict[int, int] = dict.fromkeys(targets, 0)
    heap = [(0, target) for target in targets]
    heapq.heapify(heap)
    while heap:
        cost, function = heapq.heappop(heap)
        if cost > least[function] or (function in banned and function not in targets):
            continue
        here = cost if function in targets else cost + station(function)
        for caller, step in backwards.get(function, ()):
            total = here + step
            if total < least.get(caller, total + 1):
                least[caller] = total
                heapq.heappush(heap, (total, caller))
    return least


class Search:
    """Ways from `sources` to `targets` that avoid `banned`. `stopped` says that a limit ended the search early."""

    def __init__(
        self,
        adjacency: Adjacency,
        station: Callable[[int], int],
        sources: Collection[int],
        targets: Collection[int],
        banned: Collection[int] = (),
        max_hops: int = 24,
    ) -> None:
        self.adjacency = adjacency
        self.station = station
        self.sources = sources
        self.targets = frozenset(targets)
        self.banned = frozenset(banned)
        self.max_hops = max_hops
        self.stopped = False

    def ways(self) -> Iterator[Way]:
        """The ways in the order of their cost, few of each kind."""
        least = remaining(self.adjacency, self.targets, self.station, self.banned)
        heap: list[tuple[int, int, int, _Link, tuple[int, ...]]] = []
        count = 0
        for source in sorted(self.sources):
            if source in least:
                heap.append((least[source], count, 0, _Link(source, 0, None, 0), ()))
                count += 1
        heapq.heapify(heap)
        visits: dict[tuple[int, tuple[int, ...]], int] = defaultdict(int)
        steps = 0
        while heap:
            _, _, cost, link, kind = heapq.heappop(heap)
            function = link.function
            if function in self.targets and link.hops:
                yield _way(link, cost, kind)
                continue
            visits[function, kind] += 1
            if visits[function, kind] > WAYS_PER_KIND or link.hops >= self.max_hops:
                continue
            steps += 1
            if steps > MOST_STEPS:
                self.stopped = True
                return
            here = cost + (self.station(function) if link.hops else 0)
            for callee, step, dispatch, edge in self.adjacency.get(function, ()):
                rest = least.get(callee)
                if rest is None or callee in self.banned or link.passed(callee):
                    continue
                if dispatch:
                    if len(kind) >= MOST_DISPATCHES:
                        continue
                    after = (*kind, dispatch) if not kind or kind[0] >= 0 else (dispatch,)
                else:
                    after = kind or (-callee,)
                total = here + step
                beyond = self.station(callee) if callee not in self.targets else 0
                count += 1
                heapq.heappush(
                    heap, (total + rest + beyond, count, total, _Link(callee, edge, link, link.hops + 1), after)
                )


def _way(link: _Link, cost: int, kind: tuple[int, ...]) -> Way:
    functions: list[int] = []
    edges: list[int] = []
    at: _Link | None = link
    while at is not None:
        functions.append(at.function)
        if at.before is not None:
            edges.append(at.edge)
        at = at.before
    return Way(tuple(reversed(functions)), tuple(reversed(edges)), cost, kind)

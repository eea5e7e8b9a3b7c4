"""Search for ways through a call graph: the best of each kind, the cheapest first.

Two ways between the same ends are of one kind if they pass the same dispatches (calls through pointers) at the same
sites; among ways with no dispatch at all, the first callee tells them apart. The search therefore runs on pairs (function,
kind so far) and keeps few ways for each pair. It is an A* search: the exact cost of the rest of the way, computed backwards
from the target first, orders the frontier, so ways come out in the order of their cost and functions that do
not lead to the target are never looked at. Both directions end at the cost beyond which no reader would go on, which
follows from that of the cheapest way: a near target makes a small search, whatever the size of the graph.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from kread.index.adjacency import Adjacency

#: Ways kept for each function and kind: the later choice among them looks at guards, which the search does not know.
WAYS_PER_KIND = 3
#: Dispatches on one way: a way through more is no explanation.
MOST_DISPATCHES = 5
#: Ways that cost this many times the cheapest, and this much more, belong to no answer.
FAR_TIMES = 2.4
FAR_MORE = 30
#: Steps of the search before it stops and says so: the largest honest search of 6.12's net/ takes a tenth of this.
MOST_STEPS = 60_000


@dataclass(frozen=True, slots=True)
class Way:
    """One way: its functions, the edges between them, its cost and its kind."""

    functions: tuple[int, ...]
    edges: tuple[int, ...]
    cost: int
    kind: tuple[int, ...]


class Stations(dict[int, int]):
    """function -> what it adds to a way's cost to pass through it, computed once for each."""

    def __init__(self, cost: Callable[[int], int]) -> None:
        self._cost = cost

    def __missing__(self, function: int) -> int:
        self[function] = cost = self._cost(function)
        return cost


#: function, edge that led to it, link before, hops
_Link = tuple[int, int, "_Link | None", int]


def far(cheapest: int) -> int:
    """The cost beyond which ways are of no interest, given that of the cheapest."""
    return int(cheapest * FAR_TIMES) + FAR_MORE


def remaining(
    adjacency: Adjacency,
    sources: Collection[int],
    targets: Collection[int],
    station: Stations,
    banned: Collection[int],
    limit: int = 0,
) -> tuple[dict[int, int], int]:
    """(function -> the least cost from it to a target, limit) for the functions from which that is below the limit.

    Where none is given, the limit is what is far for the source that is nearest to a target; without such a source it is 0.
    """
    least: dict[int, int] = dict.fromkeys(targets, 0)
    heap = [(0, target) for target in sorted(targets)]
    while heap:
        cost, function = heapq.heappop(heap)
        if cost > least[function] or (function in banned and function not in targets):
            continue
        if limit and cost > limit:
            break
        if not limit and function in sources and cost:
            limit = far(cost)
        here = cost if function in targets else cost + station[function]
        for caller, step in adjacency.callers(function):
            total = here + step
            if total < least.get(caller, total + 1) and caller not in banned:
                least[caller] = total
                heapq.heappush(heap, (total, caller))
    return least, limit


class Search:
    """Ways from `sources` to `targets` that avoid `banned`. `stopped` says that a limit ended the search early."""

    def __init__(
        self,
        adjacency: Adjacency,
        station: Stations,
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
        targets, station, rows_of = self.targets, self.station, self.adjacency.get
        least, limit = remaining(self.adjacency, set(self.sources) - self.targets, targets, station, self.banned)
        limit = limit or far(0)
        heap: list[tuple[int, int, int, _Link, tuple[int, ...]]] = []
        count = 0
        for source in sorted(set(self.sources) - self.banned):
            if source in least:
                heap.append((least[source], count, 0, (source, 0, None, 0), ()))
                count += 1
        heapq.heapify(heap)
        visits: dict[tuple[int, tuple[int, ...]], int] = defaultdict(int)
        steps = 0
        while heap:
            _, _, cost, link, kind = heapq.heappop(heap)
            function, _, _, hops = link
            if function in targets and hops:
                yield _way(link, cost, kind)
                continue
            visits[function, kind] += 1
            if visits[function, kind] > WAYS_PER_KIND or hops >= self.max_hops:
                continue
            steps += 1
            if steps > MOST_STEPS:
                self.stopped = True
                return
            here = cost + (station[function] if hops else 0)
            for callee, step, dispatch, edge in rows_of(function, ()):
                rest = least.get(callee)
                if rest is None:
                    continue
                total = here + step
                beyond = total + rest + (station[callee] if callee not in targets else 0)
                if beyond > limit or callee in self.banned or _passed(link, callee):
                    continue
                if dispatch:
                    if len(kind) >= MOST_DISPATCHES:
                        continue
                    after = (*kind, dispatch) if not kind or kind[0] >= 0 else (dispatch,)
                else:
                    after = kind or (-callee,)
                if visits.get((callee, after), 0) < WAYS_PER_KIND:
                    count += 1
                    heapq.heappush(heap, (beyond, count, total, (callee, edge, link, hops + 1), after))


def _passed(link: _Link | None, function: int) -> bool:
    while link is not None:
        if link[0] == function:
            return True
        link = link[2]
    return False


def _way(link: _Link, cost: int, kind: tuple[int, ...]) -> Way:
    functions: list[int] = []
    edges: list[int] = []
    at: _Link | None = link
    while at is not None:
        functions.append(at[0])
        if at[2] is not None:
            edges.append(at[1])
        at = at[2]
    return Way(tuple(reversed(functions)), tuple(reversed(edges)), cost, kind)

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
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kread.graph.distance import Distance, Stations
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
#: How the bound grows to which the rest of ways is known: a wider one costs more at once, a narrower one has to be widened again.
WIDER_TIMES = 1.1
WIDER_MORE = 5


@dataclass(frozen=True, slots=True)
class Way:
    """One way: its functions, the edges between them, its cost and its kind."""

    functions: tuple[int, ...]
    edges: tuple[int, ...]
    cost: int
    kind: tuple[int, ...]


#: function, edge that led to it, link before, hops
_Link = tuple[int, int, "_Link | None", int]

#: cost of the whole way (or as far as it is known, with that of passing through its last function), number, cost so far, last
#: link, kind
_Entry = tuple[int, int, int, _Link, tuple[int, ...]]


def far(cheapest: int) -> int:
    """The cost beyond which ways are of no interest, given that of the cheapest."""
    return int(cheapest * FAR_TIMES) + FAR_MORE


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
        targets, banned, station = self.targets, self.banned, self.station
        distance = Distance(self.adjacency, station, self.sources, targets, banned)
        bound = distance.cheapest or 0
        limit = far(bound)
        #: the ways so far by what the whole way will cost, and those of which that is only known to be above the bound
        heap: list[_Entry] = []
        later: list[_Entry] = []
        for count, source in enumerate(sorted(set(self.sources) - banned)):
            later.append((0, count, 0, (source, 0, None, 0), ()))
        count = len(later)
        visits: dict[tuple[int, tuple[int, ...]], int] = defaultdict(int)
        steps = 0
        while heap or distance.bound < limit:
            if not heap or heap[0][0] > distance.bound:
                distance.widen(bound)
                later = _told(later, heap, distance.rest, limit)
                bound = min(limit, int(bound * WIDER_TIMES) + WIDER_MORE)
                continue
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
            most = limit - distance.least
            found: list[_Entry] = []
            for callee, step, dispatch, edge in self.adjacency.get(function):
                total = here + step
                through = total + (station[callee] if callee not in targets else 0)
                if callee in banned or (through > most and callee not in distance.rest):
                    continue
                if dispatch:
                    if len(kind) >= MOST_DISPATCHES:
                        continue
                    after = (*kind, dispatch) if not kind or kind[0] >= 0 else (dispatch,)
                else:
                    after = kind or (-callee,)
                if visits.get((callee, after), 0) < WAYS_PER_KIND:
                    count += 1
                    found.append((through, count, total, (callee, edge, link, hops + 1), after))
            later += _told(found, heap, distance.rest, limit)


def _told(entries: Iterable[_Entry], heap: list[_Entry], rest: Mapping[int, int], limit: int) -> list[_Entry]:
    """Put those ways so far on the heap that are worth going on, by what they will cost; gives those of which it is not
    known."""
    unknown: list[_Entry] = []
    for entry in entries:
        through, count, total, link, kind = entry
        more = rest.get(link[0])
        if more is None:
            unknown.append(entry)
        elif through + more <= limit and not _passed(link[2], link[0]):
            heapq.heappush(heap, (through + more, count, total, link, kind))
    return unknown


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

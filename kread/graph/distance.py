"""How far functions are from the ends of a search, found out only as far as the search asks.

Theory of operation: two searches by Dijkstra's algorithm grow towards each other, one from the sources along the calls, one from
the targets against them, and the one with the smaller frontier goes first: in a graph of a whole kernel everything lies
within some hops of a function that many call, and next to nothing within as many of another. Where they have met and the
sum of what both have passed is that of the best meeting, its cost is that of the cheapest way (Pohl 1971, "Bi-directional Search").

A search by A* needs the cost of the rest of a way. `rest` holds it for each function on a way that costs no more than `bound`,
and `widen` raises the bound. Such a function lies near the targets, where all is known, or near the sources: beyond what
the search from the targets has passed, only functions are looked at that the other one knows, and only where both costs together
stay within the bound. So ten functions are looked at in place of a thousand, and each cost is exact.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from math import inf

from kread.index.adjacency import Adjacency


class Stations(dict[int, int]):
    """function -> what it adds to a way's cost to pass through it, computed once for each."""

    def __init__(self, cost: Callable[[int], int]) -> None:
        self._cost = cost

    def __missing__(self, function: int) -> int:
        self[function] = cost = self._cost(function)
        return cost


class _Side:
    """One of the two searches: what its functions cost, and those that it comes to next."""

    def __init__(self, ends: Collection[int]) -> None:
        self.cost: dict[int, int] = dict.fromkeys(ends, 0)
        self.heap = [(0, end) for end in sorted(ends)]

    @property
    def passed(self) -> float:
        """All costs below this one are exact, and those of all functions that have one."""
        heap, cost = self.heap, self.cost
        while heap and heap[0][0] > cost[heap[0][1]]:
            heapq.heappop(heap)
        return heap[0][0] if heap else inf

    def next(self) -> tuple[int, int]:
        """(cost, function) of the nearest function that was not yet looked at; `passed` has to be asked before."""
        return heapq.heappop(self.heap)

    def lower(self, function: int, cost: int) -> bool:
        """Note a way to a function; whether it is the cheapest so far."""
        if cost >= self.cost.get(function, inf):
            return False
        self.cost[function] = cost
        heapq.heappush(self.heap, (cost, function))
        return True


class Distance:
    """The costs of ways from `sources` to `targets` that avoid `banned`.

    A way costs what its calls cost and what it adds to pass through the functions between its ends.

    cheapest -- the cost of the cheapest way, None where there is none; ways of no call don't count
    rest     -- function -> the least cost from it to a target, for those on ways that cost no more than `bound`
    least    -- what the rest costs at least from any other function
    """

    def __init__(
        self,
        adjacency: Adjacency,
        station: Stations,
        sources: Collection[int],
        targets: Collection[int],
        banned: Collection[int] = (),
        most: float = inf,
    ) -> None:
        self._adjacency = adjacency
        self._station = station
        self._banned = frozenset(banned)
        self._targets = frozenset(targets) - self._banned
        starts = frozenset(sources) - self._banned
        self._from = _Side(starts - self._targets)
        self._to = _Side(self._targets)
        #: Where an end is on both sides, what lies near the sources is not looked at in advance.
        self._apart = starts.isdisjoint(self._targets)
        self.rest: dict[int, int] = {}
        self.least: float = 0
        self.bound: float = -1
        self.cheapest = self._meet(most)

    def _meet(self, most: float) -> int | None:
        """The cost of the cheapest way, None where there is none that costs no more than `most`."""
        best = inf
        while (passed := self._from.passed + self._to.passed) < best and passed <= most:
            best = min(best, *self._grow(), inf)
        return int(best) if best <= most and best < inf else None

    def _grow(self) -> Sequence[float]:
        """Look at one more function on the side that has less before it; the costs of ways that were found so."""
        if len(self._from.heap) < len(self._to.heap):
            return self._grow_forward()
        return self._grow_back()

    def _grow_forward(self) -> Sequence[float]:
        cost, function = self._from.next()
        targets, station, banned, known = self._targets, self._station, self._banned, self._to.cost
        lower = self._from.lower
        met: list[float] = []
        if function in targets:
            return met
        for callee, step in self._adjacency.callees(function):
            if callee in banned:
                continue
            there = cost + step + (0 if callee in targets else station[callee])
            if lower(callee, there) and callee in known:
                met.append(there + known[callee])
        return met

    def _grow_back(self) -> Sequence[float]:
        cost, function = self._to.next()
        self.rest[function] = cost
        known, lower, banned = self._from.cost, self._to.lower, self._banned
        met: list[float] = []
        here = cost if function in self._targets else cost + self._station[function]
        for caller, step in self._adjacency.callers(function):
            if caller in banned:
                continue
            there = here + step
            if lower(caller, there) and caller in known:
                met.append(there + known[caller])
        return met

    def widen(self, bound: float) -> None:
        """Let `rest` hold all functions on ways that cost no more than `bound`."""
        self.bound = bound
        before, after = self._from, self._to
        while (passed := after.passed) <= bound and (not self._apart or before.passed + passed <= bound):
            if self._apart:
                self._grow()
            else:
                self._grow_back()
        self.least = after.passed
        if self.least <= bound:
            self._between(bound)

    def _between(self, bound: float) -> None:
        """Note the rest of the way for functions beyond those near the targets: of those near the sources alone."""
        near, passed, done = self._from.cost, self._to.passed, self._to.cost
        heap = [
            (done[one], one)
            for one in near.keys() & done.keys()
            if passed <= done[one] and near[one] + done[one] <= bound
        ]
        least = {function: cost for cost, function in heap}
        heapq.heapify(heap)
        while heap:
            cost, function = heapq.heappop(heap)
            if cost > least[function]:
                continue
            self.rest[function] = cost
            here = cost if function in self._targets else cost + self._station[function]
            for caller, step in self._adjacency.callers(function):
                there = here + step
                if (
                    near.get(caller, inf) + there <= bound
                    and there < least.get(caller, inf)
                    and done.get(caller, inf) >= passed
                ):
                    least[caller] = there
                    heapq.heappush(heap, (there, caller))

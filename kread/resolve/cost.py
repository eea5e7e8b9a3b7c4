"""What a hop costs a reader: the weight by which paths are compared.

The shortest path is seldom the one asked for: it cuts through a branch that hardly ever runs, a helper that everything
calls, or a stub of another configuration. A hop costs 10; what makes it less likely to be on the way that a teacher
would show adds to that. The figures were set on the expected paths of one release and checked on three others
(benchmarks/paths.py); they need only be right in their order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache

from kread import data

HOP = 10
#: Each condition around the call, up to ten: a call that always happens is the main road.
BRANCH = 2
MOST_BRANCHES = 10
#: A call that only some configurations compile.
CONDITIONAL = 4
#: A target found by type alone may not be the one; a callback that is kept runs later, and another caller runs it.
GRADE = {"certain": 0, "object": 1, "type": 8, "signature": 60}
CALLBACK = 30
#: A call through a parameter with several candidates: each belongs to another caller, and an edge of its own leads there.
GUESSED = 25
#: A function that many call is a tool, not a station: each doubling beyond this many callers adds.
HUB = 24
HUB_DOUBLING = 4
#: Leaving the directories of both ends is a detour; common directories are listed in the data with their reason.
FOREIGN = 12


@cache
def _noise() -> tuple[tuple[re.Pattern[str], int], ...]:
    return tuple((re.compile(row["name"]), int(row["cost"])) for row in data.load("noise")["noise"])


@cache
def noise(name: str) -> int:
    """What a function of this name adds as a station: tracing, logging, statistics, memory."""
    return sum(cost for pattern, cost in _noise() if pattern.fullmatch(name))


def hop_cost(kind: str, grade: str, depth: int, conditional: bool, later: bool) -> int:
    """The cost of one edge, without what its callee adds. `later`: the callee is kept, and somebody else calls it."""
    cost = HOP + BRANCH * min(depth, MOST_BRANCHES) + GRADE[grade]
    if conditional:
        cost += CONDITIONAL
    if kind == "callback" and later:
        cost += CALLBACK
    return cost


def station_cost(name: str, callers: int) -> int:
    """What it adds to pass through a function that so many functions call."""
    hub = int(HUB_DOUBLING * math.log2(callers / HUB)) if callers > HUB else 0
    return hub + noise(name)


def stations(callers: Mapping[int, int], names: Mapping[int, str]) -> dict[int, int]:
    """The station cost of each function that has one."""
    found: dict[int, int] = {}
    for number, count in callers.items():
        cost = station_cost(names[number], count)
        if cost:
            found[number] = cost
    return found


@cache
def detour(directory: str) -> int:
    """What it adds to pass through a directory in which neither end lies ("" = a header: nothing)."""
    common = {row["directory"]: int(row["cost"]) for row in data.load("noise")["common"]}
    return common.get(directory, FOREIGN) if directory else 0

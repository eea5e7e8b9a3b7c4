"""The model's walks against the call graph: what a scenario says was called must be callable.

Theory of operation: the model names the kernel functions that an event goes through, in order. Such a walk follows the
tree of calls, so each function must be called by one that was walked before it in the same outcome: directly, or through
a few functions that the model leaves out. Where control enters without a call stands in data/walks.toml with its
reason. A function for which neither holds is a broken step: the model says something of this release that its source
does not. The other way round, each hop of the tours, as far as the model speaks of its functions at all, must be one
that some scenario goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from kread.data import load
from kread.graph.callgraph import CallGraph
from kread.model.play import Run

#: The longest way through functions that the model leaves out: a system call's dispatch takes six calls.
MOST_LEFT_OUT = 6


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """A function of a walk that nothing before it calls: in which scenario, and what was walked last."""

    scenario: str
    line: int
    function: str
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Walks:
    """What the comparison of all walks with the graph found.

    steps   -- functions walked, counted once for each time
    direct  -- those called by a function walked before
    left_out -- those called by such a one through functions that the model leaves out
    through -- (function, calls) of the latter
    failed  -- scenarios whose own expectations are not met under this policy
    unfired -- rules that exist under this policy and that no scenario fires
    """

    scenarios: int
    skipped: int
    steps: int
    direct: int
    left_out: int
    through: tuple[tuple[str, int], ...]
    broken: tuple[Broken, ...]
    failed: tuple[str, ...]
    unfired: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every walk is one of the graph's, and there were walks at all."""
        return self.steps > 0 and not (self.broken or self.failed or self.unfired)


@cache
def entries() -> dict[str, tuple[str, ...]]:
    """The functions where a walk may begin, each with those in whose midst it goes on."""
    return {name: tuple(row.get("within", ())) for row in load("walks")["entry"] for name in row["functions"]}


def check_walks(runs: Sequence[Run], graph: CallGraph) -> Walks:
    """Compare the walks of scenarios with a graph; all runs follow the policy of the graph's release."""
    from kread.model import RULES

    map_ = _Map(graph)
    steps = direct = left_out = 0
    through: dict[str, int] = {}
    broken: dict[tuple[str, str], Broken] = {}
    for run in runs:
        for step in run.steps:
            for outcome in step.outcomes:
                walked: list[str] = []
                before: set[str] = set()
                for name in outcome.functions:
                    steps += 1
                    before.update(entries().get(name, ()))
                    if name in entries() or not before.isdisjoint(map_.callers(name)):
                        direct += 1
                    else:
                        calls = map_.distance(before, name)
                        if calls:
                            left_out += 1
                            through[name] = calls
                        elif (name, run.script.name) not in broken:
                            broken[name, run.script.name] = Broken(run.script.name, step.line, name, tuple(walked[-3:]))
                    walked.append(name)
                    before.add(name)
    fired = frozenset(rule for run in runs for rule in run.rules)
    policy = runs[0].policy if runs else None
    known = [rule.id for rule in RULES.values() if policy is None or rule.exists(policy)]
    return Walks(
        len(runs),
        sum(1 for run in runs if run.skipped),
        steps,
        direct,
        left_out,
        tuple(sorted(through.items())),
        tuple(sorted(broken.values())),
        tuple(run.script.name for run in runs if not run.passed),
        tuple(rule for rule in known if rule not in fired),
    )


class _Map:
    """Who calls whom, by name, as far as it was asked."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self._numbers: dict[str, list[int]] = {}
        self._callers: dict[str, frozenset[str]] = {}
        self._distances: dict[tuple[frozenset[str], str], int] = {}

    def numbers(self, name: str) -> list[int]:
        if name not in self._numbers:
            self._numbers[name] = self.graph.find(name)
        return self._numbers[name]

    def callers(self, name: str) -> frozenset[str]:
        """The names of a function's callers."""
        if name not in self._callers:
            found: set[str] = set()
            for number in self.numbers(name):
                rows = self.graph.store.query(
                    "SELECT DISTINCT function.name FROM edge JOIN function ON function.id = edge.caller"
                    " WHERE edge.callee = ?",
                    [number],
                )
                found.update(row[0] for row in rows)
            self._callers[name] = frozenset(found)
        return self._callers[name]

    def distance(self, before: Iterable[str], name: str) -> int:
        """How many calls lead to a function from one of these, through any others; 0 where none do."""
        key = (frozenset(before), name)
        if key not in self._distances:
            self._distances[key] = self._search(key[0], set(self.numbers(name)))
        return self._distances[key]

    def _search(self, names: frozenset[str], wanted: set[int]) -> int:
        adjacency = self.graph.adjacency
        front = {number for name in names for number in self.numbers(name)}
        seen = set(front)
        for calls in range(1, MOST_LEFT_OUT + 1):
            front = {row[0] for number in front for row in adjacency.get(number)} - seen
            if front & wanted:
                return calls
            seen |= front
        return 0

"""The machine under the value analysis, against a search through the same graph that knows nothing of sets or order."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kread.resolve import machine as machine_module
from kread.resolve.machine import FRESH, Machine, Value, Why
from kread.resolve.program import FunctionId
from kread.resolve.ways import best_way, ways

VERTICES = 8

#: What can happen to a machine, in any order: (what, vertex, other vertex or value).
HAPPENINGS = some.lists(
    some.tuples(
        some.sampled_from(["arc", "arc", "add", "flag", "run"]),
        some.integers(0, VERTICES - 1),
        some.integers(0, VERTICES - 1),
    ),
    max_size=60,
)


def why(number: int) -> Why:
    return Why("install", FunctionId(0, number), number, f"line {number}")


def value(number: int) -> Value:
    return ("object", ("global", "", f"v{number}"), ())


class Played:
    """A machine to which some things happened, and what they were."""

    def __init__(self, happenings: list[tuple[str, int, int]], refused: int = -1) -> None:
        self.machine = Machine(
            lambda vertex: None,
            lambda key: "struct a" if key[1] % 2 else "",
            lambda record, found: found != value(refused),
        )
        self.vertices = [self.machine.vertex(("expression", number)) for number in range(VERTICES)]
        self.arcs: dict[tuple[int, int], Why] = {}
        self.added: dict[tuple[int, int], Why] = {}
        self.flagged: set[int] = set()
        for number, (what, one, other) in enumerate(happenings):
            if what == "arc" and one != other:
                self.machine.arc(self.vertices[one], self.vertices[other], why(number))
                self.arcs.setdefault((one, other), why(number))
            elif what == "add":
                self.machine.add(self.vertices[one], value(other), why(number))
                self.added.setdefault((one, other), why(number))
            elif what == "flag":
                self.machine.flag(self.vertices[one], FRESH)
                self.flagged.add(one)
            elif what == "run":
                self.machine.run()
        self.machine.run()

    def reached(self, starts: set[int], closed: set[int]) -> dict[int, int]:
        """How many arcs each vertex is away from the nearest of some."""
        found = {start: 0 for start in starts if start not in closed}
        todo = deque(found)
        while todo:
            at = todo.popleft()
            for one, other in self.arcs:
                if one == at and other not in found and other not in closed:
                    found[other] = found[at] + 1
                    todo.append(other)
        return found

    def values(self, vertex: int) -> set[int]:
        return {int(each[1][2][1:]) for each in self.vertices[vertex].values}


@given(HAPPENINGS, some.integers(0, VERTICES - 1))
def test_values_and_marks_reach_what_arcs_lead_to_and_nothing_else(
    happenings: list[tuple[str, int, int]], refused: int
) -> None:
    played = Played(happenings, refused)
    expected: dict[int, set[int]] = {vertex: set() for vertex in range(VERTICES)}
    for number in range(VERTICES):
        starts = {vertex for vertex, added in played.added if added == number}
        closed = set(range(1, VERTICES, 2)) if number == refused else set()
        for vertex in played.reached(starts, closed):
            expected[vertex].add(number)
    assert {vertex: played.values(vertex) for vertex in range(VERTICES)} == expected
    marked = {number for number, vertex in enumerate(played.vertices) if vertex.flags & FRESH}
    assert marked == set(played.reached(played.flagged, set()))


@given(HAPPENINGS)
def test_a_watcher_sees_all_values_whenever_it_comes(happenings: list[tuple[str, int, int]]) -> None:
    early: set[Value | None] = set()
    played = Played([])
    played.machine.watch(played.vertices[0], early.add)
    for what, one, other in happenings:
        if what == "arc":
            played.machine.arc(played.vertices[one], played.vertices[other], None)
        elif what == "add":
            played.machine.add(played.vertices[one], value(other), None)
        elif what == "run":
            played.machine.run()
    played.machine.run()
    late: set[Value | None] = set()
    played.machine.watch(played.vertices[0], late.add)
    assert early == late == set(played.vertices[0].values)


@given(HAPPENINGS)
def test_a_way_follows_arcs_from_where_the_value_began_and_none_is_shorter(
    happenings: list[tuple[str, int, int]],
) -> None:
    played = Played(happenings)
    number = {vertex: at for at, vertex in enumerate(played.vertices)}
    for vertex in played.vertices:
        for found in vertex.ordered():
            wanted = int(found[1][2][1:])
            steps = best_way(vertex, found)
            assert steps[0][0] is vertex
            for (later, line), (earlier, _) in pairwise(steps):
                assert played.arcs[number[earlier], number[later]] == line
            origin, line = steps[-1]
            assert played.added[number[origin], wanted] == line
            starts = {at for at, added in played.added if added == wanted}
            assert len(steps) - 1 == played.reached(starts, set())[number[vertex]]


def test_a_way_through_a_whole_type_is_the_last() -> None:
    machine = Machine(lambda vertex: None)
    end, whole = machine.vertex(("expression", 0)), machine.vertex(("type", "struct a", ("run",)))
    middle, start = machine.vertex(("expression", 1)), machine.vertex(("expression", 2))
    machine.arc(whole, end, None)
    machine.add(whole, value(1), why(1))
    machine.arc(middle, end, why(2))
    machine.arc(start, middle, why(3))
    machine.add(start, value(1), why(4))
    machine.run()
    (found,) = end.values
    assert [[step for step, _ in way] for way in ways(end, found)] == [[end, middle, start], [end, whole]]
    assert [line for _, line in best_way(end, found)] == [why(2), why(3), why(4)]


def test_vertices_with_equal_values_share_one_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "MOST_UNSHARED", 0)
    machine = Machine(lambda vertex: None)
    one, other, both, again, onward = (machine.vertex(("expression", number)) for number in range(5))
    for source, target in ((one, both), (other, both), (other, again), (one, again), (again, onward)):
        machine.arc(source, target, None)
    for number in range(20):
        machine.add(one if number % 2 else other, value(number), None)
    machine.run()
    assert len(both.values) == 20
    assert both.values is again.values is onward.values

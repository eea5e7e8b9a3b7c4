"""The search for ways: in the order of their cost, and the same however far the costs of what is left are known."""

from __future__ import annotations

import random
from itertools import pairwise

import networkx
import pytest

from kread.graph.distance import Distance, Stations
from kread.graph.search import Search, Way, far
from kread.index.adjacency import Adjacency, AdjacencyWriter

FUNCTIONS = 40


def made(seed: int) -> tuple[Adjacency, Stations, networkx.MultiDiGraph]:
    """A graph in which some calls are dispatches, as kread keeps it and as networkx does."""
    draw = random.Random(seed)
    costs = {function: draw.choice([0, 0, 4, 12]) for function in range(1, FUNCTIONS + 1)}
    writer = AdjacencyWriter()
    graph = networkx.MultiDiGraph()
    graph.add_nodes_from(costs)
    for caller in costs:
        rows = []
        for _ in range(draw.randint(0, 4)):
            dispatch = draw.choice([0, 0, caller])
            row = draw.randint(1, FUNCTIONS), draw.randint(10, 30), dispatch
            rows.append((*row, graph.number_of_edges() + 1, 0))
            graph.add_edge(caller, row[0], weight=row[1], number=rows[-1][3])
        writer.add(caller, rows)
    return Adjacency(dict(writer.pages()).get), Stations(costs.__getitem__), graph


def ways(seed: int) -> tuple[list[Way], Stations, networkx.MultiDiGraph]:
    adjacency, station, graph = made(seed)
    return list(Search(adjacency, station, [1, 2], [FUNCTIONS]).ways()), station, graph


@pytest.mark.parametrize("seed", range(30))
def test_ways_come_in_the_order_of_their_cost_the_cheapest_first(seed: int) -> None:
    found, station, graph = ways(seed)
    assert [way.cost for way in found] == sorted(way.cost for way in found)
    weights = {data["number"]: (caller, callee, data["weight"]) for caller, callee, data in graph.edges(data=True)}
    for way in found:
        assert way.functions[0] in (1, 2)
        assert way.functions[-1] == FUNCTIONS
        assert len(set(way.functions)) == len(way.functions)
        assert [weights[edge][:2] for edge in way.edges] == list(zip(way.functions, way.functions[1:], strict=False))
        assert way.cost == sum(weights[edge][2] for edge in way.edges) + sum(
            station[one] for one in way.functions[1:-1]
        )
    every = [
        sum(min(each["weight"] for each in graph[a][b].values()) for a, b in pairwise(path))
        + sum(station[one] for one in path[1:-1])
        for source in (1, 2)
        for path in networkx.all_simple_paths(networkx.DiGraph(graph), source, FUNCTIONS, cutoff=8)
    ]
    assert min(every, default=None) == (found[0].cost if found else None)
    assert not found or found[-1].cost <= far(found[0].cost)


@pytest.mark.parametrize("seed", range(30))
def test_ways_are_the_same_where_all_costs_are_known_at_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    step_by_step = ways(seed)[0]
    widen = Distance.widen
    monkeypatch.setattr(Distance, "widen", lambda self, bound: widen(self, 10_000))
    assert ways(seed)[0] == step_by_step


def test_some_graphs_have_many_ways() -> None:
    assert sum(len(ways(seed)[0]) > 5 for seed in range(30)) > 5

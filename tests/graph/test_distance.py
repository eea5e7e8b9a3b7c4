"""Distances that are found from both ends, against networkx's own from one."""

from __future__ import annotations

import random

import networkx
import pytest

from kread.graph.distance import Distance, Stations
from kread.index.adjacency import Adjacency, AdjacencyWriter

FUNCTIONS = 60


def made(seed: int) -> tuple[Adjacency, Stations, networkx.DiGraph]:
    """A graph with hubs and without a way between many, as kread keeps it and as networkx does: a station's cost is on
    the links that leave it."""
    draw = random.Random(seed)
    links: dict[tuple[int, int], int] = {}
    for _ in range(draw.randint(60, 240)):
        ends = draw.randint(1, FUNCTIONS), min(draw.randint(1, FUNCTIONS), draw.randint(1, FUNCTIONS))
        links[ends] = draw.randint(10, 40)
    costs = {function: draw.choice([0, 0, 4, 12, 30]) for function in range(1, FUNCTIONS + 1)}
    writer = AdjacencyWriter()
    for caller in range(1, FUNCTIONS + 1):
        writer.add(caller, [(end, cost, 0, 1, 0) for (begin, end), cost in sorted(links.items()) if begin == caller])
    pages = dict(writer.pages())
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(1, FUNCTIONS + 1))
    graph.add_weighted_edges_from((caller, callee, cost + costs[caller]) for (caller, callee), cost in links.items())
    return Adjacency(pages.get), Stations(costs.__getitem__), graph


def least(graph: networkx.DiGraph, station: Stations, source: int, target: int, banned: set[int]) -> int | None:
    """What the cheapest way costs by networkx."""
    allowed = graph.subgraph(set(graph) - banned)
    if source in banned or target in banned or not networkx.has_path(allowed, source, target):
        return None
    return int(networkx.dijkstra_path_length(allowed, source, target)) - station[source]


@pytest.mark.parametrize("seed", range(40))
def test_the_cheapest_way_costs_what_one_search_says(seed: int) -> None:
    adjacency, station, graph = made(seed)
    draw = random.Random(seed)
    source, target, *rest = draw.sample(range(1, FUNCTIONS + 1), 8)
    banned = set(rest[: seed % 5])
    found = Distance(adjacency, station, [source], [target], banned)
    assert found.cheapest == least(graph, station, source, target, banned)


@pytest.mark.parametrize("seed", range(40))
def test_the_rest_is_known_on_all_ways_within_the_bound(seed: int) -> None:
    adjacency, station, graph = made(seed)
    draw = random.Random(seed)
    source, target = draw.sample(range(1, FUNCTIONS + 1), 2)
    found = Distance(adjacency, station, [source], [target])
    for bound in (found.cheapest or 30, 2 * (found.cheapest or 30), 400):
        found.widen(bound)
        for function in set(graph) - {source, target}:
            there = least(graph, station, source, function, {target})
            rest = least(graph, station, function, target, set())
            if there is not None and rest is not None and there + station[function] + rest <= bound:
                assert found.rest[function] == rest
        assert all(
            rest == least(graph, station, one, target, set()) for one, rest in found.rest.items() if one != target
        )


def test_ends_on_both_sides() -> None:
    adjacency, station, graph = made(3)
    function = next(one for one in graph if graph.in_degree(one) and graph.out_degree(one))
    found = Distance(adjacency, station, [function], [function])
    assert found.cheapest is None
    found.widen(30)
    assert found.rest[function] == 0
    assert all(
        found.rest[caller] == graph[caller][function]["weight"] - station[caller]
        for caller in graph.predecessors(function)
        if graph[caller][function]["weight"] - station[caller] <= 10
    )


def test_no_more_is_looked_at_than_the_bound_asks() -> None:
    writer = AdjacencyWriter()
    for caller in range(1, 2000):
        writer.add(caller, [(caller + 1, 10, 0, 1, 0)])
    asked: set[int] = set()
    pages = dict(writer.pages())

    def page(number: int) -> bytes | None:
        asked.add(number)
        return pages.get(number)

    assert Distance(Adjacency(page), Stations(lambda _: 0), [1], [1999], most=150).cheapest is None
    assert asked <= {0, 7}  # of eight: the first and the last

"""Links as pages: written, read from both ends, and left out by their label."""

from __future__ import annotations

import random
from collections import defaultdict

from kread.index.adjacency import ALWAYS, PAGE, Adjacency, AdjacencyWriter, join_numbers, split

FUNCTIONS = 3 * PAGE


def made(seed: int) -> tuple[dict[int, list[tuple[int, int, int, int, int]]], dict[int, bytes]]:
    draw = random.Random(seed)
    links: dict[int, list[tuple[int, int, int, int, int]]] = defaultdict(list)
    for edge in range(1, 2000):
        caller, callee = draw.randint(1, FUNCTIONS), draw.randint(1, FUNCTIONS)
        links[caller].append((callee, draw.randint(10, 50), draw.randint(0, 3), edge, draw.randint(1, 5)))
    writer = AdjacencyWriter()
    for caller in sorted(links):
        writer.add(caller, links[caller])
    return links, dict(writer.pages())


def test_both_ends_know_a_link() -> None:
    links, pages = made(1)
    adjacency = Adjacency(pages.get)
    back = defaultdict(list)
    for caller, rows in links.items():
        assert list(adjacency.get(caller)) == [row[:4] for row in rows]
        assert list(adjacency.callees(caller)) == [row[:2] for row in rows]
        for row in rows:
            back[row[0]].append((caller, row[1]))
    assert all(sorted(adjacency.callers(callee)) == sorted(back[callee]) for callee in range(1, FUNCTIONS + 1))
    assert adjacency.get(10 * FUNCTIONS) == ()


def test_links_of_a_label_are_left_out_and_each_label_is_asked_about_by_number() -> None:
    links, pages = made(2)
    adjacency = Adjacency(pages.get, dropped=lambda label: label in (2, 4))
    left = [(caller, *row[:4]) for caller, rows in links.items() for row in rows if row[4] not in (2, 4)]
    assert sorted((caller, *row) for caller in links for row in adjacency.get(caller)) == sorted(left)
    assert sorted((one, *row) for one in links for row in adjacency.callees(one)) == sorted(row[:3] for row in left)
    assert sorted(
        (caller, callee, cost) for callee in range(FUNCTIONS + 1) for caller, cost in adjacency.callers(callee)
    ) == (sorted((row[0], row[1], row[2]) for row in left))


def test_a_slot_is_passed_from_both_ends() -> None:
    first_slot = 10
    writer = AdjacencyWriter()
    writer.add(1, [(2, 10, 0, 71, 1), (first_slot, 18, 5, 72, 2)])
    writer.add(3, [(first_slot, 28, 6, 73, 3)])
    writer.add(first_slot, [(2, 0, 0, 7, ALWAYS), (4, 0, 0, 8, ALWAYS)])
    pages = dict(writer.pages())
    adjacency = Adjacency(pages.get, first_slot)
    assert [(row[0], row[1], row[2], split(row[3])) for row in adjacency.get(1)] == [
        (2, 10, 0, (71, 0)),
        (2, 18, 5, (72, 7)),
        (4, 18, 5, (72, 8)),
    ]
    assert list(adjacency.callees(3)) == [(2, 28), (4, 28)]
    assert split(join_numbers(73, 8)) == (73, 8)

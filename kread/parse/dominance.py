"""Dominators and reachability on small graphs of numbered vertices.

A graph is a list of successor lists; vertex 0 is the entry. A vertex d dominates v when every way from the
entry to v passes d. The immediate dominators are found by the iterative method of Cooper, Harvey and Kennedy
("A Simple, Fast Dominance Algorithm", 2001): in reverse postorder, the immediate dominator of v is the nearest
common ancestor of its predecessors in the tree built so far, until nothing changes. For the graphs of real
functions one or two rounds are enough.

Vertices that the entry does not reach have no dominator (-1) and take no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Successors = Sequence[Sequence[int]]


def predecessors(succ: Successors) -> list[list[int]]:
    """The graph turned round."""
    pred: list[list[int]] = [[] for _ in succ]
    for vertex, targets in enumerate(succ):
        for target in targets:
            pred[target].append(vertex)
    return pred


def reach(succ: Successors, start: Iterable[int], *, without: int = -1) -> set[int]:
    """The vertices that `start` reaches (itself included), on ways that do not enter `without`."""
    stack = [vertex for vertex in start if vertex != without]
    seen = set(stack)
    while stack:
        for target in succ[stack.pop()]:
            if target not in seen and target != without:
                seen.add(target)
                stack.append(target)
    return seen


def postorder(succ: Successors, root: int) -> list[int]:
    """The vertices that `root` reaches, each after its successors as far as there are no cycles."""
    order: list[int] = []
    seen = {root}
    stack = [(root, iter(succ[root]))]
    while stack:
        vertex, targets = stack[-1]
        for target in targets:
            if target not in seen:
                seen.add(target)
                stack.append((target, iter(succ[target])))
                break
        else:
            order.append(vertex)
            stack.pop()
    return order


def immediate_dominators(pred: Successors, order: Sequence[int]) -> list[int]:
    """The immediate dominator of each vertex, by postorder; the root's is itself, an unreached vertex's -1."""
    rank = [-1] * len(pred)
    for position, vertex in enumerate(order):
        rank[vertex] = position
    idom = [-1] * len(pred)
    root = order[-1]
    idom[root] = root
    rest = order[-2::-1]
    changed = True
    while changed:
        changed = False
        for vertex in rest:
            nearest = -1
            for source in pred[vertex]:
                if idom[source] < 0:
                    continue
                if nearest < 0:
                    nearest = source
                    continue
                while nearest != source:
                    while rank[nearest] < rank[source]:
                        nearest = idom[nearest]
                    while rank[source] < rank[nearest]:
                        source = idom[source]
            if idom[vertex] != nearest:
                idom[vertex] = nearest
                changed = True
    return idom


def chain(idom: Sequence[int], vertex: int) -> list[int]:
    """`vertex` and its dominators, nearest first, the root last; empty for an unreached vertex."""
    if idom[vertex] < 0:
        return []
    found = [vertex]
    while idom[vertex] != vertex:
        vertex = idom[vertex]
        found.append(vertex)
    return found

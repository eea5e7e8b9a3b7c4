"""How often the path that a teacher would show comes first: expected hop sequences against `kread path`.

    python benchmarks/paths.py CASES.tsv RELEASE=TREE ... [--list]

CASES.tsv has the columns release, case, source, target, hops ("a > b > c"); a case counts as first when the first
trail's functions are those hops, as among three when one of the first three is. Beside it a breadth-first search on the same graph.
"""

from __future__ import annotations

import argparse
import csv
from collections import deque
from pathlib import Path

from kread.errors import KreadError
from kread.facts import Trail
from kread.graph.build import build
from kread.graph.callgraph import CallGraph
from kread.paths.find import Finder, Request
from kread.source.progress import Reporter
from kread.source.tree import open_tree


def plain(name: str) -> str:
    """A name as the cases write it: sys_x for a system call's body."""
    return name.replace("__do_sys_", "sys_", 1) if name.startswith("__do_sys_") else name


def shortest(graph: CallGraph, caller: str, callee: str) -> list[str]:
    """The shortest path by hops alone."""
    targets = set(graph.find(callee))
    sources = graph.find(caller)
    before: dict[int, int | None] = dict.fromkeys(sources)
    queue = deque(sources)
    while queue:
        function = queue.popleft()
        for next_one, _ in graph.adjacency.callees(function):
            if next_one not in before:
                before[next_one] = function
                if next_one in targets:
                    path = [next_one]
                    at: int | None = function
                    while at is not None:
                        path.append(at)
                        at = before[at]
                    return [plain(graph.function(number).name) for number in reversed(path)]
                queue.append(next_one)
    return []


def lines(cell: str) -> set[str]:
    """The places of one hop, `file:line` each: "a.c:1,2,b.c:3" means three; "-" and "" none."""
    found: set[str] = set()
    file = ""
    for part in cell.strip().split(","):
        file, line = part.split(":") if ":" in part else (file, part)
        found |= {f"{file}:{line}"} if file else set()
    return found


def proofs(row: dict[str, str], trail: Trail) -> tuple[list[bool], list[bool]]:
    """Whether each hop's call stands on an expected line, and whether an expected line proves each dispatch."""
    calls, bindings = [], []
    cells = zip(row.get("callsites", "").split(" > "), row.get("bindings", "").split(" > "), strict=True)
    for step, (sites, filled) in zip(trail.steps, cells, strict=False):
        if step.edge is None:
            continue
        if lines(sites):
            calls.append(f"{step.edge.site.file}:{step.edge.site.line}" in lines(sites))
        if lines(filled):
            bindings.append(any(f"{why.file}:{why.line}" in lines(filled) for why in step.edge.evidence))
    return calls, bindings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("trees", nargs="+", metavar="RELEASE=TREE")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    every = [0, 0, 0, 0]
    calls: list[bool] = []
    bindings: list[bool] = []
    for pair in args.trees:
        total = first = three = simple = 0
        release, _, folder = pair.partition("=")
        with Reporter() as reporter:
            graph = CallGraph(build(open_tree(Path(folder)), (), reporter))
        finder = Finder(graph)
        with args.cases.open(encoding="utf-8") as stream:
            rows = [
                row
                for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
                if row["release"] == release
            ]
        for row in rows:
            total += 1
            expected = row["hops"].split(" > ")
            try:
                trails = finder.answer(Request(row["source"], row["target"], families=3)).trails
            except KreadError as error:
                trails = ()
                if args.list:
                    print(f"      {row['case']} {error.what}")
            found = [[plain(step.function.name) for step in trail.steps] for trail in trails]
            first += found[:1] == [expected]
            three += expected in found
            for trail in (trail for names, trail in zip(found, trails, strict=True) if names == expected):
                right = proofs(row, trail)
                calls += right[0]
                bindings += right[1]
                if args.list and not all(right[0] + right[1]):
                    print(f"LINE  {row['case']} {' > '.join(expected)}")
                break
            bfs = shortest(graph, row["source"], row["target"])
            simple += bfs == expected
            if args.list and found[:1] != [expected]:
                print(f"{'3rd ' if expected in found else 'MISS'}  {row['case']} {' > '.join(expected)}")
                for names in found:
                    print(f"            {' > '.join(names)}")
        report(release, total, first, three, simple)
        every = [one + other for one, other in zip(every, (total, first, three, simple), strict=True)]
    report("all", *every)
    if calls:
        print(f"calls on the expected line {sum(calls)} of {len(calls)}, bindings {sum(bindings)} of {len(bindings)}")


def report(release: str, total: int, first: int, three: int, simple: int) -> None:
    """One line of figures."""
    if total:
        shares = f"first {first / total:.1%}, among three {three / total:.1%}; breadth-first {simple / total:.1%}"
        print(f"{release:>5}: {total} cases, {shares}")


if __name__ == "__main__":
    main()

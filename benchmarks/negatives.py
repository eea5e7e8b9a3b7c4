"""What must not be claimed: false edges and paths, one a row, asked of kread.

    python benchmarks/negatives.py CASES.tsv RELEASE=TREE ... [--list]

CASES.tsv has the columns release, source, target, category, reason. `violations` says what of each row kread claims; a row is
kept if it claims nothing. Categories: no-edge (no direct edge), no-path:N (no path of at most N hops), wrong-definition
(the edge must not lead to the definition in that file), wrong-binding-for-ipv4 (not through the objects of IPv4),
field-collision and field-equals-function (no edge), phantom-target and not-defined (no such function), ifdef-stub (the
stub's own body has no such call), conditional-shortcut (the edge is there, but not what is shown first).
"""

from __future__ import annotations

import argparse
import csv
import re
from pathlib import Path

from kread.errors import KreadError
from kread.facts import Edge
from kread.graph.build import build
from kread.graph.callgraph import CallGraph
from kread.paths.find import Finder, Request
from kread.source.progress import Reporter
from kread.source.tree import open_tree

Row = dict[str, str]

_SYMBOL = re.compile(r"(\w+)(?:\{(.*)\})?")


def symbol(text: str) -> tuple[str, str]:
    """(name, what stands in braces) of `name{file}` or `name{stub}`."""
    match = _SYMBOL.fullmatch(text)
    assert match is not None, text
    return match[1], match[2] or ""


def edges(graph: CallGraph, row: Row) -> list[Edge]:
    """The direct edges from a row's source to its target."""
    source, _ = symbol(row["source"])
    target, file = symbol(row["target"])
    return [
        edge
        for number in graph.find(source)
        for edge in graph.callees(number)
        if edge.callee.name == target and (not file or edge.callee.file == file)
    ]


def short_path(finder: Finder, row: Row, hops: int) -> str:
    """A path of at most so many hops, "" without one."""
    try:
        answer = finder.calls(Request(row["source"], row["target"], max_hops=hops))
    except KreadError:
        return ""
    return str(answer.trails[0]) if answer.trails else ""


def violation(finder: Finder, row: Row) -> str:
    """What kread claims of a row that it must not, "" for nothing."""
    graph = finder.graph
    category, _, number = row["category"].partition(":")
    found = edges(graph, row)
    if category == "no-path":
        return short_path(finder, row, int(number))
    if category in ("phantom-target", "not-defined"):
        return ", ".join(map(str, found)) if found else _phantom(finder, row)
    if category == "ifdef-stub":
        # The stub is the definition without a call to the target: one of the definitions must have none.
        name, _ = symbol(row["source"])
        callers = {edge.caller for edge in found}
        return "" if len(callers) < len(graph.find(name)) else ", ".join(map(str, found))
    if category == "conditional-shortcut":
        return ""  # the edge is real; the ranking of paths is measured by benchmarks/paths.py
    if category == "wrong-binding-for-ipv4":
        return _mixed(finder, row)
    return ", ".join(map(str, found))


def _phantom(finder: Finder, row: Row) -> str:
    """A path of one hop to something that is no function of this place."""
    name, _ = symbol(row["target"])
    if not finder.graph.find(name):
        return ""
    return short_path(finder, row, 1)


def _mixed(finder: Finder, row: Row) -> str:
    """A path from a function of IPv4 to the target that passes the source."""
    graph = finder.graph
    for edge in graph.callers(graph.find(row["source"])[0]):
        if "_v4_" in edge.caller.name:
            answer = finder.calls(Request(edge.caller.name, row["target"], via=(row["source"],)))
            if answer.trails:
                return str(answer.trails[0])
    return ""


def violations(graph: CallGraph, rows: list[Row]) -> list[tuple[Row, str]]:
    """The rows of which kread claims something, with what it claims."""
    finder = Finder(graph)
    found = [(row, violation(finder, row)) for row in rows]
    return [(row, claim) for row, claim in found if claim]


def read(cases: Path, release: str) -> list[Row]:
    """The rows of a release."""
    with cases.open(encoding="utf-8") as stream:
        reader = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in reader if row["release"] == release]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("trees", nargs="+", metavar="RELEASE=TREE")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    total = claimed = 0
    for pair in args.trees:
        release, _, folder = pair.partition("=")
        with Reporter() as reporter:
            graph = CallGraph(build(open_tree(Path(folder)), (), reporter))
        rows = read(args.cases, release)
        found = violations(graph, rows)
        total += len(rows)
        claimed += len(found)
        for row, claim in found if args.list else []:
            print(f"{release} {row['category']} {row['source']} > {row['target']}: {claim}")
    print(f"negatives {total}: {claimed} claimed")


if __name__ == "__main__":
    main()

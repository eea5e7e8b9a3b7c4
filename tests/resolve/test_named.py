"""Calls by name and their evidence, on C whose answers are written here."""

from __future__ import annotations

import pytest

from kread.graph.build import build
from kread.graph.callgraph import CallGraph
from kread.source.progress import Silent
from kread.source.tree import open_tree

SOURCE = """
#define INNER(x) work(x)
#define OUTER(x) do { INNER(x); } while (0)
static int work(int x) { return x; }
int written(int x) { return work(x); }
int by_macro(int x) { return INNER(x); }
int by_macros(int x)
{
	OUTER(x);
	return 0;
}
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> CallGraph:
    root = tmp_path_factory.mktemp("named") / "tree"
    (root / "include/linux").mkdir(parents=True)
    (root / "net/ipv4").mkdir(parents=True)
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 9\n")
    (root / "net/ipv4/named.c").write_text(SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KREAD_HOME", str(root.parent / "home"))
        return CallGraph(build(open_tree(root), ("net/ipv4",), Silent()))


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("written", [("call", 5)]),
        ("by_macro", [("call", 6), ("macro", 2)]),
        ("by_macros", [("call", 9), ("use", 9), ("macro", 2)]),
    ],
)
def test_every_macro_between_the_line_and_the_call_is_evidence(
    graph: CallGraph, caller: str, expected: list[tuple[str, int]]
) -> None:
    (number,) = graph.find(caller)
    (edge,) = graph.callees(number)
    assert edge.callee.name == "work"
    assert [(one.role, one.line) for one in edge.evidence] == expected
    assert [one.text for one in edge.evidence if one.role == "use"] == ["OUTER"] * (caller == "by_macros")

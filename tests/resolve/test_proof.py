"""The lines that prove a call through a pointer, on C whose answers are written here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kread.graph.callgraph import CallGraph

#: Two tables in one object, each assigned as a whole and registered by its own address.
SOURCE = """
struct ops { int (*run)(int x); int (*end)(int x); };
struct hot { int spare; struct ops first; struct ops second; };
struct hot hot;
struct ops *known[8];
static int run_first(int x) { return x; }
static int run_second(int x) { return x; }
static int add(struct ops *ops, int number)
{
	known[number] = ops;
	return 0;
}
int set_up(void)
{
	hot.first = (struct ops) {
		.run = run_first,
	};
	add(&hot.first, 1);
	hot.second = (struct ops) {
		.run = run_second,
	};
	return add(&hot.second, 2);
}
int run(int number)
{
	struct ops *ops = known[number];
	return ops->run(number);
}
"""


@pytest.fixture(scope="module")
def graph(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> CallGraph:
    return graph_of_files({"net/ipv4/proof.c": SOURCE})


@pytest.mark.parametrize(
    ("callee", "table", "registered", "filled"), [("run_first", "first", 18, 16), ("run_second", "second", 22, 20)]
)
def test_of_two_tables_in_one_object_the_address_of_the_right_one_is_the_proof(
    graph: CallGraph, callee: str, table: str, registered: int, filled: int
) -> None:
    (number,) = graph.find("run")
    (edge,) = [edge for edge in graph.callees(number) if edge.callee.name == callee]
    assert edge.grade == "object"
    said = {one.text: one.line for one in edge.evidence}
    assert said[f"hot.{table}.run = {callee}"] == filled
    assert said[f"hot.{table} = (struct ops) {{...}}"] == filled - 1
    assert [line for text, line in said.items() if text.startswith("add(")] == [registered]

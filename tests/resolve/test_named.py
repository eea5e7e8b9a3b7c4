"""Calls by name and their evidence, on C whose answers are written here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kread.graph.callgraph import CallGraph

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
typedef int number_t;
#define DECLARE(f) f
DECLARE(number_t nothing);
DECLARE(int far_away(int x));
int calls_far_away(int x) { return far_away(x); }
"""


@pytest.fixture(scope="module")
def graph(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> CallGraph:
    return graph_of_files({"net/ipv4/named.c": SOURCE})


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


TWINS = {
    "include/linux/twins.h": """
#ifdef CONFIG_TRACE
extern void note(int x);
#else
static inline void note(int x) { }
#endif
""",
    "include/linux/shadow.h": """
#define pick(x) worked(x)
#ifdef __cplusplus
#define linkage extern "C"
#else
#define linkage
#endif
extern linkage void declared(int x);
""",
    "net/ipv4/twins.c": """
#include <linux/twins.h>
#ifdef CONFIG_TRACE
void note(int x) { }
#endif
void writes(int x) { note(x); }
""",
    "net/ipv4/generic.c": """
int summed(int x);
#ifdef CONFIG_GENERIC
int summed(int x)
{
	return x;
}
#endif
""",
    "lib/summed.c": "int summed(int x)\n{\n\treturn -x;\n}\n",
    "net/ipv4/sums.c": """
int summed(int x);
int sums(int x) { return summed(x); }
""",
    "net/ipv4/picks.c": """
int worked(int x) { return x; }
static int pick(int x) { return x; }
int by_function(int x) { return pick(x); }
""",
    "net/ipv4/shadowed.c": """
#include <linux/shadow.h>
int worked(int x);
int shadowed(int x) { return pick(x); }
""",
}


@pytest.fixture(scope="module")
def twins(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> CallGraph:
    return graph_of_files(TWINS)


def called(graph: CallGraph, caller: str) -> set[tuple[str, str, str]]:
    (number,) = graph.find(caller)
    return {(edge.callee.name, edge.callee.file, edge.presence) for edge in graph.callees(number)}


def test_where_a_files_own_definition_is_not_compiled_the_stub_of_a_header_is_meant(twins: CallGraph) -> None:
    assert called(twins, "writes") == {
        ("note", "net/ipv4/twins.c", "CONFIG_TRACE"),
        ("note", "include/linux/twins.h", "!CONFIG_TRACE"),
    }


def test_beside_a_conditional_definition_in_the_scope_its_twin_outside_is_meant(twins: CallGraph) -> None:
    assert called(twins, "sums") == {
        ("summed", "net/ipv4/generic.c", "CONFIG_GENERIC"),
        ("summed", "lib/summed.c", "!CONFIG_GENERIC"),
    }


def test_a_name_is_a_macro_only_to_those_who_include_it(twins: CallGraph) -> None:
    assert called(twins, "by_function") == {("pick", "net/ipv4/picks.c", "")}
    assert called(twins, "shadowed") == {("worked", "net/ipv4/picks.c", "")}


def test_what_only_another_language_defines_does_not_hide_an_annotation(twins: CallGraph) -> None:
    assert not twins.store.query("SELECT * FROM fault")


def test_a_macro_that_made_nothing_is_asked_again(graph: CallGraph) -> None:
    assert {name for name, _, _ in called(graph, "calls_far_away")} == {"far_away"}

"""Functions that are written under a name that a macro replaces have the compiler's names."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from kread.graph.callgraph import CallGraph

FILES = {
    "net/ipv4/tree.h": """
#define find_init tree_find_init
#define find_exit tree_find_exit
#define search find_init
struct data { int key; };
struct walk { int (*begin)(struct data *data); };
int find_init(struct data *data);
int find_exit(struct data *data);
int walk_all(struct walk *walk);
""",
    "net/ipv4/find.c": """
#include "tree.h"
int find_init(struct data *data) { return data->key; }
int find_exit(struct data *data) { return -data->key; }
int walk_all(struct walk *walk) { struct data data; return walk->begin(&data); }
""",
    "net/ipv4/use.c": """
#include "tree.h"
static struct walk walk = { .begin = find_init };
int use(struct data *data)
{
	return search(data) + find_exit(data) + walk_all(&walk);
}
""",
    "net/ipv4/own.c": """
#include "tree.h"
static int later(void) { return 0; }
#undef find_exit
static int find_exit(struct data *data) { return later(); }
#define later sooner
static int later(void) { return 1; }
#ifdef CONFIG_OTHER
#define either other
#endif
static int either(void) { return 2; }
int own(struct data *data) { return later() + either(); }
""",
}


@pytest.fixture(scope="module")
def graph(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> CallGraph:
    return graph_of_files(FILES)


def _callees(graph: CallGraph, caller: str) -> set[tuple[str, str]]:
    (number,) = graph.find(caller)
    return {(edge.callee.name, edge.callee.file) for edge in graph.callees(number)}


def test_what_is_defined_under_another_name_is_called_by_its_own(graph: CallGraph) -> None:
    assert _callees(graph, "use") == {
        ("tree_find_init", "net/ipv4/find.c"),
        ("tree_find_exit", "net/ipv4/find.c"),
        ("walk_all", "net/ipv4/find.c"),
    }
    (number,) = graph.find("tree_find_init")
    assert graph.function(number).macro == "find_init"


def test_a_table_that_names_it_by_the_macro_holds_it(graph: CallGraph) -> None:
    assert ("tree_find_init", "net/ipv4/find.c") in _callees(graph, "walk_all")


def test_what_the_file_takes_back_or_defines_below_renames_nothing(graph: CallGraph) -> None:
    assert ("sooner", "net/ipv4/own.c") in _callees(graph, "own")
    rows = graph.store.query("SELECT name FROM function WHERE file = 'net/ipv4/own.c' ORDER BY line")
    assert [name for (name,) in rows] == ["later", "find_exit", "sooner", "either", "own"]


def test_the_compiler_has_the_same_functions(graph: CallGraph) -> None:
    text = FILES["net/ipv4/find.c"].replace('#include "tree.h"', FILES["net/ipv4/tree.h"])
    done = subprocess.run(["gcc", "-E", "-P", "-x", "c", "-"], input=text, capture_output=True, text=True, check=True)
    defined = set(re.findall(r"^int (\w+)\([^)]*\) \{", done.stdout, re.M))
    rows = graph.store.query("SELECT name FROM function WHERE file = 'net/ipv4/find.c'")
    assert {name for (name,) in rows} == defined == {"tree_find_init", "tree_find_exit", "walk_all"}

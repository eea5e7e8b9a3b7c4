"""Macros of a file's own to which a macro of all files leads."""

from __future__ import annotations

from collections.abc import Callable

from kread.graph.callgraph import CallGraph

FILES = {
    "include/linux/param.h": """
#define check_as(name, p, type) static inline type *check_##name(void) { return ok(p); }
#define param_check_int(name, p) check_as(name, p, int)
#define param_named(name, value, type) param_check_##type(name, &(value)); static struct kept kept_##name = { &(value) }
struct kept { void *value; };
void *ok(void *p);
""",
    "net/ipv4/own.c": """
#include <linux/param.h>
#define param_check_size(name, p) check_as(name, p, unsigned int)
static unsigned int limit;
static int count;
param_named(bound, limit, size);
param_named(number, count, int);
""",
}


def test_a_name_that_is_pasted_can_be_the_files_own_macro(
    graph_of_files: Callable[[dict[str, str]], CallGraph],
) -> None:
    graph = graph_of_files(FILES)
    for name in ("check_bound", "check_number"):
        (number,) = graph.find(name)
        assert [edge.callee.name for edge in graph.callees(number)] == ["ok"]

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
struct thing { int n; };
int beside_another_block(struct thing *thing, int (*pointer)(int x))
{
	if (!thing) {
		struct thing *work = thing;
		return work->n;
	}
	return work(1);
}
int in_a_variable(int (*work)(int x)) { return work(1); }
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
    "include/linux/heads.h": """
#ifdef CONFIG_WRAPPED
#define DEFINE_HEAD(name) static long inner_##name(int x); long outer_##name(int x) { return inner_##name(x); } \\
	static long inner_##name(int x)
#endif
#ifndef DEFINE_HEAD
#define DEFINE_HEAD(name) long plain_##name(int x)
#endif
""",
    "net/ipv4/heads.c": """
#include <linux/heads.h>
int worked(int x);
DEFINE_HEAD(body)
{
	return worked(x);
}
""",
    "net/ipv4/entries.c": """
#define DEFINE_ENTRY(name) __attribute__((__used__)) void name(int code)
#define DEFINE_LAST(name) DEFINE_ENTRY(name)
int worked(int x);
DEFINE_ENTRY(entry_first)
{
	worked(code);
}
DEFINE_LAST(entry_last)
{
	worked(code);
}
""",
    "net/ipv4/shadowed.c": """
#include <linux/shadow.h>
int worked(int x);
int shadowed(int x) { return pick(x); }
""",
    # Two subsystems with a macro of the same name, each in a header of its own, used in a source, in a header, and in a macro.
    "net/ipv4/left.h": """
#define insist(x) left_failed(x)
#define insist_twice(x) do { insist(x); insist(x); } while (0)
#include "left_inline.h"
""",
    "net/ipv4/left_inline.h": "static inline int left_inline(int x) { return insist(x); }\n",
    "net/ipv4/left.c": """
#include "left.h"
int left_failed(int x) { return x; }
int left(int x) { return insist(x) + left_inline(x); }
void left_twice(int x) { insist_twice(x); }
""",
    "net/ipv4/right.h": "#define insist(x) right_failed(x)\n",
    "net/ipv4/right.c": """
#include "right.h"
int right_failed(int x) { return x; }
int right(int x) { return insist(x); }
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


@pytest.mark.parametrize("caller", ["left", "left_inline", "left_twice"])
def test_what_another_subsystem_calls_a_macro_of_the_same_name_is_not_meant(twins: CallGraph, caller: str) -> None:
    assert {name for name, _, _ in called(twins, caller)} - {"left_inline"} == {"left_failed"}
    assert {name for name, _, _ in called(twins, "right")} == {"right_failed"}


def test_of_alternative_heads_of_a_body_the_first_names_it(twins: CallGraph) -> None:
    assert {name for name, _, _ in called(twins, "inner_body")} == {"worked"}
    assert not twins.find("plain_body")


@pytest.mark.parametrize("entry", ["entry_first", "entry_last"])
def test_a_macro_that_is_the_head_of_a_function_and_no_more_names_it(twins: CallGraph, entry: str) -> None:
    assert {name for name, _, _ in called(twins, entry)} == {"worked"}
    assert not twins.find("DEFINE_ENTRY")
    assert not twins.find("DEFINE_LAST")


def test_what_only_another_language_defines_does_not_hide_an_annotation(twins: CallGraph) -> None:
    assert not twins.store.query("SELECT * FROM fault")


def test_a_macro_that_made_nothing_is_asked_again(graph: CallGraph) -> None:
    assert {name for name, _, _ in called(graph, "calls_far_away")} == {"far_away"}


def test_a_variable_that_cannot_be_called_hides_no_function(graph: CallGraph) -> None:
    assert {name for name, _, _ in called(graph, "beside_another_block")} == {"work"}
    assert called(graph, "in_a_variable") == set()


CHOICES = {
    "include/linux/count.h": """
struct plain { int n; };
typedef struct locked { int n; } locked_t;
typedef struct shared { int n; } shared_t;
#define count_case(name) name##_t: count_##name
#define count(s) _Generic(*(s), struct plain: count_plain, count_case(locked), count_case(shared))(s)
#define made(a) _Generic((a), struct plain *: make_plain, void *: make_default, default: make_other)(a)
#define looked_at(a) _Generic((a), const struct plain *: look_const, struct plain *: look)(a)
static inline int count_plain(struct plain *p) { return p->n; }
static inline int count_locked(locked_t *p) { return p->n; }
static inline int count_shared(shared_t *p) { return p->n; }
static inline int make_plain(struct plain *p) { return 1; }
static inline int make_default(void *p) { return 2; }
static inline int make_other(int p) { return 3; }
static inline int look_const(const struct plain *p) { return 1; }
static inline int look(struct plain *p) { return 2; }
""",
    "net/ipv4/choices.c": """
#include <linux/count.h>
struct holder { locked_t inner; shared_t *other; };
static struct plain global;
static struct { int first; locked_t lock; } nameless;
int in_a_nameless(void) { return count(&nameless.lock); }
int a_global(void) { return count(&global); }
int a_member(struct holder *h) { return count(&h->inner); }
int a_pointer(struct holder *h) { return count(h->other); }
int an_address(void) { struct plain p; return made(&p); }
int a_null(void) { return made(NULL); }
int a_number(long x) { return made(x); }
int unqualified(struct plain *p) { return looked_at(p); }
int unknown(void) { return count(nobody_knows); }
""",
}


@pytest.fixture(scope="module")
def choices(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> CallGraph:
    return graph_of_files(CHOICES)


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("a_global", {"count_plain"}),
        ("a_member", {"count_locked"}),
        ("in_a_nameless", {"count_locked"}),
        ("a_pointer", {"count_shared"}),
        ("an_address", {"make_plain"}),
        ("a_null", {"make_default"}),
        ("a_number", {"make_other"}),
        ("unqualified", {"look"}),
        ("unknown", {"count_plain", "count_locked", "count_shared"}),
    ],
)
def test_a_choice_by_type_calls_what_the_type_chooses(choices: CallGraph, caller: str, expected: set[str]) -> None:
    (number,) = choices.find(caller)
    assert {edge.callee.name for edge in choices.callees(number)} == expected


PARTS = {
    "net/ipv4/Makefile": "ccflags-y += -I $(src)/lib\nobj-y += whole.o\nobj-$(CONFIG_OTHER) += other.o\n",
    "net/ipv4/whole.c": """
#include <linux/deep.h>
static int shared(int x) { return x; }
#ifdef CONFIG_PART
#include "part.c"
#endif
""",
    "net/ipv4/part.c": """
int in_part(int x) { return shared(x) + deep(x); }
""",
    "net/ipv4/other.c": """
#define QUIET
#include <linux/deep.h>
#include "near.h"
int in_other(int x) { return noisy(near(x)); }
#ifdef MODULE
int of_module(int x) { return near(x); }
#endif
""",
    "net/ipv4/lib/near.h": "static inline int near(int x) { return x; }\n",
    "include/linux/deep.h": """
static inline int deep(int x) { return x; }
static inline int loud(int x) { return x; }
static inline int silent(int x) { return x; }
#ifdef QUIET
#define noisy(x) silent(x)
#else
#define noisy(x) loud(x)
#endif
""",
    "net/ipv4/plain.c": """
#include <linux/deep.h>
int in_plain(int x) { return noisy(x); }
""",
}


@pytest.fixture(scope="module")
def parts(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> CallGraph:
    return graph_of_files(PARTS)


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("in_part", {"shared": "CONFIG_PART", "deep": "CONFIG_PART"}),
        ("in_other", {"silent": "CONFIG_OTHER", "near": "CONFIG_OTHER"}),
        ("of_module", {"near": "IS_MODULE(CONFIG_OTHER)"}),
        ("in_plain", {"loud": ""}),
    ],
)
def test_a_file_sees_what_its_build_shows_it(parts: CallGraph, caller: str, expected: dict[str, str]) -> None:
    """Of a part, what the file that includes it sees; the directories that a Makefile adds; no other file's macros."""
    (number,) = parts.find(caller)
    assert {edge.callee.name: edge.presence for edge in parts.callees(number)} == expected

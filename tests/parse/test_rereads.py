"""Headers that are read again with other macros: what a preprocessor would make of them is what is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kread.graph.callgraph import CallGraph

FILES = {
    "include/linux/tracepoint.h": """
#ifndef _POINT_H
#define _POINT_H
#define PARAMS(args...) args
#define ARGS(args...) args
#define DO_TRACE(name, args) do { ran(); went_##name(0, args); } while (0)
#define DECLARE_TRACE(name, proto, args) static inline void trace_##name(proto) { DO_TRACE(name, ARGS(args)); }
#define TRACE_EVENT(name, proto, args, assign) DECLARE_TRACE(name, PARAMS(proto), PARAMS(args))
static inline void ran(void) { }
struct probes { void (*record)(void *data, int one); void (*perf)(void *data, int one); };
#endif
""",
    "include/linux/ring.h": """
#ifndef _RING_H
#define _RING_H
extern void *reserve(int size);
static inline void commit(void *entry) { }
#endif
""",
    "include/trace/define_trace.h": """
#ifdef CREATE_TRACE_POINTS
#undef CREATE_TRACE_POINTS
#undef TRACE_EVENT
#define TRACE_EVENT(name, proto, args, assign) int went_##name(void *data, proto) { return 0; }
#define TRACE_AGAIN
#include TRACE_INCLUDE(TRACE_INCLUDE_FILE)
#include <trace/record.h>
#undef TRACE_EVENT
#endif
""",
    "include/trace/record.h": """
#include <linux/ring.h>
#include "stages/copy.h"
#undef TRACE_EVENT
#define TRACE_EVENT(name, proto, args, assign) \\
	static void record_##name(void *data, proto) { void *entry = reserve(1); { assign; } commit(entry); }
#include TRACE_INCLUDE(TRACE_INCLUDE_FILE)
#ifdef CONFIG_PERF
#undef COPY
#define COPY(x) in_perf(x)
#undef TRACE_EVENT
#define TRACE_EVENT(name, proto, args, assign) static void perf_##name(void *data, proto) { assign; }
#include TRACE_INCLUDE(TRACE_INCLUDE_FILE)
#define PERF_INIT(name) .perf = perf_##name,
#else
#define PERF_INIT(name)
#endif
#undef TRACE_EVENT
#define TRACE_EVENT(name, proto, args, assign) \
	static struct probes probes_##name = { .record = record_##name, PERF_INIT(name) };
#include TRACE_INCLUDE(TRACE_INCLUDE_FILE)
""",
    # What one of these headers guards is a part of it: the rest is read each time.
    "include/trace/stages/copy.h": """
#ifndef _COPY_HELPER_H
#define _COPY_HELPER_H
static inline int helper(int x) { return x; }
#endif /* _COPY_HELPER_H */
#undef COPY
#define COPY(x) in_record(helper(x))
""",
    "net/ipv4/trace.h": """
#if !defined(_TRACE_NET_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_NET_H
#include <linux/tracepoint.h>
static inline int measure(int x) { return x; }
static inline void in_record(int x) { }
static inline void in_perf(int x) { }
TRACE_EVENT(sent,
	PARAMS(int one, int two),
	ARGS(one, two),
	ARGS(COPY(measure(one)))
);
#define LOSS_EVENT(name) TRACE_EVENT(name, PARAMS(int one), ARGS(one), ARGS(COPY(one)))
LOSS_EVENT(lost);
#endif
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
""",
    "include/trace/events/shared.h": """
#if !defined(_TRACE_SHARED_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_SHARED_H
#include <linux/tracepoint.h>
TRACE_EVENT(shared, PARAMS(int one), ARGS(one), ARGS(COPY(one)));
#endif
#include <trace/define_trace.h>
""",
    "net/ipv4/use.c": """
#define CREATE_TRACE_POINTS
#include <trace/events/shared.h>
#include "trace.h"
void send(void) { trace_sent(1, 2); }
""",
}


@pytest.fixture(scope="module")
def graph(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> CallGraph:
    return graph_of_files(FILES)


@pytest.mark.parametrize(
    ("caller", "callees", "presence"),
    [
        ("send", {"trace_sent"}, ""),
        ("trace_sent", {"ran", "went_sent"}, ""),
        ("went_sent", set(), ""),
        ("record_sent", {"reserve", "in_record", "helper", "measure", "commit"}, ""),
        ("perf_sent", {"in_perf", "measure"}, "CONFIG_PERF"),
        # The header's own macro makes this event.
        ("trace_lost", {"ran", "went_lost"}, ""),
        ("went_lost", set(), ""),
        ("record_lost", {"reserve", "in_record", "helper", "commit"}, ""),
        ("perf_lost", {"in_perf"}, "CONFIG_PERF"),
    ],
)
def test_each_reading_makes_its_functions(graph: CallGraph, caller: str, callees: set[str], presence: str) -> None:
    (number,) = graph.find(caller)
    assert {edge.callee.name for edge in graph.callees(number)} == callees
    assert graph.function(number).presence == presence
    if caller != "send":
        line = 14 if "lost" in caller else 8
        assert (graph.function(number).file, graph.function(number).line) == ("net/ipv4/trace.h", line)


def test_a_table_of_a_reading_has_what_its_macros_make(graph: CallGraph) -> None:
    slots = graph.store.query(
        "SELECT s.object, s.field, f.name, s.presence FROM slot s JOIN function f ON f.id = s.function ORDER BY 1, 2"
    )
    assert list(slots) == [
        row
        for event in ("lost", "sent")
        for row in (
            (f"probes_{event}", "perf", f"perf_{event}", "CONFIG_PERF"),
            (f"probes_{event}", "record", f"record_{event}", ""),
        )
    ]


def test_a_header_that_everybody_shares_is_not_read_again(graph: CallGraph) -> None:
    assert graph.find("trace_shared")
    assert not graph.find("record_shared")

"""Large scopes: cut into regions, linked one by one, and what crosses from one to another."""

from __future__ import annotations

from pathlib import Path

import pytest

from kread.facts import Edge
from kread.graph import build as building
from kread.graph.callgraph import CallGraph
from kread.paths.find import Finder, Request
from kread.resolve import regional
from kread.resolve.pointers import MOST_BY_TYPE
from kread.resolve.regions import cut, regions
from kread.source.progress import Silent
from kread.source.tree import open_tree

HEADER = """
struct device;
struct ops { int (*start)(struct device *dev); int (*stop)(struct device *dev); };
struct device { const struct ops *ops; int users; };
int core_start(struct device *dev);
int core_stop(struct device *dev);
static inline int core_restart(struct device *dev)
{
	core_stop(dev);
	return dev->ops->start(dev);
}
"""

CORE = """
#include <linux/device.h>

int core_start(struct device *dev)
{
	return dev->ops->start(dev);
}

int core_stop(struct device *dev)
{
	return dev->ops->stop(dev);
}

static int ring_default(int value)
{
	return value;
}

struct static_call_key __SCK__ring = {
	.func = ring_default,
};
"""

#: Its own table is proved for its own call; nothing of it leaves the directory but by the core's calls.
DRIVER = """
#include <linux/device.h>

struct own_{name} {{ int (*step)(int value); }};
static int step_{name}(int value)
{{
	return value;
}}
static const struct own_{name} steps_{name} = {{ .step = step_{name} }};

static int start_{name}(struct device *dev)
{{
	const struct own_{name} *own = &steps_{name};

	return own->step(dev->users);
}}
static int stop_{name}(struct device *dev)
{{
	return core_restart(dev);
}}
static const struct ops ops_{name} = {{ .start = start_{name}, .stop = stop_{name} }};

int probe_{name}(struct device *dev)
{{
	dev->ops = &ops_{name};
	return core_start(dev);
}}

int ring_{name}(int value)
{{
	return __SCT__ring(value);
}}
"""


TIMER_HEADER = "struct timer_list { void (*function)(struct timer_list *timer); };\n"

#: Timers that run in the core and are started elsewhere.
TIMERS = """
#include <linux/timer.h>

static void late_{name}(struct timer_list *timer)
{{
}}
void begin_{name}(struct timer_list *timer)
{{
	timer_setup(timer, late_{name}, 0);
}}
"""

RUNNER = """
static void call_timer_fn(struct timer_list *timer, void (*fn)(struct timer_list *timer))
{
	fn(timer);
}
void run(struct timer_list *timer)
{
	call_timer_fn(timer, timer->function);
}
"""


def make(root: Path, drivers: int) -> Path:
    """A tree with a core and so many drivers, two in each directory."""
    (root / "include/linux").mkdir(parents=True)
    (root / "net").mkdir()
    (root / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 9\nEXTRAVERSION =\n")
    (root / "include/linux/device.h").write_text(HEADER)
    sources = {"drivers/core/core.c": CORE}
    for number in range(drivers):
        sources[f"drivers/d{number // 2:02}/driver_{number}.c"] = DRIVER.format(name=number)
    for file, text in sources.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KREAD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def linked(root: Path, most: int) -> CallGraph:
    """The graph of a tree's drivers, linked with so many sources at a time."""
    tree = open_tree(root)
    target = building.build(tree, ["drivers"], Silent(), most)
    kept = target.with_name(f"{most}.sqlite")
    target.rename(kept)
    return CallGraph(kept)


def calls(graph: CallGraph, caller: str) -> dict[str, Edge]:
    """callee -> the edge from a function."""
    return {edge.callee.name: edge for number in graph.find(caller) for edge in graph.callees(number)}


def test_a_directory_with_few_sources_is_not_cut() -> None:
    sources = [f"a/{n}.c" for n in range(4)] + ["b/x/1.c", "b/x/2.c", "b/y/1.c", "b/1.c", "c.c"]
    assert cut(sources, 100) == [sorted(sources)]
    assert cut(sources, 4) == [[f"a/{n}.c" for n in range(4)], ["b/1.c", "b/x/1.c", "b/x/2.c", "b/y/1.c"], ["c.c"]]
    assert cut(sources, 3) == [
        ["a/0.c", "a/1.c", "a/2.c"],
        ["a/3.c"],
        ["b/1.c", "b/x/1.c", "b/x/2.c"],
        ["b/y/1.c"],
        ["c.c"],
    ]


def test_what_several_regions_include_belongs_to_the_first() -> None:
    included = {"a/1.c": {"h.h"}, "b/1.c": {"h.h", "i.h"}}
    found = regions(["a/1.c", "b/1.c"], lambda files: set().union(*(included[file] for file in files)), 1)
    assert [region.files for region in found] == [("a/1.c", "h.h"), ("b/1.c", "h.h", "i.h")]
    assert [sorted(region.own) for region in found] == [["a/1.c", "h.h"], ["b/1.c", "i.h"]]


def test_calls_by_name_are_the_same_however_a_scope_is_linked(tmp_path: Path, home: Path) -> None:
    root = make(tmp_path / "tree", 6)
    rows = [
        [row for row in linked(root, most).edge_rows() if row[6] in ("direct", "macro", "cleanup")] for most in (100, 2)
    ]
    assert len(rows[0]) == 6 + 6 + 1
    assert rows[0] == rows[1]


def test_what_stays_within_a_region_is_proved_there(tmp_path: Path, home: Path) -> None:
    root = make(tmp_path / "tree", 6)
    whole, parts = (calls(linked(root, most), "start_3") for most in (100, 2))
    assert whole == parts
    assert parts["step_3"].grade == "object"


def test_a_static_call_leads_to_what_another_region_says(tmp_path: Path, home: Path) -> None:
    root = make(tmp_path / "tree", 6)
    whole, parts = (calls(linked(root, most), "ring_3") for most in (100, 2))
    assert whole == parts
    assert parts["ring_default"].kind == "static_call"
    assert parts["ring_default"].evidence[-1].file == "drivers/core/core.c"


def test_what_crosses_regions_goes_by_type_with_its_table_as_evidence(tmp_path: Path, home: Path) -> None:
    root = make(tmp_path / "tree", 6)
    whole, parts = (calls(linked(root, most), "core_start") for most in (100, 2))
    assert set(whole) == set(parts) == {f"start_{number}" for number in range(6)}
    assert {(edge.grade, edge.kind, edge.candidates, edge.slot) for edge in parts.values()} == {
        ("type", "ops_table", 6, "ops.start")
    }
    edge = parts["start_4"]
    assert edge.table == "ops_4"
    last = edge.evidence[-1]
    lines = (root / last.file).read_text().splitlines()
    assert (last.role, last.file) == ("slot", "drivers/d02/driver_4.c")
    assert ".start = start_4" in lines[last.line - 1]


def test_a_header_asks_in_every_region_that_includes_it(tmp_path: Path, home: Path) -> None:
    graph = linked(make(tmp_path / "tree", 6), 2)
    found = calls(graph, "core_restart")
    assert set(found) == {"core_stop"} | {f"start_{number}" for number in range(6)}
    assert {edge.site.line for edge in found.values() if edge.slot} == {10}


def test_many_functions_stand_behind_one_edge_to_their_slot(tmp_path: Path, home: Path) -> None:
    drivers = MOST_BY_TYPE + 2
    graph = linked(make(tmp_path / "tree", drivers), 2)
    assert list(calls(graph, "core_start")) == ["ops.start"]
    slot = calls(graph, "core_start")["ops.start"]
    assert (slot.grade, slot.candidates, slot.callee.file) == ("type", drivers, "include/linux/device.h")
    assert "int (*start)" in HEADER.splitlines()[slot.callee.line - 1]
    callers = {edge.caller.name: edge for edge in graph.callers(graph.find("start_7")[0])}
    assert set(callers) == {"core_start", "core_restart"}
    assert (callers["core_start"].table, callers["core_start"].grade) == ("ops_7", "type")
    assert callers["core_start"].evidence[-1].text == "ops_7.start = start_7"
    assert graph.callers(graph.find("step_7")[0])[0].grade == "object"


def test_a_path_goes_through_a_slot_with_many_functions(tmp_path: Path, home: Path) -> None:
    graph = linked(make(tmp_path / "tree", MOST_BY_TYPE + 2), 2)
    trail = Finder(graph).answer(Request("probe_3", "step_9")).trails[0]
    assert [step.function.name for step in trail.steps] == ["probe_3", "core_start", "start_9", "step_9"]
    edge = trail.steps[1].edge
    assert edge is not None
    assert (edge.candidates, edge.table) == (MOST_BY_TYPE + 2, "ops_9")
    assert not Finder(graph).answer(Request("probe_3", "step_9", grades=("certain", "object"))).trails


def test_regions_that_are_linked_are_not_linked_again(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path / "tree", 6)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(building, "write_graph", stopped)
        with pytest.raises(KeyboardInterrupt):
            building.build(open_tree(root), ["drivers"], Silent(), 2)
    parcels = sorted((home / "index").glob("*.regions/*/*.parcel"))
    assert len(parcels) == 4
    parcels[2].unlink()
    asked: list[int] = []
    link = regional.link_region
    monkeypatch.setattr(
        regional, "link_region", lambda shared, region: asked.append(region.number) or link(shared, region)
    )
    graph = linked(root, 2)
    assert asked == [2]
    assert len(calls(graph, "core_start")) == 6
    assert not list((home / "index").glob("*.regions"))


@pytest.mark.parametrize("timers", [4, MOST_BY_TYPE + 2])
def test_a_runner_runs_what_other_regions_register(tmp_path: Path, home: Path, timers: int) -> None:
    root = make(tmp_path / "tree", 4)
    (root / "include/linux/timer.h").write_text(TIMER_HEADER)
    sources = {"drivers/core/core.c": TIMERS.format(name="core") + RUNNER}
    for number in range(timers):
        sources |= {f"drivers/t{number:02}/{name}.c": TIMERS.format(name=f"{name}_{number}") for name in "ab"}
    for file, text in sources.items():
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(text)
    whole, parts = linked(root, 1000), linked(root, 2)
    for graph in (whole, parts):
        callers = {edge.caller.name: edge for edge in graph.callers(graph.find("late_a_1")[0])}
        assert set(callers) == {"begin_a_1", "call_timer_fn"}
        edge = callers["call_timer_fn"]
        assert (edge.kind, edge.context, edge.candidates) == ("callback", "softirq", 2 * timers + 1)
        assert "timer_setup(timer, late_a_1, 0)" in [line.text for line in edge.evidence]
    assert "late_core" in calls(parts, "call_timer_fn")

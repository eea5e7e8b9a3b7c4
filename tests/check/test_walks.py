"""The model's walks against the call graph."""

from __future__ import annotations

from kread.check.policy import policy_of
from kread.check.scenarios import bundled, play_all
from kread.check.walks import check_walks, entries
from kread.graph.callgraph import CallGraph
from kread.model.play import play


def test_every_walk_of_the_scenarios_is_one_of_the_graph(graph: CallGraph) -> None:
    found = check_walks(play_all(policy_of(graph)), graph)
    assert (found.broken, found.failed, found.unfired) == ((), (), ())
    assert found.steps == found.direct + found.left_out > 10_000
    assert found.passed


def test_a_function_that_nothing_calls_breaks_the_walk(graph: CallGraph) -> None:
    script = next(script for script in bundled() if script.name == "nobody-listens-so-rst")
    run = play(script, policy_of(graph))
    outcome = next(outcome for outcome in run.outcomes if "tcp_v4_send_reset" in outcome.functions)
    for step in run.steps:
        step.outcomes = [outcome.__class__(**_changed(outcome)) if each is outcome else each for each in step.outcomes]
    found = check_walks([run], graph)
    assert [each.function for each in found.broken] == ["inet_csk_listen_start"]
    assert not found.passed


def _changed(outcome: object) -> dict[str, object]:
    fields = {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}  # type: ignore[attr-defined]
    return fields | {"functions": (*fields["functions"], "inet_csk_listen_start")}


def test_no_walk_at_all_is_no_agreement(graph: CallGraph) -> None:
    assert not check_walks([], graph).passed


#: What is called above what was called before it, and why.
UPWARDS = {
    "__inet_lookup_skb": "goto lookup",
    "reqsk_queue_remove": "the head of a loop",
    "reuseport_migrate_sock": "in that loop",
    "tcp_in_window": "a call in its arguments stands on a later line and is made first",
    "tcp_listendrop": "goto exit, from below",
}


class _Sites:
    """The lines of a function from which another one is called, directly or through a few that no walk names."""

    def __init__(self, graph: CallGraph) -> None:
        self.graph = graph
        self.known: dict[tuple[str, str, bool], list[int]] = {}
        self.above: dict[str, set[int]] = {}

    def lines(self, caller: str, callee: str, *, far: bool) -> list[int]:
        key = (caller, callee, far)
        if key not in self.known:
            wanted = self.leading(callee) if far else set(self.graph.find(callee))
            self.known[key] = sorted(
                line
                for number in self.graph.find(caller)
                for target, line in self.graph.store.query("SELECT callee, line FROM edge WHERE caller = ?", [number])
                if target in wanted
            )
        return self.known[key]

    def leading(self, callee: str) -> set[int]:
        """The functions from which at most this many calls lead to one."""
        if callee not in self.above:
            found = front = set(self.graph.find(callee))
            for _ in range(4):
                rows = (self.graph.store.query("SELECT caller FROM edge WHERE callee = ?", [each]) for each in front)
                front = {row[0] for each in rows for row in each} - found
                found = found | front
            self.above[callee] = found
        return self.above[callee]


def _out_of_order(functions: tuple[str, ...], sites: _Sites) -> list[str]:
    """The functions of a walk that are called only above what was called before them, by whoever still runs."""
    running: list[tuple[str, int]] = []
    strange = []
    for name in functions:
        # Who calls it through others is asked only where nobody calls it himself.
        far = not any(sites.lines(caller, name, far=False) for caller, _ in running)
        for i in range(len(running) - 1, -1, -1):
            caller, reached = running[i]
            line = next((each for each in sites.lines(caller, name, far=far) if each >= reached), None)
            if line is not None:
                running[i:] = [(caller, line), (name, 0)]
                break
        else:
            strange += [name] if running else []
            running.append((name, 0))
    return strange


def test_a_walk_goes_down_the_source(graph: CallGraph) -> None:
    sites = _Sites(graph)
    walks = {
        outcome.functions
        for run in play_all(policy_of(graph))
        for outcome in run.outcomes
        # Where control enters a second time, another task or another CPU is at work in between.
        if not any(name in entries() for name in outcome.functions[1:])
    }
    assert len(walks) > 200
    assert {name for walk in walks for name in _out_of_order(walk, sites)} == set(UPWARDS)
    walk = next(walk for walk in walks if {"sk_acceptq_is_full", "inet_csk_reqsk_queue_is_full"} <= set(walk))
    i, j = walk.index("inet_csk_reqsk_queue_is_full"), walk.index("sk_acceptq_is_full")
    swapped = (*walk[:i], walk[j], *walk[i:j], *walk[j + 1 :])
    assert "inet_csk_reqsk_queue_is_full" in _out_of_order(swapped, sites)

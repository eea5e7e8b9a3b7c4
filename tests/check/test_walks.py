"""The model's walks against the call graph."""

from __future__ import annotations

from kread.check.policy import policy_of
from kread.check.scenarios import bundled, play_all
from kread.check.walks import check_walks
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

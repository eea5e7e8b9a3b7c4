"""The bundled scenarios: each holds under each policy, together they fire every rule and go every transition."""

from __future__ import annotations

import time
from importlib.resources import files

import pytest

from kread.data import load
from kread.model import RULES
from kread.model.play import Run, play
from kread.model.policy import Policy, policies
from kread.model.script import Script, parse
from kread.model.story import TRANSITIONS, rows, sequence, sequence_diagram, state_diagram, transitions

POLICIES = policies(load("policies"))
SCRIPTS = {
    file.name.removesuffix(".scn"): file.read_text(encoding="utf-8")
    for file in sorted((files("kread.data") / "scenarios").iterdir(), key=lambda each: each.name)
}
#: What all scenarios may take under one policy; measured 0.3 s on an idle core.
SECONDS = 2.0


def _runs() -> list[Run]:
    return [play(parse(text, name), policy) for name, text in SCRIPTS.items() for policy in POLICIES.values()]


@pytest.mark.parametrize("release", POLICIES)
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_claim_holds(name: str, release: str) -> None:
    run = play(parse(SCRIPTS[name], name), POLICIES[release])
    assert run.passed, "\n".join(str(failure) for failure in run.failures)
    assert run.skipped or run.checks, "a scenario that expects nothing claims nothing"


def test_every_rule_is_fired_by_some_scenario() -> None:
    fired = {rule for run in _runs() for rule in run.rules}
    assert fired == set(RULES), f"never fired: {sorted(set(RULES) - fired)}; unknown: {sorted(fired - set(RULES))}"


@pytest.mark.parametrize("release", POLICIES)
def test_every_rule_that_a_release_has_is_fired_there_and_no_other(release: str) -> None:
    policy = POLICIES[release]
    fired = {rule for name, text in SCRIPTS.items() for rule in play(parse(text, name), policy).rules}
    assert fired == {rule.id for rule in RULES.values() if rule.exists(policy)}


def test_the_table_of_transitions_is_what_happens_both_ways() -> None:
    gone = set()
    for run in _runs():
        for outcome in run.outcomes:
            told = transitions(outcome)
            gone |= set(told)
            untold = [
                move for move in outcome.moves if (move.before, move.after) not in {(row[0], row[2]) for row in told}
            ]
            assert not untold or outcome.event == "TIME_WAIT over", f"{run.script.name}: {untold} by {outcome.rules}"
    assert gone == set(TRANSITIONS)


def test_every_rule_names_its_function_and_section() -> None:
    for rule in RULES.values():
        assert rule.function.isidentifier()
        assert rule.section.isdigit() or rule.section.split(":")[0].isdigit()
        assert len(rule.gloss) > 10, rule.id


def test_all_scenarios_are_quick() -> None:
    scripts = [parse(text, name) for name, text in SCRIPTS.items()]
    best = min(_timed(scripts, POLICIES["6.12"]) for _ in range(3))
    assert best < SECONDS


def _timed(scripts: list[Script], policy: Policy) -> float:
    start = time.process_time()
    for script in scripts:
        play(script, policy)
    return time.process_time() - start


def test_a_run_that_goes_wrong_says_where() -> None:
    run = play(
        parse("listen(1)\nSYN from=a\n-> RST\nqueues Q=5\ncounters ListenDrops+1\npeer a none"), POLICIES["6.12"]
    )
    assert [failure.line for failure in run.failures] == [3, 4, 5, 6]
    assert run.failures[0].found.startswith("SYN-ACK seq=")
    assert run.failures[1].found == "Q=1 Y=1 A=0 B=1"
    assert run.failures[2].found == "none"
    assert "state=NEW_SYN_RECV" in run.failures[3].found


def test_the_story_has_a_row_for_each_outcome_with_the_peers_names() -> None:
    run = play(parse("listen(1)\nSYN from=a\naccept(L) by=t\nACK from=a"), POLICIES["6.12"])
    told = rows(run)
    assert len(told) == len(run.outcomes)
    assert [row.event for row in told][3] == "SYN seq=1000 from a"
    assert told[-1].results == ("accept = a (ESTABLISHED)",)
    assert [rule.function for rule in told[3].rules][-1] == "inet_csk_reqsk_queue_hash_add"


def test_the_diagrams_name_who_speaks_and_what_decided() -> None:
    run = play(parse("listen(1)\nSYN from=a\nACK from=a\naccept(L)"), POLICIES["6.12"])
    drawn = sequence_diagram(sequence(run))
    assert drawn.startswith("sequenceDiagram\n    participant a\n    participant kernel\n    participant app\n")
    assert "    a->>kernel: SYN seq=1000\n" in drawn
    assert "    kernel-->>a: SYN-ACK" in drawn
    assert "    kernel-->>app: accept = a (ESTABLISHED)\n" in drawn
    assert state_diagram(run) == (
        "stateDiagram-v2\n"
        "    [*] --> NEW_SYN_RECV : 4.8 inet_csk_reqsk_queue_hash_add\n"
        "    NEW_SYN_RECV --> ESTABLISHED : R6.10 tcp_check_req\n"
    )
    assert state_diagram().count("-->") == len(TRANSITIONS)


def test_a_long_sequence_diagram_is_cut_and_says_so() -> None:
    drawn = sequence_diagram(sequence(play(parse("listen(99)\n90 x SYN"), POLICIES["6.12"])))
    assert "lines more are left out" in drawn.splitlines()[-1]

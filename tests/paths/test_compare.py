"""A path in two releases: made-up changes whose answer is known, and real ones that must stand in the trees as they are told."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "render"))

import samples

from kread.facts import Guard, Held, Step, Trail
from kread.graph.callgraph import CallGraph
from kread.paths.answer import Answer
from kread.paths.compare import Comparison, compare
from kread.paths.find import Finder, Request

FIRST = samples.FIRST


def answer(*trails: Trail) -> Answer:
    return replace(samples.ANSWER, trails=trails)


def with_step(place: int, step: Step) -> Trail:
    return replace(FIRST, steps=(*FIRST.steps[:place], step, *FIRST.steps[place + 1 :]))


def test_an_answer_is_as_it_is() -> None:
    found = compare(samples.ANSWER, samples.ANSWER, 4)
    assert [family.same for family in found.families] == [True, True]


def test_lines_order_and_exits_are_no_differences() -> None:
    step = FIRST.steps[3]
    told = [
        replace(guard, line=guard.line + 7, text=text, exit="return -1")
        for guard, text in zip(
            step.guards,
            [
                "!is_new && (thing_queue_is_full(sk) || cookies == 2) && !thing_flood_action(sk, skb, request_operations)",
                "thing_is_full(sk)",
                "!want_cookie && !fast",
                "i < THING_TRIES",
            ],
            strict=True,
        )
    ]
    (family,) = compare(answer(FIRST), answer(with_step(3, replace(step, guards=tuple(told[::-1])))), 4).families
    assert family.same


def test_conditions_and_locks_that_came_and_went() -> None:
    step = FIRST.steps[1]
    other = replace(step, guards=(*step.guards[:2], Guard(1911, "th->last", False)), held=step.held[:1])
    (family,) = compare(answer(FIRST), answer(with_step(1, other)), 4).families
    (change,) = [one for one in family.steps if not one.same]
    assert [str(guard) for guard in change.gone] == ["if th->first"]
    assert [str(guard) for guard in change.come] == ["not th->last"]
    assert (change.kept, change.let_go, change.taken) == (2, (Held(1919, "local_bh_disable"),), ())


def test_a_condition_that_must_be_otherwise_is_another() -> None:
    step = FIRST.steps[0]
    turned = replace(step, guards=(replace(step.guards[0], holds=False),))
    (family,) = compare(answer(FIRST), answer(with_step(0, turned)), 4).families
    assert (len(family.steps[0].gone), len(family.steps[0].come)) == (1, 1)


def test_functions_that_came_went_and_moved() -> None:
    shorter = replace(FIRST, steps=(FIRST.steps[0], *FIRST.steps[2:]))
    (family,) = compare(answer(FIRST), answer(shorter), 4).families
    assert [one.name for one in family.steps if one.after is None] == ["thing_dispatch"]
    (family,) = compare(answer(shorter), answer(FIRST), 4).families
    assert [one.name for one in family.steps if one.before is None] == ["thing_dispatch"]
    moved = replace(FIRST.steps[0], function=replace(FIRST.steps[0].function, file="net/thing/moved.c"))
    (family,) = compare(answer(FIRST), answer(with_step(0, moved)), 4).families
    assert [one.name for one in family.steps if one.moved] == ["thing_receive"]


def test_another_table_is_another_call() -> None:
    step = FIRST.steps[1]
    assert step.edge is not None
    (family,) = compare(
        answer(FIRST), answer(with_step(1, replace(step, edge=replace(step.edge, table="thing7_ops")))), 4
    ).families
    assert [one.name for one in family.steps if one.other_call] == ["thing_dispatch"]


def test_families_are_paired_by_name_then_by_what_they_pass() -> None:
    renamed = replace(FIRST, family="A first packet, told anew")
    found = compare(answer(samples.SECOND, FIRST), answer(renamed, samples.SECOND), 4)
    assert [(one.before and one.before.family, one.after and one.after.family) for one in found.families] == [
        (FIRST.family, renamed.family),
        (samples.SECOND.family, samples.SECOND.family),
    ]
    found = compare(answer(FIRST), answer(samples.SECOND), 4)
    assert [(one.before, one.after) for one in found.families] == [(None, samples.SECOND), (FIRST, None)]


def test_a_family_finds_its_partner_beyond_those_that_are_told() -> None:
    found = compare(answer(samples.SECOND, FIRST), answer(FIRST), 1)
    assert [(one.before, one.after) for one in found.families] == [(FIRST, FIRST), (samples.SECOND, None)]


@pytest.fixture(scope="module")
def real(graph_of: Callable[[str], CallGraph]) -> Comparison:
    request = Request("tcp_v4_rcv", "inet_ehash_insert", families=8)
    before, after = (Finder(graph_of(release)).answer(request) for release in ("5.10", "6.12"))
    return compare(before, after, 4)


def test_each_condition_stands_in_the_tree_that_has_it(real: Comparison, tree: Callable[[str], Path]) -> None:
    """Every word of it in the function, and some of them on its lines: the conditions around an exit stand before it."""
    seen = 0
    for step in (step for family in real.families for step in family.steps):
        for release, one, guards in (("5.10", step.before, step.gone), ("6.12", step.after, step.come)):
            for guard in guards:
                assert one is not None
                lines = (tree(release) / one.function.file).read_text(errors="replace").splitlines()
                begin, end = one.function.line, one.function.end_line
                words, body, here = (
                    set(re.findall(r"\w+", text))
                    for text in (
                        guard.text,
                        " ".join(lines[begin:end]),
                        " ".join(lines[guard.line - 1 : guard.line + 3]),
                    )
                )
                assert words <= body, guard
                assert words & here, guard
                seen += 1
    assert seen > 10


def test_what_is_known_to_have_changed_since_5_10_is_told(real: Comparison) -> None:
    """By the kernel's history: the MD5 check of tcp_v4_rcv went into tcp_inbound_hash, and the request's timeout into itself."""
    first = real.families[0]
    assert first.before
    assert first.after
    (receive,) = [step for step in first.steps if step.name == "tcp_v4_rcv"]
    assert any("tcp_v4_inbound_md5_hash" in guard.text for guard in receive.gone)
    (request,) = [step for step in first.steps if step.name == "tcp_conn_request"]
    edges = [step.edge for step in (request.before, request.after) if step]
    assert ["tcp_timeout_init" in edge.written for edge in edges if edge] == [True, False]
    assert all(step.before and step.after for step in first.steps)

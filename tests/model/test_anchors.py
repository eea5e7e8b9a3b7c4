"""The model's anchors and policies, against real trees: what a rule says the source says must stand there."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from kernel_text import bodies, squeezed

import kread.model
from kread.data import load
from kread.model import RULES, Anchor
from kread.model.policy import Policy, Question, policies, questions

RELEASES = ("5.10", "6.1", "6.12", "7.2")
Tree = Callable[[str], Path]


def _called() -> set[str]:
    """Every function name that the model can record, read out of its own source."""
    names = set()
    for file in Path(kread.model.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "called":
                names |= {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
    return {name for name in names if isinstance(name, str)}


@pytest.mark.parametrize("release", RELEASES)
def test_every_guard_stands_in_its_function(tree: Tree, release: str) -> None:
    text = bodies(tree(release))
    policy = policies(load("policies"))[release]
    missing = [
        f"{rule.id} {guard.function}: {guard.condition}"
        for rule in RULES.values()
        if rule.exists(policy)
        for guard in rule.guards
        if guard.holds(policy) and not _stands(guard, text)
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("release", RELEASES)
def test_a_rule_that_does_not_exist_is_not_in_the_source(tree: Tree, release: str) -> None:
    text = bodies(tree(release))
    policy = policies(load("policies"))[release]
    found = [
        f"{rule.id} {guard.function}: {guard.condition}"
        for rule in RULES.values()
        for guard in rule.guards
        if guard.when and not all(policy.answer(field) == value for field, value in guard.when) and _stands(guard, text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("release", RELEASES)
def test_the_policies_are_what_the_trees_answer(tree: Tree, release: str) -> None:
    text = bodies(tree(release))
    document = load("policies")
    policy = policies(document)[release]
    answers = {question.field: _answer(question, text) for question in questions(document)}
    assert answers == {field: policy.answer(field) for field in answers}


@pytest.mark.parametrize("release", RELEASES)
def test_the_absent_functions_are_absent_and_the_others_present(tree: Tree, release: str) -> None:
    elsewhere = {"mod_timer", "mod_timer_pending", "prepare_to_wait_exclusive", "schedule_timeout", "finish_wait"}
    text = bodies(tree(release))
    policy = policies(load("policies"))[release]
    assert _called() - elsewhere - set(text) == policy.absent


def _stands(guard: Anchor, text: dict[str, str]) -> bool:
    body = text.get(guard.function, "").replace(" ", "")
    return any(squeezed(each) in body for each in guard.spellings)


def _answer(question: Question, text: dict[str, str]) -> object:
    if question.asks == "defines":
        return question.function in text
    body = text.get(question.function, "").replace(" ", "")
    wanted = [squeezed(each) for each in question.text]
    if question.asks == "mentions":
        # Here a head and what it guards are parted by nothing or by a brace, in kread.check by a semicolon.
        joined = str.maketrans("", "", ";{}")
        return (wanted[0].translate(joined) in body.translate(joined)) is not question.negated
    if question.asks == "order":
        places = [body.find(each) for each in wanted]
        return -1 not in places and places[0] < places[1]
    before, after = wanted
    rest = body[body.index(before) + len(before) :]
    return rest[: rest.index(after)]


def test_a_policy_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="no such field: colour"):
        policies({"release": {"x": {"colour": True}}})


def test_every_field_has_a_question() -> None:
    with pytest.raises(ValueError, match="no policy field 'colour'"):
        Policy("x").answer("colour")
    assert {question.field for question in questions(load("policies"))} == {
        field for field in Policy.__dataclass_fields__ if field not in ("name", "absent")
    }

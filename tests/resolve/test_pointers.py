"""Calls through pointers on annotated C: what a comment says a call can reach is what is found, no more and no less."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from kread.facts import GRADES, KINDS, Edge
from kread.index.scope import find_scope
from kread.index.units import read_scope
from kread.resolve.direct import Definitions
from kread.resolve.machine import Value
from kread.resolve.pointers import callback_edges, pointer_targets
from kread.resolve.program import Program
from kread.resolve.target import Target
from kread.resolve.values import Values
from kread.source.progress import Silent
from kread.source.tree import open_tree

FIXTURES = Path(__file__).parent.parent / "c"
_TARGETS = re.compile(r"/\* ->([\w ]*)\*/")
_DEFINE = re.compile(r"#define (\w+)")
_CALLBACK = re.compile(r"/\* => (\w+) (\w+) \*/")

#: fixture -> the kinds that its calls may have
POINTERS = {
    "ops_table": {"ops_table", "slot_assignment"},
    "slot_assignment": {"slot_assignment", "ops_table"},
    "owners": {"slot_assignment", "ops_table"},
    "replaced": {"ops_table", "slot_assignment"},
    "saved": {"ops_table", "slot_assignment"},
    "opened": {"ops_table", "slot_assignment"},
    "parameter": {"parameter", "ops_table"},
    "callback": {"callback"},
    "runners": {"callback"},
    "list": {"ops_table"},
    "endless": {"ops_table"},
    "cast": {"ops_table"},
    "plain": {"ops_table"},
    "elements": {"ops_table"},
}


class Found:
    """What the resolvers say of one fixture, by line."""

    def __init__(self, folder: Path, name: str) -> None:
        (folder / "include" / "linux").mkdir(parents=True)
        (folder / "net" / "core").mkdir(parents=True)
        (folder / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n")
        (folder / "include" / "linux" / "fixture.h").write_text((FIXTURES / "fixture.h").read_text())
        self.text = (FIXTURES / f"{name}.c").read_text()
        (folder / "net" / "core" / f"{name}.c").write_text(self.text)
        tree = open_tree(folder)
        indexed = read_scope(tree, find_scope(tree, ["net/core"]), folder / "facts.sqlite", Silent())
        program = Program(indexed.units, indexed.closures, {}, indexed.macros.field_aliases())
        definitions = Definitions(program)
        self.values = Values(program, indexed.macros.lookup)
        self.targets: dict[int, dict[str, Target]] = defaultdict(dict)
        self.reasons: dict[int, str] = {}
        for _, call, targets, reason in pointer_targets(program, definitions, indexed.macros.lookup):
            self.targets[call.line].update({target.function.name: target for target in targets})
            self.reasons[call.line] = reason
        self.callbacks: dict[int, list[Edge]] = defaultdict(list)
        for edge in callback_edges(program, definitions, indexed.macros.lookup):
            self.callbacks[edge.site.line].append(edge)

    def line(self, part: str) -> int:
        return next(number for number, line in enumerate(self.text.splitlines(), 1) if part in line)


@pytest.fixture
def found(tmp_path: Path, request: pytest.FixtureRequest) -> Found:
    return Found(tmp_path / "tree", request.param)


@pytest.mark.parametrize("found", POINTERS, indirect=True)
def test_each_call_reaches_what_its_comment_says(found: Found) -> None:
    expected = {
        number: set(match.group(1).split())
        for number, line in enumerate(found.text.splitlines(), 1)
        if (match := _TARGETS.search(line))
    }
    assert expected
    assert {line: set(targets) for line, targets in found.targets.items()} == expected


@pytest.mark.parametrize("found", POINTERS, indirect=True)
def test_each_target_is_proved_by_lines_of_the_file(found: Found, request: pytest.FixtureRequest) -> None:
    kinds = POINTERS[request.node.callspec.params["found"]]
    lines = found.text.splitlines()
    for number, targets in found.targets.items():
        if not targets:
            assert found.reasons[number]
        for name, target in targets.items():
            assert target.kind in kinds
            assert target.kind in KINDS
            assert target.grade in GRADES
            assert target.evidence, f"line {number}: {name}"
            assert any(name in line.text for line in target.evidence)
            for line in target.evidence:
                # The last word of what the evidence quotes stands on the line that it gives, or a macro there makes it.
                assert re.findall(r"\w+", line.text)[-1] in lines[line.line - 1] + _bodies(
                    found.text, lines[line.line - 1]
                )


def _bodies(text: str, line: str) -> str:
    """The definitions of the macros that a line uses."""
    return " ".join(row for row in text.splitlines() if (name := _DEFINE.match(row)) and name.group(1) in line)


@pytest.mark.parametrize("found", ["callback"], indirect=True)
def test_a_registration_leads_to_its_callback_in_its_context(found: Found) -> None:
    expected = {
        number: (match.group(1), match.group(2))
        for number, line in enumerate(found.text.splitlines(), 1)
        if (match := _CALLBACK.search(line))
    }
    assert expected
    assert {
        number: (edges[0].callee.name, edges[0].context) for number, edges in found.callbacks.items() if len(edges) == 1
    } == expected
    for number, edges in found.callbacks.items():
        assert edges[0].kind == "callback"
        assert edges[0].evidence[0].role == "register"
        assert edges[0].evidence[0].line == number


@pytest.mark.parametrize("found", ["callback"], indirect=True)
def test_the_place_that_runs_a_callback_leads_to_it(found: Found) -> None:
    target = found.targets[found.line("t->function(t)")]["expire"]
    assert (target.kind, target.context, target.slot) == ("callback", "softirq", "timer_list.function")
    registered = next(line for line in target.evidence if line.role == "register")
    assert registered.line == found.line("timer_setup(&sk->timer, expire, 0)")


@pytest.mark.parametrize("found", ["runners"], indirect=True)
def test_a_runner_runs_callbacks_in_its_own_context(found: Found) -> None:
    for call, name, context in (
        ("f(head);", "reclaim", "rcu"),
        ("work->func(work); /* -> resume */", "resume", "process"),
        ("worker->current_func(work)", "update", "process"),
        ("t->function(t)", "ta", "softirq"),
    ):
        target = found.targets[found.line(call)][name]
        assert (target.kind, target.context) == ("callback", context)


@pytest.mark.parametrize("found", ["ops_table"], indirect=True)
def test_a_table_is_proved_in_three_hops(found: Found) -> None:
    target = found.targets[found.line("return sk->sk_prot->init(sk)")]["one_init"]
    assert (target.kind, target.grade, target.slot, target.table) == ("ops_table", "object", "proto.init", "one")
    assert [line.role for line in target.evidence][-1] == "slot"
    assert "sk->sk_prot = prot" in {line.text for line in target.evidence}
    copied = found.targets[found.line("return sk->af_ops->xmit(sk)")]["own_xmit"]
    assert (copied.kind, copied.table) == ("slot_assignment", "copied")


@pytest.mark.parametrize("found", ["ops_table"], indirect=True)
def test_a_table_is_shown_before_a_copy_of_it(found: Found) -> None:
    target = found.targets[found.line("ops->check(sk)")]["plain_check"]
    assert target.table == "plain"
    assert "copy" not in {line.role for line in target.evidence}


@pytest.mark.parametrize("found", ["slot_assignment"], indirect=True)
def test_a_call_that_reaches_nothing_says_why(found: Found) -> None:
    assert "sock.never" in found.reasons[found.line("sk->never(sk)")]


@pytest.mark.parametrize("found", ["runners"], indirect=True)
def test_a_call_that_could_reach_too_many_says_how_many(found: Found) -> None:
    assert found.reasons[found.line("/* -> */")] == "any of 25 functions, of which only the type tells"


@pytest.mark.parametrize("found", ["cast"], indirect=True)
def test_a_pointer_to_a_record_holds_what_begins_like_it(found: Found) -> None:
    values = found.values
    at = next(each for each in values.program.by_name["back"])
    vertex = values.expression(values.types.term("anyone", at), at)
    values.solve()
    assert {value[1][2] for value in vertex.values} == {"full", "request", "holder"}


@pytest.mark.parametrize("found", ["plain"], indirect=True)
def test_objects_without_pointers_are_one_value_if_the_same_pointers_can_hold_them(found: Found) -> None:
    def value(name: str, *path: str) -> Value:
        return found.values.plain.value(("global", "net/core/plain.c", name), path)

    assert value("numbers") == value("text") == value("text", "[*]") == value("owner", "header", "type")
    assert value("count") == value("later", "count")
    assert value("header") == value("stamp") == value("stamp", "header")
    assert len({value("numbers"), value("header"), value("moment")}) == 3
    for name, path in (
        ("ops", ()),
        ("owner", ("header",)),
        ("later", ()),
        ("later", ("moment",)),
        ("pointer", ()),
        ("later", ("ops",)),
    ):
        assert value(name, *path) == ("object", ("global", "net/core/plain.c", name), path)

"""What `kread check` found, as text and as JSON (kread.check/1).

Theory of operation: a part is a title with its figure at the right edge, then what is not as it should be, in full,
then what was found. A part in which everything agrees takes a few lines; a drift shows the rule, what real releases have
there, and what stands in this one, with its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kread.check.drift import Branch, Drift, SourceCheck
from kread.check.walks import Walks
from kread.render.layout import Layout, Row
from kread.render.style import Style

SCHEMA = "kread.check/1"
#: Where the text begins beside "releases".
COLUMN = 10

_WHY = {
    "text": "reads as in no known release",
    "order": "stands in another order than in any known release",
    "missing": "is not there",
    "no function": "is decided in a function that is not there",
}


def laid(rows: Iterator[Row] | Sequence[Row], width: int, color: bool) -> str:
    """Rows as text."""
    layout = Layout(width, Style(color))
    return "".join(line + "\n" for row in rows for line in layout.lines(row))


def dump(kind: str, release: str, passed: bool, content: dict[str, Any]) -> str:
    """A part of the check as JSON."""
    head = {"schema": SCHEMA, "check": kind, "release": release, "agrees": passed}
    return json.dumps(head | content, indent=1, ensure_ascii=False)


def source_text(check: SourceCheck, *, every: bool = False, width: int = 80, color: bool = False) -> str:
    """The source against the model; `every` lists each anchor and each branch."""
    return laid(_source(check, every), width, color)


def _source(check: SourceCheck, every: bool) -> Iterator[Row]:
    total = len(check.found) + sum(1 for drift in check.drifts if drift.why != "order")
    yield Row("Source against model", role="title", place=f"Linux {check.release}")
    rules = len({found.rule.id for found in check.found})
    yield Row(
        f"anchors of {rules} rules that stand as in a real release", indent=2, place=f"{len(check.found)}/{total}"
    )
    mapped = len(check.branches) - len(check.unmapped)
    outside = sum(1 for branch in check.branches if branch.reason)
    functions = len({branch.function for branch in check.branches})
    yield Row(
        f"branches of {functions} functions, mapped to a rule or left out",
        indent=2,
        place=f"{mapped}/{len(check.branches)}",
    )
    yield Row("of them left out, each with its reason", indent=4, place=str(outside))
    if not check.found or not check.branches:
        yield Row("nothing was there to compare: that is no agreement", indent=2, role="unsure")
    for drift in check.drifts:
        yield from _drift(drift)
    for answer in check.unread:
        yield Row("")
        question = answer.question
        yield Row(f"No answer: {question.gloss}", role="unsure", place=answer.place)
        yield Row(f"asked of {question.function}: {' ... '.join(question.text)}", indent=2)
    if check.unmapped:
        yield Row("")
        yield Row("Branches that no rule speaks for", role="unsure")
        for branch in check.unmapped:
            yield from _branch(branch)
    yield Row("")
    yield Row("Readings found", role="family")
    for answer in check.reading.answers:
        seen = ", ".join(answer.releases) or "no known release"
        yield Row(answer.question.field, word=_value(answer.value), column=6, indent=2, place=f"as {seen}")
    if every:
        yield from _every(check)


def _value(value: object) -> str:
    """An answer in a word: yes, no, an operator."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "?" if value is None else str(value)


def _drift(drift: Drift) -> Iterator[Row]:
    yield Row("")
    yield Row(f"Drift: rule {drift.rule.id} {_WHY[drift.why]}", role="unsure", place=drift.place)
    yield Row(drift.rule.gloss, indent=2)
    yield Row(drift.function, word="in", column=COLUMN, indent=2)
    seen = f" ({', '.join(drift.seen)})" if drift.seen else ""
    yield Row(drift.expected + seen, word="releases", column=COLUMN, indent=2, word_role="if")
    yield Row(drift.found or "nothing like it", word="here", column=COLUMN, indent=2, word_role="not")


def _branch(branch: Branch) -> Iterator[Row]:
    yield Row(branch.statement.written, word=branch.function, indent=2, place=branch.statement.place, hang=2)


def _every(check: SourceCheck) -> Iterator[Row]:
    yield Row("")
    yield Row("Anchors", role="family")
    for found in check.found:
        for statement in found.statements:
            yield Row(statement.written, word=found.rule.id, column=14, indent=2, place=statement.place)
    yield Row("")
    yield Row("Branches without an anchor of their own", role="family")
    for branch in check.branches:
        if not branch.anchored:
            why = branch.reason or " ".join(branch.rules)
            yield Row(branch.statement.written, indent=2, place=branch.statement.place)
            yield Row(why, indent=4, role="note")


def source_json(check: SourceCheck) -> str:
    """The same for programs."""
    return dump(
        "source",
        check.release,
        check.passed,
        {
            "policy": {
                answer.question.field: {"value": answer.value, "place": answer.place, "releases": answer.releases}
                for answer in check.reading.answers
            },
            "anchors": [
                {
                    "rule": found.rule.id,
                    "function": found.anchor.function,
                    "places": [each.place for each in found.statements],
                    "texts": [each.text for each in found.statements],
                    "releases": found.seen,
                }
                for found in check.found
            ],
            "drifts": [
                {
                    "rule": drift.rule.id,
                    "function": drift.function,
                    "why": drift.why,
                    "expected": drift.expected,
                    "found": drift.found,
                    "place": drift.place,
                    "releases": drift.seen,
                }
                for drift in check.drifts
            ],
            "branches": [
                {
                    "function": branch.function,
                    "place": branch.statement.place,
                    "text": branch.statement.text,
                    "rules": branch.rules,
                    "reason": branch.reason,
                    "mapped": branch.mapped,
                }
                for branch in check.branches
            ],
        },
    )


def walks_text(walks: Walks, release: str, *, width: int = 80, color: bool = False) -> str:
    """The model's walks against the call graph."""
    return laid(_walks(walks, release), width, color)


def _walks(walks: Walks, release: str) -> Iterator[Row]:
    yield Row("Model against call graph", role="title", place=f"Linux {release}")
    played = walks.scenarios - walks.skipped
    yield Row("scenarios played, their expectations met", indent=2, place=f"{played - len(walks.failed)}/{played}")
    if walks.skipped:
        yield Row("scenarios that do not apply to this release", indent=2, place=str(walks.skipped))
    yield Row(
        "functions walked that a function before them calls",
        indent=2,
        place=f"{walks.direct + walks.left_out:,}/{walks.steps:,}",
    )
    if walks.through:
        names = ", ".join(f"{name} ({calls} calls)" for name, calls in walks.through)
        yield Row(f"{walks.left_out} of them through functions that the model leaves out: {names}", indent=4, hang=2)
    for broken in walks.broken:
        yield Row("")
        yield Row(f"Nothing calls {broken.function} after {' > '.join(broken.after)}", role="unsure")
        yield Row(f"scenario {broken.scenario}, line {broken.line}", indent=2)
    for name in walks.failed:
        yield Row(f"scenario {name} does not hold: kread model {name}", indent=2, role="unsure")
    if walks.unfired:
        yield Row(f"rules that no scenario fires: {', '.join(walks.unfired)}", indent=2, role="unsure")


def walks_json(walks: Walks, release: str) -> str:
    """The same for programs."""
    return dump(
        "walks",
        release,
        walks.passed,
        {
            "scenarios": walks.scenarios,
            "skipped": walks.skipped,
            "steps": walks.steps,
            "direct": walks.direct,
            "left_out": walks.left_out,
            "through": [{"function": name, "calls": calls} for name, calls in walks.through],
            "broken": [
                {"scenario": each.scenario, "line": each.line, "function": each.function, "after": each.after}
                for each in walks.broken
            ],
            "failed": walks.failed,
            "unfired": walks.unfired,
        },
    )

"""The model's scenarios as text and as JSON (kread.model/1): the list, the story of one, the figures of all.

Theory of operation: a story is a paragraph for each outcome: when and what happened, the rules that decided with
their functions, what was sent and returned, which counters moved, how long the queues are now. Expectations that were
not met stand at the end. JSON holds the same and, for programs, the functions walked and the moves between states.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from kread.model.events import Outcome, Segment
from kread.model.expect import attributes
from kread.model.play import Run
from kread.model.policy import FIELDS
from kread.model.rules import Rule
from kread.model.script import Script
from kread.model.socks import SECOND, state_name
from kread.model.story import Row, rows
from kread.render.layout import Layout
from kread.render.layout import Row as Line
from kread.render.style import Style

SCHEMA = "kread.model/1"
#: Where the text begins in a story; the longest word is "returns".
COLUMN = 8


def listing(scripts: Sequence[Script], *, width: int = 80, color: bool = False) -> str:
    """`kread model`: the scenarios with what their heads say."""
    return "".join(_listed(script, width, color) for script in scripts)


def _listed(script: Script, width: int, color: bool) -> str:
    text = script.name + "\n"
    return text + (_laid([Line(script.gloss, indent=4)], width, color) if script.gloss else "")


def listing_json(scripts: Sequence[Script]) -> str:
    """The same for programs."""
    return _dump({"scenarios": [{"name": script.name, "gloss": script.gloss} for script in scripts]})


def story(run: Run, *, width: int = 80, color: bool = False) -> str:
    """One scenario, told."""
    lines = [Line(run.script.name)]
    if run.script.gloss:
        lines.append(Line(run.script.gloss, indent=2))
    if run.skipped:
        return _laid([*lines, Line(f"does not apply to {run.policy.name}: {run.skipped}", indent=2)], width, color)
    for row in rows(run):
        lines += [Line(""), *_told(row)]
    lines += [Line(""), *_verdict(run)]
    return _laid(lines, width, color)


def _told(row: Row) -> list[Line]:
    lines = [Line(row.event, word=f"{row.time:g} s", column=COLUMN)]
    lines += [_line("rule", f"{rule.id} {rule.gloss}", rule.function) for rule in row.rules]
    lines += [_line("sent", each) for each in row.segments]
    lines += [_line("returns", each) for each in row.results]
    lines += [_line("logged", each) for each in row.messages]
    if row.counters:
        lines.append(_line("counts", " ".join(f"{name}+{n}" for name, n in row.counters.items())))
    if row.rules:
        lines += [_line("queues", f"{name}: {queues}") for name, queues in row.queues.items()]
    return lines


def _line(word: str, text: str, place: str = "") -> Line:
    return Line(text, indent=2, word=word, column=COLUMN, place=place)


def _verdict(run: Run) -> list[Line]:
    if run.passed:
        return [Line(f"{run.checks} expectations, all met, in {run.policy.name}")]
    lines = [Line(f"{len(run.failures)} of {run.checks} expectations not met in {run.policy.name}:")]
    for failure in run.failures:
        lines.append(Line(failure.text, indent=2, word=f"line {failure.line}", column=COLUMN + 2))
        lines.append(Line(failure.found, indent=2, word="found", column=COLUMN + 2))
    return lines


def figures(runs: Sequence[Run], *, width: int = 80, color: bool = False) -> str:
    """`kread model --all`: which scenarios hold in which release, those that do not in full."""
    lines = []
    for run in runs:
        if not run.passed:
            lines += [Line(run.script.name), *_verdict(run)]
    played = [run for run in runs if not run.skipped]
    failed = [run for run in played if not run.passed]
    names = ", ".join(dict.fromkeys(run.policy.name for run in runs))
    checks = sum(run.checks for run in played)
    where = f" in {names}" if names else ""
    total = f"{len(played) - len(failed)} of {len(played)} scenarios hold{where}; {checks} expectations"
    if len(runs) > len(played):
        total += f"; {len(runs) - len(played)} do not apply"
    return _laid([*lines, Line(total)], width, color)


def figures_json(runs: Sequence[Run]) -> str:
    """The same for programs."""
    return _dump(
        {
            "runs": [
                {
                    "scenario": run.script.name,
                    "release": run.policy.name,
                    "passed": run.passed,
                    "skipped": run.skipped,
                    "expectations": run.checks,
                    "failures": _failures(run),
                }
                for run in runs
            ]
        }
    )


def rules_text(rules: Iterable[Rule], *, width: int = 80, color: bool = False) -> str:
    """`kread model --rules`: every rule with its function and the conditions that the source has for it."""
    lines = []
    for rule in rules:
        lines.append(Line(rule.gloss, word=rule.id, column=16, place=rule.function))
        for guard in rule.guards:
            when = "".join(f" [{field}={value}]" for field, value in guard.when)
            lines.append(Line(guard.condition + when, indent=4, word="if", column=4, role="code", place=guard.function))
    return _laid(lines, width, color)


def rules_json(rules: Iterable[Rule]) -> str:
    """The same for programs."""
    return _dump(
        {
            "rules": [
                {
                    **_rule(rule),
                    "section": rule.section,
                    "guards": [
                        {"function": guard.function, "spellings": guard.spellings, "when": dict(guard.when)}
                        for guard in rule.guards
                    ],
                    "needs": dict(rule.needs),
                }
                for rule in rules
            ]
        }
    )


def story_json(run: Run) -> str:
    """One scenario for programs: each step with its outcomes, the state at the end, the counters in all."""
    host = run.host
    assert host is not None
    return _dump(
        {
            "scenario": run.script.name,
            "gloss": run.script.gloss,
            "release": run.policy.name,
            "policy": {field: run.policy.answer(field) for field in sorted(FIELDS)},
            "skipped": run.skipped,
            "passed": run.passed,
            "failures": _failures(run),
            "steps": [
                {
                    "line": step.line,
                    "text": step.text,
                    "refused": step.refused,
                    "outcomes": [_outcome(outcome, run) for outcome in step.outcomes],
                }
                for step in run.steps
            ],
            "counters": {name: n for name, n in sorted(host.counters.items()) if n},
            "queues": {name: _queues(queues) for name, queues in run.queues().items()},
            "connections": [
                {"peer": run.peers.name_of(entry.key), "state": state_name(entry)} | attributes(entry, host)
                for entry in host.entries()
                if entry.key is not None
            ],
            "functions": [name for outcome in run.outcomes for name in outcome.functions],
        }
    )


def _failures(run: Run) -> list[dict[str, Any]]:
    return [{"line": each.line, "expected": each.text, "found": each.found} for each in run.failures]


def _queues(queues: Any) -> dict[str, int]:
    return {field: getattr(queues, field) for field in ("B", "A", "Q", "Y", "T")}


def _rule(rule: Rule) -> dict[str, str]:
    return {"id": rule.id, "function": rule.function, "gloss": rule.gloss}


def _outcome(outcome: Outcome, run: Run) -> dict[str, Any]:
    return {
        "time": outcome.time / SECOND,
        "event": outcome.event,
        "segments": [_segment(segment, run) for segment in outcome.segments],
        "results": [
            {"call": each.call, "value": each.value, "state": each.state, "task": each.task} for each in outcome.results
        ],
        "counters": dict(outcome.counters),
        "queues": {name: _queues(queues) for name, queues in outcome.queues.items()},
        "rules": list(outcome.rules),
        "functions": list(outcome.functions),
        "messages": list(outcome.messages),
        "moves": [
            {"peer": run.peers.name_of(move.key), "before": move.before, "after": move.after} for move in outcome.moves
        ],
    }


def _segment(segment: Segment, run: Run) -> dict[str, Any]:
    return {
        "flags": str(segment.flags),
        "to": run.peers.name_of(segment.key),
        "address": f"{segment.key.saddr}:{segment.key.sport}",
        "seq": segment.seq,
        "ack": segment.ack,
        "data": segment.length,
        "fastopen": segment.fastopen,
    }


def _dump(answer: dict[str, Any]) -> str:
    return json.dumps({"schema": SCHEMA} | answer, indent=1) + "\n"


def _laid(lines: Iterable[Line], width: int, color: bool) -> str:
    layout = Layout(width, Style(color))
    return "".join(text + "\n" for line in lines for text in layout.lines(line))

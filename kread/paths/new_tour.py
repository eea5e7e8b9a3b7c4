"""A new tour file, written from a computed path: a beginning for somebody's own reading path.

Theory of operation: stops are made where the path can't be guessed: at its ends, and wherever control goes through a
table or a callback; a table's stop is written as a slot, so that it holds when the function behind it gets another
name. The hops between need no stops, they are computed on each release. The reasons are the conditions of the hop that
leads there: what the author then puts into words.
"""

from __future__ import annotations

from kread.facts import Step, Trail
from kread.paths.answer import Answer

#: More conditions than this in a reason hide the one that matters.
CONDITIONS = 3


def new_tour(answer: Answer, name: str) -> str:
    """The text of a tour file for the first family of an answer, which must have one."""
    trail = answer.trails[0]
    out = [
        f"# Written by kread tour --new from {answer.release}; the way:",
        *(f"#   {step.function.name}" for step in trail.steps),
        "",
        f"name = {_quoted(name)}",
        f"title = {_quoted(trail.family or f'{answer.caller} to {answer.callee}')}",
        f"goal = {_quoted(f'How control gets from {answer.caller} to {answer.callee}, and under which conditions.')}",
        "",
        "[[leg]]",
        f"title = {_quoted(f'{answer.caller} to {answer.callee}')}",
    ]
    for number, step in enumerate(trail.steps):
        before = trail.steps[number - 1] if number else None
        if before is None or number == trail.hops or (before.edge and before.edge.kind != "direct"):
            out += ["", "[[leg.stop]]", *_stop(answer, trail, number, step, before)]
    return "\n".join(out) + "\n"


def _stop(answer: Answer, trail: Trail, number: int, step: Step, before: Step | None) -> list[str]:
    if before is None or before.edge is None:
        return [f"at = {_quoted(answer.caller)}", 'reason = "The way begins here."']
    at, table = step.function.name, ""
    if number == trail.hops:
        at = answer.callee
    elif before.edge.slot and before.edge.table:
        at, table = before.edge.slot.removeprefix("struct "), before.edge.table
    rows = [f"at = {_quoted(at)}"]
    if table:
        rows.append(f"table = {_quoted(table)}")
    asked = [guard for guard in before.guards if guard.kind != "exit"][-CONDITIONS:]
    said = " and ".join(str(guard).removeprefix("if ") for guard in asked)
    why = f"Called by {before.function.name}" + (f" where {said}." if said else " in any case.")
    return [*rows, f"reason = {_quoted(why)}"]


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char >= " " else f"\\u{ord(char):04x}" for char in escaped) + '"'

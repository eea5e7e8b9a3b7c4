"""A reader of sources for the tests: made-up lines for the made-up functions of `samples`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kread.facts import Function, Step
from kread.paths.slices import SliceLine

LONG = "\t\ta_long_line_of_source_without_a_place_to_break(" + "argument->member->" * 8 + "end); /* <b> & */"


def body(function: Function) -> list[str]:
    """Forty lines: the signature, a line that is far too long, and calls."""
    head = f"static int {function.name}(struct thing *t, int (*f)(void))"
    return [head, "{", LONG, *[f'\tcall_{number}("text", {number});' for number in range(37)], "}"]


@dataclass(frozen=True)
class Reading:
    """Answers what a study asks."""

    comments: dict[str, str] = field(default_factory=dict)

    def lines(self, function: Function) -> Sequence[str]:
        return body(function)

    def slice(self, step: Step) -> Sequence[SliceLine]:
        signature = SliceLine(step.function.line, body(step.function)[0], "signature")
        guards = [SliceLine(guard.line, guard.text, "guard") for guard in step.guards]
        return [signature, SliceLine(0, "...", "elided"), *guards]

    def comment(self, function: Function) -> str:
        return self.comments.get(function.name, "")

    def exits(self, step: Step) -> Sequence[tuple[int, str, str]]:
        return [(step.function.line + 5, "goto out", "ThingOut")] if step.edge else []

    def reads(self, step: Step) -> Sequence[tuple[str, str, int]]:
        return [("struct thing", "state", step.function.line + 7)] if step.edge else []

    def changes(self, step: Step) -> Sequence[tuple[int, str]]:
        return [(step.function.line + 6, "t->state = THING_SEEN")] if step.edge else []

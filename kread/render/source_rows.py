"""The rows of one step with its source: the lines that matter, with `...` between, then the evidence.

Theory of operation: guards and calls are seen in the source itself, marked in the gutter, so they are not told a
second time; what the source of this function can't show (evidence, other candidates, locks that a callee took)
follows in words. Code keeps its shape: tabs become four blanks, and a line that is too wide goes on below, indented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kread.facts import Step
from kread.paths.slices import SliceLine
from kread.render import step_rows
from kread.render.layout import Row

TAB = 4


SourceLines = Callable[[Step], Sequence[SliceLine]]

#: role of a slice's line -> the mark beside it, as LEGEND says.
MARKS = {"guard": "?", "call": ">", "exit": "x", "held": "="}
LEGEND = "? a condition   x an early exit   = a lock or section taken   > the call"


def source_rows(step: Step, lines: Sequence[SliceLine], known: step_rows.Known = ()) -> Iterator[Row]:
    """The function's head, its slice, and how the call is known."""
    file = step.function.file
    yield step_rows.head(step)
    yield from step_rows.about(step, known)
    for line in lines:
        if not line.line:
            yield Row("...", indent=9, role="note")
            continue
        yield Row(
            line.text.expandtabs(TAB),
            word=f"{line.line:>6} {MARKS.get(line.role, ' ')}",
            column=9,
            role="code",
            word_role="mark" if line.role in MARKS else "note",
            file=file,
            line=line.line,
        )
    if step.held:
        yield step_rows.held_row(step.held, file)
    if step.edge:
        yield from step_rows.proof(step, step.edge, known)

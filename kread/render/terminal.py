"""An answer as text: families in full, one under the other, at the width of the terminal.

Theory of operation: the first family is told whole. A later one that begins or ends like an earlier one names those
functions on one line ("as in 1: a > b > c") and tells in full only where it differs, which is what the reader
compares. The last lines say what was left out and how to steer. The same Answer gives the same bytes; colour and
hyperlinks are put on by Layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from kread.facts import Step, Trail
from kread.paths.answer import Answer
from kread.presence import conjuncts
from kread.render import step_rows, words
from kread.render.handover import crossing_rows
from kread.render.layout import Layout, Row
from kread.render.style import Style

if TYPE_CHECKING:
    from kread.render.links import LinkMaker
    from kread.render.source_rows import SourceLines

#: A tail of fewer functions than this is shorter told than referred to.
TAIL_WORTH_NAMING = 3

STEER = "Steer with --via, --avoid, --assume; see the source with --source."


def path_text(
    answer: Answer,
    *,
    width: int = 80,
    color: bool = False,
    links: LinkMaker | None = None,
    source: SourceLines | None = None,
) -> str:
    """The answer as text that ends with a line feed; no line is wider than `width`."""
    layout = Layout(width, Style(color), links)
    out: list[str] = []

    def add(found: Iterable[Row]) -> None:
        for row in found:
            out.extend(layout.lines(row))

    known = words.common_needs(step.function.presence for trail in answer.trails for step in trail.steps)
    add(_header(answer, known))
    for number, trail in enumerate(answer.trails, 1):
        out.append("")
        add([_title(number, trail)])
        out.append("")
        add(_trail(trail, answer.trails[: number - 1], lambda step, more: _step(step, source, (*known, *more))))
    out.append("")
    if source is not None and answer.trails:
        from kread.render.source_rows import LEGEND

        add([Row(LEGEND, role="note")])
    add(_footer(answer))
    while out and not out[-1]:
        out.pop()
    return "\n".join(out) + "\n"


def _header(answer: Answer, known: step_rows.Known) -> Iterator[Row]:
    total = len(answer.trails) + len(answer.others)
    found = words.count(total, "family", "families") if total else "no path"
    yield Row(f"{answer.caller} > {answer.callee}", place=f"Linux {answer.release} · {found}", role="title")
    if known:
        yield Row(f"All of it needs {' && '.join(known)}.", role="note")
    for note in answer.notes:
        yield Row(note, indent=step_rows.INDENT, role="note")


def _title(number: int, trail: Trail) -> Row:
    return Row(
        trail.family or str(trail),
        word=str(number),
        column=3,
        place=words.hops(trail),
        role="family",
        word_role="family",
    )


def _step(step: Step, source: SourceLines | None, known: step_rows.Known) -> Iterable[Row]:
    if source is None:
        return step_rows.rows(step, known)
    from kread.render.source_rows import source_rows

    return source_rows(step, source(step), known)


def _trail(
    trail: Trail, earlier: Sequence[Trail], told: Callable[[Step, Iterable[str]], Iterable[Row]]
) -> Iterator[Row]:
    steps = trail.steps
    begin, like_begin = max(((_shared(steps, one.steps), -i) for i, one in enumerate(earlier)), default=(0, 0))
    rest = steps[begin:]
    end, like_end = max(((_shared(rest[::-1], one.steps[::-1]), -i) for i, one in enumerate(earlier)), default=(0, 0))
    if end < TAIL_WORTH_NAMING:
        end = 0
    if begin:
        yield _as_in(1 - like_begin, steps[: begin + 1])
    for place, step in enumerate(rest[: len(rest) - end], begin):
        yield from told(step, _needed(steps[:place]))
    if end:
        yield _as_in(1 - like_end, rest[len(rest) - end :])


def _needed(steps: Sequence[Step]) -> Iterator[str]:
    """What these steps need: all of it holds for those that follow."""
    for step in steps:
        yield from conjuncts(step.function.presence)
        if step.edge:
            yield from conjuncts(step.edge.presence)


def _as_in(number: int, steps: Sequence[Step]) -> Row:
    return Row(
        " > ".join(step.function.name for step in steps),
        word=f"as in {number}",
        column=9,
        role="note",
        word_role="note",
    )


def _shared(steps: Sequence[Step], others: Sequence[Step]) -> int:
    number = 0
    for step, other in zip(steps, others, strict=False):
        if step != other:
            break
        number += 1
    return number


def _footer(answer: Answer) -> Iterator[Row]:
    if not answer.trails:
        yield Row(f"No path from {answer.caller} to {answer.callee} in Linux {answer.release}.")
        for crossing in answer.crossings:
            yield from crossing_rows(crossing)
        yield from _left_out(answer)
        yield Row(f"See who calls it: kread callers {answer.callee}", role="note")
        return
    for number, trail in enumerate(answer.others):
        word = "Others:" if number == 0 else ""
        yield Row(trail.family or str(trail), word=word, column=8, place=words.count(trail.hops, "call"))
    yield from _left_out(answer)
    yield Row(STEER, role="note")


def _left_out(answer: Answer) -> Iterator[Row]:
    for sentence in answer.cut:
        yield Row(sentence, word="Left out:", column=10, role="unsure")

"""What differs between two releases' answers, as text: each family with the functions and conditions that came and went.

Theory of operation: what is as before is named on one line, and so is what differs as it did in an earlier family; a
function that differs is told with only what differs, "-" before what the one release has and "+" before what the other
has. The rows are those of `kread path`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from kread.facts import Edge, Function, Guard, Held
from kread.paths.answer import Answer
from kread.paths.compare import Comparison, FamilyChange, StepChange
from kread.render import words
from kread.render.layout import Layout, Row
from kread.render.style import Style

#: Blanks before the sign of a condition, and the column of signs with the word of a condition behind.
INDENT, COLUMN = 2, 8
#: The columns of "as before" and of "as in 1".
AS_BEFORE_COLUMN, AS_IN_COLUMN = 11, 9
#: sign -> its role.
ROLES = {"-": "gone", "+": "come"}


def comparison_text(found: Comparison, *, width: int = 80, color: bool = False) -> str:
    """The comparison as text that ends with a line feed; no line is wider than `width`."""
    layout = Layout(width, Style(color))
    return "\n".join(line for row in _rows(found) for line in (layout.lines(row) if row else [""])) + "\n"


def _rows(found: Comparison) -> Iterator[Row | None]:
    """The rows; None is an empty line."""
    before, after = found.before, found.after
    releases = f"Linux {before.release} > {after.release}"
    yield Row(f"{after.caller} > {after.callee}", place=releases, role="title")
    for answer in (before, after):
        if not answer.trails:
            yield Row(f"No path in {answer.release}.", role="unsure")
    told: dict[StepChange, int] = {}
    for number, family in enumerate(found.families, 1):
        yield None
        yield Row(
            family.trail.family or str(family.trail),
            word=str(number),
            column=3,
            place=_standing(family, before, after),
            role="family",
            word_role="family",
        )
        if not family.same:
            yield None
            yield from _family(family, number, told)
    cut = [f"{answer.release}: {one}" for answer in (before, after) for one in answer.cut]
    yield from [None] if cut else []
    yield from (Row(one, word="Left out:", column=10, role="unsure") for one in cut)


def _standing(family: FamilyChange, before: Answer, after: Answer) -> str:
    if family.before is None:
        return f"only in {after.release}"
    if family.after is None:
        return f"only in {before.release}"
    calls, was = words.count(family.after.hops, "call"), family.before.hops
    changed = "changed" if was == family.after.hops else f"was {was}"
    return "as before" if family.same else f"{calls}, {changed}"


def _family(family: FamilyChange, number: int, told: dict[StepChange, int]) -> Iterator[Row]:
    """The rows of a family; `told` are the changes that a family told, with its number."""
    if not family.steps:
        yield Row(str(family.trail), indent=INDENT, role="note")
    for where, group in groupby(family.steps, lambda step: 0 if step.same else told.setdefault(step, number)):
        steps = list(group)
        names = " > ".join(step.name for step in steps)
        if where == number:
            for step in steps:
                yield from _step(step)
        elif where:
            yield Row(names, word=f"as in {where}", column=AS_IN_COLUMN, role="note", word_role="note")
        else:
            yield Row(names, word="as before", column=AS_BEFORE_COLUMN, role="note", word_role="note")


def _step(step: StepChange) -> Iterator[Row]:
    if step.before is None or step.after is None:
        only, sign = (step.after, "+") if step.after else (step.before, "-")
        assert only is not None
        yield _head(only.function, sign)
        yield from _guards(only.guards, sign)
        yield from _held(only.held, sign)
        yield from _call(only.edge, sign)
        return
    yield _head(step.after.function)
    if step.moved:
        yield Row(f"was in {step.before.function.location}", indent=INDENT, role="note")
    yield from _guards(step.gone, "-")
    yield from _guards(step.come, "+")
    if step.kept and (step.gone or step.come):
        yield Row(f"{words.count(step.kept, 'condition')} as before", indent=INDENT, role="note")
    yield from _held(step.let_go, "-")
    yield from _held(step.taken, "+")
    if step.other_call:
        yield from _call(step.before.edge, "-")
        yield from _call(step.after.edge, "+")


def _head(function: Function, sign: str = "") -> Row:
    column = 2 if sign else 0
    place = str(function.location)
    return Row(function.name, word=sign, column=column, place=place, role="name", word_role=ROLES.get(sign, ""))


def _guards(guards: Iterable[Guard], sign: str) -> Iterator[Row]:
    for said in words.in_order(guards):
        yield _signed(sign, said.word, f"{said.text}   {said.otherwise}".rstrip(), f":{said.line}")


def _held(held: Iterable[Held], sign: str) -> Iterator[Row]:
    return (_signed(sign, "held", one.text, f":{one.line}") for one in held)


def _call(edge: Edge | None, sign: str) -> Iterator[Row]:
    if edge:
        table = f"   by {edge.table}" if edge.table else ""
        yield _signed(sign, "call", f"{edge.written}{table}", f":{edge.site.line}")


def _signed(sign: str, word: str, text: str, place: str) -> Row:
    return Row(text, indent=INDENT, word=f"{sign} {word}", column=COLUMN, place=place, word_role=ROLES[sign])

"""A tour as text: where to stop and why, what to look at there, and the hops between, shortly.

Theory of operation: a stop is told in full, a hop in a few rows: the call, the branches taken, how many early exits were
passed and with which drop reasons, and the evidence where the call goes through a pointer. A hand-over stands apart from
calls, in words that say so. A gap is never left out: it stands where the tour would go on. Pure: nouns in, rows out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from kread.facts import Function, Step, Trail
from kread.paths.shown_structures import ShownStructure
from kread.paths.tours import Seen, ShownStatement, ShownTour, Stop
from kread.presence import conjuncts
from kread.render import step_rows, words
from kread.render.handover import handover_rows
from kread.render.layout import Layout, Row
from kread.render.links import LinkMaker
from kread.render.style import Style

#: The column of words: as wide as the longest ("given").
COLUMN = 7
#: Drop reasons that are named of the exits that a hop passes; more make a list that nobody reads.
REASONS_SHOWN = 4

INDENT = step_rows.INDENT


def tour_text(shown: ShownTour, *, width: int = 80, color: bool = False, links: LinkMaker | None = None) -> str:
    """The tour as text that ends with a line feed; no line is wider than `width`."""
    layout = Layout(width, Style(color), links)
    return "\n".join(line for row in _rows(shown) for line in (layout.lines(row) if row else [""])) + "\n"


def list_text(tours: Sequence[tuple[str, str]], width: int = 80) -> str:
    """The tours that ship, one a line: name and title."""
    column = max((len(name) for name, _ in tours), default=0) + 2
    rows = (Row(title, word=name, column=column) for name, title in tours)
    return "\n".join(line for row in rows for line in Layout(width).lines(row)) + "\n"


def _rows(shown: ShownTour) -> Iterator[Row | None]:
    tour = shown.tour
    known = _usual(shown)
    stops = words.count(len(shown.stops), "stop")
    yield Row(f"{tour.name}: {tour.title}", place=f"Linux {shown.release} · {stops}", role="title")
    if tour.goal:
        yield Row(tour.goal)
    if known:
        yield Row(f"Nearly all of it needs {' && '.join(known)}.", role="note")
    if shown.gaps:
        yield Row(f"{words.count(len(shown.gaps), 'gap')} on this release, each told where it is.", role="unsure")
    if shown.structures:
        yield None
        yield Row("Structures", role="family")
        for structure in shown.structures:
            yield from _structure(structure)
    for number, leg in enumerate(shown.legs, 1):
        yield None
        place = words.count(len(leg.stops), "stop")
        yield Row(leg.leg.title, word=str(number), column=3, place=place, role="family", word_role="family")
        for index, stop in enumerate(leg.stops):
            before = leg.stops[index - 1] if index else None
            yield from _stop(stop, before, known)
    if shown.statements:
        yield None
        yield Row("What is said about it, and how it stands", role="family")
        for statement in shown.statements:
            yield from _statement(statement)


def _usual(shown: ShownTour) -> tuple[str, ...]:
    """What most functions of the tour need, in the order in which it is met: said once, not at every stop."""
    functions = list(dict.fromkeys(stop.function for stop in shown.stops if stop.function))
    counts = Counter(part for function in functions for part in conjuncts(function.presence))
    return tuple(part for part, count in counts.items() if 2 * count > len(functions))


def _stop(stop: Stop, before: Stop | None, known: step_rows.Known) -> Iterator[Row | None]:
    origin = before.function if before else None
    if stop.lead:
        yield from _hops(stop.lead, origin, known)
        yield _under(stop.lead.steps[-1])
    if stop.handover:
        yield None
        yield from handover_rows(stop.handover)
    if stop.trail:
        if stop.handover:
            origin = stop.trail.steps[0].function
            yield _under(stop.trail.steps[0])
        yield from _hops(stop.trail, origin, known)
    yield None
    if stop.function is None:
        yield Row(stop.waypoint.at, role="name")
    else:
        yield step_rows.head(Step(stop.function))
        yield from step_rows.about(Step(stop.function), known)
    for gap in stop.gaps:
        yield _row("gap", gap, "unsure")
    if stop.slot:
        role = f"{stop.slot.record}.{stop.slot.field} of {stop.slot.table}" if stop.slot.table else stop.waypoint.at
        yield _row("is", role, "note", f"{stop.slot.file}:{stop.slot.line}", stop.slot.file, stop.slot.line)
    yield Row(stop.waypoint.reason, indent=INDENT)
    if stop.function:
        yield from _look(stop.seen, stop.function.file)


def _look(seen: Sequence[Seen], file: str) -> Iterator[Row]:
    for one in seen:
        if one.line:
            yield _row("look", one.text, "call", f":{one.line}", file, one.line)


def _hops(trail: Trail, origin: Function | None, known: step_rows.Known) -> Iterator[Row]:
    """The hops of a trail that begins at `origin`, or is said to begin elsewhere; its last function is the stop."""
    first = trail.steps[0].function
    if origin != first:
        yield Row(
            f"from {first.name}",
            indent=INDENT,
            place=str(first.location),
            role="note",
            file=first.file,
            line=first.line,
        )
    for number, step in enumerate(trail.steps[:-1]):
        if number:
            yield _under(step)
        yield from _hop(step, known)


def _under(step: Step) -> Row:
    function = step.function
    return Row(
        function.name,
        indent=INDENT,
        word=">",
        column=2,
        place=str(function.location),
        role="name",
        file=function.file,
        line=function.line,
        text_link=True,
    )


def _hop(step: Step, known: step_rows.Known) -> Iterator[Row]:
    """One call: the branches that lead to it, the exits passed, the call, its evidence."""
    file = step.function.file
    exits = [guard for guard in step.guards if guard.kind == "exit"]
    for one in words.in_order(guard for guard in step.guards if guard.kind != "exit"):
        yield _row(one.word, one.text, "", f":{one.line}", file, one.line, one.word)
    if exits:
        reasons = list(dict.fromkeys(guard.reason for guard in exits if guard.reason))
        said = ", ".join(reasons[:REASONS_SHOWN]) + (", ..." if len(reasons) > REASONS_SHOWN else "")
        yield _row("past", words.count(len(exits), "early exit") + (f": {said}" if said else ""), "exit")
    yield from step_rows.call(step, known)


def _structure(shown: ShownStructure) -> Iterator[Row]:
    place = f"{shown.file}:{shown.line}" if shown.line else ""
    yield Row(
        f"struct {shown.structure.name}", indent=INDENT, place=place, role="name", file=shown.file, line=shown.line
    )
    yield Row(shown.structure.reason, indent=2 * INDENT)
    for name, kind, file, line in shown.members:
        where = f":{line}" if file == shown.file else f"{file}:{line}"
        yield Row(kind, indent=2 * INDENT, word=name, column=22, place=where, role="note", file=file, line=line)
    for gap in shown.gaps:
        yield _row("gap", gap, "unsure")


def _statement(shown: ShownStatement) -> Iterator[Row | None]:
    statement = shown.statement
    yield None
    yield Row(f"\u201c{statement.says}\u201d", indent=INDENT, role="title")
    yield Row(
        statement.because,
        indent=INDENT,
        word=f"{statement.stands}:",
        column=len(statement.stands) + 2,
        word_role="if" if statement.stands == "right" else "unsure",
    )
    if shown.function:
        function = shown.function
        yield _row("in", function.name, "name", str(function.location), function.file, function.line)
        yield from _look(shown.seen, function.file)
    for gap in shown.gaps:
        yield _row("gap", gap, "unsure")


def _row(word: str, text: str, role: str, place: str = "", file: str = "", line: int = 0, word_role: str = "") -> Row:
    return Row(
        text,
        indent=INDENT,
        word=word,
        column=COLUMN,
        place=place,
        role=role,
        word_role=word_role or "note",
        file=file,
        line=line,
    )

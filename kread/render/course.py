"""A tour as a Study: its legs as chapters, with what the model plays, what is said of the subject, and what to read.

Theory of operation: `tours` has found the stops and the hops between them; here the hops of a leg become passages, each
function once where one hop ends and the next begins. Why to stop somewhere stands with what the function is for; what
is not as the tour declares it is a gap of its chapter. The model is played under the policy that the source shows; a
tour that the course does not know is told without it. The same nouns as for a path come out, so every format that
shows a path shows a tour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from kread import data
from kread.check.bodies import Bodies
from kread.check.claims import ClaimsCheck, check_claims
from kread.check.policy import read_policy
from kread.facts import Function, Step
from kread.model.policy import Policy
from kread.model.rules import Rule, normalise
from kread.paths.find import Finder
from kread.paths.handovers import Handover
from kread.paths.slices import SliceLine
from kread.paths.tour_file import shipped
from kread.paths.tours import Seen, ShownLeg, ShownStatement, ShownStructure, ShownTour, Stop
from kread.render.class_diagram import ClassBox, ClassDiagram
from kread.render.lessons import Lesson, in_language, lesson
from kread.render.study import Chapter, Claimed, Crossed, Passage, Reader, Structured, Study, passage_of, told_once
from kread.render.texts import Texts, texts

#: How a statement of a tour stands, and the key of the word for it.
STANDS = {"right": "holds", "imprecise": "imprecise", "wrong": "wrong"}


class Source(Reader, Protocol):
    """What a tour asks of the source beside what a study asks."""

    def statement(self, function: Function, line: int) -> Sequence[SliceLine]: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What the source of a release says to the model: the policy that it shows, and how each claim stands."""

    policy: Policy
    claims: ClaimsCheck


def checked(finder: Finder) -> Checked:
    """The check of the release of a finder's graph; one serves all tours."""
    bodies = Bodies(finder.graph)
    return Checked(read_policy(bodies).policy, check_claims(bodies))


def study_of_tour(shown: ShownTour, finder: Finder, reader: Source, found: Checked, lang: str = "en") -> Study:
    """The study of a tour on the release of the finder's graph."""
    tour, text = shown.tour, texts(lang)
    course = data.load("course")
    played = lesson(tour.name, found.policy, _Placer(finder), lang) if tour.name in shipped() else None
    chapters = told_once(_chapter(leg, reader, lang, played) for leg in shown.legs)
    if played and chapters:
        chapters = (*chapters[:-1], replace(chapters[-1], asked=played.asked))
    goal = in_language(course["goal"], lang).format(goal=text.say(tour.goal)) if tour.goal else ""
    return Study(
        shown.release,
        text.say(tour.title),
        chapters,
        notes=tuple(text.say(gap) for one in shown.structures for gap in one.gaps),
        overview=(goal,) if goal else (),
        steps=steps(tour.name, lang) if played else (),
        sequence=played.sequence if played else None,
        structures=structures(shown.structures),
        structured=tuple(
            Structured(one.structure.name, one.file, one.line, text.say(one.structure.reason))
            for one in shown.structures
            if one.file
        ),
        played=played.played if played else (),
        claims=tuple(_claims(shown, found.claims, text)),
        references=references(tour.name, text) if played else (),
    )


def steps(tour: str, lang: str) -> tuple[tuple[str, bool], ...]:
    """The six steps of a handshake, and whether the tour walks them."""
    return tuple((in_language(row, lang), tour in row["tours"]) for row in data.load("course")["step"])


def references(tour: str, text: Texts) -> tuple[tuple[str, str], ...]:
    """(title, address) of what to read beside a tour."""
    rows = data.load("references")["reference"]
    return tuple((text.say(row["title"]), row["url"]) for row in rows if tour in row["tours"] or not row["tours"])


def structures(shown: Iterable[ShownStructure]) -> ClassDiagram:
    """The structures that are there, the members to look at in each."""
    return ClassDiagram(
        tuple(
            ClassBox(one.structure.name, tuple((type_, member) for member, type_, _, _ in one.members))
            for one in shown
            if one.file
        )
    )


def _claims(shown: ShownTour, found: ClaimsCheck, text: Texts) -> Iterator[Claimed]:
    """The claims about what the tour shows, with computed verdicts, then what only the tour itself states."""
    rows = {row["name"]: row for row in data.load("course")["claim"] if shown.tour.name in row["tours"]}
    answered = set()
    for answer in found.answers:
        row = rows.get(answer.claim.name)
        if row and answer.verdict:
            answered.update(row["states"])
            places = dict.fromkeys((one.statement.written, *_split(one.statement.place)) for one in answer.places)
            cases = tuple((one.met, text.say(one.case.says)) for one in answer.tried)
            claim = answer.claim
            yield Claimed(text.say(claim.says), text(answer.verdict), text.say(claim.but), cases, tuple(places))
    yield from (_claim(one, text) for one in shown.statements if one.statement.says not in answered)


def _split(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return file, int(line)


def _claim(shown: ShownStatement, text: Texts) -> Claimed:
    one = shown.statement
    file = shown.function.file if shown.function else ""
    places = tuple((seen.text, file, seen.line) for seen in shown.seen if seen.line and file)
    because = " ".join(map(text.say, (one.because, *shown.gaps)))
    return Claimed(text.say(one.says), text(STANDS[one.stands]), because, (), places)


def _chapter(shown: ShownLeg, reader: Source, lang: str, played: Lesson | None) -> Chapter:
    text = texts(lang)
    passages: list[Passage] = []
    for stop in shown.stops:
        for passage in _passages(stop, reader, lang):
            before = passages[-1] if passages else None
            if before and not before.step.edge and before.step.function == passage.step.function:
                passages[-1] = _joined(before, passage)
            else:
                passages.append(passage)
    if played:
        among = [one.step.function.name for one in passages]
        passages = [_with_moment(one, played, text, among) for one in passages]
    gaps = tuple(text.say(gap) for stop in shown.stops for gap in stop.gaps)
    return Chapter(text.say(shown.leg.title), tuple(passages), gaps=gaps, key=shown.leg.title)


def _joined(before: Passage, passage: Passage) -> Passage:
    """One hop ends where the next begins: one passage, with the reasons of both and the lines of the second hop."""
    rows = {line.line: line for line in (*before.slice, *passage.slice) if line.line and line.role != "body"}
    return replace(
        passage,
        reason=" ".join(dict.fromkeys(part for part in (before.reason, passage.reason) if part)),
        handover=before.handover or passage.handover,
        slice=_ordered(rows.values(), passage.slice),
    )


def _with_moment(passage: Passage, played: Lesson, text: Texts, among: Sequence[str]) -> Passage:
    name = passage.step.function.name
    moment = played.at(name, [line.text for line in passage.slice], text, among)
    return replace(passage, moment=moment, numbers=played.numbers(name, passage.step.guards, among))


def _passages(stop: Stop, reader: Source, lang: str) -> Iterator[Passage]:
    """The passages of a stop: the hops that lead there, and itself with the reason to stop."""
    text = texts(lang)
    hops = [step for trail in (stop.lead, stop.trail) if trail for step in trail.steps]
    if not hops or hops[-1].function != stop.function:
        hops += [Step(stop.function)] if stop.function else []
    first = len(stop.lead.steps) + 1 if stop.handover and stop.lead else 1
    for number, step in enumerate(hops, 1):
        passage = passage_of(step, reader, lang)
        if stop.handover and number == min(first, len(hops)):
            passage = replace(passage, handover=_crossed(stop.handover, text))
        if number == len(hops):
            slice_ = _with_seen(passage, stop.seen, reader)
            passage = replace(passage, reason=text.say(stop.waypoint.reason), slice=slice_)
        yield passage


def _crossed(handover: Handover, text: Texts) -> Crossed:
    sides = [(side, handover.gives) for side in handover.givers] + [(side, handover.takes) for side in handover.takers]
    return Crossed(
        text.say(handover.title),
        tuple((side.function.name, text.say(what), side.file, side.line) for side, what in sides),
    )


def _with_seen(passage: Passage, seen: Sequence[Seen], reader: Source) -> tuple[SliceLine, ...]:
    """The slice with the statements that the tour asks to look at."""
    function = passage.step.function
    rows = {line.line: line for line in passage.slice if line.line}
    for one in seen:
        if function.line <= one.line <= function.end_line:
            for line in reader.statement(function, one.line):
                rows.setdefault(line.line, line)
    return _ordered(rows.values(), passage.slice)


def _ordered(rows: Iterable[SliceLine], before: Sequence[SliceLine]) -> tuple[SliceLine, ...]:
    """Lines in their order, with what says that lines are left out between them."""
    elided = next((line for line in before if not line.line), SliceLine(0, "...", "elided"))
    gone = {(one.line, after.line) for one, after in pairwise(before) if one.line and after.line}
    out: list[SliceLine] = []
    for line in sorted(rows, key=lambda one: one.line):
        if out and line.line > out[-1].line + 1 and (out[-1].line, line.line) not in gone:
            out.append(elided)
        out.append(line)
    return tuple(out)


class _Placer:
    """Where this release decides a rule: the line that holds its condition, else the function's first line."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    def __call__(self, rule: Rule) -> str:
        graph = self._finder.graph
        for guard in sorted(rule.guards, key=lambda one: one.function != rule.function):
            for number in graph.find(guard.function):
                function = graph.function(number)
                line = self._line(function, guard.spellings)
                if line:
                    return f"{function.file}:{line}"
        found = graph.find(rule.function)
        return str(graph.function(found[0]).location) if found else ""

    def _line(self, function: Function, spellings: Sequence[str]) -> int:
        lines = self._finder.sites.lines(function.file)[function.line - 1 : function.end_line]
        for number, line in enumerate(lines, function.line):
            text = normalise(line.decode("utf-8", "replace"))
            if any(spelling in text for spelling in spellings):
                return number
        return 0

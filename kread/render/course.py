"""A tour as a Study: its legs as chapters, with what the model plays, what is said of the subject, and what to read.

Theory of operation: `tours` has found the stops and the hops between them; here the hops of a leg become passages, each
function once where one hop ends and the next begins. Why to stop somewhere stands with what the function is for; what
is not as the tour declares it is a gap of its chapter. The model is played under the policy that the source shows; a
tour that the course does not know is told without it. The same nouns as for a path come out, so every format that
shows a path shows a tour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from kread import data
from kread.check.bodies import Bodies
from kread.check.claims import Answer, ClaimsCheck, check_claims
from kread.check.policy import read_policy
from kread.facts import Function, Step
from kread.model.policy import Policy
from kread.paths.find import Finder
from kread.paths.handovers import Handover
from kread.paths.shown_structures import ShownStructure
from kread.paths.slices import SliceLine
from kread.paths.tour_file import shipped
from kread.paths.tours import Seen, ShownLeg, ShownStatement, ShownTour, Stop
from kread.render.class_diagram import ClassBox, ClassDiagram
from kread.render.lessons import Lesson, in_language, lesson
from kread.render.rule_places import RulePlaces
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
    played = lesson(tour.name, found.policy, RulePlaces(finder), lang) if tour.name in shipped() else None
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
        steps=steps([tour.name], lang) if played else (),
        sequence=played.sequence if played else None,
        structures=structures(shown.structures),
        structured=structured(shown.structures, text),
        played=played.played if played else (),
        claims=(*claims([tour.name], found, text), *_statements(shown, found.claims, text)),
        references=references([tour.name], text) if played else (),
    )


def steps(tours: Collection[str], lang: str) -> tuple[tuple[str, bool], ...]:
    """The six steps of a handshake, and whether one of the tours walks them."""
    rows = data.load("course")["step"]
    return tuple((in_language(row, lang), not set(tours).isdisjoint(row["tours"])) for row in rows)


def references(tours: Collection[str], text: Texts) -> tuple[tuple[str, str], ...]:
    """(title, address) of what to read beside some tours."""
    rows = data.load("references")["reference"]
    wanted = (row for row in rows if not row["tours"] or not set(tours).isdisjoint(row["tours"]))
    return tuple((text.say(row["title"]), row["url"]) for row in wanted)


def structured(shown: Iterable[ShownStructure], text: Texts) -> tuple[Structured, ...]:
    """The structures that are there, and why to look at each."""
    return tuple(
        Structured(one.structure.name, one.file, one.line, text.say(one.structure.reason)) for one in shown if one.file
    )


def structures(shown: Iterable[ShownStructure]) -> ClassDiagram:
    """The structures that are there, the members to look at in each."""
    return ClassDiagram(
        tuple(
            ClassBox(one.structure.name, tuple((type_, member) for member, type_, _, _ in one.members))
            for one in shown
            if one.file
        )
    )


def claims(tours: Collection[str], found: Checked, text: Texts) -> Iterator[Claimed]:
    """The claims about what some tours show, with computed verdicts."""
    for answer, _ in _judged(tours, found.claims):
        claim = answer.claim
        places = dict.fromkeys((one.statement.written, *_split(one.statement.place)) for one in answer.places)
        cases = tuple((one.met, text.say(one.case.says)) for one in answer.tried)
        yield Claimed(text.say(claim.says), text(answer.verdict), text.say(claim.but), cases, tuple(places))


def _judged(tours: Collection[str], found: ClaimsCheck) -> Iterator[tuple[Answer, Sequence[str]]]:
    """The claims of some tours that have a verdict, each with the statements of tours that it answers."""
    rows = {row["name"]: row for row in data.load("course")["claim"] if not set(tours).isdisjoint(row["tours"])}
    for answer in found.answers:
        row = rows.get(answer.claim.name)
        if row and answer.verdict:
            yield answer, row["states"]


def _statements(shown: ShownTour, found: ClaimsCheck, text: Texts) -> Iterator[Claimed]:
    """What only the tour itself states, and no claim answers."""
    answered = {said for _, states in _judged([shown.tour.name], found) for said in states}
    return (_claim(one, text) for one in shown.statements if one.statement.says not in answered)


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
        passages = [with_moment(one, played, text, among) for one in passages]
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


def with_moment(passage: Passage, played: Lesson, text: Texts, among: Sequence[str]) -> Passage:
    """The passage with what the model decided there; `among` are the functions of its chapter."""
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

"""A path as a Study with all that notes have: an overview, the structures on the way, and what the model plays there.

Theory of operation: `study_of` makes a chapter of each family. The structures are those of which the shown lines read
most members. Each family is compared with the tours that ship: the tour whose waypoints it passes most often is its
guide, if the tour's scenario, played under the policy that the source shows, walks at least half of the family's
functions in one happening; so a path through other code gets none. The guides give the values of the model at
each step, questions, claims and references; the first of them the drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from kread.paths.answer import Answer
from kread.paths.find import Finder
from kread.paths.shown_structures import ShownStructure, show_structure
from kread.paths.tour_file import Structure, read_tour, shipped
from kread.render.course import (
    Checked,
    Source,
    checked,
    claims,
    references,
    steps,
    structured,
    structures,
    with_moment,
)
from kread.render.lessons import Lesson, lesson
from kread.render.rule_places import RulePlaces
from kread.render.study import Chapter, Study, purpose_of, study_of
from kread.render.texts import Texts, texts

#: A drawing with more structures shows nothing; those of which the fewest members are read are left out.
MOST_STRUCTURES = 6
#: A structure of which one member is read is passed by, not looked at.
FEWEST_MEMBERS = 2


def study_of_path(answer: Answer, finder: Finder, reader: Source, lang: str = "en") -> Study:
    """The study of a path with what surrounds it."""
    text = texts(lang)
    study = study_of(answer, reader, lang)
    shown = _structures(study.chapters, finder, text)
    study = replace(
        study,
        overview=tuple(_overview(answer, study.chapters, text)),
        structures=structures(shown),
        structured=structured(shown, text),
    )
    waypoints = {
        name: {at for leg in read_tour(name).legs for stop in leg.stops for at in stop.names} for name in shipped()
    }
    near = [_nearest(chapter, waypoints) for chapter in study.chapters]
    return _with_model(study, near, checked(finder), finder, lang) if any(near) else study


def _overview(answer: Answer, chapters: Sequence[Chapter], text: Texts) -> Iterable[str]:
    """What leads from where to where, and what both ends are for."""
    yield text("ways", caller=answer.caller, callee=answer.callee, families=text.count("families", len(chapters)))
    for number, (chapter, trail) in enumerate(zip(chapters, answer.trails, strict=True), 1):
        yield f"{number}. {chapter.title} ({text.count('calls', trail.hops)})"
    for function in (chapters[0].passages[0].step.function, chapters[0].passages[-1].step.function):
        if purpose := purpose_of(function.name, text.lang):
            yield f"{function.name}: {purpose}"


def _structures(chapters: Iterable[Chapter], finder: Finder, text: Texts) -> tuple[ShownStructure, ...]:
    """The structures of which the chapters read most, in the order of reading, with the members that are read."""
    members: dict[str, dict[str, None]] = {}
    functions: dict[str, dict[str, None]] = {}
    for passage in (passage for chapter in chapters for passage in chapter.passages):
        for record, member, _ in passage.reads:
            members.setdefault(record, {})[member] = None
            functions.setdefault(record, {})[passage.step.function.name] = None
    read = [record for record, names in members.items() if len(names) >= FEWEST_MEMBERS]
    most = set(sorted(read, key=lambda record: -len(members[record]))[:MOST_STRUCTURES])
    wanted = (
        Structure(
            record.split(" ")[-1], text("read_by", functions=", ".join(functions[record])), tuple(members[record])
        )
        for record in read
        if record in most
    )
    return tuple(one for one in (show_structure(each, finder) for each in wanted) if one.members)


def _nearest(chapter: Chapter, waypoints: Mapping[str, Set[str]]) -> str:
    """The tour of whose waypoints a family passes most ("" = it passes none of any)."""
    passed = {passage.step.function.name for passage in chapter.passages}
    name = max(waypoints, key=lambda one: len(passed & waypoints[one]))
    return name if passed & waypoints[name] else ""


def _with_model(study: Study, near: Iterable[str], found: Checked, finder: Finder, lang: str) -> Study:
    """The study with what the guides of its chapters say; `near` is the tour that each chapter may have for guide."""
    text, places = texts(lang), RulePlaces(finder)
    near = tuple(near)
    lessons = {name: lesson(name, found.policy, places, lang) for name in dict.fromkeys(near) if name}
    guides: dict[str, Lesson] = {}
    chapters = []
    for chapter, name in zip(study.chapters, near, strict=True):
        among = list(dict.fromkeys(passage.step.function.name for passage in chapter.passages))
        played = lessons.get(name)
        if played and 2 * max(len(walked.keys() & set(among)) for walked in played.walked) >= len(among):
            asked = () if name in guides else played.asked
            passages = tuple(with_moment(passage, played, text, among) for passage in chapter.passages)
            chapter = replace(chapter, passages=passages, asked=asked)
            guides[name] = played
        chapters.append(chapter)
    if not guides:
        return study
    first = next(iter(guides.values()))
    return replace(
        study,
        chapters=tuple(chapters),
        steps=steps(guides, lang),
        sequence=first.sequence,
        played=first.played,
        claims=tuple(claims(guides, found, text)),
        references=references(guides, text),
    )

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
from html import escape
from itertools import pairwise

from kread import data
from kread.check.bodies import Bodies
from kread.check.claims import ClaimsCheck, check_claims
from kread.check.policy import read_policy
from kread.facts import Function, Step
from kread.model.policy import Policy
from kread.model.rules import Rule, normalise
from kread.paths.find import Finder
from kread.paths.slices import SliceLine
from kread.paths.tour_file import shipped
from kread.paths.tours import Seen, ShownLeg, ShownStatement, ShownStructure, ShownTour, Stop
from kread.render.lessons import Lesson, in_language, lesson
from kread.render.study import Chapter, Passage, Reader, Study, passage_of
from kread.render.texts import texts

#: What ends a member of a Mermaid class, or begins something else there.
_NOT_IN_CLASS = str.maketrans("{}~<>\n", "()    ")


@dataclass(frozen=True, slots=True)
class Checked:
    """What the source of a release says to the model: the policy that it shows, and how each claim stands."""

    policy: Policy
    claims: ClaimsCheck


def checked(finder: Finder) -> Checked:
    """The check of the release of a finder's graph; one serves all tours."""
    bodies = Bodies(finder.graph)
    return Checked(read_policy(bodies).policy, check_claims(bodies))


def study_of_tour(shown: ShownTour, finder: Finder, reader: Reader, found: Checked, lang: str = "en") -> Study:
    """The study of a tour on the release of the finder's graph."""
    tour = shown.tour
    course = data.load("course")
    played = lesson(tour.name, found.policy, _Placer(finder), lang) if tour.name in shipped() else None
    chapters = [_chapter(leg, reader, lang, played) for leg in shown.legs]
    if played and chapters:
        chapters[-1] = replace(chapters[-1], asked=played.asked)
    goal = in_language(course["goal"], lang).format(goal=tour.goal) if tour.goal else ""
    return Study(
        shown.release,
        tour.title,
        tuple(chapters),
        notes=tuple(gap for one in shown.structures for gap in one.gaps),
        overview=(*([goal] if goal else []), *(steps(tour.name, lang) if played else ())),
        sequence=played.sequence if played else "",
        structures=structures(shown.structures),
        rules=played.rules if played else (),
        claims=tuple(_claims(shown, found.claims)),
        references=references(tour.name) if played else (),
    )


def steps(tour: str, lang: str) -> Iterator[str]:
    """The six steps of a handshake, those that the tour walks marked."""
    for row in data.load("course")["step"]:
        yield ("▸ " if tour in row["tours"] else "") + in_language(row, lang)


def references(tour: str) -> tuple[tuple[str, str], ...]:
    """(title, address) of what to read beside a tour."""
    rows = data.load("references")["reference"]
    return tuple((row["title"], row["url"]) for row in rows if tour in row["tours"] or not row["tours"])


def structures(shown: Iterable[ShownStructure]) -> str:
    """A Mermaid class diagram of the structures, the members to look at in each ("" = none)."""
    found = [one for one in shown if one.file]
    names = {one.structure.name for one in found}
    lines = ["classDiagram"] if found else []
    for one in found:
        name = one.structure.name
        lines += [f"    class {name} {{", *(f"        {_member(type_, member)}" for member, type_, _, _ in one.members)]
        lines.append("    }")
        for member, type_, _, _ in one.members:
            target = type_.replace("*", " ").split()[-1:] or [""]
            if target[0] in names and target[0] != name:
                lines.append(f"    {name} {'-->' if '*' in type_ else '*--'} {target[0]} : {member}")
    return "\n".join(lines) + "\n" if lines else ""


def _member(type_: str, member: str) -> str:
    said = " ".join(f"{type_} {member}".translate(_NOT_IN_CLASS).split())
    return said.replace("(", "").replace(")", "")


def _claims(shown: ShownTour, found: ClaimsCheck) -> Iterator[tuple[str, str, str]]:
    """The claims about what the tour shows, with computed verdicts, then what only the tour itself states."""
    rows = {row["name"]: row for row in data.load("course")["claim"] if shown.tour.name in row["tours"]}
    answered = set()
    for answer in found.answers:
        row = rows.get(answer.claim.name)
        if row and answer.verdict:
            answered.update(row["states"])
            places = dict.fromkeys(f"{one.statement.written} ({one.statement.place})" for one in answer.places)
            yield answer.claim.says, answer.verdict, "; ".join(part for part in (answer.claim.but, *places) if part)
    yield from (_claim(one) for one in shown.statements if one.statement.says not in answered)


def _claim(shown: ShownStatement) -> tuple[str, str, str]:
    one = shown.statement
    places = [f"{seen.text} ({shown.function.file}:{seen.line})" for seen in shown.seen if seen.line and shown.function]
    return one.says, one.stands, " ".join((one.because, *shown.gaps, "; ".join(places))).strip()


def _chapter(shown: ShownLeg, reader: Reader, lang: str, played: Lesson | None) -> Chapter:
    passages: list[Passage] = []
    for stop in shown.stops:
        for passage in _passages(stop, reader, lang):
            before = passages[-1] if passages else None
            if before and not before.step.edge and before.step.function == passage.step.function:
                # One hop ends where the next begins: one passage, with the reason of both.
                said = " ".join(dict.fromkeys(part for part in (before.purpose, passage.purpose) if part))
                if before.purpose.startswith(passage.purpose):
                    said = before.purpose
                rows = {line.line: line for line in (*before.slice, *passage.slice) if line.line}
                passages[-1] = replace(passage, purpose=said, slice=_ordered(rows.values(), passage.slice))
            else:
                passages.append(passage)
    if played:
        passages = [replace(one, values=played.values.get(one.step.function.name, ())) for one in passages]
    return Chapter(shown.leg.title, tuple(passages), gaps=tuple(gap for stop in shown.stops for gap in stop.gaps))


def _passages(stop: Stop, reader: Reader, lang: str) -> Iterator[Passage]:
    """The passages of a stop: the hops that lead there, and itself with the reason to stop."""
    course = data.load("course")
    hops = [step for trail in (stop.lead, stop.trail) if trail for step in trail.steps]
    if not hops or hops[-1].function != stop.function:
        hops += [Step(stop.function)] if stop.function else []
    for number, step in enumerate(hops, 1):
        passage = passage_of(step, reader, lang)
        if number == len(hops):
            said = [passage.purpose, stop.waypoint.reason]
            if stop.handover:
                said.append(in_language(course["handover"], lang).format(what=stop.handover))
            passage = replace(
                passage,
                purpose=" ".join(part for part in said if part),
                slice=_with_seen(passage, stop.seen),
            )
        yield passage


def _with_seen(passage: Passage, seen: Sequence[Seen]) -> tuple[SliceLine, ...]:
    """The slice with the lines that the tour asks to look at."""
    first = passage.step.function.line
    rows = {line.line: line for line in passage.slice if line.line}
    for one in seen:
        if one.line and one.line not in rows and 0 <= one.line - first < len(passage.lines):
            rows[one.line] = SliceLine(one.line, passage.lines[one.line - first], "guard")
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


def index_page(rows: Sequence[tuple[str, str, str]], lang: str) -> str:
    """The course's first page as HTML that needs nothing else: (file, title, what one can do after it) in order."""
    text = texts(lang)
    title = escape(in_language(data.load("course")["title"], lang))
    said = "".join(
        f'<li><a href="{escape(file)}">{escape(name)}</a><p>{escape(goal)}</p></li>\n' for file, name, goal in rows
    )
    steps_said = "".join(f"<p>{escape(one)}</p>\n" for one in steps("", lang))
    return (
        f'<!DOCTYPE html>\n<html lang="{text("html_lang")}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>:root{{color-scheme:light dark}}"
        "body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}</style></head>"
        f"<body><main><h1>{title}</h1>\n{steps_said}<ol>\n{said}</ol></main></body></html>\n"
    )

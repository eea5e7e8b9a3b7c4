"""Study notes in Markdown, for GitHub, Obsidian and mdBook: a Study as a text that a person learns from.

Theory of operation: a step is told in a fixed order: what the function is for and why to stop there; the slice, with
the lines it stands on; why control comes here; how that is known; what is read and changed; what else could happen;
what the model had; the kernel's own comment; and room for the reader's remarks, which the next run keeps (see
`remarked`). What stands round the steps is written by `notes_round`. Only Markdown that the three readers agree on is
used; diagrams are Mermaid in fences. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kread.facts import Edge
from kread.presence import conjuncts
from kread.render import words
from kread.render.links import LinkMaker
from kread.render.markdown import FENCE, code, listed, plain
from kread.render.notes_round import after, before_steps, path_diagram
from kread.render.questions import Asked, study_questions
from kread.render.remarked import place_of
from kread.render.remarks import END, mark
from kread.render.study import Crossed, Moment, Passage, Study
from kread.render.texts import Texts, texts
from kread.render.wording import in_words


def notes_markdown(study: Study, lang: str = "en") -> str:
    """The notes as one text."""
    return "\n".join(_document(study, texts(lang))) + "\n"


def _document(study: Study, text: Texts) -> Iterator[str]:
    saying = _Saying(text, LinkMaker(study.release), study.known)
    yield from before_steps(study, text, saying.links)
    first = True
    told: dict[tuple[object, ...], str] = {}
    asked = study_questions(study, text)
    for number, chapter in enumerate(study.chapters, 1):
        yield f"\n## {number}. {plain(chapter.title)}"
        if chapter.reason:
            yield f"\n{plain(chapter.reason)}"
        for gap in chapter.gaps:
            yield f"\n> **{plain(gap)}**"
        yield from path_diagram(chapter, text)
        for place, passage in enumerate(chapter.passages, 1):
            again = told.setdefault(_told(passage), f"{number}.{place}")
            if again == f"{number}.{place}":
                yield from _passage(passage, place, saying)
            else:
                yield f"\n### {place}. {code(passage.step.function.name)}\n\n{text('again', place=again)}"
            yield f"\n**{text('your_notes')}**" + (f" *{text('your_notes_hint')}*" if first else "")
            yield f"\n{mark(place_of(passage, chapter))}"
            yield f"\n{passage.remark}\n" if passage.remark else ""
            yield END
            first = False
        yield from _questions(asked[number - 1], text)
    yield from after(study, text, saying.links)
    for lost, said in study.lost:
        yield f"\n## {text('lost_remarks')}: {plain(lost.function)}\n\n{mark(lost)}\n\n{said}\n\n{END}"


@dataclass(frozen=True, slots=True)
class _Saying:
    """What every passage is told with: the language, the links, and what the whole study needs anyway."""

    text: Texts
    links: LinkMaker
    known: tuple[str, ...]

    def place(self, file: str, line: int) -> str:
        """A link to a line of the release."""
        return f"[{file}:{line}]({self.links.url('reference', file, line)})"


def _told(passage: Passage) -> tuple[object, ...]:
    """What a passage tells: two that tell the same, their comment aside, are told once."""
    step = passage.step
    return step.function, step.edge and step.edge.site, passage.slice, passage.reason, passage.handover


def _passage(passage: Passage, place: int, saying: _Saying) -> Iterator[str]:
    text, links = saying.text, saying.links
    step = passage.step
    function = step.function
    yield f"\n### {place}. {code(function.name)}"
    where = [code(str(function.location))]
    urls = links.urls(function.file, function.line)
    where += [f"[{text(key)}]({url})" for key, (_, url) in zip(("reference", "git"), urls, strict=True)]
    yield "\n" + " · ".join(where)
    if passage.purpose:
        yield f"\n{plain(passage.purpose)}"
    if passage.handover:
        yield from _crossed(passage.handover, saying)
    if passage.reason:
        yield f"\n{text('stop', why=plain(passage.reason))}"
    if wanted := words.needs(function.presence, saying.known):
        yield "\n" + text("needs", what=code(wanted))
    if passage.slice:
        yield f"\n{FENCE}c"
        yield from (f"{line.line:>5}  {line.text}".rstrip() if line.line else "       ..." for line in passage.slice)
        yield FENCE
    if step.edge:
        yield from _why(passage, step.edge, saying)
        yield from _known(passage, step.edge, saying)
    yield from listed(text("reads"), _reads(passage))
    yield from listed(text("changes"), [f"{code(said)} (:{line})" for line, said in passage.changes])
    exits = [
        text("exit_line", line=line, what=": ".join(part for part in (code(text.either(what)), reason) if part))
        for line, what, reason in passage.exits
    ]
    yield from listed(text("exits"), exits)
    if passage.moment:
        yield from _moment(passage.moment, text)
    if passage.comment:
        yield f"\n**{text('comment')}** ({code(function.file)})\n"
        yield from (f"> {plain(line)}".rstrip() for line in passage.comment.splitlines())


def _crossed(crossed: Crossed, saying: _Saying) -> Iterator[str]:
    yield f"\n> **{saying.text('handover', what=plain(crossed.title))}**\n>"
    for function, what, file, line in crossed.sides:
        yield f"> - {code(function)} {plain(what)} ({saying.place(file, line)})"


def _reads(passage: Passage) -> list[str]:
    """The members that are read, by structure."""
    found: dict[str, list[str]] = {}
    for record, member, line in passage.reads:
        found.setdefault(record, []).append(f"{code(member)} (:{line})")
    return [f"{code(record)}: {', '.join(members)}" for record, members in found.items()]


def _moment(moment: Moment, text: Texts) -> Iterator[str]:
    before = dict(moment.before)
    rows = [f"{name}: {before.get(name, '')} > {after}" for name, after in moment.after if before.get(name) != after]
    rows += [f"{name}: {after}" for name, after in moment.after if before.get(name) == after]
    rows += [
        text("fired" if fired else "unfired", rule=code(rule), says=plain(said))
        for fired, rule, _, said in moment.rules
    ]
    yield from listed(f"{text('values')}: {code(moment.event)}", rows)


def _why(passage: Passage, edge: Edge, saying: _Saying) -> Iterator[str]:
    text, step = saying.text, passage.step
    numbers = dict(passage.numbers)
    rows = []
    for guard in sorted(step.guards, key=lambda one: one.line):
        said = text.either(words.exit_words(guard.exit, guard.reason))
        otherwise = f", {text('else', what=code(said))}" if said else ""
        must = f"{code(guard.text)} {text(words.guard_word(guard))} (:{guard.line})"
        if guard.then:
            must += f", {text('then', what=code(guard.then))} (:{guard.then_line})"
        meant = in_words(guard, step.function.name, text.lang)
        shown = numbers.pop(guard.line, "")
        if shown:
            otherwise += f"; {text('at_scenario', what=code(shown))}"
        rows.append(f"{plain(meant)}: {must}{otherwise}" if meant else must + otherwise)
    if step.held:
        held = ", ".join(dict.fromkeys(code(one.text) for one in step.held))
        rows.append(text("held_at_call", what=held))
    yield f"\n**{text('why')}**\n"
    yield from (f"- {row}" for row in rows or [text("why_none")])
    how = f", {text('kind_direct')}" if edge.kind == "direct" else ""
    where = saying.place(edge.site.file, edge.site.line)
    yield f"\n{text('calls_next', name=code(edge.callee.name))}{how}: {code(edge.written)} ({where})"


def _known(passage: Passage, edge: Edge, saying: _Saying) -> Iterator[str]:
    text = saying.text
    given = (*saying.known, *conjuncts(passage.step.function.presence))
    rows = []
    if edge.kind != "direct":
        rows.append(f"{text('kind_' + edge.kind)} {code(edge.table) if edge.table else ''}".rstrip())
    if edge.grade in ("type", "signature"):
        rows.append(f"**{text(f'grade_{edge.grade}', count=text.count('candidates', edge.candidates))}**")
    for one in edge.evidence:
        if one.role != "call":
            where = saying.place(one.file, one.line)
            said = words.evidence_words(one, edge).removeprefix("through macro ")
            rows.append(f"{text(f'role_{one.role}')}: {code(said)}, {where}")
    if wanted := words.needs(edge.presence, given):
        rows.append(text("needs", what=code(wanted)))
    if edge.context:
        rows.append(text("runs_here" if words.runs_here(edge) else "runs", what=edge.context))
    others = words.alternatives(passage.step.others, given, text.rows["needs"])
    if others:
        rows.append(f"{text('others')}: " + ", ".join(code(one) for one in others))
    yield from listed(text("evidence"), rows)


def _questions(asked: Asked, text: Texts) -> Iterator[str]:
    if not asked:
        return
    yield f"\n### {text('questions')}\n"
    for number, (question, answer) in enumerate(asked, 1):
        yield f"{number}. {plain(question)}"
        yield f"\n   <details><summary>{text('answer')}</summary>\n\n   {plain(answer)}\n\n   </details>\n"

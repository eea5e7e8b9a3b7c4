"""Study notes in Markdown, for GitHub, Obsidian and mdBook: a Study as a text that a person learns from.

Theory of operation: a step is told in a fixed order: what the function is for; the slice, with the lines it stands
on; why control comes here; how that is known; what is changed; what else could happen; what the model had; the
kernel's own comment; and room for the reader's remarks, which the next run keeps (see `remarks`). Only Markdown that
the three readers agree on is used; diagrams are Mermaid in fences. Pure: what was written before is given as text,
and the new text returned with the remarks that lost their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kread.facts import Edge
from kread.render import words
from kread.render.drawing import Drawing
from kread.render.links import LinkMaker
from kread.render.mermaid import mermaid
from kread.render.questions import questions
from kread.render.remarks import END, Place, Remarks, found, mark
from kread.render.study import Chapter, Passage, Study
from kread.render.texts import Texts, texts

#: A fence longer than any run of backticks in C source.
FENCE = "```"
#: What begins markup; an underscore within a word does not.
_MARKUP = re.compile(r"([\\`*\[\]<|~$]|(?<![^\W_])_|_(?![^\W_])|^[>#+-])", re.MULTILINE)


def notes_markdown(study: Study, lang: str = "en", before: str = "") -> tuple[str, list[tuple[Place, str]]]:
    """The notes, and the remarks of `before` (the notes of an earlier run) whose place is gone."""
    text = texts(lang)
    passages = [passage for chapter in study.chapters for passage in chapter.passages]
    kept = Remarks(found(before), [_place(passage) for passage in passages])
    return "\n".join(_document(study, text, kept)) + "\n", kept.lost


def contents_markdown(title: str, files: Sequence[tuple[str, str]]) -> str:
    """A list of notes, as README.md, and as SUMMARY.md of mdBook: (title in Markdown, file name) pairs."""
    return f"# {_plain(title)}\n\n" + "".join(f"- [{name}]({file})\n" for name, file in files)


def _place(passage: Passage) -> Place:
    edge = passage.step.edge
    return Place(passage.step.function.name, edge.site.text if edge else "")


def _plain(text: str) -> str:
    """Text in which Markdown sees no markup."""
    return _MARKUP.sub(r"\\\1", text)


def code(text: str) -> str:
    """A code span that may hold backticks."""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _document(study: Study, text: Texts, kept: Remarks) -> Iterator[str]:
    links = LinkMaker(study.release)
    yield f"# {_plain(study.title)}"
    yield ""
    yield f"*{text('generated', release=f'Linux {study.release}')}*"
    known = [text("needs_all", what=" && ".join(study.known))] if study.known else []
    for paragraph in (*study.overview, *known, *study.notes):
        yield ""
        yield _plain(paragraph)
    yield from _fenced(text("sequence"), study.sequence)
    index = 0
    for number, chapter in enumerate(study.chapters, 1):
        yield ""
        yield f"## {number}. {_plain(text.title(chapter.title))}"
        if chapter.reason:
            yield f"\n{_plain(chapter.reason)}"
        for gap in chapter.gaps:
            yield f"\n> **{_plain(gap)}**"
        yield from _fenced(text("path_diagram"), _diagram(chapter))
        for place, passage in enumerate(chapter.passages, 1):
            yield from _passage(passage, place, _Saying(text, links, study.known), kept.at(index))
            index += 1
        yield from _questions(chapter, text)
    yield from _fenced(text("structures"), study.structures)
    yield from _table(text("rules"), [text("rule"), text("decides"), text("value")], study.rules)
    yield from _table(text("claims"), [text("claim"), text("verdict"), text("reason")], study.claims)
    yield from _listed(text("references"), [f"[{_plain(title)}]({url})" for title, url in study.references], "##")
    yield from _listed(text("left_out"), [_plain(one) for one in study.cut], "##")
    for lost, said in kept.lost:
        yield f"\n## {text('lost_remarks')}: {_plain(lost.function)}\n\n{mark(lost)}\n\n{said}\n\n{END}"


def _fenced(title: str, diagram: str) -> Iterator[str]:
    if diagram:
        yield f"\n### {title}\n\n{FENCE}mermaid\n{diagram.rstrip()}\n{FENCE}"


def _diagram(chapter: Chapter) -> str:
    steps = [passage.step for passage in chapter.passages]
    edges = tuple(step.edge for step in steps if step.edge)
    ends = (steps[0].function, steps[-1].function) if steps else ()
    return mermaid(Drawing(tuple(step.function for step in steps), edges, chapter.title, ends)) if steps else ""


@dataclass(frozen=True, slots=True)
class _Saying:
    """What every passage is told with: the language, the links, and what the whole study needs anyway."""

    text: Texts
    links: LinkMaker
    known: tuple[str, ...]


def _passage(passage: Passage, place: int, saying: _Saying, remark: str) -> Iterator[str]:
    text, links = saying.text, saying.links
    step = passage.step
    function = step.function
    yield f"\n### {place}. {code(function.name)}"
    where = [code(str(function.location))]
    urls = links.urls(function.file, function.line)
    where += [f"[{text(key)}]({url})" for key, (_, url) in zip(("reference", "git"), urls, strict=True)]
    yield "\n" + " · ".join(where)
    if passage.purpose:
        yield f"\n{_plain(passage.purpose)}"
    if wanted := words.needs(function.presence, saying.known):
        yield "\n" + text("needs", what=code(wanted))
    if passage.slice:
        yield f"\n{FENCE}c"
        yield from (f"{line.line:>5}  {line.text}" if line.line else "       ..." for line in passage.slice)
        yield FENCE
    if step.edge:
        yield from _why(passage, step.edge, text)
        yield from _known(passage, step.edge, saying)
    changed = [f"{code(said)} (:{line})" for line, said in passage.changes]
    yield from _listed(text("changes"), changed)
    exits = [
        text("exit_line", line=line, what=": ".join(part for part in (code(what), reason) if part))
        for line, what, reason in passage.exits
    ]
    yield from _listed(text("exits"), exits)
    yield from _listed(text("values"), [f"{code(name)} = {value}" for name, value in passage.values])
    if passage.comment:
        yield f"\n**{text('comment')}** ({code(function.file)})\n"
        yield from (f"> {_plain(line)}".rstrip() for line in passage.comment.splitlines())
    yield f"\n**{text('your_notes')}** *{text('your_notes_hint')}*\n\n{mark(_place(passage))}"
    yield f"\n{remark}\n" if remark else ""
    yield END


def _why(passage: Passage, edge: Edge, text: Texts) -> Iterator[str]:
    step = passage.step
    rows = []
    for guard in sorted(step.guards, key=lambda one: one.line):
        said = words.exit_words(guard.exit, guard.reason)
        otherwise = f", {text('else', what=code(said))}" if said else ""
        rows.append(f"{code(guard.text)} {text(words.guard_word(guard))} (:{guard.line}){otherwise}")
    if step.held:
        held = ", ".join(dict.fromkeys(code(one.text) for one in step.held))
        rows.append(text("held_at_call", what=held))
    yield f"\n**{text('why')}**\n"
    yield from (f"- {row}" for row in rows or [text("why_none")])
    yield f"\n{text('calls_next', name=code(edge.callee.name))}: {code(edge.site.text)} ({edge.site})"


def _known(passage: Passage, edge: Edge, saying: _Saying) -> Iterator[str]:
    text, links = saying.text, saying.links
    given = (*saying.known, *words.conjuncts(passage.step.function.presence))
    rows = []
    if edge.kind != "direct":
        rows.append(f"{text('kind_' + edge.kind)} {code(edge.table) if edge.table else ''}".rstrip())
    if edge.grade in ("type", "signature"):
        rows.append(f"**{text(f'grade_{edge.grade}', count=text.count('candidates', edge.candidates))}**")
    for one in edge.evidence:
        if one.role != "call":
            where = f"[{one.file}:{one.line}]({links.url('reference', one.file, one.line)})"
            said = words.evidence_words(one, edge).removeprefix("through macro ")
            rows.append(f"{text(f'role_{one.role}')}: {code(said)}, {where}")
    if wanted := words.needs(edge.presence, given):
        rows.append(text("needs", what=code(wanted)))
    if edge.context:
        rows.append(text("runs", what=edge.context))
    others = words.alternatives(passage.step.others, given)
    if others:
        rows.append(f"{text('others')}: " + ", ".join(code(one) for one in others))
    yield from _listed(text("evidence"), rows)


def _questions(chapter: Chapter, text: Texts) -> Iterator[str]:
    asked = questions(chapter, text)
    if not asked:
        return
    yield f"\n### {text('questions')}\n"
    for number, (question, answer) in enumerate(asked, 1):
        yield f"{number}. {_plain(question)}"
        yield f"\n   <details><summary>{text('answer')}</summary>\n\n   {_plain(answer)}\n\n   </details>\n"


def _listed(title: str, rows: Sequence[str], level: str = "") -> Iterator[str]:
    if rows:
        yield f"\n{level} {title}\n" if level else f"\n**{title}**\n"
        yield from (f"- {row}" for row in rows)


def _table(title: str, head: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if not rows:
        return
    yield f"\n## {title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}"
    yield from ("| " + " | ".join(_plain(cell).replace("\n", " ") for cell in row) + " |" for row in rows)

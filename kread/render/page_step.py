"""One step of the page: the function, its source with notes beside the lines they belong to, how the call is known.

Theory of operation: each line of source is a row of three parts: its number (a link to the cross-reference), the
code, and the notes that belong to that line and no other. Lines outside the slice are folded in between, in the
browser's own `details`, so that they open without a script. A function whose source is not at hand shows its guards
and its call as written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from kread.facts import Edge, Guard, Step
from kread.paths.slices import SliceLine
from kread.presence import conjuncts
from kread.render import words
from kread.render.highlight import pieces
from kread.render.links import LinkMaker
from kread.render.remark_html import remark_html
from kread.render.study import Crossed, Moment, Passage
from kread.render.texts import Texts
from kread.render.wording import in_words

#: Runs of lines outside the slice that are shorter than this are not worth folding.
FOLD_AT = 3


@dataclass(frozen=True, slots=True)
class About:
    """Where a step stands: its anchor, its place of how many (from 1), and what the whole page needs anyway.

    ends -- whether a path ends here; the stop of a tour that calls nothing only ends a look
    """

    anchor: str
    place: int
    total: int
    known: tuple[str, ...] = ()
    ends: bool = False


def article(passage: Passage, about: About, text: Texts, links: LinkMaker) -> Iterator[str]:
    """The article of one step."""
    function = passage.step.function
    anchor, place, total = about.anchor, about.place, about.total
    name = escape(function.name)
    said = escape(text("step_of", n=place, total=total, name=function.name))
    yield f'<article id="{anchor}" aria-label="{said}" data-name="{name}">'
    urls = links.urls(function.file, function.line)
    yield f'<h3><span class="place">{place}/{total}</span> {name}</h3>'
    yield f'<p class="where">{escape(str(function.location))}'
    for key, (_, url) in zip(("reference", "git"), urls, strict=True):
        yield f' · <a href="{escape(url)}" rel="noreferrer">{escape(text(key))}</a>'
    yield "</p>"
    if passage.purpose:
        yield f'<p class="purpose">{escape(passage.purpose)}</p>'
    if passage.handover:
        yield from _crossed(passage.handover, text, links)
    if passage.reason:
        yield f'<p class="stop">{escape(text("stop", why=passage.reason))}</p>'
    if function.macro:
        yield f'<p class="needs">{escape(text("made_by", what=function.macro))}</p>'
    if wanted := words.needs(function.presence, about.known):
        yield f'<p class="needs">{escape(text("needs", what=wanted))}</p>'
    yield from _source(passage, text, links)
    yield from _proof(passage.step, about, text, links)
    yield from _touched(passage, text)
    if passage.exits:
        yield f"<h4>{escape(text('exits'))}</h4><ul>"
        for line, what, reason in passage.exits:
            yield f"<li>{escape(text('exit_line', line=line, what=text.either(words.exit_words(what, reason))))}</li>"
        yield "</ul>"
    if passage.moment:
        yield from _moment(passage.moment, text)
    if passage.comment:
        yield f'<details class="comment"><summary>{escape(text("comment"))}</summary>'
        yield f"<pre>{escape(passage.comment)}</pre></details>"
    if passage.remark:
        yield f'<section class="remark"><h4>{escape(text("your_notes"))}</h4>{remark_html(passage.remark)}</section>'
    yield "</article>"


def _crossed(crossed: Crossed, text: Texts, links: LinkMaker) -> Iterator[str]:
    yield f'<div class="crossed"><p>{escape(text("handover", what=crossed.title))}</p><ul>'
    for function, what, file, line in crossed.sides:
        url = escape(links.url("reference", file, line))
        yield f"<li><code>{escape(function)}</code> {escape(what)} "
        yield f'(<a href="{url}" rel="noreferrer">{escape(file)}:{line}</a>)</li>'
    yield "</ul></div>"


def _touched(passage: Passage, text: Texts) -> Iterator[str]:
    """What is read and what is changed of the structures."""
    records: dict[str, list[str]] = {}
    for record, member, line in passage.reads:
        records.setdefault(record, []).append(f"<code>{escape(member)}</code> <small>:{line}</small>")
    if records:
        yield f"<h4>{escape(text('reads'))}</h4><ul>"
        yield from (f"<li><code>{escape(record)}</code>: {', '.join(rows)}</li>" for record, rows in records.items())
        yield "</ul>"
    if passage.changes:
        yield f"<h4>{escape(text('changes'))}</h4><ul>"
        yield from (f"<li><code>{escape(said)}</code> <small>:{line}</small></li>" for line, said in passage.changes)
        yield "</ul>"


def _moment(moment: Moment, text: Texts) -> Iterator[str]:
    yield f"<h4>{escape(text('values'))}: <code>{escape(moment.event)}</code></h4><ul>"
    before = dict(moment.before)
    for name, after in moment.after:
        was = f"{before[name]} > " if name in before and before[name] != after else ""
        yield f"<li><code>{escape(name)}: {escape(was + after)}</code></li>"
    for fired, rule, _, said in moment.rules:
        yield f"<li>{escape(text('fired' if fired else 'unfired', rule=rule, says=said))}</li>"
    yield "</ul>"


def _source(passage: Passage, text: Texts, links: LinkMaker) -> Iterator[str]:
    function = passage.step.function
    notes = _notes(passage, text)
    name = escape(text("source_of", name=function.name))
    yield f'<div class="source" role="region" aria-label="{name}" tabindex="0">'
    if not passage.lines:
        shown = passage.slice or tuple(_bare(passage.step))
        for line in shown:
            yield _line(line.line, line.text, line.role, notes.get(line.line, ()), function.file, links)
    else:
        roles = {line.line: line.role for line in passage.slice if line.line}
        roles.setdefault(function.line, "signature")
        folded: list[str] = []
        for number, code in enumerate(passage.lines, passage.begin):
            row = _line(number, code, roles.get(number, ""), notes.get(number, ()), function.file, links)
            if number in roles or number in notes:
                yield from _folded(folded, text)
                folded = []
                yield row
            else:
                folded.append(row)
        yield from _folded(folded, text)
    yield "</div>"


def _folded(rows: list[str], text: Texts) -> Iterator[str]:
    if len(rows) < FOLD_AT:
        yield from rows
        return
    yield f"<details><summary>{escape(text.count('folded', len(rows)))}</summary>"
    yield from rows
    yield "</details>"


def _bare(step: Step) -> Iterator[SliceLine]:
    for guard in sorted(step.guards, key=lambda guard: guard.line):
        yield SliceLine(guard.line, guard.text, "guard")
    if step.edge:
        yield SliceLine(step.edge.site.line, step.edge.written, "call")


def _line(number: int, code: str, role: str, notes: tuple[str, ...] | list[str], file: str, links: LinkMaker) -> str:
    painted = "".join(
        f'<span class="{kind}">{escape(piece)}</span>' if kind else unbroken(piece) for kind, piece in pieces(code)
    )
    said = "".join(f"<span>{note}</span>" for note in notes)
    beside = f'<span class="note">{said}</span>' if said else ""
    if not number:
        return '<div class="line elided"><span class="no"></span><code>…</code></div>'
    url = escape(links.url("reference", file, number))
    to_line = f'<a class="no" tabindex="-1" rel="noreferrer" href="{url}">{number}</a>'
    return f'<div class="line {role}" data-line="{number}">{to_line}<code>{painted or " "}</code>{beside}</div>'


def unbroken(piece: str) -> str:
    """Code as HTML in which a line is never broken within an arrow."""
    return escape(piece).replace("-&gt;", '<span class="arrow">-&gt;</span>')


def _notes(passage: Passage, text: Texts) -> dict[int, list[str]]:
    """Line -> what is to be said of it, as HTML."""
    step, numbers = passage.step, dict(passage.numbers)
    found: dict[int, list[str]] = {}
    for guard in step.guards:
        found.setdefault(guard.line, []).append(_guard(guard, step.function.name, text))
        if shown := numbers.pop(guard.line, ""):
            found[guard.line].append(f'<span class="numbers">{escape(text("at_scenario", what=shown))}</span>')
    for held in step.held:
        said = escape(text("held", what=held.text))
        found.setdefault(held.line, []).append(said)
    if step.edge:
        found.setdefault(step.edge.site.line, []).append(_called(step.edge, text))
    return found


def _guard(guard: Guard, function: str, text: Texts) -> str:
    word = words.guard_word(guard)
    otherwise = text.either(words.exit_words(guard.exit, guard.reason))
    meant = in_words(guard, function, text.lang)
    said = f'<b class="{word}">{escape(text(word))}</b>' + (f": {escape(meant)}" if meant else "")
    if guard.then:
        said += f" · {text('then', what=f'<code>{escape(guard.then)}</code> <small>:{guard.then_line}</small>')}"
    return said + (f" · {escape(text('else', what=otherwise))}" if otherwise else "")


def _called(edge: Edge, text: Texts) -> str:
    parts = [f'<b class="call">{escape(text("calls_next", name=edge.callee.name))}</b>']
    if edge.kind != "direct":
        parts.append(escape(f"{text('kind_' + edge.kind)} {edge.table}".strip()))
    return " · ".join(parts)


def _proof(step: Step, about: About, text: Texts, links: LinkMaker) -> Iterator[str]:
    edge = step.edge
    if edge is None:
        yield f'<p class="end">{escape(text("arrived"))}</p>' if about.ends else ""
        return
    if edge.grade in ("type", "signature"):
        said = text(f"grade_{edge.grade}", count=text.count("candidates", edge.candidates))
        yield f'<p class="unsure">{escape(said)}</p>'
    if edge.context:
        yield f'<p class="unsure">{escape(text("runs_here" if words.runs_here(edge) else "runs", what=edge.context))}</p>'
    given = (*about.known, *conjuncts(step.function.presence))
    if wanted := words.needs(edge.presence, given):
        yield f'<p class="needs">{escape(text("needs", what=wanted))}</p>'
    shown = [one for one in edge.evidence if one.role != "call"]
    if shown:
        yield f'<h4>{escape(text("evidence"))}</h4><ul class="evidence">'
        for one in shown:
            url = escape(links.url("reference", one.file, one.line))
            role = escape(text(f"role_{one.role}"))
            code = escape(words.evidence_words(one, edge).removeprefix("through macro "))
            where = f'<a href="{url}" rel="noreferrer">{escape(f"{one.file}:{one.line}")}</a>'
            within = f" ({escape(one.function)})" if one.function else ""
            yield f"<li><i>{role}</i> <code>{code}</code> {where}{within}</li>"
        yield "</ul>"
    others = words.alternatives(step.others, given, text.rows["needs"])
    if others:
        yield f"<h4>{escape(text('others'))}</h4><ul>"
        yield from (f"<li><code>{escape(other)}</code></li>" for other in others)
        yield "</ul>"

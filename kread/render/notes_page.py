"""Study notes as one HTML file: the page, with the overview before its steps and the model, claims and links after.

Theory of operation: the page shows the steps; here is only what stands round them, as panels of the page. Diagrams are
pictures of ours (`sequence_svg`, `class_svg`), so that the file needs nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from kread.render.class_svg import class_svg
from kread.render.links import LinkMaker
from kread.render.page import Around, page
from kread.render.questions import Asked, study_questions
from kread.render.remark_html import remark_html
from kread.render.sequence_svg import sequence_svg
from kread.render.study import Claimed, Moment, Study
from kread.render.texts import Texts, texts


def notes_page(study: Study, lang: str = "en", index: str = "", remarks: str = "") -> str:
    """The HTML document of a study.

    index   -- where the contents of several stand ("" = this is the only one)
    remarks -- the Markdown file that the reader's remarks stand in ("" = none)
    """
    text, links = texts(lang), LinkMaker(study.release)
    around = Around(
        "\n".join(_before(study, text, links)),
        "\n".join(_after(study, text, links)),
        tuple("\n".join(_questions(asked, text)) for asked in study_questions(study, text)),
        index,
        remarks,
    )
    return page(study, lang, around)


def _before(study: Study, text: Texts, links: LinkMaker) -> Iterator[str]:
    yield from (f"<p>{escape(paragraph)}</p>" for paragraph in study.overview)
    if study.steps:
        yield f'<p>{escape(text("six_steps"))} {escape(text("walked"))}</p><ol class="story">'
        for said, walked in study.steps:
            rest = escape(said.partition(" ")[2])
            yield f"<li><b>{rest}</b></li>" if walked else f"<li>{rest}</li>"
        yield "</ol>"
    if study.sequence:
        yield f"<h2>{escape(text('sequence'))}</h2>"
        yield f'<div class="drawing" tabindex="0">{sequence_svg(study.sequence, text("sequence"))}</div>'
        yield f'<p class="legend">{escape(text("queues"))}</p>'
    if study.structured:
        yield f"<h2>{escape(text('structures'))}</h2><ul>"
        for one in study.structured:
            yield f"<li><code>struct {escape(one.name)}</code> ({_place(one.file, one.line, links)}): "
            yield f"{escape(one.reason)}</li>"
        title = text("structures_diagram")
        yield f'</ul><h3>{escape(title)}</h3><div class="drawing" tabindex="0">{class_svg(study.structures, title)}</div>'


def _place(file: str, line: int, links: LinkMaker) -> str:
    return f'<a href="{escape(links.url("reference", file, line))}" rel="noreferrer">{escape(file)}:{line}</a>'


def _questions(asked: Asked, text: Texts) -> Iterator[str]:
    if not asked:
        return
    yield f'<section class="questions"><h3>{escape(text("questions"))}</h3><ol>'
    for question, answer in asked:
        yield f'<li>{escape(question)}<details class="answer"><summary>{escape(text("answer"))}</summary>'
        yield f"<p>{escape(answer)}</p></details></li>"
    yield "</ol></section>"


def _after(study: Study, text: Texts, links: LinkMaker) -> Iterator[str]:
    if study.played:
        yield f'<h2>{escape(text("rules"))}</h2><p class="legend">{escape(text("queues"))}</p>'
        for moment in study.played:
            if moment.came or moment.after or moment.rules:
                yield from _played(moment, text)
    if study.claims:
        yield f'<h2>{escape(text("claims"))}</h2><ol class="claims">'
        for claim in study.claims:
            yield from _claim(claim, text, links)
        yield "</ol>"
    if study.references:
        yield f"<h2>{escape(text('references'))}</h2><ul>"
        for title, url in study.references:
            yield f'<li><a href="{escape(url)}" rel="noreferrer">{escape(title)}</a></li>'
        yield "</ul>"
    for lost, said in study.lost:
        yield f'<section class="remark"><h2>{escape(text("lost_remarks"))}: {escape(lost.function)}</h2>'
        yield f"{remark_html(said)}</section>"


def _played(moment: Moment, text: Texts) -> Iterator[str]:
    yield f"<h3>{escape(moment.event)}</h3>"
    if moment.came:
        yield f"<p>{escape(text('came'))}: <code>{escape('; '.join(moment.came))}</code></p>"
    before = dict(moment.before)
    rows = [
        f"{name}: {before[name]} > {after}" if before.get(name, after) != after else f"{name}: {after}"
        for name, after in moment.after
    ]
    rows += [f"{name}: {moved}" for name, moved in moment.moves]
    if rows:
        yield "<ul>" + "".join(f"<li><code>{escape(row)}</code></li>" for row in rows) + "</ul>"
    head = (text("rule"), text("function"), text("decides"))
    yield from _table(head, [(rule, function, said) for _, rule, function, said in moment.rules])


def _claim(claim: Claimed, text: Texts, links: LinkMaker) -> Iterator[str]:
    yield f"<li>{escape(claim.says)} <strong>{escape(claim.verdict)}</strong>"
    if claim.but:
        yield f"<p>{escape(text('but', what=claim.but))}</p>"
    yield "<ul>"
    yield from (f"<li>{escape(text('yes' if met else 'no'))}: {escape(said)}</li>" for met, said in claim.cases)
    for said, file, line in claim.places:
        yield f"<li><code>{escape(said)}</code> {_place(file, line, links)}</li>"
    yield "</ul></li>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield "<table><thead><tr>"
    yield from (f'<th scope="col">{escape(cell)}</th>' for cell in head)
    yield "</tr></thead><tbody>"
    yield from ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    yield "</tbody></table>"

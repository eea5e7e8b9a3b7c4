"""Study notes as one HTML file: the page, with the overview before its steps and the questions, tables and links after.

Theory of operation: the page shows the steps; here is only what stands round them. Mermaid can't be drawn without a
script from elsewhere, so a diagram is given as its text, in a box that can be opened, beside the page's own map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from kread.render.page import page
from kread.render.questions import questions
from kread.render.study import Study
from kread.render.texts import Texts, texts


def notes_page(study: Study, lang: str = "en") -> str:
    """The HTML document of a study."""
    text = texts(lang)
    return page(study, lang, before="\n".join(_before(study, text)), after="\n".join(_after(study, text)))


def _before(study: Study, text: Texts) -> Iterator[str]:
    yield from (f"<p>{escape(paragraph)}</p>" for paragraph in study.overview)
    yield from _diagram(text("sequence"), study.sequence)


def _after(study: Study, text: Texts) -> Iterator[str]:
    for number, chapter in enumerate(study.chapters, 1):
        asked = questions(chapter, text)
        if asked:
            yield f"<section><h2>{escape(text('questions'))}: {number}. {escape(text.title(chapter.title))}</h2><ol>"
            for question, answer in asked:
                yield f"<li>{escape(question)}<details><summary>{escape(text('answer'))}</summary>"
                yield f"<p>{escape(answer)}</p></details></li>"
            yield "</ol></section>"
    yield from _diagram(text("structures"), study.structures)
    yield from _table(text("rules"), (text("rule"), text("decides"), text("value")), study.rules)
    yield from _table(text("claims"), (text("claim"), text("verdict"), text("reason")), study.claims)
    if study.references:
        yield f"<section><h2>{escape(text('references'))}</h2><ul>"
        for title, url in study.references:
            yield f'<li><a href="{escape(url)}" rel="noreferrer">{escape(title)}</a></li>'
        yield "</ul></section>"


def _diagram(title: str, diagram: str) -> Iterator[str]:
    if diagram:
        yield f"<details><summary>{escape(title)}</summary><pre>{escape(diagram)}</pre></details>"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"<section><h2>{escape(title)}</h2><table><thead><tr>"
    yield from (f'<th scope="col">{escape(cell)}</th>' for cell in head)
    yield "</tr></thead><tbody>"
    yield from ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    yield "</tbody></table></section>"

"""The page to read on: one HTML file with the trail, the source, a map, tabs for families, and nothing from elsewhere.

Theory of operation: the document is whole without its script: every step stands in it, in order, with links between;
that is what a printer, a screen reader and a browser without scripts get. The script only shows one step at a time
and walks. Style and script lie in assets/ and are put into the file, and a content security policy in it forbids
every other source. Pure: a Study in, text out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from json import dumps

from kread.render import words
from kread.render.links import LinkMaker
from kread.render.page_step import About, article, unbroken
from kread.render.path_map import path_map, step_id
from kread.render.study import Chapter, Passage, Study
from kread.render.texts import Texts, texts

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'"
#: What the script says by itself.
_SCRIPT_TEXTS = ("search_none", "found", "found_many", "fold", "unfold")


@cache
def asset(name: str) -> str:
    """A file of assets/, as text."""
    return (files("kread.render") / "assets" / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Around:
    """HTML of ours that stands round the steps: an overview before them, more after them, and after each chapter."""

    before: str = ""
    after: str = ""
    chapters: tuple[str, ...] = ()
    #: Where the contents of several pages stand ("" = this is the only one).
    index: str = ""
    #: The Markdown file in which the reader writes remarks ("" = none).
    remarks: str = ""


def page(study: Study, lang: str = "en", around: Around = Around()) -> str:
    """The whole HTML document."""
    return "\n".join(_document(study, texts(lang), around)) + "\n"


def _document(study: Study, text: Texts, around: Around) -> Iterator[str]:
    release = text("release", release=study.release)
    yield "<!DOCTYPE html>"
    yield f'<html lang="{text("html_lang")}"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield f"<title>{escape(study.title)} · {escape(release)}</title>"
    yield '<link rel="icon" href="data:,">'
    yield f"<style>\n{asset('page.css')}</style></head><body>"
    yield f'<a class="skip" href="#steps">{escape(text("skip"))}</a>'
    yield from _top(study, text, release, around)
    yield "<main>"
    yield from _tabs(study, text, around)
    if around.before:
        yield f'<section id="overview" class="panel about" role="tabpanel" aria-labelledby="tab0">{around.before}</section>'
    if not study.chapters:
        yield f"<p>{escape(text('no_path'))}</p>"
    # The parts of a tour follow one another; the families of a path are alternatives.
    yield f'<div id="steps"{" data-through" if study.overview else ""}>'
    links = LinkMaker(study.release)
    for number, chapter in enumerate(study.chapters, 1):
        yield from _chapter(chapter, number, study, text, links)
        yield (around.chapters[number - 1] if around.chapters else "") + "</section>"
    yield "</div>"
    if around.after:
        yield f'<section id="more" class="panel about" role="tabpanel" aria-labelledby="tabmore">{around.after}</section>'
    yield "</main>"
    yield from _bottom(study, text, around)
    said = {key: text.rows[key] for key in _SCRIPT_TEXTS}
    yield f'<script type="application/json" id="texts">{dumps(said).replace("<", chr(92) + "u003c")}</script>'
    yield f"<script>\n{asset('page.js')}</script></body></html>"


def _top(study: Study, text: Texts, release: str, around: Around) -> Iterator[str]:
    yield f'<header><h1>{escape(study.title)}</h1><p class="release">{escape(release)} · '
    yield escape(text.count("parts" if study.overview else "families", len(study.chapters)))
    yield (f' · <a href="{escape(around.index)}">{escape(text("to_course"))}</a>' if around.index else "") + "</p>"
    yield '<form role="search" class="js"><input type="search" id="search" autocomplete="off" aria-controls="results"'
    yield f' placeholder="{escape(text("search"))}" aria-label="{escape(text("search"))}"></form>'
    drawn = path_map(study, text("map"))
    if drawn:
        yield f'<button type="button" id="mapped" class="js" aria-pressed="true">{escape(text("map_button"))}</button>'
    yield f'<button type="button" id="theme" class="js">{escape(text("theme"))}</button>'
    yield '<ul id="results" class="js" aria-live="polite" hidden></ul>'
    known = [text("needs_all", what=" && ".join(study.known))] if study.known else []
    for note in (*known, *study.notes):
        yield f'<p class="notes">{escape(note)}</p>'
    yield "</header>"
    if drawn:
        yield f'<nav class="map" aria-label="{escape(text("map"))}">{drawn}</nav>'


def _tabs(study: Study, text: Texts, around: Around) -> Iterator[str]:
    tabs = [(f"tab{number}", f"family{number}", str(number), one.title) for number, one in enumerate(study.chapters, 1)]
    tabs = [("tab0", "overview", "", text("overview"))] * bool(around.before) + tabs
    tabs += [("tabmore", "more", "", text("more"))] * bool(around.after)
    if len(tabs) > 1:
        yield f'<div role="tablist" class="js tabs" aria-label="{escape(text("family_tabs"))}">'
        for ident, panel, number, title in tabs:
            sign = f"<b>{number}</b> " if number else ""
            yield (
                f'<button type="button" role="tab" id="{ident}" aria-controls="{panel}">{sign}{escape(title)}</button>'
            )
        yield "</div>"


def _chapter(chapter: Chapter, number: int, study: Study, text: Texts, links: LinkMaker) -> Iterator[str]:
    role = f'role="tabpanel" aria-label="{escape(chapter.title)}"'
    calls = sum(1 for passage in chapter.passages if passage.step.edge)
    yield f'<section id="family{number}" class="panel family" {role}>'
    yield f"<h2>{escape(chapter.title)} <small>{escape(text.count('calls', calls))}</small></h2>"
    if chapter.reason:
        yield f"<p>{escape(chapter.reason)}</p>"
    for gap in chapter.gaps:
        yield f'<p class="unsure">{escape(gap)}</p>'
    yield f'<div class="columns"><nav class="trail" aria-label="{escape(text("trail"))}"><ol>'
    for place, passage in enumerate(chapter.passages, 1):
        yield from _trail_item(passage, step_id(number, place), text)
    yield '</ol></nav><div class="articles">'
    yield f'<p class="walk js"><button type="button" data-go="-1">← {escape(text("previous"))}</button>'
    yield f'<button type="button" data-go="1">{escape(text("next"))} →</button>'
    yield f'<button type="button" data-fold aria-pressed="false">{escape(text("unfold"))}</button></p>'
    for place, passage in enumerate(chapter.passages, 1):
        ends = place == len(chapter.passages) and not study.overview
        about = About(step_id(number, place), place, len(chapter.passages), study.known, ends)
        yield from article(passage, about, text, links)
    yield "</div></div>"


def _trail_item(passage: Passage, anchor: str, text: Texts) -> Iterator[str]:
    step, function = passage.step, passage.step.function
    noted = f' <span class="noted" role="img" aria-label="{escape(text("your_notes"))}">✎</span>' * bool(passage.remark)
    yield f'<li><a href="#{anchor}"><b>{escape(function.name)}{noted}</b> '
    yield f"<small>{escape(str(function.location))}</small></a>"
    rows = words.in_order(step.guards)
    if rows or step.held or step.edge:
        yield "<ul>"
        for said in rows:
            kind = ' class="exit"' if said.otherwise else ""
            yield f'<li{kind}><i class="{said.word}">{said.word}</i><code>{unbroken(said.text)}</code>'
            yield f"<small>:{said.line}</small></li>"
        if step.held:
            held = ", ".join(dict.fromkeys(one.text for one in step.held))
            yield f'<li><i class="held">held</i><code>{escape(held)}</code><small>:{step.held[-1].line}</small></li>'
        if step.edge:
            line = step.edge.site.line
            yield f'<li><i class="call">→</i><code>{unbroken(step.edge.written)}</code><small>:{line}</small></li>'
        yield "</ul>"
    yield "</li>"


def _bottom(study: Study, text: Texts, around: Around) -> Iterator[str]:
    yield "<footer>"
    if study.cut:
        yield f"<h2>{escape(text('left_out'))}</h2><ul>"
        yield from (f"<li>{escape(one)}</li>" for one in study.cut)
        yield "</ul>"
    yield f"<p>{escape(text('generated', release=f'Linux {study.release}'))}</p>"
    if around.remarks:
        yield f"<p>{escape(text('remarks_hint', file=around.remarks))}</p>"
    yield f'<p class="js">{escape(text("keys"))}</p>'
    yield '<p id="status" class="hidden" role="status" aria-live="polite"></p></footer>'

"""The first page of several notes as HTML that needs nothing else: the whole story, and each text with its goal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from kread.render.page import asset
from kread.render.texts import texts


def index_page(title: str, story: Sequence[str], rows: Sequence[tuple[str, str, str]], lang: str) -> str:
    """The document; `story` are the steps of the whole, numbered, and `rows` (file, title, what one can do after it) in order."""
    text = texts(lang)
    said = "".join(
        f'<li><a href="{escape(file)}">{escape(name)}</a><p>{escape(goal)}</p></li>\n' for file, name, goal in rows
    )
    steps = "".join(f"<li>{escape(one.partition(' ')[2])}</li>\n" for one in story)
    return (
        f'<!DOCTYPE html>\n<html lang="{text("html_lang")}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>\n{asset("page.css")}</style></head>'
        f'<body class="index"><main class="about"><h1>{escape(title)}</h1>\n<p>{escape(text("six_steps"))}</p>'
        f'<ol class="story">\n{steps}</ol><h2>{escape(text("to_course"))}</h2><ol>\n{said}</ol></main></body></html>\n'
    )

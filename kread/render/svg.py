"""What our SVG drawings share: the width of text, wrapped lines, boxes and arrow heads.

Theory of operation: text is set in a monospaced font of one size, so that its width is a number of letters and the
drawing needs no measuring where it is shown; an East Asian letter is two wide. Colours are classes that the page's
style sheet paints, for light, dark and paper.
"""

from __future__ import annotations

from html import escape
from textwrap import wrap
from unicodedata import east_asian_width

#: A letter of the font of 11 pixels, and from one line to the next.
LETTER = 6.7
LINE = 14


def letters(text: str) -> int:
    """How many letters wide a text is."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def width(text: str) -> float:
    """The width of a text in pixels."""
    return letters(text) * LETTER


def wrapped(text: str, limit: int) -> list[str]:
    """The text in lines of at most `limit` letters, broken at blanks, or anywhere in a text without blanks."""
    if letters(text) > len(text):
        limit //= 2
    return wrap(text, limit, break_on_hyphens=False) or [""]


def lines_at(x: float, y: float, rows: list[str], kind: str = "") -> str:
    """Lines of text, the first with its base line at `y`."""
    named = f' class="{kind}"' if kind else ""
    return "".join(
        f'<text{named} x="{x:.1f}" y="{y + LINE * number:.1f}">{escape(row)}</text>' for number, row in enumerate(rows)
    )


def box_at(left: float, top: float, wide: float, high: float, kind: str = "") -> str:
    """A box with round corners."""
    named = f' class="{kind}"' if kind else ""
    return f'<rect{named} x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="5"/>'


def tip_at(x: float, y: float, right: bool = True) -> str:
    """The head of an arrow that ends here."""
    back = -7 if right else 7
    return f'<path class="tip" d="M{x:.1f} {y:.1f}l{back} -3.5v7z"/>'


def framed(kind: str, title: str, wide: float, high: float, inner: str, smallest: float = 0.75) -> str:
    """The SVG element; it shrinks with its room down to `smallest` of its size and scrolls in its frame from there."""
    return (
        f'<svg class="{kind}" role="img" aria-label="{escape(title)}" viewBox="0 0 {wide:.0f} {high:.0f}" '
        f'style="max-width:{wide:.0f}px;min-width:{wide * smallest:.0f}px">{inner}</svg>'
    )

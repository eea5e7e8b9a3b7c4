"""Conditions of the source in plain words, in the reader's language.

Theory of operation: a condition is taken apart at its outermost ||, && and !, and by De Morgan what must be false is
said as what is so instead; `a != b` is the negation of `a == b`. The innermost parts stand in data/wording.toml, as a text
or a pattern. A condition of which one part has no words is not said at all: half of it would be a lie.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from kread import data
from kread.facts import Guard
from kread.parse.wording import bare, fold, outermost

#: A condition of more parts than this is no longer plain in words.
MOST_PARTS = 6

_UNEQUAL = re.compile(r"(?<![<>=!])!=(?!=)")


@dataclass(frozen=True, slots=True)
class _Row:
    """A part that has words: for one function ("" = all), and what is said where it is true and where it is false."""

    pattern: re.Pattern[str]
    functions: tuple[str, ...]
    said: tuple[str, str]


def in_words(guard: Guard, function: str, lang: str = "en") -> str:
    """What a guard of a function asks, as a clause ("" = there are no words for it)."""
    parts = _said(guard.text, guard.holds, function, lang)
    return parts.text if parts and parts.number <= MOST_PARTS else ""


@dataclass(frozen=True, slots=True)
class _Clause:
    """Words, of how many parts they are joined, and by which sign ("" = of one)."""

    text: str
    number: int = 1
    sign: str = ""


def _said(text: str, holds: bool, function: str, lang: str) -> _Clause | None:
    text = bare(fold(text))
    whole = _part(text, holds, function, lang)
    if whole:
        return _Clause(whole)
    outer = outermost(text)
    for sign in ("||", "&&"):
        if sign in outer:
            parts = [_said(part, holds, function, lang) for part in _cut(text, outer, sign)]
            return _joined([part for part in parts if part], len(parts), (sign == "&&") is holds, lang)
    if text.startswith("!"):
        return _said(text[1:], not holds, function, lang)
    found = _UNEQUAL.search(outer)
    if found:
        return _said(f"{text[: found.start()]}=={text[found.end() :]}", not holds, function, lang)
    return None


def _joined(parts: list[_Clause], wanted: int, every: bool, lang: str) -> _Clause | None:
    """The parts as one clause: all of them hold, or one of them does."""
    if len(parts) < wanted:
        return None
    sign = "and" if every else "or"
    text = data.load(f"lang/{lang}")["text"]
    mixed = any(part.sign not in ("", sign) for part in parts)
    between = text[f"{sign}_apart" if mixed else f"{sign}_between"]
    return _Clause(between.join(part.text for part in parts), sum(part.number for part in parts), sign)


def _cut(text: str, outer: str, sign: str) -> list[str]:
    places = [match.span() for match in re.finditer(re.escape(sign), outer)]
    starts = [0, *(end for _, end in places)]
    ends = [*(start for start, _ in places), len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _part(text: str, holds: bool, function: str, lang: str) -> str:
    """What data says of a part; a row for this very function comes before the others."""
    found = [(row, match) for row in _rows(lang) if (match := row.pattern.fullmatch(text)) and _for(row, function)]
    if not found:
        return ""
    row, match = min(found, key=lambda one: not one[0].functions)
    return row.said[0 if holds else 1].format(text, **match.groupdict())


def _for(row: _Row, function: str) -> bool:
    return not row.functions or function in row.functions


@cache
def _rows(lang: str) -> tuple[_Row, ...]:
    found = []
    for row in data.load("wording")["say"]:
        pattern = row.get("pattern") or re.escape(fold(row["text"]))
        yes, no = row[lang]
        found.append(_Row(re.compile(pattern), tuple(row.get("functions", ())), (yes, no)))
    return tuple(found)

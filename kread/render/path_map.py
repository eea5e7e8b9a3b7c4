"""The map of a page: all families as one small graph in SVG, each box a link to its step.

Theory of operation: a function stands in the column of its longest way from the caller, so that every arrow goes
right; in a column functions stand in the order in which the families meet them. A function of several families is one
box, whose link leads to the first family's step; the page's script leads it to the family that is open. Long names
are broken once, at an underscore.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from kread.facts import Function
from kread.render.study import Study

LETTER = 6.7
LINE = 14
BOX_PAD = 8
COLUMN_GAP = 34
ROW_GAP = 16
#: The map shrinks with its room down to this part of its size, below which names can't be read; then it scrolls.
SMALLEST = 0.75
#: How far an arrow that passes over a column swings out below it.
DETOUR = 44
#: A name longer than this is broken in two lines.
BREAK_AT = 16


def path_map(study: Study, title: str) -> str:
    """The SVG element ("" for a study without steps)."""
    columns = _columns(study)
    if not columns:
        return ""
    return "".join(_svg(study, columns, title))


def step_id(chapter: int, step: int) -> str:
    """The anchor of a step: both numbers count from 1."""
    return f"f{chapter}s{step}"


def _columns(study: Study) -> list[list[Function]]:
    depth: dict[Function, int] = {}
    limit = sum(len(chapter.passages) for chapter in study.chapters)
    for _ in range(limit):  # longest ways; a cycle between families stops growing at the limit
        grown = False
        for chapter in study.chapters:
            before = -1
            for passage in chapter.passages:
                function = passage.step.function
                at = max(depth.get(function, 0), before + 1)
                grown |= at != depth.get(function)
                depth[function] = before = min(at, limit)
        if not grown:
            break
    found: dict[int, list[Function]] = {}
    for function, at in depth.items():
        found.setdefault(at, []).append(function)
    return [found[at] for at in sorted(found)]


def _broken(name: str) -> list[str]:
    if len(name) <= BREAK_AT:
        return [name]
    places = [i + 1 for i, letter in enumerate(name) if letter == "_" and 2 < i < len(name) - 2]
    if not places:
        return [name]
    at = min(places, key=lambda place: abs(place - len(name) / 2))
    return [name[:at], name[at:]]


def _svg(study: Study, columns: list[list[Function]], title: str) -> Iterator[str]:
    height = 2 * LINE + BOX_PAD
    tallest = max(map(len, columns))
    box: dict[Function, tuple[float, float, float]] = {}
    x = 4.0
    for column in columns:
        width = max(len(part) for one in column for part in _broken(one.name)) * LETTER + 2 * BOX_PAD
        top = 4 + (tallest - len(column)) * (height + ROW_GAP) / 2
        for row, function in enumerate(column):
            box[function] = (x, top + row * (height + ROW_GAP), width)
        x += width + COLUMN_GAP
    total_width, total_height = x - COLUMN_GAP + 4, 0.0 + tallest * (height + ROW_GAP) - ROW_GAP + 8
    total_height += DETOUR / 2 if len(study.chapters) > 1 else 0
    size = (
        f'viewBox="0 0 {total_width:.0f} {total_height:.0f}" '
        f'style="max-width:{total_width:.0f}px;min-width:{total_width * SMALLEST:.0f}px"'
    )
    yield f'<svg class="pathmap" role="group" aria-label="{escape(title)}" {size}>'
    yield from _arrows(study, box, height)
    seen: dict[Function, list[str]] = {}
    for number, chapter in enumerate(study.chapters, 1):
        for place, passage in enumerate(chapter.passages, 1):
            seen.setdefault(passage.step.function, []).append(step_id(number, place))
    for function, (left, top, width) in box.items():
        steps = seen[function]
        parts = _broken(function.name)
        middle = top + height / 2 + 4 - (len(parts) - 1) * LINE / 2
        lines = "".join(
            f'<text x="{left + width / 2:.1f}" y="{middle + i * LINE:.1f}">{escape(part)}</text>'
            for i, part in enumerate(parts)
        )
        yield (
            f'<a href="#{steps[0]}" data-steps="{" ".join(steps)}" aria-label="{escape(function.name)}">'
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height}" rx="6"/>{lines}</a>'
        )
    yield "</svg>"


def _arrows(study: Study, box: dict[Function, tuple[float, float, float]], height: float) -> Iterator[str]:
    drawn: dict[tuple[Function, Function, str], list[int]] = {}
    for number, chapter in enumerate(study.chapters, 1):
        for passage, after in zip(chapter.passages, chapter.passages[1:], strict=False):
            kind = passage.step.edge.kind if passage.step.edge else "gap"
            drawn.setdefault((passage.step.function, after.step.function, kind), []).append(number)
    for (caller, callee, kind), chapters in drawn.items():
        if caller == callee:
            continue
        left, top, width = box[caller]
        to, to_top, _ = box[callee]
        x1, y1, x2, y2 = left + width, top + height / 2, to, to_top + height / 2
        bend = max((x2 - x1) / 2, COLUMN_GAP / 2)
        around = DETOUR if x2 - x1 > COLUMN_GAP + 1 or x2 < x1 else 0.0
        families = " ".join(f"in{number}" for number in chapters)
        shape = "plain" if kind in ("direct", "macro", "cleanup") else "pointer"
        yield (
            f'<path class="{shape} {families}" d="M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1 + around:.1f} '
            f'{x2 - bend:.1f} {y2 + around:.1f} {x2 - 1:.1f} {y2:.1f}"/>'
            f'<path class="tip {families}" d="M{x2:.1f} {y2:.1f}l-7 -3.5v7z"/>'
        )

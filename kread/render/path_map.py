"""The map of a page: all families as one small graph in SVG, each box a link to its step.

Theory of operation: a function stands in the column of its longest way of calls from where a family begins, so that
every arrow goes right; a call that would close a circle doesn't count. Down the columns a function stands as near as
it can to the middle of those that call it. A function of several families is one box, whose link leads to the first
family's step; the page's script leads it to the family that is open. Long names are broken once, at an underscore.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from kread.facts import Function
from kread.render.study import Study
from kread.render.svg import LETTER, LINE, tip_at

BOX_PAD = 8
COLUMN_GAP = 34
ROW_GAP = 14
HEIGHT = 2 * LINE + BOX_PAD
#: The map shrinks with its room down to this part of its size, below which names can't be read; then it scrolls.
SMALLEST = 0.75
#: A Bézier curve goes this part of the way to where its handles are pulled.
REACH = 0.75
#: A name longer than this is broken in two lines.
BREAK_AT = 16

#: caller, callee, how it is known -> the families that have it.
_Calls = dict[tuple[Function, Function, str], list[int]]


def path_map(study: Study, title: str) -> str:
    """The SVG element ("" for a study without steps)."""
    calls = _calls(study)
    columns = _columns(study, calls)
    return "".join(_svg(study, columns, calls, title)) if columns else ""


def step_id(chapter: int, step: int) -> str:
    """The anchor of a step: both numbers count from 1."""
    return f"f{chapter}s{step}"


def _calls(study: Study) -> _Calls:
    found: _Calls = {}
    for number, chapter in enumerate(study.chapters, 1):
        for passage in chapter.passages:
            edge = passage.step.edge
            if edge and edge.caller != edge.callee:
                families = found.setdefault((passage.step.function, edge.callee, edge.kind), [])
                families += [number] if number not in families else []
    return found


def _columns(study: Study, calls: _Calls) -> list[list[Function]]:
    callees: dict[Function, list[Function]] = {}
    for caller, callee, _ in calls:
        callees.setdefault(caller, []).append(callee)
    depth: dict[Function, int] = {}
    functions = list(dict.fromkeys(one.step.function for chapter in study.chapters for one in chapter.passages))

    def deepen(function: Function, at: int, above: frozenset[Function]) -> None:
        if depth.get(function, -1) >= at:
            return
        depth[function] = at
        for callee in callees.get(function, ()):
            if callee not in above:
                deepen(callee, at + 1, above | {function})

    called = {callee for _, callee, _ in calls}
    for function in [one for one in functions if one not in called] + functions:
        if function not in depth:
            deepen(function, 0, frozenset())
    found: dict[int, list[Function]] = {}
    for function in functions:
        found.setdefault(depth[function], []).append(function)
    return [found[at] for at in sorted(found)]


def _rows(columns: list[list[Function]], calls: _Calls) -> dict[Function, float]:
    """Where the boxes stand from above: near the middle of their callers, in the order of the families."""
    at: dict[Function, float] = {}
    for column in columns:
        wanted = {}
        for number, function in enumerate(column):
            above = [at[caller] for caller, callee, _ in calls if callee == function and caller in at]
            wanted[function] = sum(above) / len(above) if above else float(number * (HEIGHT + ROW_GAP))
        # Boxes that want one place share it: they stand around it, none above the border.
        lowest = 0.0
        ordered = sorted(column, key=lambda one: wanted[one])
        for number, function in enumerate(ordered):
            equal = [other for other in ordered[number:] if wanted[other] == wanted[function]]
            start = wanted[function] - (len(equal) - 1) * (HEIGHT + ROW_GAP) / 2
            at[function] = max(lowest, start, 0.0)
            lowest = at[function] + HEIGHT + ROW_GAP
    return at


def _broken(name: str) -> list[str]:
    if len(name) <= BREAK_AT:
        return [name]
    places = [i + 1 for i, letter in enumerate(name) if letter == "_" and 2 < i < len(name) - 2]
    if not places:
        return [name]
    at = min(places, key=lambda place: abs(place - len(name) / 2))
    return [name[:at], name[at:]]


def _svg(study: Study, columns: list[list[Function]], calls: _Calls, title: str) -> Iterator[str]:
    top = _rows(columns, calls)
    box: dict[Function, tuple[float, float, float]] = {}
    x = 4.0
    for column in columns:
        width = max(len(part) for one in column for part in _broken(one.name)) * LETTER + 2 * BOX_PAD
        box |= {function: (x, 4 + top[function], width) for function in column}
        x += width + COLUMN_GAP
    arrows, lowest = _arrows(box, calls)
    wide, high = x - COLUMN_GAP + 4, max(max(top.values()) + HEIGHT, lowest) + 8
    size = f'viewBox="0 0 {wide:.0f} {high:.0f}" style="max-width:{wide:.0f}px;min-width:min({wide * SMALLEST:.0f}px,300vw)"'
    yield f'<svg class="pathmap" role="group" aria-label="{escape(title)}" {size}>'
    yield arrows
    seen: dict[Function, list[str]] = {}
    for number, chapter in enumerate(study.chapters, 1):
        for place, passage in enumerate(chapter.passages, 1):
            seen.setdefault(passage.step.function, []).append(step_id(number, place))
    for function, (left, above, width) in box.items():
        steps = seen[function]
        parts = _broken(function.name)
        middle = above + HEIGHT / 2 + 4 - (len(parts) - 1) * LINE / 2
        lines = "".join(
            f'<text x="{left + width / 2:.1f}" y="{middle + i * LINE:.1f}">{escape(part)}</text>'
            for i, part in enumerate(parts)
        )
        yield (
            f'<a href="#{steps[0]}" data-steps="{" ".join(steps)}" aria-label="{escape(function.name)}">'
            f'<rect x="{left:.1f}" y="{above:.1f}" width="{width:.1f}" height="{HEIGHT}" rx="6"/>{lines}</a>'
        )
    yield "</svg>"


def _arrows(box: dict[Function, tuple[float, float, float]], calls: _Calls) -> tuple[str, float]:
    """The arrows, and how far down they reach."""
    drawn, lowest = [], 0.0
    for (caller, callee, kind), chapters in calls.items():
        if caller not in box or callee not in box:
            continue
        left, above, width = box[caller]
        to, to_above, _ = box[callee]
        x1, y1, x2, y2 = left + width, above + HEIGHT / 2, to, to_above + HEIGHT / 2
        bend = max((x2 - x1) / 2, COLUMN_GAP / 2)
        # An arrow over columns must not cross the boxes that stand between its ends at its height.
        between = [one for one in box.values() if x1 < one[0] and one[0] + one[2] < x2 and _crosses(one, y1, y2)]
        around = HEIGHT * 1.4 if between or x2 < x1 else 0.0
        around = -around if around and min(y1, y2) > HEIGHT * 2 else around
        lowest = max(lowest, max(y1, y2) + REACH * around)
        families = " ".join(f"in{number}" for number in chapters)
        shape = "plain" if kind in ("direct", "macro", "cleanup") else "pointer"
        drawn.append(
            f'<path class="{shape} {families}" d="M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1 + around:.1f} '
            f'{x2 - bend:.1f} {y2 + around:.1f} {x2 - 1:.1f} {y2:.1f}"/>'
        )
        drawn.append(tip_at(x2, y2).replace('class="tip"', f'class="tip {families}"'))
    return "".join(drawn), lowest


def _crosses(box: tuple[float, float, float], one: float, other: float) -> bool:
    _, above, _ = box
    return above - 4 < (one + other) / 2 < above + HEIGHT + 4

"""Structures as a picture: boxes with the members to look at, an arrow from each member to the structure it leads to.

Theory of operation: from left to right, the holder before what it holds; a structure stands in the column of its
longest way from one that nothing holds. An arrow begins at its member's line. By value it is a full line with a
diamond, by a pointer a broken one with a head.
"""

from __future__ import annotations

from kread.render.class_diagram import ClassBox, ClassDiagram, members_said
from kread.render.svg import LINE, box_at, framed, lines_at, tip_at, width

PAD = 8
COLUMN_GAP = 60.0
ROW_GAP = 18.0
MARGIN = 6.0
#: Boxes in one column where nothing joins them; then the next column begins.
TALLEST = 3


def class_svg(drawn: ClassDiagram, title: str) -> str:
    """The SVG element ("" for a diagram without structures)."""
    if not drawn.boxes:
        return ""
    at: dict[str, tuple[float, float, float]] = {}
    x, lowest = MARGIN, 0.0
    for column in _columns(drawn):
        wide = max(map(_wide, column))
        y = MARGIN
        for box in column:
            at[box.name] = (x, y, wide)
            y += _high(box) + ROW_GAP
        lowest = max(lowest, y - ROW_GAP)
        x += wide + COLUMN_GAP
    inner = "".join(_box(box, *at[box.name]) for box in drawn.boxes) + _arrows(drawn, at)
    return framed("classes", title, x - COLUMN_GAP + MARGIN, lowest + MARGIN, inner)


def _columns(drawn: ClassDiagram) -> list[list[ClassBox]]:
    depth = {box.name: 0 for box in drawn.boxes}
    for _ in drawn.boxes:  # longest ways; in a circle of pointers the first of the boxes stays where it is
        for arrow in drawn.arrows:
            if arrow.embeds or depth[arrow.outer] == depth[arrow.inner]:
                depth[arrow.inner] = max(depth[arrow.inner], min(depth[arrow.outer] + 1, len(depth)))
    found: list[list[ClassBox]] = []
    for level in sorted(set(depth.values())):
        members = [box for box in drawn.boxes if depth[box.name] == level]
        found += [members[first : first + TALLEST] for first in range(0, len(members), TALLEST)]
    return found


def _wide(box: ClassBox) -> float:
    return max(map(width, [f"struct {box.name}", *members_said(box.members)])) + 2 * PAD


def _high(box: ClassBox) -> float:
    return float(LINE * (len(box.members) + 1) + 2 * PAD)


def _box(box: ClassBox, left: float, top: float, wide: float) -> str:
    rule = f'<path class="rule" d="M{left:.1f} {top + LINE + PAD - 1:.1f}h{wide:.1f}"/>'
    return (
        box_at(left, top, wide, _high(box))
        + lines_at(left + PAD, top + LINE + 1, [f"struct {box.name}"], "name")
        + rule
        + lines_at(left + PAD, top + 2 * LINE + PAD, members_said(box.members))
    )


def _arrows(drawn: ClassDiagram, at: dict[str, tuple[float, float, float]]) -> str:
    row = {(box.name, name): number for box in drawn.boxes for number, (_, name) in enumerate(box.members)}
    parts = []
    for arrow in drawn.arrows:
        left, top, wide = at[arrow.outer]
        to, to_top, to_wide = at[arrow.inner]
        y = top + PAD + LINE * (row[arrow.outer, arrow.member] + 2) - 4
        end_y = to_top + LINE
        right = to > left
        x, end = left + wide, to if right else to + to_wide
        bend = max(abs(end - x) / 2, COLUMN_GAP / 2)
        kind = "holds" if arrow.embeds else "points"
        line = f"M{x:.1f} {y:.1f}C{x + bend:.1f} {y:.1f} {end + (-bend if right else bend):.1f} {end_y:.1f} {end:.1f} {end_y:.1f}"
        parts.append(f'<path class="{kind}" d="{line}"/>')
        if arrow.embeds:
            parts.append(f'<path class="tip" d="M{x:.1f} {y:.1f}l6 -4l6 4l-6 4z"/>')
        else:
            parts.append(tip_at(end, end_y, right))
    return "".join(parts)

"""A sequence of the model as a picture: a life line for each actor, arrows between, and notes where it is decided.

Theory of operation: from above to below, one row for each arrow or note, as high as its text needs. Life lines stand
as far apart as the longest arrow between them asks; a note of the kernel is wrapped, a note over all actors is a
heading across the picture. Notes lie on the life lines and cover them.
"""

from __future__ import annotations

from itertools import pairwise

from kread.model.story import KERNEL, Arrow, Sequence
from kread.render.svg import LINE, box_at, framed, letters, lines_at, tip_at, width, wrapped

#: Letters in a line of a note, and the least room between two life lines.
NOTE_LETTERS = 56
LEAST_GAP = 130.0
#: From the first and the last life line to the border.
ENDS = 60.0
#: Around text in a box; between two rows; from the border of the picture.
PAD = 8
ROW_GAP = 10
MARGIN = 6.0


def sequence_svg(drawn: Sequence, title: str) -> str:
    """The SVG element."""
    place = _places(drawn)
    total = max(place[KERNEL] + _half(drawn), max(place.values()) + ENDS) + MARGIN
    rows: list[str] = []
    y = MARGIN + LINE + 2 * PAD + ROW_GAP
    for arrow in drawn.arrows:
        row, high = _row(arrow, place, y, total)
        rows.append(row)
        y += high + ROW_GAP
    lives = "".join(
        f'<path class="life" d="M{x:.1f} {MARGIN + LINE + PAD:.1f}V{y:.1f}"/>'
        + box_at(x - width(name) / 2 - PAD, MARGIN, width(name) + 2 * PAD, LINE + PAD, "actor")
        + lines_at(x, MARGIN + LINE, [name], "middle")
        for name, x in place.items()
    )
    return framed("sequence", title, total, y + MARGIN, lives + "".join(rows))


def _half(drawn: Sequence) -> float:
    """Half of the widest note, which stands at the kernel, or of a name."""
    notes = [row for one in drawn.arrows if one.note and one.source == one.target for row in _said(one.text)]
    widest = max((letters(row) for row in notes), default=8)
    return widest * width("x") / 2 + PAD


def _said(note: str) -> list[str]:
    """The lines of a note: when and what decided, then what was counted, then the queues."""
    when, *parts = note.split(" · ")
    parts = [f"{when} · {parts[0]}", *parts[1:]] if parts else [when]
    return [row for part in parts for row in wrapped(part, NOTE_LETTERS)]


def _places(drawn: Sequence) -> dict[str, float]:
    order = {name: number for number, name in enumerate(drawn.actors)}
    gaps = [LEAST_GAP] * (len(order) - 1)
    for arrow in drawn.arrows:
        low, high = sorted((order[arrow.source], order[arrow.target]))
        if not arrow.note and low < high:
            wanted = (width(arrow.text) + 4 * PAD) / (high - low)
            gaps[low:high] = [max(gap, wanted) for gap in gaps[low:high]]
    x = MARGIN + max(_half(drawn) - sum(gaps[: drawn.actors.index(KERNEL)]), ENDS)
    found = {drawn.actors[0]: x}
    for (_, after), gap in zip(pairwise(drawn.actors), gaps, strict=True):
        x += gap
        found[after] = x
    return found


def _row(arrow: Arrow, place: dict[str, float], y: float, total: float) -> tuple[str, float]:
    begin, end = place[arrow.source], place[arrow.target]
    if arrow.note and begin != end:
        high = LINE + PAD
        return box_at(MARGIN, y, total - 2 * MARGIN, high, "act") + lines_at(MARGIN + PAD, y + LINE, [arrow.text]), high
    if arrow.note:
        rows = _said(arrow.text)
        high, wide = LINE * len(rows) + PAD, max(map(width, rows)) + 2 * PAD
        left = min(max(begin - wide / 2, MARGIN), total - MARGIN - wide)
        return box_at(left, y, wide, high, "note") + lines_at(left + PAD, y + LINE, rows), high
    right = end > begin
    kind = "answer" if arrow.answer else "ask"
    line = f'<path class="{kind}" d="M{begin:.1f} {y + LINE + 4:.1f}H{end - (1 if right else -1):.1f}"/>'
    return line + tip_at(end, y + LINE + 4, right) + lines_at(
        (begin + end) / 2, y + LINE - 2, [arrow.text], "middle"
    ), (LINE + PAD)

"""A hand-over as rows of text and as JSON: always apart from calls, in words that say that it is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kread.render.layout import Row

if TYPE_CHECKING:
    from kread.paths.across import Crossing
    from kread.paths.handovers import Handover, Side

INDENT = 2


def handover_rows(handover: Handover) -> Iterator[Row]:
    """What is left where, by whom, and who finds it."""
    yield Row(f"no call: by {handover.title}", indent=INDENT, word="~~", column=3, place=handover.meets, role="unsure")
    for sides, what in ((handover.givers, handover.gives), (handover.takers, handover.takes)):
        for side in sides:
            yield _side(side, what)


def _side(side: Side, what: str) -> Row:
    through = f" (in {side.through})" if side.through else ""
    place = f"{side.file}:{side.line}"
    text = f"{side.function.name} {what}{through}"
    return Row(text, indent=INDENT + 3, place=place, file=side.file, line=side.line)


def crossing_rows(crossing: Crossing) -> Iterator[Row]:
    """A hand-over that joins two ends, with the ways to it and from it in a line each."""
    yield from handover_rows(crossing.handover)
    for word, trail in (("to it", crossing.lead), ("from it", crossing.trail)):
        if trail is not None:
            yield Row(str(trail), indent=INDENT + 3, word=word, column=9, role="note", word_role="note")


def handover_object(handover: Handover) -> dict[str, Any]:
    """The hand-over as JSON."""
    return {
        "name": handover.name,
        "title": handover.title,
        "meets": handover.meets,
        "gives": handover.gives,
        "takes": handover.takes,
        "reason": handover.reason,
        "givers": [_side_object(side) for side in handover.givers],
        "takers": [_side_object(side) for side in handover.takers],
    }


def _side_object(side: Side) -> dict[str, Any]:
    return {"function": side.function.name, "file": side.file, "line": side.line, "through": side.through}

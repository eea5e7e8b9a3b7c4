"""The reader's own remarks in notes: found again in what was written before, and put back where they belong.

Theory of operation: each step of the notes has two marked lines with room between. The opening mark names its place
by function and by the call as written, never by a line number. At the next run a remark goes to the same function and
call; where the call is gone, to the function; where the function is gone, it is lost, and lost remarks are returned,
so that they can be reported and kept at the end. The marks are comments of HTML, which every Markdown reader hides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape, unescape

END = "<!-- /remark -->"
_MARK = re.compile(
    r'^<!-- remark function="(?P<function>[^"]*)" call="(?P<call>[^"]*)" -->\n(?P<text>.*?)^<!-- /remark -->$',
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a remark belongs."""

    function: str
    call: str = ""


def mark(place: Place) -> str:
    """The opening line for a place."""
    return f'<!-- remark function="{_quoted(place.function)}" call="{_quoted(place.call)}" -->'


def _quoted(text: str) -> str:
    return escape(text).replace("--", "&#45;&#45;")  # two hyphens would end the comment


def found(text: str) -> list[tuple[Place, str]]:
    """The remarks in notes that were written before, in order, without empty ones."""
    out = []
    for match in _MARK.finditer(text.replace("\r\n", "\n")):
        said = match["text"].strip("\n")
        if said.strip():
            out.append((Place(unescape(match["function"]), unescape(match["call"])), said))
    return out


@dataclass(slots=True)
class Remarks:
    """Hands each remark out once, to the best place that asks for it. `places` are all places of the new notes."""

    kept: list[tuple[Place, str]]
    places: list[Place]
    _for: dict[int, list[str]] = field(default_factory=dict)
    lost: list[tuple[Place, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        exact = {place: index for index, place in reversed(list(enumerate(self.places)))}
        named = {place.function: index for index, place in reversed(list(enumerate(self.places)))}
        for place, said in self.kept:
            index = exact.get(place, named.get(place.function))
            if index is None:
                self.lost.append((place, said))
            else:
                self._for.setdefault(index, []).append(said)

    def at(self, index: int) -> str:
        """The text for the place of that number, "" for none."""
        return "\n\n".join(self._for.get(index, []))

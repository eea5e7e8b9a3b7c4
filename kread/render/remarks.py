"""The reader's own remarks in notes: found again in what was written before, and put back where they belong.

Theory of operation: each step of the notes has two marked lines with room between. The opening mark names its place
by function, by the call as written and by the chapter, never by a line number. At the next run a remark goes to the
same call of the same function in the same chapter; else to that call elsewhere; else, in the function, to the call
that is written most like it, and where that is not very like, the remark is said to have moved; where the function is
gone, it is lost, and lost remarks are returned, so that they can be reported and kept at the end. The marks are
comments of HTML, which every Markdown reader hides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html import escape, unescape

END = "<!-- /remark -->"
_MARK = re.compile(
    r'^<!-- remark function="(?P<function>[^"]*)" call="(?P<call>[^"]*)"(?: in="(?P<chapter>[^"]*)")? -->\n'
    r"(?P<text>(?:(?!<!-- remark ).*\n)*?)<!-- /remark -->$",
    re.MULTILINE,
)


#: Calls that are written less like one another than this are two calls: 1.0 is the same text.
SAME_CALL = 0.6


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a remark belongs."""

    function: str
    call: str = ""
    chapter: str = ""


def mark(place: Place) -> str:
    """The opening line for a place."""
    return f'<!-- remark function="{_quoted(place.function)}" call="{_quoted(place.call)}" in="{_quoted(place.chapter)}" -->'


def _quoted(text: str) -> str:
    return escape(text).replace("--", "&#45;&#45;")  # two hyphens would end the comment


def found(text: str) -> list[tuple[Place, str]]:
    """The remarks in notes that were written before, in order, without empty ones."""
    out = []
    for match in _MARK.finditer(text.replace("\r\n", "\n")):
        said = match["text"].strip("\n")
        if said.strip():
            place = Place(*(unescape(match[part] or "") for part in ("function", "call", "chapter")))
            out.append((place, said))
    return out


def damaged(text: str) -> bool:
    """Whether marks were lost, so that remarks may stand where they are not found."""
    text = text.replace("\r\n", "\n")
    whole = len(_MARK.findall(text))
    return not whole == len(re.findall(r"^<!-- remark ", text, re.M)) == len(re.findall(r"^<!-- /remark ", text, re.M))


@dataclass(slots=True)
class Remarks:
    """Hands each remark out once, to the best place that asks for it. `places` are all places of the new notes.

    lost  -- remarks whose function is gone
    moved -- (where a remark stood, where it stands now) for those whose call is gone from their function
    """

    kept: list[tuple[Place, str]]
    places: list[Place]
    _for: dict[int, list[str]] = field(default_factory=dict)
    lost: list[tuple[Place, str]] = field(default_factory=list)
    moved: list[tuple[Place, Place]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for place, said in self.kept:
            index = self._best(place)
            if index is None:
                self.lost.append((place, said))
            else:
                self._for.setdefault(index, []).append(said)
                if place.call and self._likeness(place, self.places[index])[0] < SAME_CALL:
                    self.moved.append((place, self.places[index]))

    def _best(self, wanted: Place) -> int | None:
        """The place that is most like the one that is wanted, the first of equals; None without its function."""
        fits = [index for index, place in enumerate(self.places) if place.function == wanted.function]
        return max(fits, key=lambda index: (self._likeness(wanted, self.places[index]), -index), default=None)

    @staticmethod
    def _likeness(wanted: Place, place: Place) -> tuple[float, bool]:
        return SequenceMatcher(None, wanted.call, place.call).ratio(), wanted.chapter == place.chapter

    def at(self, index: int) -> str:
        """The text for the place of that number, "" for none."""
        return "\n\n".join(self._for.get(index, []))

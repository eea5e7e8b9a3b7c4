"""A text with other words for the names in it that mean nothing to macros, and what was found in it with its own words back.

Two uses of a macro that differ in such names alone make the same calls but for the names. So a use that is costly to
look at is looked at once with words that no source has. A name means something where it is a macro, a keyword or the
name of a type, and where it is pasted to what is a macro then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from kread.parse.calls import BUILTIN_PREFIXES, ExpandedCall
from kread.parse.stand_ins import STAND_IN, stand_in, stands_in
from kread.parse.tokens import KEYWORDS, is_word, lex
from kread.parse.type_text import type_like

#: Words of which the calls in a text depend although they are no keywords (see kread.parse.calls).
_MEANING = re.compile(r"NULL\Z|(?:__)?cleanup(?:__)?\Z|.*error|" + "|".join(BUILTIN_PREFIXES))


class Meaning:
    """Which names mean something to macros: those of macros, and those that are pasted to the name of one."""

    def __init__(self, is_macro: Callable[[str], bool]) -> None:
        self._is_macro = is_macro
        self._pasted: list[str] = []
        self._around: list[tuple[str, str]] = []
        self._known: dict[str, tuple[int, bool]] = {}

    def beside(self, is_macro: Callable[[str], bool]) -> Meaning:
        """The same with other macros: what is pasted is noted for both."""
        other = Meaning(is_macro)
        other._pasted, other._around = self._pasted, self._around
        return other

    def met(self, name: str) -> None:
        """Note a name that was looked up: one that holds a stand-in was pasted."""
        found = STAND_IN.split(name)
        if len(found) == 3 and (found[0] or found[2]):
            self._around.append((found[0], found[2]))
        elif len(found) > 3:
            self._pasted.append(name)

    def of(self, name: str) -> bool:
        """Whether a name means something, as far as is known."""
        checked, found = self._known.get(name, (-1, False))
        if not found and checked < len(self._around):
            around = self._around[max(checked, 0) :]
            found = any(self._is_macro(f"{before}{name}{after}") for before, after in around)
            found = found or (checked < 0 and (_MEANING.match(name) is not None or self._is_macro(name)))
            self._known[name] = len(self._around), found
        return found

    def shared(self, general: Renamed) -> bool:
        """Whether what is found in a text with stand-ins holds for its own words."""
        return not any(map(self.of, general.words)) and not any(
            self._is_macro(general.written(name))
            for name in self._pasted
            if all(int(number) < len(general.words) for number in STAND_IN.findall(name))
        )


class Renamed(NamedTuple):
    """A text with other words.

    words  -- by the number of the stand-in, the word that it stands for
    places -- the offset of a token in `text` -> that of the same token as written
    """

    text: str
    words: Sequence[str]
    places: dict[int, int]

    def written(self, text: str) -> str:
        """A text with the words as they were."""
        return STAND_IN.sub(lambda found: self.words[int(found[1])], text) if stands_in(text) else text

    def calls(self, found: Iterable[ExpandedCall]) -> tuple[ExpandedCall, ...]:
        """The calls that were found in `text`, with the words as they were."""
        written, places = self.written, self.places
        return tuple(
            call._replace(callee=written(call.callee), args=tuple(map(written, call.args)), at=places[call.at])
            for call in found
        )


def renamed(text: str, means: Callable[[str], bool]) -> Renamed:
    """A text with stand-ins for the names in it that mean nothing."""
    words: dict[str, str] = {}
    places: dict[int, int] = {}
    pieces: list[str] = []
    length = at = 0
    for blank, word in lex(text):
        if blank:
            pieces.append(" ")
            length += 1
            at += len(blank)
        places[length] = at
        at += len(word)
        shown = words.get(word)
        if shown is None:
            shown = word
            if is_word(word) and word not in KEYWORDS and not type_like(word) and not means(word):
                shown = words[word] = stand_in(len(words))
        pieces.append(shown)
        length += len(shown)
    return Renamed("".join(pieces), list(words), places)

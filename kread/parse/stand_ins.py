"""An invocation with words that mean nothing in place of its arguments, and what was made of it with the arguments back.

A macro makes the same of `DEFINE_LOCK(a)` and `DEFINE_LOCK(b)` but for the name. So the invocation is expanded once with
stand-ins, and a use costs putting its own words in. An argument that could change what is expanded stands for itself:
one that holds a macro, brackets or what else shapes a declaration. An argument can change it still by what it is pasted
to: where that makes the name of a macro, or no word, or where a literal becomes part of a string, the use is expanded by
itself.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from kread.parse.expansion import Token
from kread.parse.tokens import RECORDS, UNEVALUATED, lex

#: What no word of a source begins with.
_PREFIX = "kread_argument_"
#: A stand-in, and its number.
STAND_IN = re.compile(_PREFIX + r"(\d+)_")
_WORD = re.compile(r"\w+")

#: What an argument holds that stands for itself: brackets, and what ends or opens a declaration.
_SHAPING = frozenset("(){};=") | UNEVALUATED

#: A token of an invocation: (text, white space before, offset).
_Word: TypeAlias = "tuple[str, bool, int]"


def stand_in(number: int) -> str:
    """A word that no source has."""
    return f"{_PREFIX}{number}_"


def stands_in(text: str) -> bool:
    """Whether there is a stand-in in a text."""
    return _PREFIX in text


class StandIns(NamedTuple):
    """An invocation with stand-ins.

    text      -- the invocation, its white space folded
    arguments -- by the number of the stand-in, the tokens that it stands for
    places    -- the offsets of the tokens in `text`, and those of the same tokens as written
    """

    text: str
    arguments: list[list[_Word]]
    places: tuple[list[int], list[int]]

    def filled(self, tokens: Sequence[Token], is_macro: Callable[[str], bool]) -> list[Token] | None:
        """What was made of the text with the arguments in their places; None where they make something else."""
        found: list[Token] = []
        offsets, written = self.places
        for token in tokens:
            text, space, at, origin, painted = token
            at = written[bisect_right(offsets, at) - 1]
            if not stands_in(text):
                found.append((text, space, at, origin, painted))
                continue
            whole = STAND_IN.fullmatch(text)
            if whole is not None:
                argument = self.arguments[int(whole[1])]
                first = argument[0]
                found.append((first[0], space, at, origin, painted))
                found += [(word, blank, place, origin, painted) for word, blank, place in argument[1:]]
                continue
            made = self._put(text)
            if made is None or is_macro(made):
                return None
            found.append((made, space, at, origin, painted))
        return found

    def _put(self, text: str) -> str | None:
        """A string or a pasted word with the arguments in it; None where these are no words."""
        quoted = text[0] == '"'
        pieces: dict[str, str] = {}
        for match in STAND_IN.finditer(text):
            argument = self.arguments[int(match[1])]
            words = [(" " if blank and number else "") + word for number, (word, blank, _) in enumerate(argument)]
            piece = "".join(words)
            if any(mark in piece for mark in "\"'\\") if quoted else _WORD.fullmatch(piece) is None:
                return None
            pieces[match[0]] = piece
        return STAND_IN.sub(lambda match: pieces[match[0]], text)


def stand_ins(text: str, is_macro: Callable[[str], bool]) -> StandIns:
    """An invocation with stand-ins for those of its arguments that can be anything."""
    shown: list[_Word] = []
    arguments: list[list[_Word]] = []
    argument: list[_Word] = []
    depth = at = 0
    for blank, word in lex(text):
        at += len(blank)
        token = word, bool(blank), at
        at += len(word)
        if word == ")":
            depth -= 1
        if depth == 0 or (depth == 1 and word == ","):
            if argument:
                shown += _shown(argument, arguments, is_macro)
                argument = []
            shown.append(token)
            depth += word == "("
        else:
            argument.append(token)
            depth += word == "("
    shown += argument
    pieces: list[str] = []
    length = 0
    offsets: list[int] = []
    for word, space, _ in shown:
        if space:
            pieces.append(" ")
            length += 1
        offsets.append(length)
        pieces.append(word)
        length += len(word)
    return StandIns("".join(pieces), arguments, (offsets, [place for _, _, place in shown]))


def _shown(argument: list[_Word], arguments: list[list[_Word]], is_macro: Callable[[str], bool]) -> list[_Word]:
    """An argument as it is shown: its stand-in, which is added to `arguments`, or itself."""
    lead = 1 if argument[0][0] in RECORDS else 0  # what tells a record from a function stays where it leads an argument
    rest = argument[lead:]
    if not rest or rest[-1][0] in RECORDS or any(word in _SHAPING or is_macro(word) for word, _, _ in rest):
        return argument
    arguments.append(rest)
    return [*argument[:lead], (stand_in(len(arguments) - 1), *rest[0][1:])]

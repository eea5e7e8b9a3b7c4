"""What a function changes that others see: fields that are assigned, and what calls do to counters, queues and timers.

Theory of operation: assignments to members are read line by line; calls whose names stand in data/effects.toml are found
in the code without its comments, from the name to the bracket that closes it. Only the text is looked at here: whether
control can pass there before a call is asked of the reader of guards, by whoever needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from kread import data
from kread.parse.wording import closing, fold

_TARGET = r"(?P<target>[\w()&*.\[\]>-]*(?:->|\.)(?P<field>\w+)(?:\[[^\]]*\])?)"
_ASSIGNMENT = re.compile(rf"^\s*{_TARGET}\s*(?:(?:[-+|&^]|<<|>>)?=(?!=)|\+\+|--)")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


@dataclass(frozen=True, slots=True)
class Effect:
    """A change: the line and column that it stands on, as written, and the field that is assigned ("" = a call)."""

    line: int
    column: int
    text: str
    field: str = ""


def effects(lines: Sequence[str], first: int, known: Mapping[str, str]) -> Iterator[Effect]:
    """The changes of a function by line; `first` is the number of its first line, `known` what it declares."""
    # A comment keeps its lines and loses its letters.
    code = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), "\n".join(lines))
    begin = 0
    for number, line in enumerate(code.split("\n"), first):
        match = _ASSIGNMENT.match(line)
        if match and not _of_its_own(match["target"], known):
            text = fold(code[begin : _end(code, begin)])
            yield Effect(number, match.start("target") + 1, text, match["field"])
        elif number > first:
            for call in _calls().finditer(line):
                end = closing(code, begin + call.end() - 1)
                if end >= 0:
                    yield Effect(number, call.start() + 1, fold(code[begin + call.start() : end + 1]))
        begin += len(line) + 1


def _end(code: str, begin: int) -> int:
    """Where the statement that begins there ends."""
    found = code.find(";", begin)
    return found if found >= 0 else len(code)


def _of_its_own(target: str, known: Mapping[str, str]) -> bool:
    """Whether an assignment is to a member of a structure that the function holds itself: nobody else sees it."""
    base, dot, _ = target.partition(".")
    return bool(dot) and base.strip() in known


@cache
def _calls() -> re.Pattern[str]:
    names = "|".join(row["name"] for row in data.load("effects")["effect"])
    return re.compile(rf"(?<![\w>.])(?:{names})\(")

"""Headers that are read again and again, each time with other meanings of the same macros.

A header of trace events is one list of `TRACE_EVENT(...)`. A single .c file has it read a dozen times by another header,
which redefines that macro, and those in its arguments, before each time: once it makes a structure of each event, once a
function that prints it, and so on. Here the rereading header is followed as a preprocessor would: what its directives
define and undefine, those of the headers without a guard that it includes, and each `#include` whose target a macro
names is one reading, with the definitions that hold there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from kread import presence
from kread.parse.conditional import conditions
from kread.parse.defines import defines, includes
from kread.parse.template import Macro

_OTHER = re.compile(rb"^[ \t]*#[ \t]*(?:undef[ \t]+(?P<undef>\w+)|include[ \t]+(?P<again>[A-Za-z_]))", re.M)

_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.S)

#: Headers in headers: the deepest are two levels below the first one.
_DEEPEST = 5


class Reading(NamedTuple):
    """One reading: when it takes place, and the macros that were defined for it (none: undefined for it)."""

    presence: str
    macros: Mapping[str, tuple[Macro, ...]]


class Reread(NamedTuple):
    """What a rereading header does: its readings, and the ordinary headers that are included for them, each with its
    condition."""

    readings: tuple[Reading, ...]
    included: Mapping[str, str]


def reread(
    header: str, asked: str, read: Callable[[str], bytes], place: Callable[[str, str, bool], str | None]
) -> Reread:
    """What a header does that has others read again.

    asked -- the name that the file which has it read again defines before: `#ifdef` of it holds
    read  -- the bytes of a file
    place -- (file, name, whether it is quoted) -> the file that an #include means
    """
    walk = _Walk(asked, read, place)
    return Reread(tuple(walk.over(header, presence.ALWAYS, 0)), walk.included)


class _Walk:
    """The rereading header's directives in their order, and what is defined so far."""

    def __init__(self, asked: str, read: Callable[[str], bytes], place: Callable[[str, str, bool], str | None]) -> None:
        self._asked = re.compile(rb"(?m)^([ \t]*#[ \t]*)ifdef[ \t]+%s\b" % re.escape(asked.encode()))
        self._read = read
        self._place = place
        self._macros: dict[str, tuple[Macro, ...]] = {}
        self.included: dict[str, str] = {}

    def over(self, file: str, around: str, depth: int) -> Iterator[Reading]:
        """Follow a file that is read under a condition."""
        data = self._asked.sub(rb"\1if 1", self._read(file))
        at = conditions(data)
        for line, act in sorted(self._acts(file, data), key=lambda row: row[0]):
            holds = presence.conj(around, at.at(line))
            if holds == presence.NEVER:
                continue
            if isinstance(act, Macro):
                self._macros[act.name] = (*self._macros.get(act.name, ()), act._replace(presence=holds))
            elif act[0] == "undef":
                self._macros[act[1]] = ()
            elif act[0] == "again":
                yield Reading(holds, dict(self._macros))
            else:
                part, whole = _guarded(self._read(act[1]))
                if part:
                    self.included[act[1]] = presence.disj(holds, self.included.get(act[1], presence.NEVER))
                if not whole and depth < _DEEPEST:
                    yield from self.over(act[1], holds, depth + 1)

    def _acts(self, file: str, data: bytes) -> Iterator[tuple[int, Macro | tuple[str, str]]]:
        for define in defines(data):
            yield define.line, Macro(define.name, define.params, define.body, file, define.line)
        for include in includes(data):
            found = self._place(file, include.name, include.quoted)
            if found is not None:
                yield include.line, ("include", found)
        for match in _OTHER.finditer(data):
            line = data.count(b"\n", 0, match.start()) + 1
            yield line, ("undef", match["undef"].decode()) if match["undef"] else ("again", "")


def _guarded(data: bytes) -> tuple[bool, bool]:
    """Whether a part of a header is read once only (what it defines is there for all readings), and whether all of it is."""
    first = next(iter(conditions(data).groups), None)
    if first is None or not first.guard:
        return False, False
    rest = b"\n".join(data.split(b"\n")[first.endif.end_line :]) if first.endif is not None else b""
    return True, not _COMMENT.sub(b"", rest).strip()

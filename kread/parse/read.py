"""One file from bytes to Unit: conditions, preparation, the tree's facts, and what macros add to them.

This is the whole of parsing for a caller: it needs the release's macro table and the definitions that the file can see,
and gives a Unit that depends on nothing else.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

from kread import presence
from kread.parse.aliases import rename
from kread.parse.branches import without
from kread.parse.calls import ExpandedCall
from kread.parse.conditional import conditions
from kread.parse.defines import Define
from kread.parse.elements import take_elements
from kread.parse.extract import Extractor
from kread.parse.macro_calls import MacroCalls
from kread.parse.macro_table import MacroTable
from kread.parse.made import Maker, take_made
from kread.parse.moves import take_moves
from kread.parse.prepare import Prepared, prepare
from kread.parse.rereads import Reading
from kread.parse.snippet import Snippets
from kread.parse.template import Macro
from kread.parse.unit import Unit
from kread.parse.uses import MacroUses

_WORD = re.compile(r"[A-Za-z_]\w*")

Lookup = Callable[[str], Sequence[Macro]]

#: What is known of macros and of texts that use them is forgotten after so many bytes of source: it grows with what is read.
MOST_REMEMBERED = 16_000_000
#: What readings left behind in circles is collected after so many of them: each leaves half a megabyte in the whole tree.
MOST_LEFT = 250


@dataclass(slots=True)
class Reader:
    """Reads files of one release. Keeps for a while what files share: what is known of each macro of the headers.

    table    -- the macro table learned from the release's headers
    lookup   -- name -> definitions in headers
    seen_by  -- (file, name) -> definitions that the file can mean
    own      -- file -> its own definitions
    settle   -- (file, the names it defines) -> what takes out of its conditions all that definitions decide
    functions -- macros whose name a function has as well, where none of their definitions holds
    shadows  -- whether a name is a macro to some files and a function's to others
    readings -- file -> how it is read again, with other macros
    """

    table: MacroTable
    lookup: Lookup
    seen_by: Callable[[str, str], Sequence[Macro]]
    own: Callable[[str], Sequence[Define]]
    settle: Callable[[str, Sequence[str]], Callable[[str], str]]
    functions: Set[str]
    shadows: Callable[[str], bool]
    readings: Callable[[str], Sequence[Reading]] = lambda file: ()
    _shared: MacroCalls = field(init=False)
    _maker: Maker = field(init=False)
    _read: int = field(init=False, default=0)
    _left: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        """Know nothing of macros yet."""
        self._shared = MacroCalls(self.lookup, function=self.functions.__contains__)
        self._maker = Maker(Snippets(self._shared.definitions, self.table.kinds), self.table, self._shared)

    def read(self, file: str, data: bytes, mentioned: Sequence[str], apart: Set[str] = frozenset()) -> Unit:
        """The unit of a file. `mentioned` are the macro names in its text, `apart` those, or what they lead to, of which the
        file means fewer definitions than the headers of all files have."""
        unit = Unit(file)
        self._read += len(data)
        if self._read > MOST_REMEMBERED:
            self._read = len(data)
            self._begin()
        self._left += 1
        if self._left > MOST_LEFT:
            self._left = 0
            gc.collect()
        places = conditions(data)
        own = self.own(file)

        settle = self.settle(file, sorted({define.name for define in own}))

        def at(line: int) -> str:
            return settle(places.at(line))

        table = self.table.overlay(own) if own else self.table
        prepared = prepare(data, table, places)
        extractor = Extractor(unit, data, at)
        extractor.take(prepared.text)
        for text, lines in zip(prepared.variants, prepared.variant_lines, strict=True):
            extractor.take(text, lines)
        rename(unit, data, mentioned, lambda name: self.seen_by(file, name))
        defined = self._hiding(file, own, mentioned, apart)
        macros = FileMacros(self._shared, defined, lambda name: self.seen_by(file, name))
        code = without(prepared.code, [(invocation.start, invocation.end) for invocation in prepared.made])
        uses = MacroUses(unit, data, code, at, macros, settle)
        uses.take(mentioned)
        take_moves(uses, table, mentioned, at)
        own_maker = Maker(Snippets(macros.definitions, table.kinds), table, macros)

        def maker(name: str, text: str) -> Maker:
            return own_maker if macros.concerns(text, self._maker.snippets.reached(name)) else self._maker

        take_made(uses, prepared, at, maker)
        take_elements(unit, table, lambda name, text: maker(name, text).snippets)
        for reading in self.readings(file):
            self._again(reading, uses, prepared, at, defined, table)
        return unit

    def _again(
        self,
        reading: Reading,
        uses: MacroUses,
        prepared: Prepared,
        at: Callable[[int], str],
        defined: frozenset[str],
        table: MacroTable,
    ) -> None:
        """Add what a file's invocations make when it is read again with other macros."""
        file = uses.unit.file
        settle = self.settle(file, ())
        given = {
            name: tuple(macro._replace(presence=settle(macro.presence)) for macro in macros)
            for name, macros in reading.macros.items()
        }
        named = {invocation.name.decode("latin-1") for invocation in prepared.invocations}
        reached = self._maker.snippets.reached  # a header's own macro may use one of those that were defined anew
        anew = {name for name in named if name in given or not given.keys().isdisjoint(reached(name))}
        macros = FileMacros(
            self._shared,
            defined | given.keys() | anew,
            lambda name: given[name] if name in given else self.seen_by(file, name),
        )
        when = settle(reading.presence)
        maker = Maker(Snippets(macros.definitions, table.kinds), table, macros)
        invocations = tuple(each for each in prepared.invocations if each.name.decode("latin-1") in anew)
        again = replace(prepared, made=(), invocations=invocations)
        first = len(uses.unit.entries), len(uses.unit.flows)
        take_made(uses, again, lambda line: presence.conj(at(line), when), lambda name, text: maker)
        take_elements(uses.unit, table, lambda name, text: maker.snippets, first)

    def _hiding(self, file: str, own: Sequence[Define], mentioned: Sequence[str], apart: Set[str]) -> frozenset[str]:
        """The macros by which a file differs from what all files share: those of a .c file; those that others define as
        well, or that are no macros here; and what it mentions that leads to such a one."""
        hiding = {define.name for define in own} if file.endswith(".c") else set()
        asked = {define.name for define in own} | set(filter(self.shadows, mentioned))
        foreign = {name for name in asked if len(self.seen_by(file, name)) < len(self.lookup(name))} | apart
        if foreign:
            reached = self._maker.snippets.reached
            foreign.update(name for name in mentioned if not foreign.isdisjoint(reached(name)))
            for define in own:
                if not foreign.isdisjoint(_WORD.findall(define.body)):
                    foreign.add(define.name)
        return frozenset(hiding | foreign)


class FileMacros:
    """What the macros that a file sees do: for texts that mention none of its own, the answers that all files share."""

    def __init__(self, shared: MacroCalls, own: frozenset[str], lookup: Lookup) -> None:
        self._shared = shared
        self._own = own
        self._lookup = lookup
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(own)))})(?!\w)") if own else None
        #: What a macro of all files may paste to a word of its own for the name of one of the file's: `check_##type(x)`.
        self._ends = frozenset(name[at:] for name in own for at in range(1, len(name)) if name[at - 1] == "_")

    @cached_property
    def _calls(self) -> MacroCalls:
        return self._shared.beside(self._own, self._lookup)

    def matters(self, name: str) -> bool:
        """Whether a use of this name can change which calls are made."""
        return (self._calls if name in self._own else self._shared).matters(name)

    def calls(self, text: str) -> tuple[ExpandedCall, ...]:
        """The calls in a text and in the macros it uses."""
        return (self._calls if self._mixed(text) else self._shared).calls(text)

    def definitions(self, name: str) -> Sequence[Macro]:
        """The definitions of a name that the file can mean."""
        return (self._calls if self._own else self._shared).definitions(name)

    def concerns(self, text: str, reached: Set[str]) -> bool:
        """Whether a text, or the words that its macros reach, mention a macro of the file's own, or may paste its name."""
        return self._mixed(text) or not self._own.isdisjoint(reached) or not self._ends.isdisjoint(_WORD.findall(text))

    def _mixed(self, text: str) -> bool:
        return self._pattern is not None and self._pattern.search(text) is not None

"""One file from bytes to Unit: conditions, preparation, the tree's facts, and what macros add to them.

This is the whole of parsing for a caller: it needs the release's macro table and the definitions that the file can see,
and gives a Unit that depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kread import presence
from kread.parse.bearing import Bearing
from kread.parse.conditional import conditions
from kread.parse.defines import Define
from kread.parse.expand import Expander
from kread.parse.extract import Extractor
from kread.parse.faults import faults
from kread.parse.macro_table import MacroTable
from kread.parse.prepare import prepare
from kread.parse.template import Macro
from kread.parse.unit import Unit
from kread.parse.uses import MacroUses

Lookup = Callable[[str], Sequence[Macro]]


def compatible(texts: tuple[str, ...]) -> bool:
    """Whether presence conditions can hold together."""
    return presence.conj(*texts) != "0"


@dataclass(slots=True)
class Reader:
    """Reads files of one release. Keeps what files share: the expander and what is known of each macro.

    table    -- the macro table learned from the release's headers
    lookup   -- name -> definitions in headers
    seen_by  -- (file, name) -> definitions that the file can mean
    own      -- file -> its own definitions
    """

    table: MacroTable
    lookup: Lookup
    seen_by: Callable[[str, str], Sequence[Macro]]
    own: Callable[[str], Sequence[Define]]
    bearing: Bearing = field(init=False)
    expander: Expander = field(init=False)

    def __post_init__(self) -> None:
        self.bearing = Bearing(self.lookup)
        self.expander = Expander(self.lookup, skip=self.bearing.skippable, compatible=compatible)

    def read(self, file: str, data: bytes, mentioned: Sequence[str]) -> Unit:
        """The unit of a file. `mentioned` are the macro names in its text."""
        unit = Unit(file)
        places = conditions(data)
        own = self.own(file)
        table = self.table.overlay(own) if own else self.table
        prepared = prepare(data, table, places)
        extractor = Extractor(unit, data, places.at)
        extractor.take(prepared.text)
        for variant in prepared.variants:
            extractor.take(variant.text, variant.lines)
        unit.faults = list(faults(prepared))
        if file.endswith(".c") and own:
            bearing = Bearing(lambda name: self.seen_by(file, name))
            expander = Expander(lambda name: self.seen_by(file, name), skip=bearing.skippable, compatible=compatible)
        else:
            bearing, expander = self.bearing, self.expander
        uses = MacroUses(unit, data, places.at, expander, bearing.skippable)
        uses.take(name for name in mentioned if not bearing.skippable(name))
        return unit

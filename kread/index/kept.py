"""The units of a scope, as a sequence of which little is in memory.

All facts of the whole tree would fill several gigabytes. So a unit is unpacked from the fact store when it is asked
for, and the ones that were asked for last are kept, as far as they fit; in a scope of a few thousand files all do. Who
goes through all units again and again does it in their order, and whoever jumps about mostly stays in one
directory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import overload

from kread.errors import SourceError
from kread.index.store import FactReader
from kread.parse.unit import Unit, unpack

#: Packed bytes of the units that are kept unpacked, where they take about five times as much.
MOST_BYTES = 80_000_000

#: The key of a unit in the fact store: its blob, and the digest of the macros that it was read with.
Key = tuple[str, str]


class KeptUnits(Sequence[Unit]):
    """The units of these files, in the order of their names.

    unkept -- the packed units that the store does not have: of files that changed while they were read
    settle -- what is done to a unit before it is given out, if its packed form holds `mark`
    """

    def __init__(
        self,
        facts: Path,
        keys: Mapping[str, Key],
        unkept: Mapping[str, bytes],
        settle: Callable[[Unit], None] | None = None,
        mark: bytes = b"",
    ) -> None:
        self.files = sorted(keys)
        self._facts = facts
        self._keys = keys
        self._unkept = unkept
        self._settle = settle
        self._mark = mark
        self._units: dict[int, tuple[Unit, int]] = {}
        self._size = 0
        self._reader = FactReader(facts)

    def settled(self, settle: Callable[[Unit], None], mark: bytes) -> KeptUnits:
        """The same units, each of which `settle` changes before anybody sees it, if its packed form holds `mark`."""
        return KeptUnits(self._facts, self._keys, self._unkept, settle, mark)

    def only(self, files: Collection[str]) -> KeptUnits:
        """The units of some of the files."""
        keys = {file: self._keys[file] for file in files}
        return KeptUnits(self._facts, keys, self._unkept, self._settle, self._mark)

    def __len__(self) -> int:
        return len(self.files)

    @overload
    def __getitem__(self, index: int) -> Unit: ...
    @overload
    def __getitem__(self, index: slice) -> list[Unit]: ...
    def __getitem__(self, index: int | slice) -> Unit | list[Unit]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        known = self._units.pop(index, None)
        if known is None:
            known = self._read(self.files[index])
            self._size += known[1]
        self._units[index] = known  # the last of the dictionary is the one that was asked for last
        while self._size > MOST_BYTES and len(self._units) > 1:
            oldest = next(iter(self._units))
            self._size -= self._units.pop(oldest)[1]
        return known[0]

    def _read(self, file: str) -> tuple[Unit, int]:
        data = self._unkept.get(file)
        if data is None:
            data = self._reader.unit(*self._keys[file])
        if data is None:
            raise SourceError(
                "facts-gone",
                f"the facts of {file} cannot be read any more",
                where=str(self._facts),
                hint="run the command again, which reads the file anew",
            )
        unit = unpack(file, data)
        if self._settle is not None and self._mark in data:
            self._settle(unit)
        return unit, len(data)

"""A large scope joined by regions: each is linked in a process of its own (see region), and what they found is put together
here, file after file.

Whose pointers lead where is only known within a region. What crosses from one to another goes by type: a call through a
record's member, whose pointer's values are not all known in its region, can reach the functions that other regions put
into that member, as a guess beside what is proved. Where these are many, the call leads to the slot as such, one edge for
all of them (`dispatches`); who asks for paths or callers finds the functions behind it.

What a header's functions call through pointers was asked in each region that includes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, TypeAlias

from kread import presence
from kread.facts import GRADES, Evidence, Function, reason_by_row
from kread.index.adjacency import Row
from kread.index.evidence import pack_evidence
from kread.index.workers import Beside
from kread.resolve.edges import SlotRow
from kread.resolve.parcels import Parcel
from kread.resolve.pointers import MOST_BY_TYPE
from kread.resolve.region import Open, Shared, link_region, parcel
from kread.resolve.regions import Region
from kread.resolve.rows import EdgeRow, function_row
from kread.source.progress import Progress

#: So many regions are linked at a time, each of which takes up to a gigabyte; but one where the scope has so many files that
#: what is known of their macros takes more than that.
AT_ONCE = 2
MANY_FILES = 20_000

#: A record's name, without `struct`, and a member's.
Slot: TypeAlias = "tuple[str, str]"


class _Slots:
    """What the regions put into slots; a slot is a record with a member."""

    def __init__(self) -> None:
        #: (row, region)
        self.rows: list[tuple[SlotRow, int]] = []
        self.by_slot: dict[Slot, list[int]] = defaultdict(list)
        #: region -> slot -> (file, line, type) of the member's declarations
        self.homes: list[dict[Slot, list[tuple[str, int, str]]]] = []

    def add(self, rows: Iterable[SlotRow], homes: dict[Slot, list[tuple[str, int, str]]]) -> None:
        """Add what the next region says."""
        for row in rows:
            self.by_slot[row[:2]].append(len(self.rows))
            self.rows.append((row, len(self.homes)))
        self.homes.append(homes)

    def beyond(self, slot: Slot, regions: Sequence[int], blind: bool) -> dict[int, SlotRow]:
        """function -> the row that puts it into a slot, of the regions to which the record is the same as to those where a
        call through it stands, and of these themselves only if the call is blind there or they are several."""
        seen = {home for region in regions for home in self.homes[region].get(slot, ())}
        found: dict[int, SlotRow] = {}
        for place in self.by_slot.get(slot, ()):
            row, region = self.rows[place]
            if (blind or len(regions) > 1 or region not in regions) and not seen.isdisjoint(
                self.homes[region].get(slot, ())
            ):
                found.setdefault(row[2], row)
        return found

    def noun(self, slot: Slot) -> Function:
        """A slot as if it were a function: where its member is declared."""
        homes = min(each[slot] for each in self.homes if slot in each)
        file, line, kind = min(homes)
        return Function(file, ".".join(slot), line, line, False, "", presence.ALWAYS, f"extern {kind}")


class Regional:
    """What is resolved of the units of a large scope."""

    def __init__(self, shared: Shared, parts: Sequence[Region], progress: Progress) -> None:
        self._shared = shared
        self.unresolved: list[tuple[Any, ...]] = []
        self._link(parts, progress)
        self._parcels = [Parcel(parcel(shared.folder, region)) for region in parts]
        self._slots = _Slots()
        #: region -> the numbers of the functions that are none of the scope's, in the order in which it met them
        self._met: list[list[int]] = []
        others: dict[Function, int] = {}
        last = shared.atlas.last
        for each in self._parcels:
            met, rows, homes = (each.rows(kind, "") for kind in ("met", "slots", "homes"))
            known = [others.setdefault(Function(*row), last + 1 + len(others)) for row in met]
            self._met.append(known)
            kept = ((*row[:2], self._number(row[2], known), *row[3:]) for row in rows)
            self._slots.add(kept, homes)
        self._others = others
        #: file -> the regions that have rows of it
        self._having: dict[str, list[int]] = defaultdict(list)
        for number, each in enumerate(self._parcels):
            for file in each.files():
                self._having[file].append(number)
        #: (record, member) -> the number that stands for the functions there
        self._dispatches: dict[tuple[str, str], int] = {}

    def _link(self, parts: Sequence[Region], progress: Progress) -> None:
        """Link the regions of which no parcel is there."""
        missing = [region for region in parts if not parcel(self._shared.folder, region).exists()]
        progress.phase(f"linking: {len(missing)} regions")
        at_once = AT_ONCE if len(self._shared.units) < MANY_FILES else 1
        with closing(Beside(link_region, self._shared, missing, len(missing) > 1, at_once)) as beside:
            for done, _ in enumerate(beside.results(), 1):
                progress.advance(done, len(missing), "regions")

    def _number(self, number: int, met: Sequence[int]) -> int:
        """The number of a function in the whole scope."""
        last = self._shared.atlas.last
        return number if number <= last else met[number - last - 1]

    def edges(self, unit: int) -> list[EdgeRow]:
        """The edges of the calls in a unit."""
        file = self._shared.units.files[unit]
        regions = self._having.get(file, [])
        found: dict[tuple[Any, ...], EdgeRow] = {}
        by_name: list[EdgeRow] = []
        lost: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        calls: dict[tuple[Any, ...], list[Open]] = defaultdict(list)
        for region in regions:
            met = self._met[region]
            named, missed = self._parcels[region].rows("named", file) or ((), ())
            others, unresolved, opened = self._parcels[region].rows("other", file) or ((), (), ())
            self.unresolved += missed
            by_name += ((row[0], self._number(row[1], met), *row[2:]) for row in named)
            for row in others:
                row = (row[0], self._number(row[1], met), *row[2:])
                key = (*row[:2], *row[3:7], row[10])
                if key not in found or GRADES.index(row[7]) < GRADES.index(found[key][7]):
                    found[key] = row
            for row in unresolved:
                lost.setdefault((row[0], row[2], row[3]), row)
            for each in map(Open._make, opened):
                calls[each.caller, each.line, each.column, each.text, each.record, each.field].append(each)
        known: dict[tuple[Any, ...], set[int]] = defaultdict(set)
        for key in found:
            known[key[0], *key[2:5]].add(key[1])
        for site, opens in calls.items():
            for row in self._guessed(file, regions, opens, known[site[:4]]):
                found[*row[:2], *row[3:7], row[10]] = row
                known[site[:4]].add(row[1])
        resolved = {(row[0], row[3], row[5]) for row in found.values()}
        self.unresolved += (row for key, row in lost.items() if key not in resolved)
        return [*by_name, *found.values()]

    def _guessed(self, file: str, regions: Sequence[int], opens: Sequence[Open], known: set[int]) -> Iterator[EdgeRow]:
        """The edges of a call to what its record's type allows, besides what is known: to functions, or to the slot."""
        first = opens[0]
        beyond = self._slots.beyond((first.record, first.field), regions, all(call.blind for call in opens))
        count = len(beyond.keys() | known)
        fresh = sorted(beyond.keys() - known)
        slot = f"{first.record}.{first.field}"
        call = Evidence("call", file, first.line, first.text, first.name)
        site = (file, first.line, first.column, first.text)
        if len(fresh) > MOST_BY_TYPE:
            number = self._dispatches.setdefault((first.record, first.field), self._first + len(self._dispatches))
            kind = "callback" if first.context else "ops_table"
            why = pack_evidence([call])
            yield first.caller, number, *site, kind, "type", count, first.cond, slot, "", first.context, why
            return
        for function in fresh:
            _, _, _, table, where, line, text, cond = beyond[function]
            both = presence.conj(first.cond, cond)
            if both == presence.NEVER:
                continue
            kind, line_there = reason_by_row(table, first.context, where, line, text)
            context = "" if table else first.context
            why = pack_evidence([call, line_there])
            yield first.caller, function, *site, kind, "type", count, both, slot, table, context, why

    @property
    def _first(self) -> int:
        """The first number that stands for a slot."""
        return self._shared.atlas.last + len(self._others) + 1

    def functions(self) -> Iterator[tuple[Any, ...]]:
        """The rows of the functions."""
        yield from self._shared.atlas.rows()
        for function, number in self._others.items():
            yield function_row(number, function)
        for slot, number in self._dispatches.items():
            yield function_row(number, self._slots.noun(slot))

    def condition(self, number: int) -> str:
        """The condition under which a function is compiled."""
        return self._shared.atlas.condition(number)

    def slots(self) -> Iterator[SlotRow]:
        """The functions in slots."""
        return (row for row, _ in self._slots.rows)

    def dispatches(self) -> Iterator[tuple[int, Sequence[Row]]]:
        """The numbers that stand for slots, each with links to the functions there: the row of the slot in place of an edge."""
        for slot, number in self._dispatches.items():
            rows: dict[int, Row] = {}
            for place in self._slots.by_slot[slot]:
                function = self._slots.rows[place][0][2]
                rows.setdefault(function, (function, 0, 0, place + 1))
            yield number, [rows[function] for function in sorted(rows)]

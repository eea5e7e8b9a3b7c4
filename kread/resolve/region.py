"""One region of a large scope, linked in a process of its own: a program of its units, which ends with the process.

The pointers of a region are followed as those of a small scope are. What other regions define is there by name alone
(see atlas). So of each call through a record's member it is noted whether functions that other regions put there could be
meant: where the pointer's values are not all known here, or no function is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from kread import presence
from kread.index.closures import Closures
from kread.index.kept import KeptUnits
from kread.index.macros import MacroIndex
from kread.parse.template import Macro
from kread.parse.unit import FieldRow
from kread.resolve.atlas import Atlas, columns
from kread.resolve.direct import Definitions
from kread.resolve.edges import pointer_edges, slots
from kread.resolve.named import named_edges
from kread.resolve.parcels import ParcelWriter
from kread.resolve.pointers import open_calls
from kread.resolve.program import Program, tag_in
from kread.resolve.regions import Region
from kread.resolve.rows import EdgeRow, Numbers, shown
from kread.resolve.static_call import StaticCalls
from kread.resolve.types import MacroLookup, Types


@dataclass(frozen=True, slots=True)
class Shared:
    """What the processes find in memory; `folder` is where their parcels go."""

    units: KeptUnits
    closures: Closures
    built: Mapping[str, str]
    macros: MacroIndex
    elsewhere: Mapping[str, Sequence[tuple[str, int]]]
    compiled: Callable[[str], str]
    atlas: Atlas
    folder: Path


class Open(NamedTuple):
    """A call through a member in which other regions' functions can stand.

    blind   -- whether no function is known for it within its region
    context -- where the caller runs what is registered with it, "" if it does not
    """

    caller: int
    name: str
    line: int
    column: int
    text: str
    cond: str
    record: str
    field: str
    blind: bool
    context: str


def link_region(shared: Shared, region: Region) -> bytes:
    """Write the parcel of a region.

    Of each file: "named", (edges by name, unresolved calls), where the file is the region's own; "other", (other edges,
    unresolved calls, open calls). Of the whole: "met", the functions that are none of the scope's, "slots", and "homes", where
    the slots are declared.
    """
    program = Program(
        shared.units.only(region.files),
        shared.closures,
        shared.built,
        shared.macros.field_aliases(frozenset(region.files)),
        partial=True,
    )
    numbers = shared.atlas.numbers(program)
    definitions = Definitions(program, shared.elsewhere, shared.compiled, shared.atlas.beyond(numbers))
    with ParcelWriter(parcel(shared.folder, region)) as writer:
        # What takes little memory comes first: what pointers lead to is kept until the end.
        _named(shared, region, program, definitions, numbers, writer)
        macros = _seen(shared.macros, program)
        others = _pointers(program, definitions, macros, numbers)
        opened = _open(program, macros, numbers)
        for file in sorted(others.keys() | opened.keys()):
            writer.add("other", file, (*others[file], list(map(tuple, opened[file]))))
        kept = [row for row in slots(program, definitions, macros, numbers) if row[4] in region.own]
        writer.add("slots", "", kept)
        asked = ((call.record, call.field) for calls in opened.values() for call in calls)
        writer.add("homes", "", _homes(program, chain((row[:2] for row in kept), asked)))
        met = sorted((number, columns(each)) for each, number in numbers.ids.items() if number > shared.atlas.last)
        writer.add("met", "", [row for _, row in met])
    return b""


def _named(
    shared: Shared, region: Region, program: Program, definitions: Definitions, numbers: Numbers, writer: ParcelWriter
) -> None:
    """Add the calls by name of a region's own files."""
    statics = StaticCalls(program, definitions, shared.atlas.statics(numbers))
    types = Types(program, shared.macros.lookup)
    for unit, file in enumerate(program.files):
        if file in region.own:
            edges: list[EdgeRow] = []
            lost: list[tuple[Any, ...]] = []
            named_edges(unit, program, definitions, statics, types, shared.macros, numbers, edges, lost)
            if edges or lost:
                writer.add("named", file, ([row for row in edges if row[9] != presence.NEVER], lost))


def _pointers(
    program: Program, definitions: Definitions, macros: MacroLookup, numbers: Numbers
) -> dict[str, tuple[list[EdgeRow], list[tuple[Any, ...]]]]:
    """file -> (edges that are not by name, unresolved calls)."""
    found: dict[str, tuple[list[EdgeRow], list[tuple[Any, ...]]]] = defaultdict(lambda: ([], []))
    lost: list[tuple[Any, ...]] = []
    for edge in pointer_edges(program, definitions, macros, numbers, lost):
        if edge[9] != presence.NEVER:
            found[edge[2]][0].append(edge)
    for row in lost:
        found[row[1]][1].append(row)
    return found


def _open(program: Program, macros: MacroLookup, numbers: Numbers) -> dict[str, list[Open]]:
    """file -> the open calls there."""
    found: dict[str, list[Open]] = defaultdict(list)
    for site, record, field, blind, context in open_calls(program, macros):
        function, call = program.function(site.caller), site.call
        cond = presence.conj(function.presence, call.cond)
        where = (numbers.of(function), function.name, call.line, call.column, shown(call), cond)
        found[function.file].append(Open(*where, record, field, blind, context))
    return found


def parcel(folder: Path, region: Region) -> Path:
    """Where a region's parcel lies."""
    return folder / f"{region.number}.parcel"


def _seen(macros: MacroIndex, program: Program) -> Callable[[str], Sequence[Macro]]:
    """Looks macros up among those that the files of a program define: another region's of that name are no business of its
    expressions."""
    known: dict[str, Sequence[Macro]] = {}

    def lookup(name: str) -> Sequence[Macro]:
        found = known.get(name)
        if found is None:
            found = known[name] = [macro for macro in macros.lookup(name) if macro.file in program.unit_of]
        return found

    return lookup


def _homes(program: Program, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[tuple[str, int, str]]]:
    """(file, line, type) of the members that are slots, by their records' names without `struct` and their own; of one in
    an anonymous record within, where the record begins."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for record, field in asked:
        wanted[record].add(field)
    found: dict[tuple[str, str], list[tuple[str, int, str]]] = defaultdict(list)
    for unit in program.units:
        rows: dict[str, dict[str, FieldRow]] = defaultdict(dict)
        for row in unit.fields:
            record = tag_in(row.record, unit.file).removeprefix("struct ")
            if record in wanted:
                rows[record].setdefault(row.name, row)
        for record, members in rows.items():
            first = next(iter(members.values()))
            for field in sorted(wanted[record]):
                row = members.get(field, first)
                found[record, field].append((unit.file, row.line, row.type if field in members else ""))
    return dict(found)

"""The call graph as it lies on disk: functions, edges and slots, read when they are asked for.

A name may mean several functions. `find` gives them all; what a user writes may be a name, `file:name` (any ending of
the file's path), or a reader's name for a function that a macro made (`sys_listen` for the system call's body). What
can't be found is an UnknownSymbol with the nearest names.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kread import data
from kread.facts import GRADES, CallSite, Edge, Evidence, Function, reason_by_row
from kread.graph.defined import Defined
from kread.graph.dropped import Dropped
from kread.index.adjacency import Adjacency, join_numbers, split
from kread.index.evidence import unpack_evidence
from kread.index.store import GraphStore

if TYPE_CHECKING:
    from kread import presence

_FUNCTION = "id, name, file, line, end_line, static, macro, presence, signature"
_EDGE = (
    "id, caller, callee, file, line, column, text, kind, grade, candidates, presence, slot, object, context, evidence"
)
#: SQLite takes at most this many values in one statement on its oldest supported builds.
_VALUES = 500


@dataclass(frozen=True, slots=True)
class SlotValue:
    """One function that fills a slot: in which table, and the line that puts it there."""

    record: str
    field: str
    function: Function
    table: str
    file: str
    line: int
    text: str
    presence: str


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A call for which no callee was found, and why."""

    caller: Function
    file: str
    line: int
    text: str
    reason: str


class CallGraph:
    """Reads a linked graph. With a configuration, what it does not compile is not there.

    Functions have numbers (their rows); the nouns are made when asked for.
    """

    def __init__(self, file: Path, config: presence.Config | None = None) -> None:
        self.file = file
        self.store = GraphStore(file)
        self.config = None if config is None else replace(config, defined=Defined(self.store, config))
        self._functions: dict[int, Function] = {}
        self._adjacencies: dict[tuple[tuple[str, ...], tuple[str, ...]], Adjacency] = {}

    @property
    def release(self) -> str:
        return self.store.meta("release")

    @property
    def root(self) -> Path:
        return Path(self.store.meta("root"))

    @property
    def files(self) -> Sequence[str]:
        """The files that the graph was made from: sources, headers and Makefiles."""
        from kread.index.freshness import files_of

        return tuple(files_of(self.store.packed("watched")))

    @property
    def adjacency(self) -> Adjacency:
        """The links between functions: one for each callee and dispatch, the cheapest edge."""
        return self.adjacency_of((), GRADES)

    def adjacency_of(self, kinds: tuple[str, ...], grades: tuple[str, ...]) -> Adjacency:
        """The same with edges of these kinds (all where none is named) and grades alone."""
        asked = kinds, () if {"certain", "object", "type"}.issubset(grades) and not kinds else grades
        if asked not in self._adjacencies:
            dropped = (
                Dropped(self.store, *asked, self.compiled).__getitem__
                if self.config is not None or any(asked)
                else None
            )
            self._adjacencies[asked] = Adjacency(self._page, self._slots, dropped)
        return self._adjacencies[asked]

    @cached_property
    def _slots(self) -> int:
        """The first number that stands for a slot, 0 where there are none."""
        return int(self.store.meta("slots"))

    def _page(self, number: int) -> bytes | None:
        rows = self.store.query("SELECT data FROM links WHERE page = ?", [number])
        return rows[0][0] if rows else None

    @cached_property
    def stations(self) -> dict[int, int]:
        """function -> what passing through it adds to a path's cost."""
        found: dict[int, int] = self.store.packed("stations")
        return found

    @cached_property
    def worlds(self) -> dict[int, int]:
        """function -> the bits of the worlds that it belongs to (kread.resolve.worlds), for those that have any."""
        found: dict[int, int] = self.store.packed("worlds") or {}
        return found

    @cached_property
    def _depths(self) -> bytes:
        """For each edge by its number, how deep its call stands."""
        found: bytes = self.store.packed("depths")
        return found

    @cached_property
    def _directories(self) -> tuple[list[str], array[int]]:
        """The directories, and for each function by its number which of them its file is in (0: in none, a header)."""
        names, found = self.store.packed("places")
        numbers = array("i")
        numbers.frombytes(found)
        return names, numbers

    def place(self, number: int) -> str:
        """The directory of a function's file, "" where that is no .c file."""
        names, found = self._directories
        return names[found[number]]

    # Functions

    def function(self, number: int) -> Function:
        self.load([number])
        return self._functions[number]

    def load(self, numbers: Iterable[int]) -> None:
        """Make the nouns of these functions in few queries."""
        wanted = sorted(set(numbers) - self._functions.keys())
        for start in range(0, len(wanted), _VALUES):
            part = wanted[start : start + _VALUES]
            marks = ",".join("?" * len(part))
            for row in self.store.query(f"SELECT {_FUNCTION} FROM function WHERE id IN ({marks})", part):
                number, name, file, line, end, static, macro, cond, signature = row
                self._functions[number] = Function(file, name, line, end, bool(static), macro, cond, signature)

    def compiled(self, text: str) -> bool:
        """Whether something under this condition is there, as far as the configuration says."""
        return self.config is None or self.config.compiles(text)

    def find(self, symbol: str) -> list[int]:
        """The numbers of the functions that a symbol names: defined ones before mere declarations."""
        file, _, name = symbol.rpartition(":")
        rows = self.named(name)
        if file:
            rows = [row for row in rows if row[1] == file or row[1].endswith("/" + file)]
        rows = [row for row in rows if self.compiled(row[2])]
        defined = [row for row in rows if row[3]]
        return [row[0] for row in (defined or rows)]

    def named(self, name: str) -> list[tuple[int, str, str, int]]:
        """(number, file, presence, whether defined) of each function of that name, compiled or not."""
        query = "SELECT id, file, presence, defined FROM function WHERE name = ? ORDER BY file, line"
        rows = self.store.query(query, [name])
        if not any(defined for _, _, _, defined in rows):
            # What is only declared under the reader's name can have its body under the compiler's.
            for row in data.load("names")["alias"]:
                if re.fullmatch(row["reader"], name):
                    made = self.store.query(query, [re.sub(row["reader"], row["compiler"], name)])
                    if made:
                        return made
        return rows

    def require(self, symbol: str) -> list[int]:
        """Like `find`, but an unknown symbol is an error that names the nearest."""
        found = self.find(symbol)
        if not found:
            # Imported here: seldom needed, and a warm query pays for each import.
            from kread.graph.missing import missing

            raise missing(self, symbol)
        return found

    # Edges

    def edges(self, numbers: Sequence[int]) -> list[Edge]:
        """The edges of these numbers, in that order."""
        found: dict[int, Edge] = {}
        rows = {number: split(number) for number in numbers}
        wanted = sorted({edge for edge, _ in rows.values()})
        for start in range(0, len(wanted), _VALUES):
            part = wanted[start : start + _VALUES]
            marks = ",".join("?" * len(part))
            found.update(self._made(self.store.query(f"SELECT {_EDGE} FROM edge WHERE id IN ({marks})", part)))
        return [self._behind(found[edge], place) if place else found[edge] for edge, place in rows.values()]

    def _behind(self, edge: Edge, place: int) -> Edge:
        """The edge to a function behind an edge to its slot, by the row that puts it there."""
        row = self.store.query("SELECT function, object, file, line, text, presence FROM slot WHERE rowid = ?", [place])
        number, table, file, line, text, cond = row[0]
        kind, why = reason_by_row(table, edge.context, file, line, text)
        from kread.presence import conj  # imported here: most graphs have no such edge

        return replace(
            edge,
            callee=self.function(number),
            kind=kind,
            presence=conj(edge.presence, cond),
            table=table,
            context="" if table else edge.context,
            evidence=(*edge.evidence, why),
        )

    def _through_slots(self, callee: int, caller: int | None = None) -> list[tuple[int, Edge]]:
        """(number, edge) of the calls that lead to a function's slots as such, from anywhere or from one caller."""
        if not self._slots:
            return []
        query = (
            "SELECT e.id, min(s.rowid) FROM slot s JOIN function d ON d.name = s.record || '.' || s.field AND d.id >= ?"
            f" JOIN edge e ON e.callee = d.id WHERE s.function = ?{'' if caller is None else ' AND e.caller = ?'}"
            " GROUP BY e.id ORDER BY e.file, e.line, e.column, e.id"
        )
        rows = self.store.query(query, [self._slots, callee, *(() if caller is None else (caller,))])
        made = self.edges([join_numbers(edge, place) for edge, place in rows])
        return [(row[0], edge) for row, edge in zip(rows, made, strict=True)]

    def _made(self, rows: Sequence[tuple[object, ...]]) -> list[tuple[int, Edge]]:
        self.load(number for row in rows for number in (row[1], row[2]))  # type: ignore[misc]
        made: list[tuple[int, Edge]] = []
        for row in rows:
            number, caller, callee, file, line, column, text, kind, grade, count, cond, slot, table, context, why = row
            edge = Edge(
                self._functions[caller],  # type: ignore[index]
                self._functions[callee],  # type: ignore[index]
                CallSite(str(file), int(str(line)), int(str(column)), str(text)),
                str(kind),
                str(grade),
                int(str(count)),
                str(cond),
                str(slot),
                str(table),
                str(context),
                unpack_evidence(why),  # type: ignore[arg-type]
            )
            made.append((int(str(number)), edge))
        return made

    def callees(self, number: int) -> list[Edge]:
        """The edges that leave a function, in the order of its lines."""
        return self._related("caller", number)

    def callers(self, number: int) -> list[Edge]:
        """The edges that lead to a function, by caller."""
        return self._related("callee", number)

    def _related(self, end: str, number: int) -> list[Edge]:
        rows = self.store.query(f"SELECT {_EDGE} FROM edge WHERE {end} = ? ORDER BY file, line, column, id", [number])
        found = self._made(rows)
        if end == "callee":
            found += self._through_slots(number)
        return [edge for _, edge in found if self.compiled(edge.presence)]

    def between(self, caller: int, callee: int) -> list[tuple[int, Edge]]:
        """(depth, edge) for all edges from one function to another, the least nested first, then in the order of lines.

        The depth says in how many branches and loops a call stands; it is more in code that only goto reaches.
        """
        query = f"SELECT {_EDGE} FROM edge WHERE caller = ? AND callee = ? ORDER BY line, column, id"
        rows = self._made(self.store.query(query, [caller, callee])) + self._through_slots(callee, caller)
        depths = self._depths if len(rows) > 1 else b""
        found = [(depths[number] if depths else 0, edge) for number, edge in rows if self.compiled(edge.presence)]
        return sorted(found, key=lambda row: row[0])

    def at_site(self, edge: Edge) -> list[Edge]:
        """All edges of the call site of an edge: the alternatives of a call through a pointer, itself included."""
        query = (
            f"SELECT {_EDGE} FROM edge WHERE file = ? AND line = ? AND column = ? AND text = ?"
            " AND caller IN (SELECT id FROM function WHERE name = ? AND file = ?) ORDER BY id"
        )
        site = edge.site
        rows = self.store.query(
            query, [site.file, site.line, site.column, site.text, edge.caller.name, edge.caller.file]
        )
        return [other for _, other in self._made(rows) if self.compiled(other.presence)]

    def installed(self, record: str, table: str) -> tuple[Evidence, ...]:
        """The lines that put a table where calls find it, from any call that goes through a slot of it."""
        query = "SELECT evidence FROM edge WHERE object = ? AND object != '' AND slot GLOB ? ORDER BY id LIMIT 1"
        rows = self.store.query(query, [table, f"{record}.*"])
        named = re.compile(rf"\b{re.escape(table)}\b")
        evidence = unpack_evidence(rows[0][0]) if rows else ()
        return tuple(why for why in evidence if why.role == "install" and named.search(why.text))

    def edge_rows(self, kinds: Sequence[str] = ()) -> Iterator[tuple[str, str, str, str, str, int, str, str, str]]:
        """Every edge (of these kinds) as a row of plain values, by the file and line of its call: caller_file,
        caller, callee_file, callee, call_file, call_line, kind, grade, presence."""
        ends = {number: (file, name) for number, file, name in self.store.query("SELECT id, file, name FROM function")}
        where = f" WHERE kind IN ({','.join('?' * len(kinds))})" if kinds else ""
        compiled = {"": True}
        for caller, callee, file, line, kind, grade, cond in self.store.rows(
            f"SELECT caller, callee, file, line, kind, grade, presence FROM edge{where} ORDER BY id", kinds
        ):
            if cond not in compiled:
                compiled[cond] = self.compiled(cond)
            if compiled[cond]:
                yield (*ends[caller], *ends[callee], file, line, kind, grade, cond)

    # Slots and what is left

    def slot(self, record: str, field: str) -> list[SlotValue]:
        """Which functions fill a slot. `record` is "struct proto_ops" or just "proto_ops"; "" matches any."""
        rows = self.store.query(
            "SELECT record, field, function, object, file, line, text, presence FROM slot WHERE field = ?"
            " AND (? = '' OR record IN (?, ?, ?)) ORDER BY record, file, line, object, function",
            [field, record, record, f"struct {record}", f"union {record}"],
        )
        self.load(row[2] for row in rows)
        return [SlotValue(row[0], row[1], self._functions[row[2]], *row[3:]) for row in rows if self.compiled(row[7])]

    def unresolved(self) -> list[Unresolved]:
        """The calls for which no callee was found, by file and line."""
        rows = self.store.query("SELECT caller, file, line, text, reason FROM unresolved ORDER BY file, line, text")
        self.load(row[0] for row in rows)
        return [Unresolved(self._functions[row[0]], *row[1:]) for row in rows]

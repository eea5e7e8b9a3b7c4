"""The tables that receivers are made with: by the calls that make one, and by the records that join two tables.

`sk_alloc(net, PF_UNIX, priority, &unix_proto, 0)` gives a sock its table, and tells of which family it is. What an opener
makes (`sock_create_kern(net, PF_BLUETOOTH, ..., &sock)`) has one of the tables of its family, and so has the sock behind
operations that name a family and are joined with no table by a registration. Where nobody of the scope makes anything of a
family, a receiver of it is still no other family's: its table is the family's name.

The makers and the pairs of tables stand in data/families.toml, the openers in data/stores.toml (see openers).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from kread.parse.unit import CallRow
from kread.resolve.openers import Asked
from kread.resolve.pairs import Joined, family, joined, pointed
from kread.resolve.places import OPENED, Fixed
from kread.resolve.program import FunctionId
from kread.resolve.shapes import Table
from kread.resolve.terms import Term
from kread.resolve.values import Values


class Makers:
    """Answers from the rows of data/families.toml. Asked after the values are known."""

    def __init__(self, values: Values, data: dict[str, Any]) -> None:
        self.values = values
        self.creators: dict[str, dict[str, Any]] = {name: row for row in data["creator"] for name in row["names"]}
        self.pairs: list[dict[str, str]] = data["pair"]
        self._known_rows: dict[str, list[Joined]] = {}
        self._known_pairs: dict[str, dict[Table, set[Table]]] = {}

    def given(self, made: Iterable[Term], at: FunctionId) -> frozenset[Table]:
        """The tables of a receiver that comes from some terms: none unless each is a call that makes one, or leads to what
        was opened."""
        each = [self._created(term, at) or self._opened(term, at) for term in made]
        return frozenset().union(*each) if all(each) else frozenset()

    def created(self, made: Iterable[Term], at: FunctionId) -> set[Table]:
        """The tables of a receiver as far as it comes from calls that make one."""
        return set().union(*(self._created(term, at) for term in made))

    def _created(self, term: Term, at: FunctionId) -> set[Table]:
        """The tables of what a call makes: those that it hands to the maker, or all of the family, where that is not known."""
        row = self.creators.get(term[1][1]) if term[0] == "call" and term[1][0] == "name" else None
        if row is None or row["argument"] >= len(term[2]):
            return set()
        tables, sure = self._handed(term[2][row["argument"]], at)
        if not sure and term[2][row["family"]][0] == "name":
            tables |= self._all_of(self.values.openers.constant(term[2][row["family"]][1], at))
        return tables

    def _handed(self, table: Term, at: FunctionId) -> tuple[set[Table], bool]:
        """The tables that an argument leads to, and whether there are no others."""
        place = self.values.places.of(pointed(table), at)
        if not isinstance(place, Fixed):
            return set(), False
        if table[0] == "address":
            return {(place.obj, place.path)}, True
        vertex = self.values.place(place.obj, place.path)
        found = {(value[1], value[2]) for value in vertex.values if value[0] == "object" and value[1][0] != "heap"}
        return found, bool(found) and not vertex.flags

    def ask(self, receivers: Iterable[Term], at: FunctionId) -> None:
        """Have the values found of what leads to some receivers by the step of a pair. Asked before the values are known."""
        for term in receivers:
            if self._step(term) is not None:
                self.values.expression(term[1], at)

    def ask_creators(self) -> None:
        """Have the tables found that the calls of creators hand over. Asked before the values are known."""
        for _, call, table, at in self._creations():
            place = self.values.places.of(table, at) if call.function >= 0 else None
            if isinstance(place, Fixed):
                self.values.place(place.obj, place.path)

    def _creations(self) -> Iterator[tuple[dict[str, Any], CallRow, Term, FunctionId]]:
        """The calls of creators, each with its row, the table that it hands over, and the function that it stands in."""
        for name, row in self.creators.items():
            for at, call in self.values.stores.calls.get(name):
                if len(call.args) > max(row["family"], row["argument"]):
                    yield row, call, self.values.types.term(call.args[row["argument"]], at), at

    def _opened(self, term: Term, at: FunctionId) -> set[Table]:
        """The tables of a receiver behind what openers made: `sock->sk`."""
        pair = self._step(term)
        vertex = self.values.machine.vertices.get(("expression", at, term[1])) if pair is not None else None
        if pair is None or vertex is None:
            return set()
        found: set[Table] = set()
        for value in vertex.values:
            if value[0] == "object" and value[1][0] == OPENED:
                found |= self._asked(value[1][1], pair)
        return found

    def _step(self, term: Term) -> dict[str, str] | None:
        """The pair whose step leads to a term."""
        if term[0] != "member" or not term[3]:
            return None
        return next((pair for pair in self.pairs if pair["step"] == term[2]), None)

    def _asked(self, asked: Asked, pair: dict[str, str]) -> set[Table]:
        """The tables of the family that an opener was asked for, but for those that are registered for another type or
        protocol. A protocol tells also where the family is not known."""
        name, kind, protocol = asked
        rows = self._joined(pair)
        fitting = {table for row in rows if row.fits(kind, protocol, pair["any_protocol"]) for table in row.inner}
        if name:
            return self._all_of(name) - {table for row in rows for table in row.inner - fitting}
        return fitting if protocol and any(protocol == row.protocol for row in rows) else set()

    def of_family(self, family: str) -> set[Table]:
        """The tables that receivers of a family are made with; none for no family."""
        return {(("family", None, family), ()), *self._families.get(family, ())} if family else set()

    def _all_of(self, name: str) -> set[Table]:
        """The tables of a family, by who makes receivers and by what is registered."""
        rows = (row for pair in self.pairs for row in self._joined(pair) if row.family == name)
        return self.of_family(name).union(*(row.inner for row in rows)) if name else set()

    @cached_property
    def _families(self) -> dict[str, set[Table]]:
        found: dict[str, set[Table]] = defaultdict(set)
        for row, call, table, at in self._creations():
            found[self.values.openers.constant(call.args[row["family"]], at)] |= self._handed(table, at)[0]
        return found

    def _joined(self, pair: dict[str, str]) -> list[Joined]:
        if pair["record"] not in self._known_rows:
            self._known_rows[pair["record"]] = joined(self.values, pair)
        return self._known_rows[pair["record"]]

    def paired(self, pair: dict[str, str]) -> dict[Table, set[Table]]:
        """outer table -> the inner ones that a record of the pair joins it with, or that its family has."""
        known = self._known_pairs.get(pair["record"])
        if known is None:
            known = defaultdict(set)
            for row in self._joined(pair):
                for table in row.outer:
                    known[table] |= row.inner
            for table in self.values.places.instances.get(pair["outer_record"], ()):
                name = family(self.values, table, pair) if table not in known else ""
                if name:
                    known[table] |= self.of_family(name)
            self._known_pairs[pair["record"]] = known
        return known

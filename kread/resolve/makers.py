"""The tables that receivers are made with: by the calls that make one, and by the records that join two tables.

`sk_alloc(net, PF_UNIX, priority, &unix_proto, 0)` gives a sock its table, and tells of which family it is. What an opener
makes (`sock_create_kern(net, PF_BLUETOOTH, ..., &sock)`) has one of the tables of its family, and so has the sock behind
operations that name a family and are joined with no table by a registration. Where nobody of the scope makes anything of a
family, a receiver of it is still no other family's: its table is the family's name.

The makers, the openers and the pairs of tables stand in data/families.toml.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from kread.resolve.places import Fixed, Obj
from kread.resolve.program import FunctionId
from kread.resolve.shapes import Table
from kread.resolve.slots import Path
from kread.resolve.terms import Term, dereferenced
from kread.resolve.values import Values


class Makers:
    """Answers from the rows of data/families.toml. Asked after the values are known."""

    def __init__(self, values: Values, data: dict[str, Any]) -> None:
        self.values = values
        self.creators: dict[str, dict[str, Any]] = {name: row for row in data["creator"] for name in row["names"]}
        self.openers: dict[str, dict[str, Any]] = {name: row for row in data["opener"] for name in row["names"]}
        self._known_pairs: dict[str, dict[Table, set[Table]]] = {}

    def given(self, made: Iterable[Term], at: FunctionId) -> frozenset[Table]:
        """The tables of a receiver that comes from some terms: none unless each is a call that makes one, or what an opener
        made in the same function."""
        found: set[Table] = set()
        for term in made:
            tables = self._created(term, at) or self._opened(term, at)
            if not tables:
                return frozenset()
            found |= tables
        return frozenset(found)

    def _created(self, term: Term, at: FunctionId) -> set[Table]:
        """The tables that a call hands to the maker of a receiver."""
        row = self.creators.get(term[1][1]) if term[0] == "call" and term[1][0] == "name" else None
        if row is None or row["argument"] >= len(term[2]):
            return set()
        table = term[2][row["argument"]]
        place = self.values.places.of(_pointed(table), at)
        if not isinstance(place, Fixed):
            return set()
        if table[0] == "address":
            return {(place.obj, place.path)}
        vertex = self.values.machine.vertices.get(("place", place.obj, place.path))
        found = vertex.values if vertex is not None and not vertex.flags else ()
        return {(value[1], value[2]) for value in found if value[0] == "object"}

    def _opened(self, term: Term, at: FunctionId) -> set[Table]:
        """The tables of the family that an opener is asked for, where a term is the receiver in what it made: `sock->sk`."""
        if term[0] != "member" or not term[3]:
            return set()
        for row in self._opening.get(at, {}).get(term[2], ()):
            made = self.values.types.term(row[1], at)
            if term[1] in (dereferenced(made), made):
                return self.of_family(self.family(row[0], at))
        return set()

    @cached_property
    def _opening(self) -> dict[FunctionId, dict[str, list[tuple[str, str]]]]:
        """function -> step -> (family, where the result goes) of the openers that it calls."""
        found: dict[FunctionId, dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
        for name, row in self.openers.items():
            for at, call in self.values.stores.calls.get(name):
                if len(call.args) > max(row["family"], row["result"]):
                    found[at][row["step"]].append((call.args[row["family"]], call.args[row["result"]]))
        return found

    def family(self, text: str, at: FunctionId) -> str:
        """The family that a constant names, whatever it is called (PF_UNIX is AF_UNIX); "" if it is no constant."""
        types, file = self.values.types, self.values.program.files[at.unit]
        if not (text.isidentifier() and text.isupper()) or self.values.places.variable(text, at) is not None:
            return ""
        alias = types.alias(text, file)
        return self.family(alias[1], at) or text if alias[0] == "name" and alias[1] != text else text

    def of_family(self, family: str) -> set[Table]:
        """The tables that receivers of a family are made with; none for no family."""
        return {(("family", None, family), ()), *self._families.get(family, ())} if family else set()

    @cached_property
    def _families(self) -> dict[str, set[Table]]:
        found: dict[str, set[Table]] = defaultdict(set)
        for name, row in self.creators.items():
            for at, call in self.values.stores.calls.get(name):
                if len(call.args) > max(row["family"], row["argument"]):
                    args = tuple(self.values.types.term(arg, at) for arg in call.args)
                    family = self.family(call.args[row["family"]], at)
                    found[family] |= self._created(("call", ("name", name), args), at)
        return found

    def paired(self, pair: dict[str, str]) -> dict[Table, set[Table]]:
        """outer table -> the inner ones that a record of the pair joins it with, or that its family has."""
        known = self._known_pairs.get(pair["record"])
        if known is None:
            known = defaultdict(set)
            joined: dict[tuple[Obj, Path], dict[str, set[Table]]] = defaultdict(lambda: defaultdict(set))
            places = self.values.places
            for obj, _ in places.instances.get(pair["record"], ()):
                for entry in places.entries(obj):
                    if entry.record == pair["record"] and entry.member in (pair["outer"], pair["inner"]):
                        at = FunctionId(entry.table.unit, -1)
                        place = places.of(_pointed(self.values.types.term(entry.row.value, at)), at)
                        if isinstance(place, Fixed):
                            joined[obj, entry.path[:-1]][entry.member].add((place.obj, place.path))
            for sides in joined.values():
                for table in sides[pair["outer"]]:
                    known[table] |= sides[pair["inner"]]
            for obj, path in places.instances.get(pair["outer_record"], ()):
                for entry in places.entries(obj):
                    if (entry.member, entry.path[:-1]) == (pair["family"], path) and (obj, path) not in known:
                        family = self.family(entry.row.value, FunctionId(entry.table.unit, -1))
                        known[obj, path] |= self.of_family(family)
            self._known_pairs[pair["record"]] = known
        return known


def _pointed(term: Term) -> Term:
    return term[1] if term[0] == "address" else term

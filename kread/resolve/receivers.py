"""Tables kept apart by the object that a function is called for.

`sk->sk_prot` can be any protocol's table. But a function that stands in the table T is called for a socket whose
table is T, and hands the same socket on to what it calls: there too, `sk->sk_prot` is T, or a copy of T that
somebody put in its place. So each parameter that is such a receiver gets the tables of all ways that lead to it,
through calls by name and through pointers alike, as long as they pass the receiver on unchanged.

A parameter to which no such way leads can be anything. One to which some lead is taken to have no others: what
arrives by another way (a packet finds a socket by its address) belongs to the same protocol.

A receiver that the function itself makes has the tables that it hands to the maker. And one that a function takes for a
larger record has the tables of such records (see shapes).

What the receivers, their makers and the pairs of tables are stands in data/families.toml.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from functools import cached_property

from kread.data import load
from kread.resolve.makers import Makers
from kread.resolve.program import FunctionId
from kread.resolve.replaced import replaced
from kread.resolve.shapes import Param, Shapes, Table
from kread.resolve.target import Site
from kread.resolve.terms import Term
from kread.resolve.values import Values
from kread.resolve.ways import copied


class Receivers:
    """Says which tables the receiver of a call can have. Asked after the values are known."""

    def __init__(self, values: Values, sites: list[Site]) -> None:
        self.values = values
        self.sites = sites
        self.program = values.program
        data = load("families")
        self.members = {row["pointer"]: (row["record"], row["member"]) for row in data["receiver"]}
        sizes = {row["pointer"]: (row["record"], row["size"]) for row in data["receiver"] if "size" in row}
        self.shapes = Shapes(values, sizes)
        self.pairs = data["pair"]
        self.makers = Makers(values, data)

    def of(self, base: Term, at: FunctionId) -> frozenset[Table] | None:
        """The tables that a pointer to a table can lead to, None if nothing is known: `sk->sk_prot` in a function."""
        base = self._defined(base, at)
        if base[0] != "member" or not base[3]:
            return None
        tag = self.values.types.of(base[1], at).removesuffix("*")
        known = self.members.get(tag)
        if known is None or base[2] != known[1]:
            return None
        param = self._param(base[1], at)
        if param is None:
            given = self.makers.given(self._values(base[1], at), at)
            shaped = self.shapes.of(base[1], at, tag) or self.shapes.of(self._defined(base[1], at), at, tag)
            return given or self._with_copies(shaped) or None
        return self._with_copies(self._tables.get(param, ())) or None

    def beside(self, record: str, receiver: Term, at: FunctionId) -> frozenset[Table] | None:
        """The tables of a record that a call through any pointer to one can mean if it hands a receiver over: those that the
        receiver has, had before one was put in the place of another, or will have. None if nothing is known."""
        for known, member in self.members.values():
            if known == record:
                found = self.of(("member", receiver, member, True), at)
                return found and found.union(
                    self._originals(found), *(self._replaced.get(table, ()) for table in found)
                )
        return None

    @cached_property
    def _replaced(self) -> dict[Table, set[Table]]:
        return replaced(self.values, self.members, self.of)

    def _with_copies(self, found: Iterable[Table]) -> frozenset[Table]:
        return frozenset((*found, *(copy for table in found for copy in self._variants.get(table, ()))))

    def roots(self, receiver: Term, at: FunctionId, record: str) -> frozenset[Table] | None:
        """The tables that a receiver was made with: those of `of` that are no copies of others; where all are, what they are
        copied from. None if none is known."""
        found = self.of(("member", receiver, self.members[record][1], True), at)
        return found - self._sources.keys() or self._originals(found) or None if found else None

    def _originals(self, found: Iterable[Table]) -> frozenset[Table]:
        """The tables that some are copied from, but for those that are copies themselves."""
        return frozenset().union(*(self._sources.get(table, ()) for table in found)) - self._sources.keys()

    @cached_property
    def _sources(self) -> dict[Table, set[Table]]:
        """table -> the tables that it is a copy of, or a copy of a copy."""
        found: dict[Table, set[Table]] = defaultdict(set)
        for source, copies in self._variants.items():
            for copy in copies - {source}:
                found[copy].add(source)
        return found

    def _defined(self, term: Term, at: FunctionId) -> Term:
        """A local that is set once stands for what it is set to."""
        values = self._values(term, at)
        return values[0] if len(values) == 1 else term

    def _values(self, term: Term, at: FunctionId) -> list[Term]:
        """What a local is set to; of anything else, itself."""
        if term[0] != "name" or term[1] in {name for name, _ in self.program.row(at).params}:
            return [term]
        stores = self.values.stores.variables.get((at, term[1]))
        values = sorted({store.value for store in stores})
        return [self.values.types.term(value, at) for value in values] or [term]

    def _param(self, term: Term, at: FunctionId) -> Param | None:
        """The parameter that a term is, with the step by which the receiver is reached from it ("" or "sk")."""
        term = self._defined(term, at)
        step = ""
        if term[0] == "member" and term[3] and any(term[2] == pair["step"] for pair in self.pairs):
            step = term[2]
            term = self._defined(term[1], at)
        if term[0] != "name":
            return None
        for number, (name, _) in enumerate(self.program.row(at).params):
            if name == term[1]:
                return (at, number, step)
        return None

    @cached_property
    def _tables(self) -> dict[Param, set[Table]]:
        """(function, parameter, step) -> the tables of that receiver."""
        found: dict[Param, set[Table]] = defaultdict(set)
        arcs = self._handed_on()
        for tag, (record, _) in self.members.items():
            for table, functions in self._members_of(record).items():
                for function in functions:
                    number = self._receiver(function, tag)
                    if number < 0:
                        continue
                    found[function, number, ""].add(table)
                    for pair in self.pairs:
                        if pair["outer_pointer"] == tag:
                            found[function, number, pair["step"]] |= self.makers.paired(pair).get(table, set())
        limits = self.shapes.limits
        for key in limits:
            found[key] = self._fitting(found[key], key)
        self._spread(found, arcs, [key for key, tables in found.items() if tables], frozenset())
        known = frozenset(key for key, tables in found.items() if tables)
        bare = [key for key in limits if key not in known]
        for key in bare:
            found[key] = set(limits[key])
        self._spread(found, arcs, bare, known)
        return found

    def _spread(
        self, found: dict[Param, set[Table]], arcs: Mapping[Param, set[Param]], todo: list[Param], but: Set[Param]
    ) -> None:
        """Let tables travel with the receivers that have them, but not to some."""
        while todo:
            key = todo.pop()
            for target in arcs.get(key, set()) - but:
                fitting = self._fitting(found[key], target)
                if not fitting <= found[target]:
                    found[target] |= fitting
                    todo.append(target)

    def _fitting(self, tables: set[Table], key: Param) -> set[Table]:
        """Those of some tables whose objects a parameter can be, by what its function takes it for."""
        limit = self.shapes.limits.get(key)
        if limit is None:
            return tables
        return {table for table in tables if table in limit or not self._sources.get(table, limit).isdisjoint(limit)}

    def _receiver(self, function: FunctionId, tag: str) -> int:
        for number, (_, kind) in enumerate(self.program.row(function).params):
            if kind == f"{tag}*":
                return number
        return -1

    def _members_of(self, record: str) -> dict[Table, set[FunctionId]]:
        """The tables of a record with the functions in their slots, but for what was copied there from other tables."""
        found: dict[Table, set[FunctionId]] = defaultdict(set)
        places = self.values.places
        for obj, path in places.instances.get(record, ()):
            if obj[0] not in ("global", "literal"):
                continue
            for entry in places.entries(obj):
                if entry.record == record and entry.path[:-1] == path and entry.row.value.isidentifier():
                    file = self.program.files[entry.table.unit]
                    found[obj, path].update(self.values.named(entry.row.value, file))
        for key, vertex in self.values.machine.vertices.items():
            if (
                key[0] == "place"
                and key[2]
                and key[1][0] == "global"
                and (key[1], key[2][:-1]) in self._instances(record)
            ):
                for value in vertex.ordered():
                    if value[0] == "function" and not copied(vertex, value):
                        found[key[1], key[2][:-1]].update(self.values.functions(value))
        return found

    def _instances(self, record: str) -> frozenset[Table]:
        known = self._known_instances.get(record)
        if known is None:
            known = self._known_instances[record] = frozenset(self.values.places.instances.get(record, ()))
        return known

    @cached_property
    def _known_instances(self) -> dict[str, frozenset[Table]]:
        return {}

    def _handed_on(self) -> dict[Param, set[Param]]:
        """The calls that hand a receiver on: from a caller's parameter to a callee's."""
        arcs: dict[Param, set[Param]] = defaultdict(set)
        tags = {f"{tag}*" for tag in self.members}
        wanted = {
            function
            for rows in self.program.by_name.values()
            for function in rows
            if any(kind in tags for _, kind in self.program.row(function).params)
        }
        own = {
            function
            for record, _ in self.members.values()
            for each in self._members_of(record).values()
            for function in each
        }
        for name in dict.fromkeys(self.program.row(function).name for function in sorted(wanted)):
            for at, row in self.values.stores.calls.get(name):
                if at.row < 0 or name in self.program.locals.get(at, ()):
                    continue
                for function in self.values.named(name, self.program.files[at.unit]):
                    # A macro that compares a pointer with a slot's function before the call is a call through the
                    # table.
                    if function in wanted and (row.origin in ("src", "arg") or function not in own):
                        self._hand_on(arcs, at, row.args, function, tags)
        for site in self.sites:
            if not self._by_other_table(site):
                continue
            for value in site.vertex.ordered():
                if value[0] == "function":
                    for function in self.values.functions(value):
                        if function in wanted and function not in own:
                            self._hand_on(arcs, site.caller, site.call.args, function, tags)
        return arcs

    def _by_other_table(self, site: Site) -> bool:
        """Whether a call goes through a table that is followed, but is not the receiver's own.

        The receiver's own table says itself whom it calls, and a field of the receiver (sk->sk_state_change) is
        shared by all protocols, so neither tells anything about what it calls.
        """
        term = site.term
        if term[0] != "member" or not term[3]:
            return False
        record = self.values.types.of(term[1], site.caller).removesuffix("*")
        return (
            self.values.places.tracked(record)
            and record not in self.members
            and all(record != known for known, _ in self.members.values())
        )

    def _hand_on(
        self,
        arcs: dict[Param, set[Param]],
        at: FunctionId,
        args: tuple[str, ...],
        function: FunctionId,
        tags: set[str],
    ) -> None:
        steps = {pair["step"] for pair in self.pairs}
        for number, (_, kind) in enumerate(self.program.row(function).params):
            if kind not in tags or number >= len(args):
                continue
            source = self._param(self.values.types.term(args[number], at), at)
            if source is None:
                continue
            arcs[source].add((function, number, ""))
            if not source[2]:
                for step in steps:
                    arcs[source[0], source[1], step].add((function, number, step))

    @cached_property
    def _variants(self) -> dict[Table, set[Table]]:
        """table -> the tables that are copied from it, and from these."""
        direct: dict[Table, set[Table]] = defaultdict(set)
        for record, _ in self.members.values():
            for target, source in self.values.copies.between(record):
                direct[source].add(target)
        found: dict[Table, set[Table]] = {}
        for table in list(direct):
            reached: set[Table] = set()
            todo = [table]
            while todo:
                for copy in direct.get(todo.pop(), ()):
                    if copy not in reached:
                        reached.add(copy)
                        todo.append(copy)
            found[table] = reached
        return found

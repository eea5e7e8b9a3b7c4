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
from typing import NamedTuple

from kread.data import load
from kread.resolve.makers import Makers
from kread.resolve.origins import Origins
from kread.resolve.program import FunctionId
from kread.resolve.replaced import replaced
from kread.resolve.shapes import Param, Shapes, Table
from kread.resolve.target import Site
from kread.resolve.terms import Term
from kread.resolve.values import Values
from kread.resolve.variants import Variants, made
from kread.resolve.ways import copied


class Handed(NamedTuple):
    """How receivers come to parameters: from other parameters, and from who makes them, with the tables that these have."""

    arcs: dict[Param, set[Param]]
    made: dict[Param, set[Table]]


class Receivers:
    """Says which tables the receiver of a call can have. Asked after the values are known."""

    def __init__(self, values: Values, sites: list[Site]) -> None:
        self.values = values
        self.sites = sites
        self.program = values.program
        data = load("families")
        self.members = {row["pointer"]: (row["record"], row["member"]) for row in data["receiver"]}
        self.initial = {row["pointer"]: row["initial"] for row in data["receiver"] if "initial" in row}
        sizes = {row["pointer"]: (row["record"], row["size"]) for row in data["receiver"] if "size" in row}
        self.shapes = Shapes(values, sizes)
        self.pairs = data["pair"]
        self.makers = Makers(values, data)
        self.origins = Origins(values, {pair["step"] for pair in self.pairs})

    def of(self, base: Term, at: FunctionId) -> frozenset[Table] | None:
        """The tables that a pointer to a table can lead to, None if nothing is known: `sk->sk_prot` in a function."""
        base = self.origins.defined(base, at)
        if base[0] != "member" or not base[3]:
            return None
        tag = self.values.types.of(base[1], at).removesuffix("*")
        known = self.members.get(tag)
        if known is None or base[2] != known[1]:
            return None
        param = self.origins.param(base[1], at)
        if param is not None and self._tables.get(param):
            return self._with_copies(self._tables[param])
        made = self.origins.of(base[1], at)
        given = self.makers.given(made, at) or self._alike(made, at, tag)
        if given or param is not None:
            return given or None
        shaped = self.shapes.of(base[1], at, tag) or self.shapes.of(self.origins.defined(base[1], at), at, tag)
        return self._with_copies(shaped) or None

    def _alike(self, made: Iterable[Term], at: FunctionId, tag: str) -> frozenset[Table]:
        """The tables of a receiver that comes from calls which are handed receivers: a clone, another one of its group."""
        found: set[Table] = set()
        for term in made:
            args = term[2] if term[0] == "call" else ()
            known = [self.of(("member", arg, self.members[tag][1], True), at) for arg in args if self._is(arg, at, tag)]
            tables = frozenset().union(*filter(None, known))
            if not tables:
                return frozenset()
            found |= tables
        return frozenset(found)

    def _is(self, term: Term, at: FunctionId, tag: str) -> bool:
        return self.values.types.of(term, at) == f"{tag}*"

    def ask(self) -> None:
        """Have the values found of what leads to the receivers of calls, and of those into which functions are stored that
        calls go through. To be asked before the values are known."""
        self.makers.ask_creators()
        fields: dict[tuple[str, str], None] = {}
        for site in self.sites:
            term = site.term
            while term[0] == "member" and term[3]:
                tag = self.values.types.of(term[1], site.caller).removesuffix("*")
                if tag in self.members:
                    self.makers.ask(self.origins.of(term[1], site.caller), site.caller)
                    fields[tag, term[2]] = None
                term = term[1]
        for tag, field in fields:
            for store in self.values.stores.members.get(field):
                target = self.values.types.term(store.target, store.at)
                if target[0] == "member" and target[3] and self._is(target[1], store.at, tag):
                    self.makers.ask(self.origins.of(target[1], store.at), store.at)

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
        return frozenset((*found, *(copy for table in found for copy in self._variants.copies.get(table, ()))))

    def roots(self, receiver: Term, at: FunctionId, record: str) -> frozenset[Table] | None:
        """The tables that a receiver was made with: those of `of` that are no copies of others; where all are, what they are
        copied from. None if none is known."""
        found = self.of(("member", receiver, self.members[record][1], True), at)
        return found - self._variants.sources.keys() or self._originals(found) or None if found else None

    def _originals(self, found: Iterable[Table]) -> frozenset[Table]:
        """The tables that some are copied from, but for those that are copies themselves."""
        return (
            frozenset().union(*(self._variants.sources.get(table, ()) for table in found))
            - self._variants.sources.keys()
        )

    @cached_property
    def _tables(self) -> dict[Param, set[Table]]:
        """(function, parameter, step) -> the tables of that receiver."""
        return self._told(self._variants)

    @cached_property
    def _variants(self) -> Variants:
        """The copies of tables, as far as it is known whose place they take."""
        copies = made(self.values, [record for record, _ in self.members.values()])
        tables = self._told(copies)

        def had(base: Term, at: FunctionId) -> Set[Table]:
            param = self.origins.param(base[1], at)
            return tables.get(param, frozenset()) if param is not None else frozenset()

        return copies.narrowed(replaced(self.values, self.members, had))

    def _told(self, copies: Variants) -> dict[Param, set[Table]]:
        """The tables of all receivers that are parameters, as they travel with these."""
        (arcs, made), limits = self.handed, self.shapes.limits
        found: dict[Param, set[Table]] = defaultdict(set)
        for key, tables in (*self._called.items(), *made.items()):
            found[key] |= tables
        for key in limits:
            found[key] = self._fitting(found[key], key, copies)
        self._spread(found, arcs, [key for key, tables in found.items() if tables], frozenset(), copies)
        known = frozenset(key for key, tables in found.items() if tables)
        bare = [key for key in limits if key not in known]
        for key in bare:
            found[key] = set(limits[key])
        self._spread(found, arcs, bare, known, copies)
        return found

    @cached_property
    def _called(self) -> dict[Param, set[Table]]:
        """The tables in which functions stand that are called for their receivers."""
        found: dict[Param, set[Table]] = defaultdict(set)
        for tag, (record, _) in self.members.items():
            for table, functions in self._members_of(record).items():
                for function in functions:
                    number = self.receiver(function, tag)
                    if number < 0:
                        continue
                    found[function, number, ""].add(table)
                    for pair in self.pairs:
                        if pair["outer_pointer"] == tag:
                            found[function, number, pair["step"]] |= self.makers.paired(pair).get(table, set())
        return found

    def _spread(
        self,
        found: dict[Param, set[Table]],
        arcs: Mapping[Param, set[Param]],
        todo: list[Param],
        but: Set[Param],
        copies: Variants,
    ) -> None:
        """Let tables travel with the receivers that have them, but not to some."""
        while todo:
            key = todo.pop()
            for target in arcs.get(key, set()) - but:
                fitting = self._fitting(found[key], target, copies)
                if not fitting <= found[target]:
                    found[target] |= fitting
                    todo.append(target)

    def _fitting(self, tables: set[Table], key: Param, copies: Variants) -> set[Table]:
        """Those of some tables whose objects a parameter can be, by what its function takes it for."""
        limit = self.shapes.limits.get(key)
        if limit is None:
            return tables
        return {table for table in tables if table in limit or not copies.sources.get(table, limit).isdisjoint(limit)}

    def receiver(self, function: FunctionId, tag: str) -> int:
        """Which parameter of a function is a receiver of a tag, -1 if none is."""
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

    @cached_property
    def handed(self) -> Handed:
        """The calls that hand a receiver on: from a caller's parameter to a callee's, or one that the caller made."""
        handed = Handed(defaultdict(set), defaultdict(set))
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
                        self._hand_on(handed, at, row.args, function, tags)
        for site in self.sites:
            if not self._by_other_table(site):
                continue
            for value in site.vertex.ordered():
                if value[0] == "function":
                    for function in self.values.functions(value):
                        if function in wanted and function not in own:
                            self._hand_on(handed, site.caller, site.call.args, function, tags)
        return handed

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
        handed: Handed,
        at: FunctionId,
        args: tuple[str, ...],
        function: FunctionId,
        tags: set[str],
    ) -> None:
        steps = {pair["step"] for pair in self.pairs}
        for number, (_, kind) in enumerate(self.program.row(function).params):
            if kind not in tags or number >= len(args):
                continue
            term = self.values.types.term(args[number], at)
            source = self.origins.param(term, at)
            if source is None:
                handed.made[function, number, ""] |= self.makers.created(self.origins.of(term, at), at)
                continue
            handed.arcs[source].add((function, number, ""))
            if not source[2]:
                for step in steps:
                    handed.arcs[source[0], source[1], step].add((function, number, step))

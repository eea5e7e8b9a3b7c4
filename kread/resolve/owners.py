"""Callbacks that a protocol puts into its own objects: `sk->sk_data_ready = sctp_data_ready` in what sets up SCTP's sockets.

All sockets keep their callbacks in the same fields of the same record, so points-to says that any socket's callback can
stand behind any socket. But where whoever stores a function is called for the objects of some tables only (see receivers),
and so is whoever calls it, the two have to share a table. A function that anybody stores of whose objects nothing is
known can be everybody's. What is stored into an object that was just made is replaced where its table's own initialiser
stores something there, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from kread.facts import Function
from kread.resolve.receivers import Receivers
from kread.resolve.shapes import Param, Table
from kread.resolve.stores import Store
from kread.resolve.target import Site
from kread.resolve.values import Values


class _Stored(NamedTuple):
    """A store into a receiver's field.

    tables -- those of the objects that it is stored for, None if they can be any
    param  -- the parameter that is the receiver, if one is
    first  -- whether somebody hands over what was only just made
    """

    store: Store
    tables: frozenset[Table] | None
    param: Param | None
    first: bool


class Owners:
    """Says whose objects a field's functions are stored in."""

    def __init__(self, values: Values, receivers: Receivers) -> None:
        self.values = values
        self.receivers = receivers
        self._known: dict[tuple[str, str], list[_Stored]] = {}

    def admit(self, site: Site, function: Function) -> bool:
        """Whether a function that stands in a field of a receiver can be meant by those who call it through that field."""
        term = site.term
        if term[0] != "member" or not term[3]:
            return True
        record = self.values.types.of(term[1], site.caller).removesuffix("*")
        if record not in self.receivers.members:
            return True
        called_for = self.receivers.roots(term[1], site.caller, record)
        if called_for is None:
            return True
        stores = [
            each
            for each in self._stores(record, term[2])
            if each.store.value.lstrip("&") == function.name and self._means(each.store, function)
        ]
        if stores and all(each.first for each in stores) and self._set_up(called_for, record, term[2]):
            return False
        return not stores or any(each.tables is None or each.tables & called_for for each in stores)

    def _set_up(self, tables: Iterable[Table], record: str, member: str) -> bool:
        """Whether the tables' own initialisers store into a member of their receivers."""
        into = {each.param for each in self._stores(record, member) if each.param is not None}
        return all(not into.isdisjoint(self._initial(table, record)) for table in tables)

    def _initial(self, table: Table, record: str) -> Iterator[Param]:
        """The receivers of a table's initialiser, and of what this calls with them."""
        owner, _ = self.receivers.members[record]
        for entry in self.values.places.entries(table[0]):
            if (entry.record, entry.member, entry.path[:-1]) == (owner, self.receivers.initial.get(record), table[1]):
                for function in self.values.named(entry.row.value, self.values.program.files[entry.table.unit]):
                    param = (function, self.receivers.receiver(function, record), "")
                    yield param
                    yield from self.receivers.handed.arcs.get(param, ())

    @cached_property
    def _first(self) -> set[Param]:
        """The receivers of functions to which somebody hands what was just made, and of what these call with them."""
        made = {param for param, tables in self.receivers.handed.made.items() if tables}
        return made.union(*(self.receivers.handed.arcs.get(param, ()) for param in made))

    def _means(self, store: Store, function: Function) -> bool:
        program = self.values.program
        found = self.values.named(function.name, program.file(store.at))
        return any(program.file(each) == function.file for each in found)

    def _stores(self, record: str, member: str) -> list[_Stored]:
        """What is stored into a receiver's field."""
        key = (record, member)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = []
            types = self.values.types
            for store in self.values.stores.members.get(member):
                target = types.term(store.target, store.at)
                tables = param = None
                if target[0] == "member" and types.of(target[1], store.at).removesuffix("*") == record:
                    receiver = target[1] if target[3] else ("address", target[1])
                    tables = self.receivers.roots(receiver, store.at, record)
                    param = self.receivers.origins.param(receiver, store.at)
                found.append(_Stored(store, tables, param, param in self._first))
        return found

"""Callbacks that a protocol puts into its own objects: `sk->sk_data_ready = sctp_data_ready` in what sets up SCTP's sockets.

All sockets keep their callbacks in the same fields of the same record, so points-to says that any socket's callback can
stand behind any socket. But where whoever stores a function is called for the objects of some tables only (see receivers),
and so is whoever calls it, the two have to share a table. A function that anybody stores of whose objects nothing is
known can be everybody's.
"""

from __future__ import annotations

from kread.facts import Function
from kread.resolve.receivers import Receivers
from kread.resolve.shapes import Table
from kread.resolve.stores import Store
from kread.resolve.target import Site
from kread.resolve.values import Values


class Owners:
    """Says whose objects a field's functions are stored in."""

    def __init__(self, values: Values, receivers: Receivers) -> None:
        self.values = values
        self.receivers = receivers
        self._known: dict[tuple[str, str], list[tuple[Store, frozenset[Table] | None]]] = {}

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
            tables
            for store, tables in self._stores(record, term[2])
            if store.value.lstrip("&") == function.name and self._means(store, function)
        ]
        return not stores or any(tables is None or tables & called_for for tables in stores)

    def _means(self, store: Store, function: Function) -> bool:
        program = self.values.program
        found = self.values.named(function.name, program.file(store.at))
        return any(program.file(each) == function.file for each in found)

    def _stores(self, record: str, member: str) -> list[tuple[Store, frozenset[Table] | None]]:
        """What is stored into a receiver's field, with the tables of the objects that it is stored for."""
        key = (record, member)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = []
            types = self.values.types
            for store in self.values.stores.members.get(member):
                target = types.term(store.target, store.at)
                tables = None
                if target[0] == "member" and types.of(target[1], store.at).removesuffix("*") == record:
                    receiver = target[1] if target[3] else ("address", target[1])
                    tables = self.receivers.roots(receiver, store.at, record)
                found.append((store, tables))
        return found

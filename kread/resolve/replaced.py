"""Tables that take the place of a receiver's own: `sk->ops = ops` in a function that is handed `&new_ops`.

What such a table stands in for is what the receiver had before, and whoever is called through the new table may still ask for
the old one, which somebody kept. So for each table that is put into a receiver, the tables are told that receivers have
in the function that puts it there, or that hands it to the one that does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Set

from kread.resolve.places import ANY
from kread.resolve.program import FunctionId
from kread.resolve.shapes import Table
from kread.resolve.slots import Path
from kread.resolve.terms import Term
from kread.resolve.values import Values

#: A receiver with the pointer that is put into it, both as they stand in a function.
_Put = tuple[Term, Term, FunctionId]


def replaced(
    values: Values, members: Mapping[str, tuple[str, str]], had: Callable[[Term, FunctionId], Set[Table] | None]
) -> dict[Table, set[Table]]:
    """Table -> the tables whose place it takes.

    members -- record of the receiver -> (record of its table, the member that points to it)
    had     -- the tables that a receiver of a function has
    """
    found: dict[Table, set[Table]] = defaultdict(set)
    for receiver, (_, member) in members.items():
        for base, value, at in _puts(values, f"{receiver}*", member):
            table = _table(values, value, at)
            if table is not None:
                found[table] |= had(("member", base, member, True), at) or set()
    return found


def _table(values: Values, value: Term, at: FunctionId) -> Table | None:
    """The variable, or the element of one, whose address a term is."""
    if value[0] != "address":
        return None
    path: Path = ()
    term = value[1]
    while term[0] == "index":
        term, path = term[1], (ANY, *path)
    obj = values.places.variable(term[1], at) if term[0] == "name" else None
    return None if obj is None else (obj, path)


def _puts(values: Values, receiver: str, member: str) -> Iterator[_Put]:
    """The stores into the member, and the calls of functions that store there what they are handed."""
    types = values.types
    for store in values.stores.members.get(member):
        target = types.term(store.target, store.at)
        if target[0] != "member" or types.of(target[1], store.at) != receiver:
            continue
        value = types.term(store.value, store.at)
        names = [("name", name) for name, _ in values.program.row(store.at).params]
        if value not in names or target[1] not in names:
            yield target[1], value, store.at
            continue
        numbers = names.index(target[1]), names.index(value)
        name = values.program.row(store.at).name
        for at, row in values.stores.calls.get(name):
            if store.at in values.named(name, values.program.files[at.unit]) and max(numbers) < len(row.args):
                yield types.term(row.args[numbers[0]], at), types.term(row.args[numbers[1]], at), at

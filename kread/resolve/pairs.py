"""Records that join two tables: a row of `struct inet_protosw` has the operations of a socket and the protocol behind it.

A row says for which type and protocol it is, too, so what an opener is asked for leaves few of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from kread.resolve.places import Fixed, Obj
from kread.resolve.program import FunctionId
from kread.resolve.shapes import Table
from kread.resolve.slots import Path
from kread.resolve.terms import Term
from kread.resolve.values import Values


@dataclass(slots=True)
class Joined:
    """What one record joins, and the constants for which it does."""

    outer: set[Table] = field(default_factory=set)
    inner: set[Table] = field(default_factory=set)
    family: str = ""
    type: str = ""
    protocol: str = ""

    def fits(self, kind: str, protocol: str, any_protocol: str) -> bool:
        """Whether it can be meant by who asks for a type and a protocol ("" for what is not known)."""
        free = ("", any_protocol)
        return (kind in ("", self.type) or not self.type) and (
            protocol in free or self.protocol in free or protocol == self.protocol
        )


def joined(values: Values, pair: dict[str, str]) -> list[Joined]:
    """The records that join the two tables of a row of data/families.toml."""
    found: dict[tuple[Obj, Path], Joined] = defaultdict(Joined)
    places = values.places
    for obj, _ in places.instances.get(pair["record"], ()):
        for entry in places.entries(obj):
            if entry.record != pair["record"]:
                continue
            at, one = FunctionId(entry.table.unit, -1), found[obj, entry.path[:-1]]
            if entry.member in (pair["outer"], pair["inner"]):
                place = places.of(pointed(values.types.term(entry.row.value, at)), at)
                if isinstance(place, Fixed):
                    table = (place.obj, place.path)
                    (one.outer if entry.member == pair["outer"] else one.inner).add(table)
                    one.family = one.family or family(values, table, pair)
            elif entry.member == pair["type"]:
                one.type = values.openers.constant(entry.row.value, at)
            elif entry.member == pair["protocol"]:
                one.protocol = values.openers.constant(entry.row.value, at)
    return list(found.values())


def family(values: Values, table: Table, pair: dict[str, str]) -> str:
    """The family that an outer table names, "" if it names none."""
    for entry in values.places.entries(table[0]):
        if (entry.record, entry.member, entry.path[:-1]) == (pair["outer_record"], pair["family"], table[1]):
            return values.openers.constant(entry.row.value, FunctionId(entry.table.unit, -1))
    return ""


def pointed(term: Term) -> Term:
    """What the address of which a term is, or the term itself."""
    return term[1] if term[0] == "address" else term

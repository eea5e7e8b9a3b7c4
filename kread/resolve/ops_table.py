"""A call through a table: `sk->sk_prot->hash(sk)`, where an initialiser put the function into the table's slot.

Three hops prove it: the call through a record and a member, the line that installs the object, the
initialiser's entry. Where the object was copied, the copy stands among the lines.
"""

from __future__ import annotations

from kread.facts import Function
from kread.resolve.target import Site, Target, Way, condition, installation, proof, slot_of, table_of
from kread.resolve.values import Values


def target(values: Values, site: Site, function: Function, way: Way) -> Target | None:
    """The target, if an initialiser put the function where the call finds it."""
    if not way.lines or way.lines[0].role != "slot":
        return None
    installs = () if way.typed else installation(values, site, way)
    return Target(
        function,
        "ops_table",
        "type" if way.typed else "object",
        slot_of(values, site, way),
        table_of(way),
        condition(values, function, way.lines[:1]),
        "",
        proof(values, (*installs, *way.lines)),
    )

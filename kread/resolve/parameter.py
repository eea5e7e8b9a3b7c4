"""A call through a parameter or a local variable: `output(net, sk, skb)`, where a caller handed
`ip_finish_output2` over.

The function is followed from the argument that names it, through as many calls as it takes.
"""

from __future__ import annotations

from kread.facts import Function
from kread.resolve.target import Site, Target, Way, condition, proof, slot_of, table_of
from kread.resolve.values import Values


def target(values: Values, site: Site, function: Function, way: Way) -> Target | None:
    """The target, if the function came as an argument, or by assignment to the variable that is called."""
    if site.term[0] != "name":
        return None
    if not any(why.role == "argument" for why in way.lines) and way.place is not None:
        return None
    allocated = way.place is not None and way.place[0][0] == "heap"
    return Target(
        function,
        "parameter",
        "type" if way.typed or allocated else "object",
        slot_of(values, site, way),
        table_of(way),
        condition(values, function, way.lines),
        "",
        proof(values, way.lines),
    )

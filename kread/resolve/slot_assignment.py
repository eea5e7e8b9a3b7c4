"""A call through a field that an assignment filled: `sk->sk_data_ready = sock_def_readable`.

If the field belongs to memory allocated at run time, all objects of the record are one, and what anybody assigns to the
field anywhere can be called: the grade is the type's. If it belongs to a variable that was followed, the object's.
"""

from __future__ import annotations

from kread.facts import Function
from kread.resolve.target import Site, Target, Way, condition, installation, proof, slot_of, table_of
from kread.resolve.values import Values


def target(values: Values, site: Site, function: Function, way: Way) -> Target | None:
    """The target, if an assignment put the function where the call finds it."""
    if way.place is None or not way.lines:
        return None
    allocated = way.place[0][0] == "heap"
    installs = () if way.typed or allocated else installation(values, site, way)
    return Target(
        function,
        "slot_assignment",
        "type" if way.typed or allocated else "object",
        slot_of(values, site, way),
        table_of(way),
        condition(values, function, way.lines[:1]),
        "",
        proof(values, (*installs, *way.lines)),
    )

"""Which of the objects that can reach a call it can really mean, by what keeps protocols and families apart.

Points-to alone says that any socket's table can stand behind any socket. Three things narrow it: the receiver (see
receivers), the pairs of tables that are registered together, and members whose value says for whom an object is.
"""

from __future__ import annotations

from kread.data import load
from kread.facts import Function
from kread.resolve.families import Families
from kread.resolve.machine import Value, Vertex
from kread.resolve.owners import Owners
from kread.resolve.places import ANY, Obj, combine
from kread.resolve.receivers import Receivers
from kread.resolve.slots import Path
from kread.resolve.target import Site
from kread.resolve.values import Values
from kread.resolve.ways import copied


class Objects:
    """Narrows the objects of each site."""

    def __init__(self, values: Values, sites: list[Site]) -> None:
        self.values = values
        self.receivers = Receivers(values, sites)
        self.families = Families(values)
        self.owners = Owners(values, self.receivers)
        self.keys: dict[tuple[str, str], tuple[str, frozenset[str]]] = {
            (row["record"], row["file"]): (row["member"], frozenset(row["values"])) for row in load("families")["key"]
        }

    def vertices(self, site: Site) -> list[Vertex]:
        """The vertices whose functions a call can reach: one for each table, or the call's own."""
        term = site.term
        if term[0] != "member" or not term[3]:
            return [site.vertex]
        values = self.values
        way = values.types.way(term, site.caller)
        if not way or not values.places.tracked(way[0][0]):
            return [site.vertex]
        tag, names = way[0][0], tuple(step[1] for step in way)
        base = values.expression(term[1], site.caller)
        tables = []
        for value in base.ordered():
            if value[0] == "object":
                start = values.places.as_record(value[1], value[2], tag)
                if start is not None:
                    tables.append((value[1], start))
        key = self.keys.get((tag, values.program.files[site.caller.unit]))
        allowed = self.receivers.of(term[1], site.caller)
        if allowed is None and site.call.args:
            allowed = self.receivers.beside(tag, values.types.term(site.call.args[0], site.caller), site.caller)
        if not tables:
            if allowed is None:
                return [site.vertex] if key is None else self._by_type(tag, names, key)
            # Nothing is known of the pointer, but of the object that it is handed.
            return [_own(values.place(obj, combine(path, names))) for obj, path in sorted(allowed, key=str)]
        if allowed is not None:
            some = [table for table in tables if (table[0], _merged(table[1])) in allowed]
            tables = some or tables
        found = [values.place(obj, combine(path, names)) for obj, path in tables if obj[0] != "heap"]
        if allowed is not None:
            # The originals of copies are among the tables where they can be: only what a copy overrides is its own.
            found = [_own(vertex) for vertex in found]
        if key is not None:
            found = [self._keyed(obj, path, names, *key) for obj, path in tables if obj[0] != "heap"]
        if base.flags or any(obj[0] == "heap" for obj, _ in tables) or not found:
            found.append(values.place(*values.places.in_heap(tag, names)))
        return found

    def _by_type(self, tag: str, names: Path, key: tuple[str, frozenset[str]]) -> list[Vertex]:
        """The slots of all tables of a record that are used and have a wanted key: the pointer itself leads nowhere."""
        values = self.values
        tables = [table for table in values.places.instances[tag] if table[0][0] != "local"]
        found = [self._keyed(obj, path, names, *key) for obj, path in tables if values.mentions.used(obj)]
        for vertex in found:
            vertex.key = ("type", tag, names)
        return found

    def admits(self, site: Site, function: Function) -> bool:
        """Whether a function can be meant, by the family that the calling function serves, and by whose objects it is in."""
        term = site.term
        while term[0] == "member" and not term[3]:
            term = term[1]
        if term[0] != "member" or term[1][0] != "member":
            return self.owners.admit(site, function)  # not through a field of an object's field
        return not function.file.startswith(self.families.foreign(site.caller))

    def _keyed(self, obj: Obj, path: Path, names: Path, member: str, wanted: frozenset[str]) -> Vertex:
        """The vertex of the table's slot, holding only the functions of elements with a wanted key."""
        whole = self.values.place(obj, combine(path, names))
        said: dict[Path, str] = {}
        functions: dict[str, set[Path]] = {}
        for entry in self.values.places.entries(obj):
            if entry.member == member:
                said[entry.path[:-1]] = entry.row.value
            elif entry.member == names[-1]:
                functions.setdefault(entry.row.value.lstrip("&"), set()).add(entry.path[:-1])

        def kept(value: Value) -> bool:
            return value[0] != "function" or any(
                said.get(where, "") in wanted or where not in said for where in functions.get(value[1], {path})
            )

        return whole.holding(kept)


def _own(vertex: Vertex) -> Vertex:
    """A slot's vertex without what comes from the same slot of another table: a copy of it, or a value saved and
    restored.
    """
    return vertex.holding(lambda value: not copied(vertex, value))


def _merged(path: Path) -> Path:
    return tuple(ANY if step[0] == "[" else step for step in path)

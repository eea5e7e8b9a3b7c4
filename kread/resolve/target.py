"""What resolving a call through a pointer gives: its targets, and how a value's way becomes evidence."""

from __future__ import annotations

from dataclasses import dataclass

from kread import presence
from kread.facts import Evidence, Function
from kread.parse.unit import CallRow
from kread.resolve.machine import Value, Vertex, Why
from kread.resolve.places import Obj, overlap
from kread.resolve.program import FunctionId
from kread.resolve.slots import Path, evidence, slot_name
from kread.resolve.terms import Term
from kread.resolve.values import Values
from kread.resolve.ways import Step, best_way, ways

#: Lines of evidence that one hop may have: more would hide the proof.
MAX_EVIDENCE = 5


#: How far a better way to install a table is looked for.
MOST_VERTICES = 300


@dataclass(frozen=True, slots=True)
class Target:
    """One function that a call through a pointer can reach, and why.

    presence -- the condition of the lines that put it there ("" = always)
    """

    function: Function
    kind: str
    grade: str
    slot: str = ""
    table: str = ""
    presence: str = ""
    context: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A call through a pointer: where it is written, its callee as a term and the vertex of that."""

    caller: FunctionId
    call: CallRow
    term: Term
    vertex: Vertex


@dataclass(frozen=True, slots=True)
class Way:
    """How a function came to a site.

    lines  -- the lines that carried it, origin first
    place  -- the object and path that it was read from, None if it came without a field
    typed  -- whether it was found by its record's type alone
    """

    lines: tuple[Why, ...]
    place: tuple[Obj, Path] | None
    typed: bool


def way_of(vertex: Vertex, value: Value) -> Way:
    """The way by which a value came to a vertex."""
    lines: list[Why] = []
    place: tuple[Obj, Path] | None = None
    typed = False
    for step, why in best_way(vertex, value):
        if why is not None:
            lines.append(why)
        if step.key[0] == "type":
            typed = True
        if place is None and step.key[0] in ("place", "written") and any(part[0] != "[" for part in step.key[2]):
            place = (step.key[1], step.key[2])
    lines.reverse()
    if len(lines) > 1 and lines[0].text.startswith(".") and lines[1].role == "copy":
        # A compound literal has no name: its slots are told as those of what it is copied to.
        lines[0] = lines[0]._replace(text=lines[1].text.partition(" = ")[0] + lines[0].text)
    return Way(tuple(lines), place, typed)


def slot_of(values: Values, site: Site, way: Way) -> str:
    """The slot that a call goes through, "record.field"; for a variable the one that it was read from."""
    term = site.term
    while term[0] in ("index", "deref"):
        term = term[1]
    if term[0] == "member":
        members = values.types.way(term, site.caller)
        if members:
            return slot_name(members[-1][0], members[-1][1])
    if way.place is not None:
        obj, path = way.place
        names = [index for index, step in enumerate(path) if step[0] != "["]
        return slot_name(values.places.kind(obj, path[: names[-1]]), path[names[-1]])
    return ""


def table_of(way: Way) -> str:
    """The name of the object that a function was read from, "" for memory without a name."""
    if way.place is None or way.place[0][0] == "heap":
        return ""
    return way.place[0][2]


def installation(values: Values, site: Site, way: Way) -> tuple[Why, ...]:
    """The lines that put a table where the call finds it: the origin of its address, and the store nearest to the
    call.
    """
    term = site.term
    if way.place is None or term[0] != "member" or not term[3]:
        return ()
    obj, path = way.place
    base = values.expression(term[1], site.caller)
    objects = [value for value in base.ordered() if value[0] == "object" and value[1] == obj]
    if not objects:
        return ()
    # Several tables may lie in one object: rather the address of the one with the slot.
    value = min(objects, key=lambda value: not overlap(value[2], path[: len(value[2])]))
    lines = _lines(best_way(base, value))
    home = _folder(_home(values, obj))
    if lines and home != _folder(values.program.files[lines[-1].at.unit]):
        # The first way found starts elsewhere: rather one that starts where the table is defined.
        for each in ways(base, value, MOST_VERTICES):
            near = _lines(each)
            if near and home == _folder(values.program.files[near[-1].at.unit]):
                lines = near
                break
    if len(lines) > 2:
        lines = [lines[0], lines[-1]]
    return tuple(why._replace(role="install") if why.role == "slot" else why for why in reversed(lines))


def _lines(steps: list[Step]) -> list[Why]:
    return [why for _, why in steps if why is not None]


def _folder(file: str) -> str:
    return file.rpartition("/")[0]


def _home(values: Values, obj: Obj) -> str:
    """The file that defines an object."""
    tables = values.places.tables.get(obj, ())
    return values.program.files[tables[0].unit] if tables else str(obj[1] or "")


def proof(values: Values, whys: tuple[Why, ...]) -> tuple[Evidence, ...]:
    """Lines as evidence, each once."""
    found = dict.fromkeys(evidence(values.program, why.role, why.at, why.line, why.text) for why in whys)
    return tuple(found)[:MAX_EVIDENCE]


def condition(values: Values, function: Function, whys: tuple[Why, ...]) -> str:
    """The condition under which the lines and the function are compiled."""
    program = values.program
    parts = [function.presence]
    for why in whys:
        parts.append(program.built.get(program.files[why.at.unit], ""))
        if why.at.row >= 0:
            parts.append(program.row(why.at).cond)
        parts.append(why.cond)
    return presence.conj(*parts)

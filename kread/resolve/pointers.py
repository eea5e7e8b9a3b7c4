"""The calls through pointers of a program, each with the functions that it can reach or the reason why none is known.

All sites are put to the value analysis at once, because calls found at one hand arguments to another. What it
finds at a site is then explained, one kind of evidence after the other; see ops_table, slot_assignment, parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from weakref import WeakKeyDictionary

from kread import presence
from kread.facts import Edge, Function
from kread.parse.unit import FILE_SCOPE, CallRow
from kread.resolve import callback, ops_table, parameter, slot_assignment
from kread.resolve.choices import CHOICE
from kread.resolve.direct import Definitions
from kread.resolve.machine import UNKNOWN
from kread.resolve.objects import Objects
from kread.resolve.program import FunctionId, Program
from kread.resolve.slots import SlotRow, slot_values
from kread.resolve.target import Site, Target, Way, way_of
from kread.resolve.terms import NOTHING
from kread.resolve.types import MacroLookup, is_function
from kread.resolve.values import Values

__all__ = ["Target", "callback_edges", "open_calls", "pointer_calls", "pointer_targets", "slot_rows"]

#: A call of which only the type is known is left open above this number: no reader gains from more guesses. What somebody
#: registered to be run there is none.
MOST_BY_TYPE = 24

_KINDS = (parameter.target, ops_table.target, slot_assignment.target)


class _Analysis:
    """The sites of a program and the values found for them."""

    def __init__(self, program: Program, macros: MacroLookup) -> None:
        self.values = Values(program, macros)
        self.sites = list(pointer_calls(self.values))
        for site in self.sites:
            self.values.watch_call(site.vertex, site.caller, site.call)
        self.registrations = list(callback.registrations(self.values))
        self.objects = Objects(self.values, self.sites)
        self.objects.receivers.ask()
        self.values.solve()
        self.runners = callback.Runners(self.registrations)
        #: the sites that have targets, once these were asked for
        self.resolved: set[Site] = set()
        #: calls by which their functions run what is registered with them, and the context
        self.running: dict[Site, str] = {}


_known: WeakKeyDictionary[Program, _Analysis] = WeakKeyDictionary()


def _analysis(program: Program, macros: MacroLookup) -> _Analysis:
    found = _known.get(program)
    if found is None:
        found = _known[program] = _Analysis(program, macros)
    return found


def pointer_calls(values: Values) -> Iterator[Site]:
    """Every call whose callee is no function's and no macro's name."""
    program = values.program
    seen: set[tuple[FunctionId, int, str]] = set()
    for caller, call in program.calls():
        if caller.row == FILE_SCOPE or call.callee.startswith(CHOICE):
            continue
        if call.callee.isidentifier() and not _is_pointer(values, call.callee, caller):
            continue
        term = values.types.term(call.callee, caller)
        while term[0] == "deref":
            term = term[1]
        if term[0] == "name" and not _is_pointer(values, term[1], caller):
            continue
        if term[0] in ("nothing", "type", "cast"):
            continue  # what a macro made of a type and parentheses is no call
        if (caller, call.line, call.callee) in seen:
            continue
        seen.add((caller, call.line, call.callee))
        yield Site(caller, call, term, values.expression(term, caller))


def _is_pointer(values: Values, name: str, caller: FunctionId) -> bool:
    """Whether a name is a variable that can be called."""
    if name in values.program.locals.get(caller, ()):
        kind = values.types.local(caller, name)
        return is_function(kind) or kind in ("", "void*")
    if name not in values.program.globals:
        return False
    obj = values.places.variable(name, caller)
    return obj is not None and is_function(values.places.kind(obj))


def pointer_targets(
    program: Program, definitions: Definitions, macros: MacroLookup
) -> Iterator[tuple[FunctionId, CallRow, list[Target], str]]:
    """Every call through a pointer with its targets, sorted, and the reason where there are none."""
    analysis = _analysis(program, macros)
    for site in analysis.sites:
        targets, guesses = _targets(analysis, definitions, site)
        if targets:
            analysis.resolved.add(site)
            yield site.caller, site.call, targets, ""
        elif guesses:
            yield site.caller, site.call, [], f"any of {guesses} functions, of which only the type tells"
        else:
            yield site.caller, site.call, [], _reason(analysis.values, site)


def open_calls(program: Program, macros: MacroLookup) -> Iterator[tuple[Site, str, str, bool, str]]:
    """The calls through a member of what a pointer leads to, what other parts of the scope may have put there: (site,
    record, member, whether nothing is known of it, the context in which it runs what is registered). Asked after
    `pointer_targets`."""
    analysis = _analysis(program, macros)
    values = analysis.values
    for site in analysis.sites:
        if site in analysis.running:
            for slot in analysis.runners.slots(program.row(site.caller).name):
                record, _, member = slot.removeprefix("struct ").rpartition(".")
                yield site, record, member, False, analysis.running[site]
            continue
        term = site.term
        while term[0] in ("index", "deref"):
            term = term[1]
        members = values.types.way(term, site.caller) if term[0] == "member" else ()
        while term[0] == "member" and not term[3]:
            term = term[1]
        if members and term[0] == "member":
            yield site, members[-1][0].removeprefix("struct "), members[-1][1], site not in analysis.resolved, ""


def _targets(analysis: _Analysis, definitions: Definitions, site: Site) -> tuple[list[Target], int]:
    """The targets of a call, and how many more there may be that are left open."""
    values = analysis.values
    caller = values.program.row(site.caller).name
    found: dict[tuple[str, str, int], list[Target]] = {}
    #: of the callbacks that the caller itself runs, the context
    contexts: dict[tuple[str, str, int], str] = {}
    for vertex in analysis.objects.vertices(site):
        for value in vertex.ordered():
            if value[0] != "function":
                continue
            name = value[1:3]
            way = way_of(vertex, value)
            context = analysis.runners.context(caller, name)
            for function in definitions.of(*name):
                if not analysis.objects.admits(site, function):
                    continue
                target = _explained(values, site, function, way)
                if target is None or target.presence == presence.NEVER:
                    continue
                if not analysis.runners.elsewhere(f"struct {target.slot}", caller, name):
                    key = (function.file, function.name, function.line)
                    found.setdefault(key, []).append(target)
                    if context is not None:
                        contexts[key] = context
    if contexts:
        analysis.running[site] = min(contexts.values())
    guesses = 0
    if len(found) > MOST_BY_TYPE and all(target.grade == "type" for targets in found.values() for target in targets):
        guesses = len(found) - len(contexts)
        found = {key: found[key] for key in contexts}
    return [callback.as_callback(_best(found[key]), caller, contexts.get(key, "")) for key in sorted(found)], guesses


def _explained(values: Values, site: Site, function: Function, way: Way) -> Target | None:
    """What a call reaches, by the first kind of evidence that fits."""
    return next((target for explain in _KINDS if (target := explain(values, site, function, way)) is not None), None)


def _best(targets: list[Target]) -> Target:
    """Of several ways to one function the best proved; of these the one nearest to the function's own file, and a table
    before its copies."""
    if len(targets) == 1:
        return targets[0]

    def order(target: Target) -> tuple[int, bool, bool, int, str]:
        near = any(line.role == "slot" and line.file == target.function.file for line in target.evidence)
        copied = any(line.role == "copy" for line in target.evidence)
        return (0 if target.grade == "object" else 1, not near, copied, len(target.presence), target.table)

    return replace(min(targets, key=order), presence=presence.disj(*(target.presence for target in targets)))


def _reason(values: Values, site: Site) -> str:
    """Why a site has no target, in words."""
    term = site.term
    if term == NOTHING or term[0] == "call":
        return "the callee is no expression that can be followed"
    if term[0] == "name":
        params = [name for name, _ in values.program.row(site.caller).params]
        if term[1] in params:
            return f"no call in the scope hands a function to the parameter {term[1]}"
        return f"no function in the scope gets into {term[1]}"
    while term[0] in ("index", "deref"):
        term = term[1]
    if term[0] == "member":
        members = values.types.way(term, site.caller)
        if not members:
            return f"the record of {term[2]} is not known"
        record, member, _ = members[-1]
        where = "the objects that reach it" if not site.vertex.flags & UNKNOWN else "it"
        return f"nothing in the scope puts a function into {record.removeprefix('struct ')}.{member} of {where}"
    return "the callee is no expression that can be followed"


def callback_edges(program: Program, definitions: Definitions, macros: MacroLookup) -> Iterator[Edge]:
    """The edges from where a callback is registered to the callback, and the context it runs in."""
    analysis = _analysis(program, macros)
    return callback.edges(analysis.values, definitions, analysis.registrations)


def slot_rows(program: Program, definitions: Definitions, macros: MacroLookup) -> Iterator[SlotRow]:
    """Every function that is put into a slot: by an initialiser, by a store, by a registrar that keeps it there."""
    analysis = _analysis(program, macros)
    seen: set[tuple[str, str, Function, str, int]] = set()
    written = slot_values(program, definitions, analysis.values.types, analysis.values.stores)
    for row in chain(written, callback.kept(analysis.values, definitions, analysis.registrations)):
        record, member, function, table, file, line, _, _ = row
        if (record, member, function, f"{file} {table}", line) not in seen:
            seen.add((record, member, function, f"{file} {table}", line))
            yield row

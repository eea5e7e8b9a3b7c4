"""Calls by name: which definition a caller gets.

C looks a name up in the file first, then in what the file includes, then among the external definitions of the
program. So a `static` of another .c file is never a candidate. Where a name has twins under different conditions
(a stub under #else, an external definition when a feature is built), all that the caller's own condition does not
exclude are kept, each edge with its condition. A name that only has a declaration leads to that declaration: its
body lies outside the scope.
"""

from __future__ import annotations

from dataclasses import replace

from kread import presence
from kread.facts import Function
from kread.resolve.program import Program

#: A definition and the condition under which the caller gets it.
Definition = tuple[Function, str]


class Definitions:
    """Looks names up for callers; remembers what it found."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._found: dict[tuple[str, str], tuple[Function, ...]] = {}
        self._declared: dict[str, Function | None] = {}

    def of(self, name: str, file: str) -> tuple[Function, ...]:
        """The definitions of `name` that code in `file` can mean: twins included, foreign statics not."""
        key = (name, file)
        known = self._found.get(key)
        if known is None:
            known = self._found[key] = self._look_up(name, file)
        return known

    def _look_up(self, name: str, file: str) -> tuple[Function, ...]:
        program = self.program
        own: list[Function] = []
        included: list[Function] = []
        external: list[Function] = []
        for function in program.by_name.get(name, ()):
            row = program.row(function)
            owner = program.file(function)
            if owner == file:
                own.append(program.function(function))
            elif not owner.endswith(".c") or owner in program.closures.get(file, frozenset()):
                if program.sees(file, owner):
                    included.append(program.function(function))
            elif not row.static:
                external.append(program.function(function))
        for nearest in (own, included):
            if nearest:
                covered = presence.disj(*(function.presence for function in nearest))
                # What asks is compiled only where its file is: a definition that is always there then has no twin.
                if presence.implies(program.built.get(file, ""), covered):
                    return tuple(nearest)
                return tuple(nearest + (external or self._elsewhere(name, covered)))
        if external:
            return tuple(external)
        declared = self.declared(name)
        return (declared,) if declared is not None else ()

    def _elsewhere(self, name: str, covered: str) -> list[Function]:
        """The function that a name means where none of its visible definitions is compiled, if it is declared."""
        declared = self.declared(name)
        if declared is None:
            return []
        missing = presence.conj(declared.presence, presence.negate(covered))
        return [replace(declared, presence=missing)] if missing != "0" else []

    def declared(self, name: str) -> Function | None:
        """The function of a name that is only declared in the scope, at its declaration."""
        if name not in self._declared:
            rows = self.program.prototypes.get(name)
            found = None
            if rows:
                file, line, kind, cond = min(
                    rows, key=lambda row: (row[0].endswith(".c"), row[3] != "", row[0], row[1])
                )
                cond = presence.disj(*(row[3] for row in rows))
                found = Function(file, name, line, line, False, "", cond, f"extern {kind}")
            self._declared[name] = found
        return self._declared[name]


def reachable(definitions: tuple[Function, ...], cond: str) -> list[Definition]:
    """The definitions that a call under `cond` can reach, each with the condition of that edge."""
    found: list[Definition] = []
    for function in definitions:
        both = presence.conj(cond, function.presence)
        if both != "0":
            found.append((function, both))
    return found

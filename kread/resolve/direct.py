"""Calls by name: which definition a caller gets.

C looks a name up in the file first, then in what the file includes, then among the external definitions of the
program. So a `static` of another .c file is never a candidate. Where a name has twins under different conditions
(a stub under #else, an external definition when a feature is built), all that the caller's own condition does not
exclude are kept, each edge with its condition. A name that only has a declaration leads to the file of the tree that
defines it, or else to that declaration: its body lies outside the scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from kread import presence
from kread.facts import Function
from kread.resolve.program import Program

#: Where a function stands: the order in which definitions are told.
_PLACE = attrgetter("file", "line")

#: A definition and the condition under which the caller gets it.
Definition = tuple[Function, str]


class Definitions:
    """Looks names up for callers; remembers what it found.

    elsewhere -- (file, line) of the definitions that the tree has outside the scope, by name
    compiled  -- the condition under which a file of the tree is compiled
    beyond    -- of a program that is a part of a scope, what the files of other parts define for others, by name
    """

    def __init__(
        self,
        program: Program,
        elsewhere: Mapping[str, Sequence[tuple[str, int]]] | None = None,
        compiled: Callable[[str], str] = lambda _: presence.ALWAYS,
        beyond: Callable[[str], Sequence[Function]] = lambda _: (),
    ) -> None:
        self.program = program
        self._others = elsewhere or {}
        self._compiled = compiled
        self._beyond = beyond
        self._found: dict[tuple[str, str], tuple[Function, ...]] = {}
        self._declared: dict[str, tuple[Function, ...]] = {}

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
            elif file in program.closures.get(owner, frozenset()):
                included.append(program.function(function))  # a .c file that another one includes is part of it
            elif not row.static:
                external.append(program.function(function))
        for other in self._beyond(name):
            if other.file not in program.unit_of:
                seen = file in program.closures.get(other.file, frozenset())
                (included if seen else external).append(other)
        included.sort(key=_PLACE)
        external.sort(key=_PLACE)
        # What asks is compiled only where its file is: a definition that is always there then has no twin.
        meant: list[Function] = []
        for wider in (own, included):
            meant += _where(presence.negate(_covered(meant)), wider) if meant else wider
            if meant and presence.implies(program.built.get(file, ""), _covered(meant)):
                return tuple(meant)
        meant += external
        if not meant:
            return self.declared(name)
        covered = _covered(meant)
        # Beside one that another file defines, the tree outside of the scope may have its twin.
        if presence.implies(program.built.get(file, ""), covered) or (external and not self._outside(name)):
            return tuple(meant)
        return tuple(meant + self._elsewhere(name, covered))

    def _elsewhere(self, name: str, covered: str) -> list[Function]:
        """The function that a name means where none of its visible definitions is compiled, if it is declared."""
        return _where(presence.negate(covered), self.declared(name))

    def declared(self, name: str) -> tuple[Function, ...]:
        """The function of a name that is only declared in the scope: where the tree defines it, in one file or, by
        configuration, in one of several; or else at its declaration."""
        known = self._declared.get(name)
        if known is None:
            rows = self.program.prototypes.get(name)
            known = self._declared[name] = self._placed(name, rows) if rows else ()
        return known

    def _outside(self, name: str) -> dict[str, int]:
        """Where the tree defines a name outside of the scope: file -> line."""
        return {file: line for file, line in self._others.get(name, ()) if file not in self.program.unit_of}

    def _placed(self, name: str, rows: Sequence[tuple[str, int, str, str]]) -> tuple[Function, ...]:
        file, line, kind, _ = min(rows, key=lambda row: (row[0].endswith(".c"), row[3] != "", row[0], row[1]))
        cond = presence.disj(*(row[3] for row in rows))
        signature = f"extern {kind}"
        others = self._outside(name)
        if len(others) == 1:
            file, line = next(iter(others.items()))
        elif 1 < len(others) <= MOST_TWINS:
            found = {file: presence.conj(cond, self._compiled(file)) for file in sorted(others)}
            compiled = {file: both for file, both in found.items() if both != presence.NEVER}
            if len(set(compiled.values())) == len(compiled) > 0:
                return tuple(
                    Function(file, name, others[file], others[file], False, "", both, signature)
                    for file, both in compiled.items()
                )
        return (Function(file, name, line, line, False, "", cond, signature),)


def _where(cond: str, functions: Iterable[Function]) -> list[Function]:
    """Those of the definitions that are compiled under a condition, under it."""
    found = (replace(each, presence=presence.conj(each.presence, cond)) for each in functions)
    return [function for function in found if function.presence != presence.NEVER]


def _covered(functions: Sequence[Function]) -> str:
    """When one of these definitions is compiled."""
    return presence.disj(*(function.presence for function in functions))


#: A name that more files define than this is no one function: programs of their own, tests, architectures.
MOST_TWINS = 3


def reachable(definitions: tuple[Function, ...], cond: str) -> list[Definition]:
    """The definitions that a call under `cond` can reach, each with the condition of that edge."""
    found: list[Definition] = []
    for function in definitions:
        both = presence.conj(cond, function.presence)
        if both != presence.NEVER:
            found.append((function, both))
    return found

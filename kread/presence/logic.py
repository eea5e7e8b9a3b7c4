"""Boolean conditions over named atoms: joined, negated, simplified, compared.

Theory of operation. A condition is True, False, a Literal (an atom or its negation) or a Group of
conditions under && or ||; negation is pushed inward, so it stands on literals only. Questions are answered by
truth table: with n atoms a table is one integer of 2**n bits, and && || ! are single integer operations.

`simplify` looks at each part of a condition in its context: within `a && b`, only the assignments that make
`a` true matter to `b`; within `a || b`, only those that make `a` false. A part that its context decides
goes. Parts are visited last to first, so what stays is what was written first: the outer condition. This one rule
covers duplicates, absorption, contradictions, tautologies and complements.

Atoms are not all independent, and the table leaves out the assignments that cannot be: a symbol is not both built in
and a module, and `BITS == 32` excludes `BITS == 64` (see `_families`).

Above MAX_ATOMS only what syntax shows is simplified, and `implies` may answer False for want of proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

#: A table of 2**12 bits is half a kilobyte, so its operations take well below a microsecond.
#: Of 14,545 conditions in four releases 33 have more atoms.
MAX_ATOMS = 12

AND, OR = "&&", "||"

_NUMERIC = re.compile(r"(.+) (==|>=|>) (-?(?:0[xX][0-9a-fA-F]+|0|[1-9][0-9]*))[uUlL]*\Z")
_TRISTATE = re.compile(r"(?:(\w+)\()?(CONFIG_\w+)\)?\Z")


class Literal(NamedTuple):
    """An atom, or its negation."""

    atom: str
    holds: bool = True


class Group(NamedTuple):
    """Two or more conditions under one operator; no part has the same operator."""

    operator: str
    parts: tuple[Condition, ...]


Condition = bool | Literal | Group


def join(operator: str, conditions: Iterable[Condition]) -> Condition:
    """`conditions` under `operator`, flattened; constants are folded."""
    deciding = operator == OR
    parts: list[Condition] = []
    for condition in conditions:
        if condition is deciding:
            return deciding
        if isinstance(condition, bool):
            continue
        if isinstance(condition, Group) and condition.operator == operator:
            parts.extend(condition.parts)
        else:
            parts.append(condition)
    if len(parts) > 1:
        return Group(operator, tuple(dict.fromkeys(parts))) if len(set(parts)) > 1 else parts[0]
    return parts[0] if parts else not deciding


def negate(condition: Condition) -> Condition:
    """The negation, pushed inward."""
    if isinstance(condition, bool):
        return not condition
    if isinstance(condition, Literal):
        return Literal(condition.atom, not condition.holds)
    return join(OR if condition.operator == AND else AND, map(negate, condition.parts))


def literals(condition: Condition) -> Iterator[Literal]:
    """The literals of a condition, in the order written."""
    if isinstance(condition, Literal):
        yield condition
    elif isinstance(condition, Group):
        yield from chain.from_iterable(map(literals, condition.parts))


def symbol(atom: str) -> str:
    """The configuration symbol that an atom asks for, "" where it asks for none."""
    match = _TRISTATE.match(atom)
    return match[2] if match else ""


def _atoms(*conditions: Condition) -> tuple[str, ...]:
    return tuple(dict.fromkeys(literal.atom for condition in conditions for literal in literals(condition)))


class _Tables:
    """Truth tables over a fixed list of atoms."""

    def __init__(self, atoms: tuple[str, ...]) -> None:
        self.full, self.possible, self._columns = _columns(atoms)

    def of(self, condition: Condition) -> int:
        if isinstance(condition, bool):
            return self.full if condition else 0
        if isinstance(condition, Literal):
            column = self._columns[condition.atom]
            return column if condition.holds else self.full ^ column
        if condition.operator == AND:
            table = self.full
            for part in condition.parts:
                table &= self.of(part)
            return table
        table = 0
        for part in condition.parts:
            table |= self.of(part)
        return table

    def reduce(self, condition: Condition, context: int) -> Condition:
        """`condition` without the parts that `context` decides."""
        if isinstance(condition, bool):
            return condition
        table = self.of(condition)
        if not context & table:
            return False
        if not context & ~table:
            return True
        if isinstance(condition, Literal):
            return condition
        conjunction = condition.operator == AND
        parts = list(condition.parts)
        tables = [self.of(part) for part in parts]
        for index in range(len(parts) - 1, -1, -1):
            inner = context
            for other, other_table in enumerate(tables):
                if other != index:
                    inner &= other_table if conjunction else ~other_table
            parts[index] = self.reduce(parts[index], inner)
            tables[index] = self.of(parts[index])
        return join(condition.operator, parts)


@lru_cache(maxsize=4096)
def _columns(atoms: tuple[str, ...]) -> tuple[int, int, dict[str, int]]:
    """The full table, the table of possible assignments, and each atom's column."""
    size = 1 << len(atoms)
    full = (1 << size) - 1
    columns = {atom: full // ((1 << (1 << index)) + 1) << (1 << index) for index, atom in enumerate(atoms)}
    possible = full
    for members, assignments in _families(atoms):
        allowed = 0
        for assignment in assignments:
            table = full
            for member, holds in zip(members, assignment, strict=True):
                table &= columns[member] if holds else full ^ columns[member]
            allowed |= table
        possible &= allowed
    return full, possible, columns


def _families(atoms: tuple[str, ...]) -> Iterator[tuple[list[str], set[tuple[bool, ...]]]]:
    """Atoms that speak of one thing, with the assignments they can have together.

    A configuration symbol is off, built in or a module: `CONFIG_X` holds for the last two. Comparisons of
    one value with numbers: the assignments that some number gives.
    """
    symbols: dict[str, list[str]] = {}
    compared: dict[str, list[tuple[str, str, int]]] = {}
    for atom in atoms:
        if match := _TRISTATE.match(atom):
            symbols.setdefault(match[2], []).append(atom)
        elif match := _NUMERIC.match(atom):
            compared.setdefault(match[1], []).append((atom, match[2], int(match[3], 0)))
    for name, members in symbols.items():
        if len(members) > 1:
            yield members, {tuple(_holds(name, member, state) for member in members) for state in "nym"}
    for rows in compared.values():
        if len(rows) > 1:
            near = {number + step for _, _, number in rows for step in (-1, 0, 1)}
            yield (
                [atom for atom, _, _ in rows],
                {tuple(_compares(value, sign, number) for _, sign, number in rows) for value in near},
            )


def _holds(name: str, atom: str, state: str) -> bool:
    if atom == name:
        return state != "n"
    return state == ("m" if "MODULE" in atom[: -len(name)] else "y")


def _compares(value: int, sign: str, number: int) -> bool:
    return value == number if sign == "==" else value > number if sign == ">" else value >= number


def simplify(condition: Condition) -> Condition:
    """An equal condition without the parts that the rest decides; what was written first stays first."""
    while True:
        if isinstance(condition, bool | Literal):
            return condition
        atoms = _atoms(condition)
        if len(atoms) > MAX_ATOMS:
            return _tidy(condition)
        tables = _Tables(atoms)
        simpler = _factor(tables.reduce(condition, tables.possible))
        if simpler == condition:
            return condition
        condition = simpler


def _factor(condition: Condition) -> Condition:
    """`(a && b) || (a && c)` as `a && (b || c)`."""
    if not isinstance(condition, Group):
        return condition
    parts = [_factor(part) for part in condition.parts]
    if condition.operator == AND:
        return join(AND, parts)
    branches = [part.parts if isinstance(part, Group) and part.operator == AND else (part,) for part in parts]
    common = [part for part in branches[0] if all(part in branch for branch in branches[1:])]
    if not common:
        return join(OR, parts)
    rest = join(OR, (join(AND, (part for part in branch if part not in common)) for branch in branches))
    return join(AND, [*common, rest])


def _tidy(condition: Condition) -> Condition:
    """What syntax alone shows: duplicates, complementary literals and absorbed parts go."""
    if not isinstance(condition, Group):
        return condition
    joined = join(condition.operator, map(_tidy, condition.parts))
    if not isinstance(joined, Group):
        return joined
    parts = joined.parts
    single = {part for part in parts if isinstance(part, Literal)}
    if any(Literal(part.atom, not part.holds) in single for part in single):
        return joined.operator == OR
    inner = [frozenset(part.parts) if isinstance(part, Group) else frozenset({part}) for part in parts]
    kept = (part for part, own in zip(parts, inner, strict=True) if not any(other < own for other in inner))
    return join(joined.operator, kept)


def implies(condition: Condition, other: Condition) -> bool:
    """Whether `other` holds wherever `condition` does."""
    atoms = _atoms(condition, other)
    if len(atoms) > MAX_ATOMS:
        return simplify(join(AND, (condition, negate(other)))) is False
    tables = _Tables(atoms)
    return not tables.possible & tables.of(condition) & ~tables.of(other)


def contradicts(condition: Condition, other: Condition) -> bool:
    """Whether the two cannot hold together."""
    return implies(condition, negate(other))

"""What the reader assumes (`--assume EXPR`): guards that it refutes, and guards that it makes shorter.

Theory of operation: an assumption is a condition in C about the same texts that guards are about, say
`sk->sk_state == TCP_LISTEN`, taken to be true wherever it is asked. A guard that cannot be met under it refutes the
path; a guard that is met anyway need not be told; of a nested guard only the part is told that is still open. Objects are
pruned too: a world (data/worlds.toml) whose condition is false under the assumptions, and a table that is installed where an
assumption says that another one is (`icsk->icsk_af_ops == &ipv4_specific`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from kread.errors import UsageError
from kread.facts import Edge, Guard
from kread.parse.wording import conjunction, fold
from kread.paths.conditions import Condition, Fact, balanced, condition, constant, decide, facts, implied, operands
from kread.resolve.worlds import axes, worlds

#: An assumption about which table a field points to, in the canonical words of facts.
_TABLE = re.compile(r"(?:.*(?:->|\.))?(\w+)==&(\w+)|&(\w+)==(?:.*(?:->|\.))?(\w+)")


#: An operator at either end; but & may be the address of what is compared.
_DANGLING = re.compile(r"^(?:[=<>|]|&(?!\w))|[=<>&|]$")

#: A single = outside of ==, <= and their kin assigns, or was meant to compare.
_ASSIGNS = re.compile(r"(?<![=!<>])=(?!=)")


@dataclass(frozen=True, slots=True)
class Assumption:
    """A condition that the reader takes to be true, and the facts that follow from it."""

    text: str
    known: frozenset[Fact]

    @classmethod
    def parse(cls, text: str) -> Assumption:
        """The assumption written as `text`; UsageError where that is no condition that says anything."""
        folded = fold(text)
        sound = folded and balanced(folded) and not _ASSIGNS.search(folded)
        known = implied(condition(folded)) if sound else frozenset()
        if not known or any(_says_nothing(fact.lvalue) for fact in known):
            raise UsageError(
                "no-assumption",
                "An assumption is a condition in C whose outcome names something.",
                where=f"--assume {text!r}",
                hint="Write it as the source does, e.g. --assume 'sk->sk_state == TCP_LISTEN' or --assume '!th->ack'.",
            )
        return cls(folded, known)

    def __str__(self) -> str:
        return self.text


def _says_nothing(lvalue: str) -> bool:
    """Whether an lvalue is empty, a constant, or a comparison with one side missing."""
    return not lvalue or _DANGLING.search(lvalue) is not None or bool(constant(lvalue))


def _answer(assumptions: Iterable[Assumption], what: Condition) -> bool | None:
    return decide((fact for assumption in assumptions for fact in sorted(assumption.known, key=str)), what)


def worlds_ruled_out(assumptions: Sequence[Assumption]) -> int:
    """The bits of the worlds that can't be under the assumptions."""
    found = 0
    for world in worlds() if assumptions else ():
        answer = _answer(assumptions, condition(world.holds))
        if answer is False:
            found |= world.bit
        elif answer is True:
            found |= next(axis for axis in axes() if axis & world.bit) & ~world.bit
    return found


def rules_out(assumptions: Sequence[Assumption], edge: Edge, through: str) -> bool:
    """Whether a call through this table needs another one in a field than the assumptions put there."""
    for assumption in assumptions:
        for fact in assumption.known:
            match = _TABLE.fullmatch(fact.lvalue)
            if match and fact.values == {"0"}:
                name, table = (match[1], match[2]) if match[1] else (match[4], match[3])
                leads = any(why.role == "install" and re.search(rf"\b{name}\b", why.text) for why in edge.evidence)
                if leads and (table == through) is fact.holds:
                    return True
    return False


def refutes(assumption: Assumption, guard: Guard) -> bool:
    """Whether a guard cannot be met under an assumption."""
    return _answer([assumption], condition(guard.text)) is (not guard.holds)


def refuted(assumptions: Sequence[Assumption], guards: Sequence[Guard], stale: Collection[Guard] = ()) -> Guard | None:
    """The first guard of a function that cannot be met under the assumptions taken together, None where all can.

    An assumption is about the first value that a text has. Where a guard that became stale has met it, what is asked of the
    same text later is asked of another value: `sk = req->rsk_listener` makes sk->sk_state another sock's.
    """
    met: set[str] = set()
    for guard in guards:
        answer = _answer(assumptions, condition(guard.text))
        about = {fact.lvalue for fact in facts(guard)}
        if answer is guard.holds and guard in stale:
            met |= about
        elif answer is (not guard.holds) and (guard in stale or met.isdisjoint(about)):
            return guard
    return None


def simplified(assumptions: Sequence[Assumption], guards: Iterable[Guard]) -> tuple[Guard, ...]:
    """The guards without those that the assumptions meet, and of a `not A && B` only what is open.

    A guard that stands literally as assumed is kept: it is where the assumption matters.
    """
    found = []
    for guard in guards:
        what = condition(guard.text)
        answer = _answer(assumptions, what)
        if answer is guard.holds and what.operator != "test":
            continue
        if answer is None and what.operator == "and" and not guard.holds:
            guard = replace(guard, text=_open(assumptions, guard.text))
        found.append(guard)
    return tuple(found)


def _open(assumptions: Sequence[Assumption], text: str) -> str:
    parts = operands(text, "&&")
    left = [part for part in parts if _answer(assumptions, condition(part)) is not True]
    return conjunction(left or parts)

"""What differs between the answers of two releases to one question.

Theory of operation: families are paired by their names, the rest by the functions that they share; the steps of a pair
are aligned by the names of their functions, as `diff` aligns lines. A condition is the same where its text is and what
it must be, in whatever order && and || ask their sides. Line numbers, white space and what an exit says on its way out
do not count as differences: what counts is which functions are passed, under which conditions, with what held, and by
which call.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from kread.facts import Edge, Guard, Held, Step, Trail
from kread.parse.wording import bare
from kread.paths.answer import Answer
from kread.paths.conditions import operands

#: Families of other names are one story told anew where they share at least this part of their functions.
ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class StepChange:
    """A function of a path in two releases; `before` or `after` is None where it is not on the path.

    gone, come -- the conditions that only the one, only the other release has; `kept` is how many both have
    let_go, taken -- what is held at the call in the one only, in the other only
    """

    before: Step | None
    after: Step | None
    gone: tuple[Guard, ...] = ()
    come: tuple[Guard, ...] = ()
    kept: int = 0
    let_go: tuple[Held, ...] = ()
    taken: tuple[Held, ...] = ()

    @property
    def name(self) -> str:
        step = self.after or self.before
        assert step is not None
        return step.function.name

    @property
    def moved(self) -> bool:
        """Whether it is on both paths and stands in another file."""
        return bool(self.before and self.after and self.before.function.file != self.after.function.file)

    @property
    def other_call(self) -> bool:
        """Whether both go on, by a call that is written otherwise or that another table proves."""
        edges = (self.before and self.before.edge, self.after and self.after.edge)
        return bool(edges[0] and edges[1] and _call(edges[0]) != _call(edges[1]))

    @property
    def same(self) -> bool:
        both = self.before is not None and self.after is not None
        changed = self.gone or self.come or self.let_go or self.taken
        return both and not changed and not self.moved and not self.other_call


@dataclass(frozen=True, slots=True)
class FamilyChange:
    """A family of paths in two releases; `before` or `after` is None where there is no such family."""

    before: Trail | None
    after: Trail | None
    steps: tuple[StepChange, ...] = ()

    @property
    def trail(self) -> Trail:
        trail = self.after or self.before
        assert trail is not None
        return trail

    @property
    def same(self) -> bool:
        return self.before is not None and self.after is not None and all(step.same for step in self.steps)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers of two releases, and how their families differ: those of `after` first, in its order."""

    before: Answer
    after: Answer
    families: tuple[FamilyChange, ...]


def compare(before: Answer, after: Answer, families: int) -> Comparison:
    """What the answer `after` has otherwise than `before`, for the first families of either.

    families -- how many of each release count; the answers may hold more, so that one that is told later elsewhere
        finds its partner
    """
    partner = dict(_pairs(before.trails, after.trails))
    found = [
        FamilyChange(partner.get(trail), trail, tuple(_steps(partner[trail], trail)) if trail in partner else ())
        for trail in after.trails[:families]
    ]
    paired = set(partner.values())
    found += [FamilyChange(trail, None) for trail in before.trails[:families] if trail not in paired]
    return Comparison(before, after, tuple(found))


def _pairs(before: Sequence[Trail], after: Sequence[Trail]) -> Iterator[tuple[Trail, Trail]]:
    """(trail after, trail before) that tell one story."""
    left = list(before)
    rest = []
    for trail in after:
        named = next((other for other in left if trail.family and other.family == trail.family), None)
        if named is None:
            rest.append(trail)
        else:
            left.remove(named)
            yield trail, named
    for trail in rest:
        near = max(left, key=lambda other: _alike(other, trail), default=None)
        if near is not None and _alike(near, trail) >= ALIKE:
            left.remove(near)
            yield trail, near


def _alike(trail: Trail, other: Trail) -> float:
    """The part of their functions that two trails share, both ends aside: those are alike anyway."""
    names, others = ({step.function.name for step in one.steps[1:-1]} for one in (trail, other))
    return len(names & others) / len(names | others) if names | others else 1.0


def _steps(before: Trail, after: Trail) -> Iterator[StepChange]:
    names, others = ([step.function.name for step in trail.steps] for trail in (before, after))
    for tag, one, two, first, last in SequenceMatcher(None, names, others, autojunk=False).get_opcodes():
        if tag == "equal":
            for old, new in zip(before.steps[one:two], after.steps[first:last], strict=True):
                yield _change(old, new)
        else:
            yield from (StepChange(step, None) for step in before.steps[one:two])
            yield from (StepChange(None, step) for step in after.steps[first:last])


def _change(before: Step, after: Step) -> StepChange:
    old, new = ({(_meaning(guard.text), guard.holds): guard for guard in step.guards} for step in (before, after))
    let_go, taken = ({one.text: one for one in step.held} for step in (before, after))
    return StepChange(
        before,
        after,
        tuple(guard for key, guard in old.items() if key not in new),
        tuple(guard for key, guard in new.items() if key not in old),
        len(old.keys() & new.keys()),
        tuple(held for text, held in let_go.items() if text not in taken),
        tuple(held for text, held in taken.items() if text not in let_go),
    )


def _meaning(text: str) -> Hashable:
    """A condition without the order in which && and || ask their sides."""
    text = bare(text)
    for operator in ("||", "&&"):
        parts = operands(text, operator)
        if len(parts) > 1:
            return operator, frozenset(map(_meaning, parts))
    return text


def _call(edge: Edge) -> tuple[str, str, str]:
    return edge.written, edge.slot, edge.table

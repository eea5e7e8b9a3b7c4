"""The readings that real releases have: which statements the model's anchors are, word for word and in which order.

Theory of operation: an anchor names a text that must stand in a function; the statement that holds it may say more, and
a change there changes what is decided. So data/readings.toml keeps, for each anchored function, the sequences of
anchored statements that real trees have. From them come, for each anchor, the statements that it may be, and the
orders in which two statements may stand. Nothing here knows a release's number but to say who has a reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from kread.check.bodies import Statement, canonical, mentions
from kread.data import load
from kread.model.rules import Anchor


@dataclass(frozen=True, slots=True)
class Sequel:
    """One sequence of anchored statements, and the releases that have it."""

    seen: tuple[str, ...]
    statements: tuple[str, ...]


@cache
def sequels(function: str) -> tuple[Sequel, ...]:
    """The sequences that are known for a function."""
    data = load("readings")
    rows = [*data["function"].get(function, ()), *data["known"].get(function, ())]
    return tuple(Sequel(tuple(row["seen"]), tuple(row["statements"])) for row in rows)


def holding(anchor: Anchor, statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements that an anchor is: those that choose, where some of its statements do."""
    spelled = [canonical(each) for each in anchor.spellings]
    found = tuple(each for each in statements if any(mentions(each.text, text) for text in spelled))
    return tuple(each for each in found if each.choice) or found


def known_as(anchor: Anchor) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The statements that an anchor is in real releases, with those that have them."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    spelled = [canonical(each) for each in anchor.spellings]
    for sequel in sequels(anchor.function):
        texts = tuple(text for text in sequel.statements if any(mentions(text, part) for part in spelled))
        if texts:
            found[texts] = tuple(sorted({*found.get(texts, ()), *sequel.seen}))
    return found


@cache
def orders(function: str) -> frozenset[tuple[tuple[str, int], tuple[str, int]]]:
    """The pairs of statements, numbered among equal ones, that stand in this order in some release."""
    found: set[tuple[tuple[str, int], tuple[str, int]]] = set()
    for sequel in sequels(function):
        found.update(combinations(numbered(sequel.statements), 2))
    return frozenset(found)


def known_statements(function: str) -> frozenset[str]:
    """Every statement of a function's readings."""
    return frozenset(text for sequel in sequels(function) for text in sequel.statements)


def swapped(function: str, texts: Sequence[str]) -> tuple[int, int] | None:
    """Where two statements stand in an order that no release has, as indexes into `texts`; None where all is in order.

    Of statements with the same words, the first is told from the second, so that moving one past another shows.
    """
    known = orders(function)
    named = numbered(texts)
    for first, second in combinations(range(len(named)), 2):
        one, other = named[first], named[second]
        if (other, one) in known and (one, other) not in known:
            return first, second
    repeated = {text for sequel in sequels(function) for text, number in numbered(sequel.statements) if number}
    for text in sorted(repeated & set(texts)):
        found = [_interleaved(text, texts, sequel.statements) for sequel in sequels(function)]
        if found and None not in found:
            place = max(index for index in found if index is not None)
            return place, place
    return _mixed(function, texts, repeated)


def _mixed(function: str, texts: Sequence[str], repeated: set[str]) -> tuple[int, int] | None:
    """Where the repeated statements that releases have in different numbers are those of no one release."""
    varying = {text for text in repeated if len({sequel.statements.count(text) for sequel in sequels(function)}) > 1}
    if not varying & set(texts):
        return None
    # A tree that has the statements of one release, and no others, has them as often as that one.
    alike = [one for one in sequels(function) if set(one.statements) == set(texts)] or list(sequels(function))
    if any(_same(texts, one.statements, varying) for one in alike):
        return None
    place = next(index for index, text in enumerate(texts) if text in varying)
    return place, place


def _same(here: Sequence[str], there: Sequence[str], varying: set[str]) -> bool:
    """Whether both have the varying statements in the same places between those that both have once."""
    common = {each for each in here if here.count(each) == there.count(each) == 1} | varying
    return [each for each in here if each in common] == [each for each in there if each in common]


def numbered(texts: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Each text with the number of equal ones before it."""
    before: Counter[str] = Counter()
    found = []
    for text in texts:
        found.append((text, before[text]))
        before[text] += 1
    return tuple(found)


def _interleaved(text: str, here: Sequence[str], there: Sequence[str]) -> int | None:
    """Where the repeated `text` stands otherwise between the statements that both have; None where it does not."""
    common = {each for each in here if here.count(each) == there.count(each) == 1} | {text}
    mine = [index for index, each in enumerate(here) if each in common]
    theirs = [each for each in there if each in common]
    for place, index in enumerate(mine):
        if place >= len(theirs) or here[index] != theirs[place]:
            return index
    return None if len(mine) == len(theirs) else len(here) - 1

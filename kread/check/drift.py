"""The source against the model: what stands in the source where a rule says that it is decided.

Theory of operation: every anchor of every rule that the release's policy has is looked up by syntax. It is met where its
statements are, word for word, those of some real release; otherwise it has drifted, and the nearest known text is shown
beside what stands there. Two anchored statements in an order that no release has are drift too. Every branch of an
anchored function must be an anchor's or one that data/branches.toml leaves out of the model with its reason; a branch
that is neither is unmapped, which is how a new test of a new release comes to light.

Nothing found is a failure: a check of no anchors, or of functions without branches, does not pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import cache

from kread.check.bodies import Bodies, Statement, canonical, mentions
from kread.check.policy import Answer, Reading, read_policy
from kread.check.readings import holding, known_as, known_statements, swapped
from kread.data import load
from kread.model import RULES, Anchor, Rule

#: Below this likeness a statement is not shown as what a known one has become.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Found:
    """An anchor that stands in the source: its statements, and the releases that read the same."""

    rule: Rule
    anchor: Anchor
    statements: tuple[Statement, ...]
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """An anchor that reads as in no known release.

    why      -- "text", "order", "missing" or "no function"
    expected -- what releases have there
    found    -- what stands there as written, "" for nothing like it
    """

    rule: Rule
    function: str
    why: str
    expected: str
    found: str
    place: str
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of an anchored function: the rules that it decides, or the reason why the model leaves it out.

    anchored -- whether the rules' own anchors say so, rather than data
    """

    function: str
    statement: Statement
    rules: tuple[str, ...]
    reason: str
    anchored: bool

    @property
    def mapped(self) -> bool:
        """Whether it is spoken for."""
        return bool(self.rules or self.reason)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of data/branches.toml: branches with the rules that they belong to, or why the model leaves them out."""

    functions: tuple[str, ...]
    texts: tuple[str, ...]
    rules: tuple[str, ...]
    reason: str

    def covers(self, function: str, statement: Statement) -> bool:
        """Whether a branch is one of these."""
        if self.functions and function not in self.functions:
            return False
        return not self.texts or any(mentions(statement.text, text) for text in self.texts)


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What the comparison of one release with the model found."""

    release: str
    reading: Reading
    found: tuple[Found, ...]
    drifts: tuple[Drift, ...]
    branches: tuple[Branch, ...]

    @property
    def unmapped(self) -> tuple[Branch, ...]:
        """The branches that nobody speaks for."""
        return tuple(branch for branch in self.branches if not branch.mapped)

    @property
    def unread(self) -> tuple[Answer, ...]:
        """The questions of the policy that the source does not answer."""
        return self.reading.unread

    @property
    def passed(self) -> bool:
        """Whether the source reads as the model says, and something was there to compare."""
        matched = bool(self.found) and bool(self.branches)
        return matched and not (self.drifts or self.unmapped or self.unread)


@cache
def rows() -> tuple[Row, ...]:
    """What data/branches.toml says of branches without an anchor."""
    return tuple(
        Row(
            tuple(row.get("functions", ())),
            tuple(map(canonical, row.get("texts", ()))),
            tuple(row.get("rules", ())),
            row.get("reason", ""),
        )
        for row in load("branches")["branch"]
    )


def check_source(bodies: Bodies) -> SourceCheck:
    """Compare a release with the model."""
    reading = read_policy(bodies)
    policy = reading.policy
    found: list[Found] = []
    drifts: list[Drift] = []
    for rule in RULES.values():
        for anchor in rule.guards:
            if rule.exists(policy) and anchor.holds(policy):
                answer = _look(rule, anchor, bodies)
                if isinstance(answer, Found):
                    found.append(answer)
                else:
                    drifts.append(answer)
    branches = tuple(_branches(found, bodies))
    drifts += _orders(found, branches, bodies)
    return SourceCheck(bodies.graph.release, reading, tuple(found), tuple(drifts), branches)


def _look(rule: Rule, anchor: Anchor, bodies: Bodies) -> Found | Drift:
    name = anchor.function
    statements = bodies.statements(name)
    if not statements:
        return Drift(rule, name, "no function", anchor.condition, "", "")
    held = holding(anchor, statements)
    texts = tuple(each.text for each in held)
    known = known_as(anchor)
    if texts in known:
        return Found(rule, anchor, held, known[texts])
    expected = _nearest_reading(texts, tuple(known)) or (anchor.condition,)
    strange = [each for each in held if each.text not in expected]
    lacking = [text for text in expected if text not in texts]
    want = lacking[0] if lacking else expected[0]
    seen = known.get(expected, ())
    if not strange:
        strange = _become(want, name, statements)
    if not strange:
        first = statements[0]
        return Drift(rule, name, "missing", want, "", f"{first.file}:{first.line}", seen)
    return Drift(rule, name, "text", want, strange[0].written, strange[0].place, seen)


def _nearest_reading(texts: tuple[str, ...], known: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """The known reading that has most in common with what stands there."""
    return max(known, key=lambda each: SequenceMatcher(None, ";".join(texts), ";".join(each)).ratio(), default=())


def _become(text: str, function: str, statements: Iterable[Statement]) -> list[Statement]:
    """The statement, known to nobody, that a known one has most likely become."""
    known = known_statements(function)
    others = {each.text: each for each in statements if each.text not in known}
    return [others[near] for near in get_close_matches(text, others, n=1, cutoff=_ALIKE)]


def _orders(found: Iterable[Found], branches: Iterable[Branch], bodies: Bodies) -> Iterable[Drift]:
    """The functions in which two statements of rules stand the other way round than in every release."""
    rules: dict[str, dict[str, Rule]] = {}
    for each in found:
        for statement in each.statements:
            rules.setdefault(each.anchor.function, {}).setdefault(statement.text, each.rule)
    for branch in branches:
        for rule in branch.rules[:1]:
            rules[branch.function].setdefault(branch.statement.text, RULES[rule])
    for function, of in sorted(rules.items()):
        there = [each for each in bodies.statements(function) if each.text in of]
        pair = swapped(function, [each.text for each in there])
        if pair is not None:
            first, second = (there[index] for index in pair)
            expected = f"{second.text} before {first.text}"
            here = f"{first.written}, then {second.written}"
            if first == second:
                expected, here = "other statements round those of the same words", f"{first.written}, in another place"
            yield Drift(of[first.text], function, "order", expected, here, first.place)


def _branches(found: Iterable[Found], bodies: Bodies) -> Iterable[Branch]:
    decided: dict[Statement, set[str]] = {}
    functions = set()
    for each in found:
        functions.add(each.anchor.function)
        for statement in each.statements:
            decided.setdefault(statement, set()).add(each.rule.id)
    for function in sorted(functions):
        for statement in bodies.statements(function):
            if statement.choice:
                found_rules = tuple(sorted(decided.get(statement, ())))
                row = None if found_rules else row_of(function, statement)
                if row is not None:
                    yield Branch(function, statement, row.rules, row.reason, False)
                else:
                    yield Branch(function, statement, found_rules, "", bool(found_rules))


def row_of(function: str, statement: Statement) -> Row | None:
    """What data says of a branch that is no anchor's; None where it says nothing."""
    return next((row for row in rows() if row.covers(function, statement)), None)


def stale_rows(checks: Iterable[SourceCheck]) -> list[Row]:
    """The rows that speak of what none of these releases has."""
    used = {
        id(row)
        for check in checks
        for branch in check.branches
        if not branch.anchored and (row := row_of(branch.function, branch.statement)) is not None
    }
    return [row for row in rows() if id(row) not in used]

"""What is commonly said, put to a release: each statement's consequences played, its verdict and the evidence.

Theory of operation: a claim of data/claims.toml has cases, scripts of what would happen if it were true. They are
played under the policy that the release's source shows. A core case that is not met makes the claim wrong, another one
imprecise; a claim whose cases are all met holds. The evidence is the rules that fired where a case came out, and the
places in this release where the conditions of its anchors stand. A claim without a case, or one whose anchors stand
nowhere in this release, has no verdict, and that is a failure, as is a verdict that rests on a script that makes no
sense.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from kread.check.bodies import Bodies, Statement
from kread.check.policy import read_policy
from kread.check.readings import holding
from kread.data import load
from kread.model import RULES, Rule
from kread.model.play import Run, play
from kread.model.policy import Policy
from kread.model.script import Script, parse

HOLDS, IMPRECISE, WRONG = "holds", "imprecise", "wrong"


@dataclass(frozen=True, slots=True)
class Case:
    """One consequence of a claim."""

    says: str
    core: bool
    script: Script


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement with its consequences."""

    name: str
    says: str
    but: str
    anchors: tuple[str, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule of a claim is decided in the release at hand."""

    rule: Rule
    statement: Statement


@dataclass(frozen=True, slots=True)
class Tried:
    """A case played: whether it was met, what was found where it was not, and the rules of its last happening."""

    case: Case
    met: bool
    found: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """How a claim stands: its verdict ("" for none), the cases, and the places that decide it."""

    claim: Claim
    verdict: str
    tried: tuple[Tried, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class ClaimsCheck:
    """All claims on one release."""

    release: str
    answers: tuple[Answer, ...]

    @property
    def passed(self) -> bool:
        """Whether every claim has a verdict, and there are claims at all."""
        return bool(self.answers) and all(answer.verdict for answer in self.answers)


@cache
def claims() -> tuple[Claim, ...]:
    """The rows of data/claims.toml."""
    return tuple(
        Claim(
            row["name"],
            row["says"],
            row["but"],
            tuple(row["anchors"]),
            tuple(
                Case(case["says"], case["core"], parse(case["script"].replace("; ", "\n"), row["name"]))
                for case in row.get("case", ())
            ),
        )
        for row in load("claims")["claim"]
    )


def check_claims(bodies: Bodies) -> ClaimsCheck:
    """Put every claim to a release."""
    policy = read_policy(bodies).policy
    return ClaimsCheck(bodies.graph.release, tuple(_answer(claim, policy, bodies) for claim in claims()))


def _answer(claim: Claim, policy: Policy, bodies: Bodies) -> Answer:
    tried = tuple(_try(case, policy) for case in claim.cases)
    places = tuple(place for name in claim.anchors for place in _places(RULES[name], policy, bodies))
    verdict = HOLDS
    if any(not each.met for each in tried):
        verdict = WRONG if any(not each.met and each.case.core for each in tried) else IMPRECISE
    return Answer(claim, verdict if tried and places else "", tried, places)


def _try(case: Case, policy: Policy) -> Tried:
    run: Run = play(case.script, policy)
    assert run.checks, case.script.name
    found = "; ".join(failure.found for failure in run.failures)
    last = run.steps[-1].outcomes
    rules = tuple(dict.fromkeys(rule for outcome in last for rule in outcome.rules))
    return Tried(case, run.passed, found, rules)


def _places(rule: Rule, policy: Policy, bodies: Bodies) -> list[Place]:
    """The first statement of each anchor: where others hold the same words, they follow from it."""
    return [
        Place(rule, statement)
        for anchor in rule.guards
        if rule.exists(policy) and anchor.holds(policy)
        for statement in holding(anchor, bodies.statements(anchor.function))[:1]
    ]

"""A release's policy, read from its source: the questions of data/policies.toml put to a tree.

Theory of operation: each question looks at one function: whether it is there, whether its statements hold a text, which
of two comes first, what stands between them. No answer depends on what the release calls itself. A question that finds
no answer, such as a comparison that is no longer there, is listed as unread: the model keeps its own reading then, and
the check of the anchors says what stands there instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from kread.check.bodies import Bodies, squeezed
from kread.data import load
from kread.graph.callgraph import CallGraph
from kread.model.policy import Policy, Question, policies, questions

#: The comparisons that a policy can follow.
OPERATORS = (">", ">=")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tree says to one question; `value` is None where it says nothing that the model can follow.

    releases -- the releases, of those whose answers are kept, that answer the same
    """

    question: Question
    value: object
    place: str
    releases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A release's policy with the answers that it was made from."""

    policy: Policy
    answers: tuple[Answer, ...]

    @property
    def unread(self) -> tuple[Answer, ...]:
        """The questions without an answer."""
        return tuple(answer for answer in self.answers if answer.value is None)


def policy_of(graph: CallGraph) -> Policy:
    """The policy that a release's source shows."""
    return read_policy(Bodies(graph)).policy


def read_policy(bodies: Bodies) -> Reading:
    """The policy that a release's source shows, with each answer and where it stands."""
    document = load("policies")
    known = policies(document)
    answers = []
    for question in questions(document):
        value = _answer(question, bodies)
        same = tuple(name for name, policy in known.items() if policy.answer(question.field) == value)
        found = bodies.functions(question.function)
        answers.append(Answer(question, value, str(found[0].location) if found else "", same))
    names = sorted(set().union(*(policy.absent for policy in known.values())))
    absent = frozenset(name for name in names if not bodies.defined(name))
    fields = {answer.question.field: answer.value for answer in answers if answer.value is not None}
    return Reading(
        Policy(bodies.graph.release, absent=absent, **fields),  # type: ignore[arg-type]  # every field has a question
        tuple(answers),
    )


def _answer(question: Question, bodies: Bodies) -> object:
    if question.asks == "defines":
        return bodies.defined(question.function) is not question.negated
    body = bodies.text(question.function)
    wanted = [squeezed(each) for each in question.text]
    if question.asks == "mentions":
        return (wanted[0] in body) is not question.negated
    if question.asks == "order":
        places = [body.find(each) for each in wanted]
        return -1 not in places and (places[0] < places[1]) is not question.negated
    before, after = wanted
    start = body.find(before) + len(before)
    end = body.find(after, start)
    between = body[start:end] if start >= len(before) and end >= 0 else ""
    return between if between in OPERATORS else None

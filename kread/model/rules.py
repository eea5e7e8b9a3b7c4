"""What a rule is: one decision of the kernel, named after the function that takes it.

Theory of operation: each module of the model opens with its rules as a table, `RULES`, and fires them by id while it
works, so that an outcome says which decisions led to it. A rule carries anchors: the conditions, as normalised C text,
by which the source decides. The model never reads C; whoever compares it with a tree looks for the anchor's text in
the anchor's function. Where releases differ, an anchor says under which policy it is the right text, so that every
reading that some release has is written down, and any other one can be called drift.

Ids are those of the page of facts ("4.1", "R6.2"), with a word after a colon where a paragraph holds several
decisions ("2.6:checksum").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kread.model.policy import Policy

_WORD = r"[A-Za-z0-9_]"
_ONCE = re.compile(r"\bREAD_ONCE\(")


def _closing(text: str, start: int) -> int:
    """Where the parenthesis closes that was opened before `start`; the end of the text if nowhere."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place
    return len(text)


def normalise(text: str) -> str:
    """C text with its comments gone and only the blanks that keep two words apart.

    READ_ONCE() goes too: it says how a value is read, not what it decides. So spellings of one condition that differ
    in layout or in that come out equal: `a  && READ_ONCE(b)` and `a && b` are both `a&&b`.
    """
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
    while (found := _ONCE.search(text)) is not None:
        end = _closing(text, found.end())
        text = text[: found.start()] + text[found.end() : end] + text[end + 1 :]
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(rf"(?<!{_WORD}) | (?!{_WORD})", "", text)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A condition in the source: the function that holds it and its text, normalised.

    when    -- the policy fields, with their values, under which this is the text; empty: in every release
    without -- a function whose absence from the tree makes this the place to look
    others  -- other spellings of the same condition; one of them is enough
    """

    function: str
    condition: str
    when: tuple[tuple[str, object], ...] = ()
    without: str = ""
    others: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """The texts of which one must stand there."""
        return (self.condition, *self.others)

    def holds(self, policy: Policy) -> bool:
        """Whether this is the text to look for in a tree that `policy` describes."""
        if self.function in policy.absent or (self.without and self.without not in policy.absent):
            return False
        return all(policy.answer(field) == value for field, value in self.when)


@dataclass(frozen=True, slots=True)
class Rule:
    """One decision: its id, the kernel function that takes it, what it says, and where the source says so.

    needs   -- the policy fields, with their values, without which the rule does not exist
    section -- the section of the page of facts
    """

    id: str
    function: str
    gloss: str
    guards: tuple[Anchor, ...] = ()
    needs: tuple[tuple[str, object], ...] = ()

    @property
    def section(self) -> str:
        """The section of the facts that states the rule: "4" of "4.1", "6" of "R6.10"."""
        return self.id.removeprefix("R").split(".")[0]

    def exists(self, policy: Policy) -> bool:
        """Whether a tree that `policy` describes has the rule at all."""
        return all(policy.answer(field) == value for field, value in self.needs)

    def __str__(self) -> str:
        return f"{self.id} {self.function}: {self.gloss}"


def guard(function: str, *conditions: str, without: str = "", **when: object) -> Anchor:
    """An anchor, written short: the condition in the source's spellings, the policy under which it stands there."""
    condition, *others = (normalise(each) for each in conditions)
    return Anchor(function, condition, tuple(sorted(when.items())), without, tuple(others))


def rule(id_: str, function: str, gloss: str, *guards: Anchor, **needs: object) -> Rule:
    """A rule, written short."""
    return Rule(id_, function, gloss, guards, tuple(sorted(needs.items())))


def table(groups: Iterable[Iterable[Rule]]) -> Mapping[str, Rule]:
    """The rules of all groups by id; two rules of one id are a fault of ours."""
    found: dict[str, Rule] = {}
    for group in groups:
        for each in group:
            assert each.id not in found, each.id
            found[each.id] = each
    return found

"""What an early exit does, and the reason it gives: a counter it raises, or the reason of a drop.

Theory of operation: from the branch that leaves, the chain of postdominators is what every way from there passes: the
rest of the arm, the code at its goto label, and so on to the end of the function. Counters raised on that chain are the
exit's for certain; those in the arm itself say more than those at a label that many exits share, which are given only
where the arm has none. A drop reason kept in a variable is followed: a forward dataflow of constants gives its value at
the branch, later settings on the chain replace it, and a use on the chain tells it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kread.parse.body import Body
from kread.parse.dominance import chain
from kread.parse.flow import NOWHERE, Jump, Span
from kread.parse.idioms import ReasonRule

_UNKNOWN = ""

#: More ways out of one branch than this are not told one by one.
WAYS_LIMIT = 3


@dataclass(frozen=True, slots=True)
class _Op:
    """kind: "note", "set", "or", "use" as in data/idioms.toml, or "kill" (the variable gets an unknown value)."""

    offset: int
    kind: str
    var: str
    reason: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where an exit leads: its jump as written ("return" for the end of the function), the labels, the reasons."""

    what: str
    labels: tuple[str, ...]
    reason: str
    jumps: bool


class Exits:
    """The exits of one function."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._ops: dict[int, list[_Op]] = {}
        self._states: list[dict[str, str]] | None = None
        self._found: dict[tuple[int, Span], Leaving] = {}
        self._collect()

    def _collect(self) -> None:
        body = self._body
        code = body.code
        found: list[_Op] = []
        for rule in body.known.reasons:
            if rule.needs not in code:
                continue
            for match in self._matches(rule):
                groups = match.groupdict()
                reason = rule.prefix + groups["reason"] if groups.get("reason") else rule.name
                found.append(_Op(match.start(), rule.kind, groups.get("var") or "", reason))
        names = {op.var for op in found if op.kind in ("set", "or")}
        set_at = {op.offset for op in found if op.kind == "set"}
        if names:
            alternatives = "|".join(sorted(map(re.escape, names)))
            for match in re.finditer(rf"(?<![\w>.])({alternatives})\s*=(?!=)|&\s*({alternatives})\b", code):
                if match.start() not in set_at:
                    found.append(_Op(match.start(), "kill", match[1] or match[2], _UNKNOWN))
        for op in sorted(found, key=lambda op: (op.offset, op.kind)):
            block = body.flow.block_at(op.offset)
            if block >= 0:
                self._ops.setdefault(block, []).append(op)

    def _matches(self, rule: ReasonRule) -> Iterator[re.Match[str]]:
        """The matches of a rule, sought only in the statements that have the word it needs."""
        code = self._body.code
        done = 0
        while (place := code.find(rule.needs, done)) >= 0:
            start = max(code.rfind(mark, 0, place) for mark in ";{}") + 1
            done = code.find(";", place) + 1 or len(code)
            yield from rule.pattern.finditer(code, start, done)

    def _after(self, state: dict[str, str], ops: list[_Op]) -> dict[str, str]:
        for op in ops:
            if op.kind in ("set", "kill") or (op.kind == "or" and self._vague(state.get(op.var, _UNKNOWN))):
                state = {**state, op.var: op.reason}
        return state

    def _vague(self, reason: str) -> bool:
        return not reason or reason in self._body.known.unspecific

    def _constants(self) -> list[dict[str, str]]:
        """For each block the value of the reason variables where it begins ("" = more than one)."""
        body = self._body
        begin: list[dict[str, str]] = [{} for _ in body.flow.succ]
        done: dict[int, dict[str, str]] = {}
        changed = True
        while changed:
            changed = False
            for block in body.order:
                ends = [done[source] for source in body.pred[block] if source in done]
                state: dict[str, str] = dict(ends[0]) if ends else {}
                for end in ends if any(end != state for end in ends) else ():
                    for var in end:
                        same = all(other.get(var, _UNKNOWN) == end[var] for other in ends)
                        state[var] = end[var] if same else _UNKNOWN
                begin[block] = state
                after = self._after(state, self._ops.get(block, []))
                if done.get(block) != after:
                    done[block] = after
                    changed = body.loops
        return begin

    def leaving(self, edge: int, arm: Span = NOWHERE) -> Leaving:
        """What happens from the block `edge` on; `arm` is the text of the branch, where it has one."""
        key = (edge, arm)
        if key not in self._found:
            self._found[key] = self._leaving(edge, arm)
        return self._found[key]

    def _leaving(self, edge: int, arm: Span) -> Leaving:
        body = self._body
        passed = chain(body.ipdom, edge)
        first = self._first_jumps(edge)
        words = list(dict.fromkeys(body.jump_words(jump) for jump in first))
        what = " or ".join(words) if 0 < len(words) <= WAYS_LIMIT else "in several ways" if words else "return"
        jumps = [body.flow.jumps[block] for block in passed if block in body.flow.jumps]
        labels = tuple(dict.fromkeys(jump.label for jump in jumps if jump.label))
        inside = any(arm[0] <= jump.span[0] < arm[1] for jump in first)
        return Leaving(what, labels, self._reason(edge, passed, arm), inside)

    def _first_jumps(self, edge: int) -> list[Jump]:
        """The jumps that the ways from `edge` meet first, in the order of the text."""
        flow = self._body.flow
        found: list[Jump] = []
        seen, stack = {edge}, [edge]
        while stack:
            block = stack.pop()
            if block in flow.jumps:
                found.append(flow.jumps[block])
                continue
            for target in flow.succ[block]:
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        return sorted(found, key=lambda jump: jump.span)

    def _reason(self, edge: int, passed: list[int], arm: Span) -> str:
        if not self._ops:
            return ""
        if self._states is None:
            self._states = self._constants()
        state = self._states[edge]
        own: list[str] = []
        later: list[str] = []
        for block in passed:
            for op in self._ops.get(block, []):
                if op.kind == "note":
                    (own if arm[0] <= op.offset < arm[1] else later).append(op.reason)
                elif op.kind == "use" and op.var in state:
                    own.append(state[op.var])
                else:
                    state = self._after(state, [op])
        names = [name for name in own if not self._vague(name)] or [name for name in later if not self._vague(name)]
        return ", ".join(dict.fromkeys(names))

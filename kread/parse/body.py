"""One function made ready for questions about the calls in it: its text, its flow, and what dominates what.

Theory of operation: a Body keeps the function's original text (for words) beside the flow of the prepared text (for
order), both at the same offsets. What costs something is computed once and when first asked for: predecessors,
dominators, postdominators, and the text without comments that the patterns of data/idioms.toml are matched against.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from kread.parse.control import flow_of
from kread.parse.dominance import immediate_dominators, postorder, predecessors
from kread.parse.flow import EXIT, Cond, Flow, Group, Jump, Span, Switch
from kread.parse.idioms import Idioms
from kread.parse.wording import (
    bare,
    closing,
    condition,
    equality,
    fold,
    level,
    negated,
    outermost,
    seen_through,
)

_NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
_NOT_NEWLINE = re.compile(r"[^\n]")
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(")
_INK = re.compile(r"\S")
_KEYWORD = re.compile(r"(?:if|while|for|do|switch)\b")
_ASSIGNMENT_ENDS = re.compile(r"[,)]")
_MACRO_HEAD = re.compile(r"(\w+)\s*\(")

#: A branch of a condition, or a group of case labels, with what holds when it is taken.
Choice = tuple[Cond, bool] | tuple[Switch, Group]


def _blank(match: re.Match[str]) -> str:
    return _NOT_NEWLINE.sub(" ", match[0])


class Body:
    """The function between two lines of a file; offsets count from the start of its first line."""

    def __init__(self, flow: Flow, original: bytes, start_line: int, known: Idioms) -> None:
        self.flow = flow
        self.text = original.decode("latin-1")
        self.known = known
        self.start_line = start_line
        self._words: dict[tuple[Span, str], str] = {}
        self._starts = [0, *(match.end() for match in re.finditer("\n", self.text))]

    @classmethod
    def read(cls, prepared: bytes, written: bytes, start_line: int, known: Idioms) -> Body | None:
        """The function whose lines these are, None where they hold no function body."""
        if len(written) != len(prepared):
            written = prepared
        flow = flow_of(prepared, written, known.noreturn, known.transparent)
        return cls(flow, written, start_line, known) if flow is not None else None

    def line(self, offset: int) -> int:
        """The line of the file that holds `offset`."""
        return self.start_line + bisect_right(self._starts, offset) - 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column of the file; column 0 is the first ink on the line. -1: not in here."""
        index = line - self.start_line
        if not 0 <= index < len(self._starts):
            return -1
        start = self._starts[index]
        if column > 0:
            return start + column - 1
        ink = _INK.search(self.text, start)
        return ink.start() if ink else -1

    @cached_property
    def code(self) -> str:
        """The original text at the same length, comments and strings blank."""
        return _NOT_CODE.sub(_blank, self.text)

    @cached_property
    def calls(self) -> list[tuple[str, int, int]]:
        """What looks like a call in the text: the name, its offset and the offset of its parenthesis."""
        return [(match[1], match.start(), match.end() - 1) for match in _CALL.finditer(self.code)]

    @cached_property
    def order(self) -> list[int]:
        """The blocks that the entry reaches, in reverse postorder."""
        return postorder(self.flow.succ, 0)[::-1]

    @cached_property
    def loops(self) -> bool:
        """Whether some block leads back: a forward dataflow is then done in more than one round."""
        rank = {block: position for position, block in enumerate(self.order)}
        succ = self.flow.succ
        return any(rank[target] <= position for block, position in rank.items() for target in succ[block])

    @cached_property
    def pred(self) -> list[list[int]]:
        return predecessors(self.flow.succ)

    @cached_property
    def idom(self) -> list[int]:
        """The immediate dominator of each block, -1 for what the entry does not reach."""
        return immediate_dominators(self.pred, self.order[::-1])

    @cached_property
    def ipdom(self) -> list[int]:
        """The immediate postdominator of each block, -1 for what does not reach the exit."""
        return immediate_dominators(self.flow.succ, postorder(self.pred, EXIT))

    @cached_property
    def choices(self) -> dict[int, Choice]:
        """What each block that stands for a decision says; of two conditions with one block, the outer."""
        found: dict[int, Choice] = {}
        for cond in self.flow.conds:
            self._collect(cond, found)
        for switch in self.flow.switches:
            for group in switch.groups:
                found[group.edge] = (switch, group)
        return found

    def _collect(self, cond: Cond, found: dict[int, Choice]) -> None:
        for part in cond.parts:
            self._collect(part, found)
        if not cond.fixed:
            found[cond.yes] = (cond, True)
            found[cond.no] = (cond, False)

    # Words

    def words(self, span: Span) -> str:
        """The text of a span, folded."""
        return _readable(fold(self.text[span[0] : span[1]]))

    def cond_words(self, cond: Cond) -> str:
        """A condition as a reader wants it; where a macro makes the statement, the macro's call."""
        key = (cond.span, cond.kind)
        if key not in self._words:
            self._words[key] = self._cond_words(cond)
        return self._words[key]

    def _cond_words(self, cond: Cond) -> str:
        if cond.kind != "expr" and not _KEYWORD.match(self.text, cond.head[0]):
            return self._macro_call(cond.head[0])
        return _readable(condition(self.text[cond.span[0] : cond.span[1]], self.known.transparent))

    def unlikely(self, cond: Cond, holds: bool) -> bool:
        """Whether the source predicts the other value of a condition, or of a part that decides it."""
        text = self.text[cond.span[0] : cond.span[1]]
        for pattern, expected in self.known.predicted:
            if expected is not holds and pattern.search(text):
                return level(bare(fold(text))) != ("||" if holds else "&&")
        return False

    def head_name(self, cond: Cond) -> str:
        """The macro that makes the statement of a condition, "" for a statement of C."""
        if cond.kind == "expr" or _KEYWORD.match(self.text, cond.head[0]):
            return ""
        match = _MACRO_HEAD.match(self.text, cond.head[0])
        return match[1] if match else ""

    def call_words(self, start: int) -> str:
        """The name that stands at an offset, with the arguments in brackets behind it; "" where there is no such thing."""
        match = _MACRO_HEAD.match(self.text, start)
        end = closing(self.text, match.end() - 1) if match else -1
        return self.words((start, end + 1)) if end >= 0 else ""

    def _macro_call(self, start: int) -> str:
        return self.call_words(start) or self.words((start, self.text.find("\n", start)))

    def labels(self, switch: Switch, groups: list[Group]) -> str:
        """The labels of some groups of a switch, as a condition on its expression."""
        subject = condition(self.text[switch.span[0] : switch.span[1]], self.known.transparent)
        texts = [
            equality(subject, seen_through(fold(self.text[start:end]), self.known.transparent))
            for group in groups
            for start, end in group.labels
        ]
        return _readable(" || ".join(texts))

    def group_words(self, switch: Switch, groups: list[Group]) -> tuple[str, bool]:
        """What is true when one of `groups` was chosen: with the default among them, that no other label was."""
        if any(group.default for group in groups):
            return self.labels(switch, [group for group in switch.groups if group not in groups]), False
        return self.labels(switch, groups), True

    def choice_words(self, choice: Choice) -> str:
        """What a decision says, as a condition that is true."""
        text, holds = self.choice_parts(choice)
        return text if holds else negated(text)

    def choice_parts(self, choice: Choice) -> tuple[str, bool]:
        """The text of a decision, and whether it holds."""
        thing, way = choice
        if isinstance(thing, Cond):
            return self.cond_words(thing), bool(way)
        assert isinstance(way, Group)
        return self.group_words(thing, [way])

    def assignment_words(self, start: int) -> str:
        """The assignment whose target stands at an offset, up to where it ends."""
        ends = outermost(self.code[start : self.code.find(";", start)])
        match = _ASSIGNMENT_ENDS.search(ends)
        return self.words((start, start + (match.start() if match else len(ends)))).rstrip()

    def jump_words(self, jump: Jump) -> str:
        return self.words(jump.span).rstrip("; ")


def edge_of(choice: Choice) -> int:
    """The block that stands for a decision."""
    thing, way = choice
    if isinstance(way, Group):
        return way.edge
    assert isinstance(thing, Cond)
    return thing.yes if way else thing.no


def lines_of(text: bytes, start: int, end: int) -> bytes:
    """The lines `start` to `end` of a text, counted from 1."""
    return b"\n".join(text.split(b"\n", end)[start - 1 : end])


def _readable(text: str) -> str:
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")

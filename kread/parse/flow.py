"""The nouns of control flow within one function: blocks, conditions with their two branches, switches, jumps.

Theory of operation: a Flow is a graph of numbered blocks. Each condition, also each part of a && or ||, has two blocks
of its own, `yes` and `no`, that are entered only when it came out true or false. So "this condition must be true here"
is "the block `yes` dominates the block of the call", and no edge needs a name. Block 0 is the entry, block 1 the exit.

Offsets are bytes from the start of the function's first line. An anchor says which block evaluates a stretch of text.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

ENTRY, EXIT = 0, 1

#: A stretch of text: the offsets of its first byte and of the byte after its last.
Span = tuple[int, int]
NOWHERE: Span = (0, 0)


@dataclass(slots=True)
class Cond:
    """A condition: where it is written, the block that begins to evaluate it, and the blocks it leads to.

    kind  -- "if", "loop" or "expr" (an operand of &&, || or ?:)
    head  -- the statement that holds it (for "expr" the condition itself)
    arms  -- the text that runs when it holds, and when it does not
    parts -- the operands of an outermost && or ||, as conditions of their own
    flips -- whether `parts` are those of the negated condition
    fixed -- whether it is a constant, so that one branch does not exist
    """

    span: Span
    block: int
    yes: int
    no: int
    parts: tuple[Cond, ...] = ()
    kind: str = "expr"
    head: Span = NOWHERE
    yes_arm: Span = NOWHERE
    no_arm: Span = NOWHERE
    fixed: bool = False


@dataclass(slots=True)
class Group:
    """Case labels that stand together: `edge` is entered by choosing one of them, never by falling through."""

    edge: int
    body: int
    labels: list[Span] = field(default_factory=list)
    default: bool = False
    start: int = 0


@dataclass(slots=True)
class Switch:
    """A switch: its expression, the block that decides, and the groups of its labels.

    A switch without a default has a last group without text, for the values that no label names.
    """

    span: Span
    block: int
    body: Span
    groups: list[Group] = field(default_factory=list)
    open: Group | None = None
    mark: int = -1


@dataclass(frozen=True, slots=True)
class Jump:
    """Where control leaves its order: goto, return, break, continue, or a call that never returns."""

    span: Span
    label: str = ""


@dataclass(slots=True)
class Flow:
    """The control flow of one function body.

    jumps   -- by the block that they end
    entered -- the label by which a block is entered, for the blocks that begin at one
    braces  -- every compound statement
    faulty  -- the parser met something it could not read, so that the flow may be wrong there
    """

    succ: list[list[int]] = field(default_factory=lambda: [[], []])
    anchors: list[tuple[int, int, int]] = field(default_factory=list)
    conds: list[Cond] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    jumps: dict[int, Jump] = field(default_factory=dict)
    entered: dict[int, str] = field(default_factory=dict)
    braces: list[Span] = field(default_factory=list)
    faulty: bool = False

    def settle(self) -> None:
        """Sorts the anchors, outer before inner; done once, when the flow is complete."""
        self.anchors.sort(key=lambda anchor: (anchor[0], -anchor[1]))

    def block_at(self, offset: int) -> int:
        """The block that evaluates the text at `offset`; -1 where none does."""
        index = bisect_right(self.anchors, offset, key=lambda anchor: anchor[0])
        while index:
            index -= 1
            _, end, block = self.anchors[index]
            if offset < end:
                return block
        return -1

    def braces_at(self, offset: int) -> Span:
        """The innermost braces round `offset`."""
        return max((span for span in self.braces if span[0] <= offset < span[1]), default=NOWHERE)

"""The conditions under which a call in a function is reached, with the locks held there and the exits on the way.

Theory of operation: a condition must be true at a call when every way from the function's entry to the call takes its
true branch, that is, when the block of that branch dominates the call's; goto, break, continue, fallthrough, && and ?:
are all in the graph and need no rules of their own. Parts of a && or || are asked one by one only where the whole says
nothing. Of a switch, the labels that can still lead to the call, without deciding anew, are what its expression may be.

A branch from which the call can no longer be reached is an exit. Where the exit stands inside other conditions, its
own condition is not necessary alone; but if the outer ones lead to it without a way round, then all of them together
must be false: `not A && B` for `if (A) { if (B) goto drop; }`. These are the nested guards.

A guard speaks of the moment at which its condition was last evaluated. Where something that it names may have been
assigned between then and the call, the guard is listed as stale too; where the call, or a later guard, names the same
variable, the guard says which assignment made it another thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from kread.facts import Guard
from kread.parse.body import Body, Choice, edge_of, lines_of
from kread.parse.changes import Changes, assigns, names_of, pointers_of
from kread.parse.context import Exit, SiteContext
from kread.parse.dominance import chain, reach
from kread.parse.exits import Exits, Leaving
from kread.parse.flow import NOWHERE, Cond, Group, Span, Switch
from kread.parse.held import Locks
from kread.parse.idioms import idioms
from kread.parse.wording import conjunction

#: More conditions than this round one exit make a sentence that nobody reads.
NESTED_LIMIT = 4


_UNKNOWN = SiteContext(faulty=True)


def guards_at(
    source: bytes, start_line: int, end_line: int, call_line: int, call_column: int = 0, original: bytes | None = None
) -> SiteContext:
    """The context of one call; see `contexts`."""
    return contexts(source, start_line, end_line, [(call_line, call_column)], original)[0]


def contexts(
    source: bytes,
    start_line: int,
    end_line: int,
    sites: Sequence[tuple[int, int]],
    original: bytes | None = None,
) -> list[SiteContext]:
    """The contexts of call sites in the function on lines `start_line` to `end_line` of a file.

    source   -- the file as it is parsed: same length as the original, directives blank, macros made parsable
    original -- the file as it is written, for the words; `source` where it is left out
    sites    -- line and column of each call, from 1; column 0 is the first ink of the line
    """
    prepared = lines_of(source, start_line, end_line)
    written = prepared if original is None else lines_of(original, start_line, end_line)
    return function_contexts(prepared, written, start_line, sites)


def function_contexts(
    prepared: bytes, written: bytes, start_line: int, sites: Sequence[tuple[int, int]]
) -> list[SiteContext]:
    """The contexts of call sites in a function whose lines, from `start_line` of its file, are given alone."""
    body = Body.read(prepared, written, start_line, idioms())
    if body is None:
        return [_UNKNOWN for _ in sites]
    reader = _Reader(body)
    return [reader.context(line, column) for line, column in sites]


class _Reader:
    """One function, asked about several sites."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.locks = Locks(body)
        self.exits = Exits(body)
        self.changes = Changes(body)

    def context(self, line: int, column: int) -> SiteContext:
        offset = self.body.offset(line, column)
        block = self.body.flow.block_at(offset) if offset >= 0 else -1
        if block < 0 or self.body.idom[block] < 0:
            return _UNKNOWN
        return _Site(self, offset, block).context()


class _Site:
    """One site: the blocks that dominate it, that reach it, and that are run before it."""

    def __init__(self, reader: _Reader, offset: int, block: int) -> None:
        self.reader = reader
        self.body = reader.body
        self.offset = offset
        self.block = block
        succ = self.body.flow.succ
        self.dominators = set(chain(self.body.idom, block))
        self.reaching = reach(self.body.pred, [block])
        self.before = reach(succ, [0], without=block)
        self.guards: list[tuple[int, int, Guard]] = []
        self.asked: dict[Guard, tuple[int, int]] = {}
        self.found_exits: list[tuple[int, int, Choice, Exit]] = []

    def context(self) -> SiteContext:
        flow = self.body.flow
        for cond in flow.conds:
            self.ask(cond, cond)
            self.leave(cond, cond)
        for switch in flow.switches:
            self.ask_switch(switch)
            self.leave_switch(switch)
        self.guards.sort(key=lambda found: found[:2])
        self.found_exits.sort(key=lambda found: found[:2])
        guards = [(edge, guard) for _, edge, guard in self.guards]
        changes = self.reader.changes
        stale = [guard for edge, guard in guards if changes.between(edge, self.block, self.offset, guard.text)]
        written = self.body.call_words(self.offset)
        marked = {guard: self.marked(start, edge, guard, written) for start, edge, guard in self.guards}
        return SiteContext(
            tuple(dict.fromkeys(marked.values())),
            tuple(dict.fromkeys(self.nested())),
            self.reader.locks.held(self.offset, self.block, self.dominators),
            tuple(dict.fromkeys(found for *_, found in self.found_exits)),
            tuple(dict.fromkeys(marked[guard] for guard in stale)),
            self.changed_before(self.block, self.offset),
            tuple(dict.fromkeys(marked[guard] for _, guard in guards if self.at_entry(guard))),
            written,
            flow.faulty,
        )

    def marked(self, start: int, edge: int, guard: Guard, call: str) -> Guard:
        """The guard with the assignment after which the call, or what is asked later, names another thing as it does."""
        changes = self.reader.changes
        place = changes.assigned(edge, self.block, self.offset, names_of(guard.text)[0] & names_of(call)[0])
        for later, _, other in self.guards if place < 0 else ():
            if later > start and place < 0:
                block, offset = self.asked[other]
                place = changes.assigned(edge, block, offset, pointers_of(guard.text) & pointers_of(other.text))
        if place < 0:
            return guard
        return replace(guard, then=self.body.assignment_words(place), then_line=self.body.line(place))

    def changed_before(self, block: int, offset: int) -> frozenset[str]:
        """The names, and the fields as "->field", that may be assigned on a way to an offset in a block."""
        reaching = reach(self.body.pred, [block])
        again = any(target in reaching for target in self.body.flow.succ[block])
        return self.reader.changes.before(block, offset, reaching if again else reaching - {block})

    def at_entry(self, guard: Guard) -> bool:
        """Whether all that a guard names is, when it is asked, as the function was given it."""
        if assigns(guard.text):
            return False
        names, fields = names_of(guard.text)
        return self.changed_before(*self.asked[guard]).isdisjoint(names | {f"->{field}" for field in fields})

    def within(self, span: Span) -> bool:
        return span[0] <= self.offset < span[1]

    # Guards

    def ask(self, cond: Cond, top: Cond) -> None:
        """Adds the guard that a condition is, or those that its parts are."""
        if not cond.fixed and cond.yes in self.dominators:
            self.add(cond, top, True)
        elif not cond.fixed and cond.no in self.dominators:
            self.add(cond, top, False)
        else:
            for part in cond.parts:
                self.ask(part, top)

    def add(self, cond: Cond, top: Cond, holds: bool) -> None:
        if self.body.head_name(top) in self.body.known.scope_heads:
            return
        edge, other = (cond.yes, cond.no) if holds else (cond.no, cond.yes)
        arm, opposite = (top.yes_arm, top.no_arm) if holds else (top.no_arm, top.yes_arm)
        text = self.body.cond_words(top if cond is top else cond)
        line = self.body.line(cond.span[0])
        kind, exit_, reason, rare = "if", "", "", False
        if top.kind == "loop":
            if not holds and not self.within(top.head):
                return  # the loop has ended before the call: its condition says nothing about why we are here
            kind = "loop"
        elif not (self.within(arm) or self.within(top.span)):
            leaving = self.reader.exits.leaving(other, opposite)
            if leaving.jumps or other not in self.reaching:
                kind, exit_, reason = "exit", leaving.what, leaving.reason
        elif self.within(arm):
            leaving = self.reader.exits.leaving(edge, arm)
            rare = self.body.unlikely(cond, holds) or (leaving.jumps and bool(leaving.reason))
        self.found(cond.span[0], edge, cond.block, Guard(line, text, holds, kind, exit_, reason, rare))

    def found(self, start: int, edge: int, block: int, guard: Guard) -> None:
        """Notes a guard that is asked at the end of a block, and sends control along an edge."""
        self.guards.append((start, edge, guard))
        self.asked.setdefault(guard, (block, start))

    def ask_switch(self, switch: Switch) -> None:
        """Adds what the expression of a switch may be."""
        if switch.block not in self.dominators or switch.block == self.block:
            return
        reaching = reach(self.body.pred, [self.block], without=switch.block)
        allowed = [group for group in switch.groups if group.edge in reaching]
        if not allowed or len(allowed) == len(switch.groups):
            return
        text, holds = self.body.group_words(switch, allowed)
        if not text:
            return
        start = next((group.start for group in allowed if group.start <= self.offset), switch.span[0])
        if self.within(switch.body):
            guard = Guard(self.body.line(start), text, holds, "case")
        else:
            start = switch.span[0]
            left = next(group for group in switch.groups if group not in allowed)
            leaving = self.leaving_group(left)
            guard = Guard(self.body.line(start), text, holds, "exit", leaving.what, leaving.reason)
        self.found(start, switch.block, switch.block, guard)

    # Exits

    def leave(self, cond: Cond, top: Cond) -> None:
        """Adds the exit that one branch of a condition is, or those of its parts."""
        if cond.block not in self.before or cond.block not in self.reaching or cond.span[0] > self.offset:
            return
        for holds, edge, arm in ((True, cond.yes, top.yes_arm), (False, cond.no, top.no_arm)):
            if edge not in self.reaching and not cond.fixed and self.body.idom[edge] >= 0:
                leaving = self.reader.exits.leaving(edge, arm)
                if self.within(top.no_arm if holds else top.yes_arm) and not leaving.reason:
                    return  # the call stands in the other arm: nothing left early
                self.add_exit(edge, (cond, holds), cond.span[0], self.body.cond_words(cond), holds, leaving)
                return
        for part in cond.parts:
            self.leave(part, top)

    def leave_switch(self, switch: Switch) -> None:
        if switch.block not in self.before or switch.block not in self.reaching:
            return
        for group in switch.groups:
            text, holds = self.body.group_words(switch, [group])
            if group.edge not in self.reaching and text and group.start < self.offset and holds:
                self.add_exit(group.edge, (switch, group), group.start, text, holds, self.leaving_group(group))

    def leaving_group(self, group: Group) -> Leaving:
        return self.reader.exits.leaving(group.edge, NOWHERE)

    def add_exit(self, edge: int, choice: Choice, start: int, text: str, holds: bool, leaving: Leaving) -> None:
        line = self.body.line(start)
        found = Exit(line, text, holds, leaving.what, leaving.reason, leaving.labels)
        self.found_exits.append((start, edge, choice, found))

    # Nested guards

    def nested(self) -> list[Guard]:
        """Of the exits that stand inside other conditions, those that no way goes round."""
        found = []
        for _, edge, choice, exit_ in self.found_exits:
            round_it = self.round(edge)
            if round_it and len(round_it) <= NESTED_LIMIT and self.inevitable([*round_it, choice]):
                text = self.all_words([*round_it, choice])
                found.append(Guard(exit_.line, text, False, "exit", exit_.what, exit_.reason))
        return found

    def all_words(self, choices: list[Choice]) -> str:
        """Several decisions as one condition. What one names may be given another value before the next is made: the
        assignment then stands where it is done, `A && (x = y, B)`."""
        texts = [self.body.choice_words(choice) for choice in choices]
        parts = texts[-1:]
        for place in range(len(choices) - 2, -1, -1):
            names = names_of(texts[place])[0] & names_of(" ".join(texts[place + 1 :]))[0]
            following = choices[place + 1][0]
            changes = self.reader.changes
            renewed = changes.assigned(edge_of(choices[place]), following.block, following.span[0], names)
            if renewed >= 0:
                parts = [f"({self.body.assignment_words(renewed)}, {conjunction(parts)})"]
            parts.insert(0, texts[place])
        return conjunction([text for text in parts if text])

    def round(self, edge: int) -> list[Choice]:
        """The decisions that lead to an exit, outermost first; none where one of them already rules the exit out."""
        choices = self.body.choices
        above = chain(self.body.idom, edge)[::-1]
        decided = {block for block in above if block in choices} - self.dominators
        found: list[Choice] = []
        for block in above[:-1]:
            if block not in decided:
                continue
            thing, way = choices[block]
            if isinstance(thing, Switch):
                if thing.block in self.dominators and self.only(thing, block):
                    return []
                found.append((thing, way))  # type: ignore[arg-type]
                continue
            other = thing.no if way else thing.yes
            if thing.kind == "loop" and not way:
                continue  # it has ended: that it has says nothing
            if other in self.dominators or thing.kind == "loop":
                return []
            if self.part_of_decided(thing, decided) or other not in self.reaching:
                continue
            found.append((thing, way))  # type: ignore[arg-type]
        return found

    def only(self, switch: Switch, edge: int) -> bool:
        """Whether the switch, on the way to the call, never chooses the labels of `edge`."""
        return edge not in reach(self.body.pred, [self.block], without=switch.block)

    def part_of_decided(self, cond: Cond, decided: set[int]) -> bool:
        return any(
            cond in other.parts and (other.yes in decided or other.no in decided)
            for block in decided
            for other in [self.body.choices[block][0]]
            if isinstance(other, Cond)
        )

    def inevitable(self, choices: list[Choice]) -> bool:
        """Whether the first decision is always made, and each that comes out so leads to the next or to no call."""
        if choices[0][0].block not in self.dominators:
            return False
        for choice, (following, _) in pairwise(choices):
            if self.block in reach(self.body.flow.succ, [edge_of(choice)], without=following.block):
                return False
        return True

"""Which locks and sections are held at a call: those held on every way to it.

Theory of operation: the calls that take and release are found in the text by the pairs of data/idioms.toml and put into
the blocks that run them. Then a forward dataflow: what is held where a block begins is what all its predecessors hold
at their end. A lock is known by its pair and its first argument as written; a release whose argument is held under no
such name releases everything of its pair, because two texts may mean one lock. A trylock takes on the branch where it
gave true. A scoped guard holds from its declaration to the end of its braces. A pair that the data does not name is
known by its names, where one function calls both.
"""

from __future__ import annotations

from dataclasses import dataclass

from kread.facts import Held
from kread.parse.body import Body
from kread.parse.flow import Cond
from kread.parse.idioms import lock_rows, own_lock
from kread.parse.wording import closing, fold, outermost

#: A lock: the index of its pair in data/idioms.toml, and its argument.
_Key = tuple[int, str]
#: The index of a pair that is known by its names alone, which then stand for the argument.
OWN = -1


@dataclass(frozen=True, slots=True)
class _Op:
    offset: int
    block: int
    takes: tuple[_Key, ...]
    gives: tuple[_Key, ...]
    text: str


@dataclass(frozen=True, slots=True)
class _Scope:
    offset: int
    block: int
    end: int
    text: str


class Locks:
    """The locks of one function, asked per call site."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._ops: dict[int, list[_Op]] = {}
        self._scopes: list[_Scope] = []
        scopes = body.known.scope_guards | body.known.scope_heads
        own = {own_lock(name) for name, _, _ in body.calls}
        self._own = {what for what, takes in own if what and (what, not takes) in own}
        for name, start, bracket in body.calls:
            if name in scopes or any(lock_rows(name)) or own_lock(name)[0] in self._own:
                self._enter(name, start, bracket)
        for ops in self._ops.values():
            ops.sort(key=lambda op: op.offset)
        self._begin: list[frozenset[_Key] | None] = []

    def _enter(self, name: str, start: int, bracket: int) -> None:
        body = self._body
        block = body.flow.block_at(start)
        end = closing(body.code, bracket)
        if block < 0 or end < 0:
            return
        if name in body.known.scope_guards:
            more = closing(body.code, end + 1) if body.code.startswith("(", end + 1) else -1
            text = body.words((start, (more if more >= 0 else end) + 1)).removesuffix("()")
            self._scopes.append(_Scope(end, block, body.flow.braces_at(start)[1], text))
        elif name in body.known.scope_heads:
            brace = end + 1 + len(body.code[end + 1 :]) - len(body.code[end + 1 :].lstrip())
            last = next((last for first, last in body.flow.braces if first == brace), brace)
            self._scopes.append(_Scope(brace, body.flow.block_at(start), last, body.words((start, end + 1))))
        else:
            self._enter_call(name, start, bracket, end, block)

    def _enter_call(self, name: str, start: int, bracket: int, end: int, block: int) -> None:
        body = self._body
        inside = body.code[bracket + 1 : end]
        comma = outermost(inside).find(",")
        argument = fold(inside if comma < 0 else inside[:comma])
        text = body.words((start, end + 1)).removesuffix("()")
        what, taking = own_lock(name)
        if what in self._own:
            key = ((OWN, what),)
            self._add(_Op(start, block, key, (), text) if taking else _Op(start, block, (), key, text))
            return
        takes, gives = lock_rows(name)
        for index in gives:
            self._add(_Op(start, block, (), ((index, argument),), text))
        for index in takes:
            when = body.known.locks[index].when
            at = block if when == "call" else self._branch(start, end + 1, when == "true")
            if at >= 0:
                self._add(_Op(start, at, ((index, argument),), (), text))

    def _add(self, op: _Op) -> None:
        self._ops.setdefault(op.block, []).append(op)

    def _branch(self, start: int, end: int, wanted: bool) -> int:
        """The block that is entered when the call from `start` to `end`, a condition of its own, gave `wanted`."""
        for thing, way in self._body.choices.values():
            if isinstance(thing, Cond) and not thing.parts and thing.span[0] <= start and end <= thing.span[1]:
                text = self._body.cond_words(thing)
                call = self._body.words((start, end))
                if (text == call and way is wanted) or (text == f"!{call}" and way is not wanted):
                    return thing.yes if way else thing.no
        return -1

    def _after(self, held: frozenset[_Key], ops: list[_Op]) -> frozenset[_Key]:
        for op in ops:
            for key in op.gives:
                if key[0] == OWN:
                    held = held - {key}
                    continue
                same = {other for other in held if other[0] == key[0]}
                held = held - ({key} if key in held else same if not self._elsewhere(op, held) else set())
            held = held.union(op.takes)
        return held

    def _elsewhere(self, op: _Op, held: frozenset[_Key]) -> bool:
        """Whether the release names a lock that another pair with the same release holds."""
        argument = op.gives[0][1]
        locks = self._body.known.locks
        pattern = locks[op.gives[0][0]].release.pattern
        return any(text == argument and locks[index].release.pattern == pattern for index, text in held)

    def _solve(self) -> list[frozenset[_Key] | None]:
        body = self._body
        begin: list[frozenset[_Key] | None] = [None] * len(body.flow.succ)
        begin[0] = frozenset()
        done: dict[int, frozenset[_Key]] = {}
        changed = True
        while changed:
            changed = False
            for block in body.order:
                ends = [done[source] for source in body.pred[block] if source in done]
                if block == 0:
                    ends.append(frozenset())
                start = frozenset.intersection(*ends) if ends else frozenset()
                begin[block] = start
                end = self._after(start, self._ops.get(block, []))
                if done.get(block) != end:
                    done[block] = end
                    changed = body.loops
        return begin

    def held(self, offset: int, block: int, dominators: set[int]) -> tuple[Held, ...]:
        """What is held at the call at `offset`, in the order in which it was taken."""
        found: list[tuple[int, str]] = []
        if self._ops:
            self._begin = self._begin or self._solve()
            before = [op for op in self._ops.get(block, []) if op.offset < offset]
            for key in self._after(self._begin[block] or frozenset(), before):
                taken = [op for ops in self._ops.values() for op in ops if key in op.takes]
                sure = [op for op in taken if op.block in dominators and (op.block != block or op.offset < offset)]
                last = max(sure or taken, key=lambda op: op.offset)
                found.append((last.offset, last.text))
        for scope in self._scopes:
            if scope.offset < offset < scope.end and scope.block in dominators:
                found.append((scope.offset, scope.text))
        return tuple(Held(self._body.line(start), text) for start, text in sorted(found))

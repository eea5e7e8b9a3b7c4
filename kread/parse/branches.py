"""Which branches of `#if` stand in which text: the choice that makes alternatives parse.

Theory of operation: at file scope all branches can stand side by side, since each holds whole declarations. Inside
a declaration (a body, an initialiser, a record, a head that alternates over one shared body) only one branch at a
time is C. So the primary text keeps the first live branch there, and each variant keeps another one, until every
live branch stands in some text. Whether a group is inside is read from the braces and parentheses before it and in
its branches; a branch that can't be compiled into a kernel (`#if 0`, C++, assembler) is dead and stands nowhere.

A variant holds only the declarations around its groups; everything else in it is blank, and so is its reader's time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kread.parse import conditional
from kread.parse.blanking import spaces
from kread.parse.conditional import Conditions
from kread.presence import NEVER


@dataclass(slots=True)
class Branch:
    """One branch: its text lies in [start, end)."""

    start: int
    end: int
    live: bool
    groups: list[Group] = field(default_factory=list)
    width: int = 1


@dataclass(slots=True)
class Group:
    """`#if` to `#endif`. `parallel`: all branches may stand side by side. `width`: how many texts show them all."""

    start: int
    end: int
    branches: list[Branch] = field(default_factory=list)
    parallel: bool = False
    width: int = 1

    @property
    def live(self) -> list[Branch]:
        return [branch for branch in self.branches if branch.live]


def groups(conditions: Conditions, size: int) -> list[Group]:
    """The groups of a file of `size` bytes, outermost ones, for `mark` to look at."""
    return [_group(group, size, DEEPEST) for group in conditions.groups]


#: Groups that lie deeper are not looked at, so all their branches stay. Kernel C nests to about ten.
DEEPEST = 60


def _group(group: conditional.Group, size: int, deeper: int) -> Group:
    branches = group.branches
    ends = [branch.directive.begin for branch in branches[1:]]
    ends.append(group.endif.begin if group.endif is not None else size)
    made = [
        Branch(
            branch.directive.end,
            end,
            branch.presence != NEVER,
            [_group(inner, size, deeper - 1) for inner in branch.groups] if deeper else [],
        )
        for branch, end in zip(branches, ends, strict=True)
    ]
    return Group(branches[0].directive.begin, group.endif.end if group.endif is not None else size, made)


class _Scan:
    """Finds out which groups stand at file scope, from the nesting before and in their branches."""

    def __init__(self, code: bytes) -> None:
        self.code = code
        self.depth = 0
        self.last = 0  # the last byte that is not white space

    def text(self, start: int, end: int) -> None:
        piece = self.code[start:end].rstrip()
        if piece:
            self.last = piece[-1]
            count = piece.count
            self.depth += count(b"{") - count(b"}") + count(b"(") - count(b")")

    def closed(self, after: int) -> bool:
        """Whether a declaration has just ended; `after` is where the text goes on."""
        if self.depth:
            return False
        if self.last in b";}" or not self.last:
            return True
        return self.last == 41 and self.code[after : after + _AHEAD].lstrip()[:1] not in (b"{", b";", b",", b"=", b"[")

    def span(self, start: int, end: int, inner: list[Group]) -> None:
        place = start
        for group in inner:
            self.text(place, group.start)
            self.group(group)
            place = group.end
        self.text(place, end)

    def group(self, group: Group) -> None:
        live = group.live
        if not live:
            return
        depth, last = self.depth, self.last
        parallel = self.closed(live[0].start)
        for index, branch in enumerate(live):
            self.depth, self.last = depth, last
            self.span(branch.start, branch.end, branch.groups)
            parallel = parallel and self.closed(group.end)
            if index == 0:
                state = self.depth, self.last
        self.depth, self.last = state
        group.parallel = parallel


_AHEAD = 400  # how far to look for the next byte that is not white space: more than any blanked directive


def _widths(inner: list[Group]) -> int:
    """Set each group's width; the widest is returned."""
    widest = 1
    for group in inner:
        total = 0
        for branch in group.branches:
            branch.width = _widths(branch.groups)
            if branch.live:
                total = max(total, branch.width) if group.parallel else total + branch.width
        group.width = max(total, 1)
        widest = max(widest, group.width)
    return widest


def mark(code: bytes, top: list[Group]) -> int:
    """Decide for every group whether it is parallel, and how many texts the file needs."""
    _Scan(code).span(0, len(code), top)
    return _widths(top)


def _chosen(group: Group, variant: int) -> tuple[Branch | None, int]:
    """The branch that `variant` shows, and which variant of the branch's own groups that is."""
    live = group.live
    if not live:
        return None, 0
    if variant >= group.width:
        return live[0], 0
    for branch in live:
        if variant < branch.width:
            return branch, variant
        variant -= branch.width
    return live[0], 0


def dropped(inner: list[Group], variant: int, out: list[tuple[int, int]]) -> None:
    """Collect the extents that `variant` blanks."""
    for group in inner:
        if group.parallel:
            for branch in group.branches:
                if branch.live:
                    dropped(branch.groups, variant, out)
                else:
                    out.append((branch.start, branch.end))
            continue
        kept, deeper = _chosen(group, variant)
        for branch in group.branches:
            if branch is kept:
                dropped(branch.groups, deeper, out)
            else:
                out.append((branch.start, branch.end))


def added(inner: list[Group], variant: int, out: list[tuple[int, int]]) -> None:
    """Collect the branches that `variant` is the first to show."""
    for group in inner:
        if variant >= group.width:
            continue
        if group.parallel:
            for branch in group.live:
                added(branch.groups, variant, out)
            continue
        kept, deeper = _chosen(group, variant)
        if kept is None:
            continue
        if deeper == 0 and variant > 0:
            out.append((kept.start, kept.end))
        else:
            added(kept.groups, deeper, out)


def without(code: bytes, extents: list[tuple[int, int]]) -> bytes:
    """`code` with the extents blanked."""
    if not extents:
        return code
    changed = bytearray(code)
    for start, end in extents:
        changed[start:end] = spaces(code[start:end])
    return bytes(changed)

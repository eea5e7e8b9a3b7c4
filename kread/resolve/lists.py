"""Records that reach a variable around a member: container_of, and the kernel's linked lists.

A list holds nodes, members of the records that are linked. Who puts which node into which list is known by the
calls that link (data/stores.toml), so a list's head is a place that holds the addresses of nodes, and a loop over
it sets its variable to the records around them. The heads of other loop macros are read as the assignments in the
`for (...)` that they stand for. Some registrations sort their objects into several lists by a constant; the data
says how.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kread.parse.unit import CallRow
from kread.resolve.idioms import idioms
from kread.resolve.machine import UNKNOWN, Value, Vertex, Why
from kread.resolve.places import Obj
from kread.resolve.program import FunctionId
from kread.resolve.slots import Path
from kread.resolve.stores import Link, Store, split_arguments
from kread.resolve.terms import Term
from kread.resolve.types import pointee

if TYPE_CHECKING:
    from kread.resolve.flows import Flows

_WORD = re.compile(r"[A-Za-z_]\w*")
_HEAD = re.compile(r"\s*([A-Za-z_]\w*)\s*\(")

#: Loop macros stand for loop macros; the kernel's nest below five.
_NESTING = 6


class Lists:
    """Adds what travels through lists to an analysis."""

    def __init__(self, values: Flows) -> None:
        self.values = values
        self.machine = values.machine

    def call(self, row: dict[str, Any], args: tuple[Term, ...], at: FunctionId, into: Vertex, why: Why | None) -> None:
        """A call that yields a record: container_of(p, type, member), list_first_entry(head, type, member)."""
        pointer: int = row["head"] if "head" in row else row["pointer"]
        if max(row["member"], pointer) >= len(args):
            self.values.outside(into)
            return
        tag = self.values.types.container(row, args, at)
        if "head" in row:
            self._records(into, args[pointer], at, tag, args[row["member"]], why)
        else:
            self._around(self.values.expression(args[pointer], at), tag, args[row["member"]], into, why)

    def variable(self, vertex: Vertex, obj: Obj) -> None:
        """What loops and sorted registrations put into a variable."""
        name = obj[2]
        places = self.values.places
        owned = (obj[1] if isinstance(obj[1], FunctionId) else None, name)
        for walk in self.values.stores.walks.get(owned, ()):
            if places.variable(name, walk.at) == obj:
                self._walk(vertex, obj, walk)
        for at, call in self.values.stores.loops.get(owned, ()):
            if places.variable(name, at) == obj:
                self._loop(at, call, 0)
        if obj[0] == "global":
            for at, call, row in self._sorted.get(name, ()):
                self.values.argument(vertex, at, call, row["object"])

    def _around(self, member: Vertex, tag: str, name: Term, into: Vertex, why: Why | None) -> None:
        """Let the objects of a record whose member's address is in a vertex travel into another."""
        steps = self._steps(tag, name) if self.values.places.tracked(tag) else ()
        if not steps:
            self.values.outside(into)
            return
        into.sources += 1
        size = len(steps)

        def reached(value: Value | None) -> None:
            if value is None:
                self.machine.flag(into, UNKNOWN)
            elif value[0] == "object":
                obj, path = value[1], value[2]
                outer = path[: len(path) - size]
                if path[len(path) - size :] == steps and self.values.places.kind(obj, outer) == tag:
                    self.values.address(obj, outer, into, why)

        self.values.bases.append(member)
        self.machine.watch(member, reached)

    def _steps(self, tag: str, term: Term) -> Path:
        """The path from a record to a member named as in container_of: `icsk_inet.sk`."""
        names: list[str] = []
        while term[0] == "member":
            names.append(term[2])
            term = term[1]
        if term[0] != "name":
            return ()
        names.append(term[1])
        steps: Path = ()
        for name in reversed(names):
            way = self.values.types.member(tag, name)
            if not way:
                return ()
            steps += tuple(step[1] for step in way)
            tag = way[-1][2]
        return steps

    def _records(self, into: Vertex, head: Term, at: FunctionId, tag: str, member: Term, why: Why | None) -> None:
        """Let the records of a list travel into a vertex: what was linked at any place that the head can be."""
        nodes = self.machine.vertex(("nodes", at, head))
        self._link(str(member[2] if member[0] == "member" else member[1] if member[0] == "name" else ""))

        def reached(value: Value | None) -> None:
            if value is None:
                self.machine.flag(nodes, UNKNOWN)
            elif value[0] == "object":
                self.machine.arc(self.machine.vertex(("list", value[1], value[2])), nodes, why)

        self.machine.watch(self.values.expression(head, at), reached)
        self._around(nodes, tag, member, into, why)

    def _link(self, member: str) -> None:
        """Read all places that link records by a member of this name, once."""
        values = self.values
        for link in values.stores.links.pop(member, ()):
            node = values.expression(values.types.term(link.node, link.at), link.at)
            why = Why("register", link.at, link.line, f"{link.node} into {link.head}", link.cond)

            def reached(value: Value | None, node: Vertex = node, why: Why = why) -> None:
                if value is not None and value[0] == "object":
                    self.machine.arc(node, self.machine.vertex(("list", value[1], value[2])), why)

            self.machine.watch(values.expression(values.types.term(link.head, link.at), link.at), reached)

    def _walk(self, vertex: Vertex, obj: Obj, walk: Link) -> None:
        """A loop over a list: its variable is each record that is linked into it."""
        types = self.values.types
        why = Why("install", walk.at, walk.line, f"{obj[2]} in {walk.head}", walk.cond)
        tag = pointee(self.values.places.kind(obj))
        self._records(vertex, types.term(walk.head, walk.at), walk.at, tag, types.term(walk.node, walk.at), why)

    def _loop(self, at: FunctionId, call: CallRow, depth: int) -> None:
        """The assignments in the head that a loop macro stands for."""
        file = self.values.program.files[at.unit]
        for macro in self.values.types.macros(call.callee):
            if macro.params is None or depth > _NESTING or (macro.file != file and macro.file.endswith(".c")):
                continue
            body = substituted(macro.body, macro.params, call.args)
            head = _HEAD.match(body)
            if head is None:
                continue
            inner = body[head.end() : closing(body, head.end() - 1)]
            if head.group(1) == "for":
                self._assignments(at, call, inner)
                continue
            row = idioms().list_each.get(head.group(1))
            args = split_arguments(inner)
            if row is None:
                self._loop(at, call._replace(callee=head.group(1), args=tuple(args)), depth + 1)
            elif len(args) > row["member"]:
                obj = self.values.places.variable(args[row["variable"]], at)
                if obj is not None:
                    link = Link(at, call.line, args[row["member"]], args[row["head"]], call.cond)
                    self._walk(self.values.place(obj, ()), obj, link)

    def _assignments(self, at: FunctionId, call: CallRow, inner: str) -> None:
        """`for (a = x; ...; a = y)`: the assignments of its parts."""
        for clause in split_arguments(inner.replace(";", ",")):
            for part in (clause, clause.strip("() ")):
                target, sign, value = part.partition("=")
                if sign and value[:1] not in ("=", "") and target.strip().isidentifier():
                    self.values.store(Store(at, call.line, target.strip(), value.strip(), call.cond))
                    break

    @cached_property
    def _sorted(self) -> dict[str, list[tuple[FunctionId, CallRow, dict[str, Any]]]]:
        """variable -> the registrations that put an object into it by a constant key."""
        found: dict[str, list[tuple[FunctionId, CallRow, dict[str, Any]]]] = defaultdict(list)
        for name, row in idioms().sorts.items():
            for at, call in self.values.stores.calls.get(name):
                if len(call.args) > max(row["object"], row["key"]) and call.args[row["key"]] in row["into"]:
                    found[row["into"][call.args[row["key"]]]].append((at, call, row))
        return found


def substituted(body: str, params: tuple[str, ...], args: tuple[str, ...]) -> str:
    """A macro's body with its arguments put in for its parameters."""
    given = dict(zip(params, args, strict=False))
    if params and params[-1].endswith("..."):
        given[params[-1][:-3] or "__VA_ARGS__"] = ", ".join(args[len(params) - 1 :])
    return _WORD.sub(lambda found: given.get(found.group(), found.group()), body)


def closing(text: str, start: int) -> int:
    """The offset of the parenthesis that closes the one at `start` (the text's end if none does)."""
    depth = 0
    for place in range(start, len(text)):
        if text[place] == "(":
            depth += 1
        elif text[place] == ")":
            depth -= 1
            if depth == 0:
                return place
    return len(text)

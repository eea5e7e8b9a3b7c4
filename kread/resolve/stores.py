"""Where values are put: assignments, stores by accessor macros, copies of whole objects, lists, indexed by what
they reach.

A flow's target is only looked at as text here (its last member, or its name), since almost all flows of a
kernel have nothing to do with functions; the few that are asked for are read as terms later.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from kread.parse.unit import CallRow, FlowRow, Unit
from kread.resolve.idioms import idioms
from kread.resolve.program import FunctionId, Program
from kread.resolve.shelf import Shelf

_LAST_MEMBER = re.compile(r"(?:->|\.)\s*([A-Za-z_]\w*)\s*(?:\[[^\[\]]*\]\s*)*\)*$")
_FIRST_NAME = re.compile(r"[A-Za-z_]\w*")

#: The target of a flow row that is a function's result, and of one that is the use of a macro.
RETURN = "return"
USE = "use"

_CALL = re.compile(r"([A-Za-z_]\w*)\s*\((.*)\)$", re.S)


class Store(NamedTuple):
    """`target = value`, written in a function. `through`: the target is what the expression points to."""

    at: FunctionId
    line: int
    target: str
    value: str
    cond: str
    through: bool = False

    @property
    def text(self) -> str:
        """The store as an assignment."""
        return f"{'*' if self.through else ''}{self.target} = {self.value}"


#: A loop's variable is among its first arguments.
_LOOP_VARIABLES = 3


def split_arguments(text: str) -> list[str]:
    """The arguments of a call's text, split at the commas of the first level."""
    args: list[str] = []
    depth = start = 0
    for place, sign in enumerate(text):
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and depth == 0:
            args.append(text[start:place].strip())
            start = place + 1
    args.append(text[start:].strip())
    return args


def _reached(argument: str) -> str:
    """What an argument points to."""
    return argument[1:].strip() if argument.startswith("&") else f"*({argument})"


def stored_name(store: Store) -> str:
    """The variable that a store into one, or into an element of it, names ("" for none)."""
    found = _FIRST_NAME.search(store.target)
    return found.group() if found is not None else ""


def _plain_store(store: Store) -> tuple[Any, ...]:
    return (*store.at, *store[1:])


def _store(plain: tuple[Any, ...]) -> Store:
    return Store(FunctionId(*plain[:2]), *plain[2:])


def _plain_call(made: tuple[FunctionId, CallRow]) -> tuple[Any, ...]:
    return (*made[0], *made[1])


def _call(plain: tuple[Any, ...]) -> tuple[FunctionId, CallRow]:
    return FunctionId(*plain[:2]), CallRow(*plain[2:])


class Link(NamedTuple):
    """A node put into a list; for a walk over one, `node` is the member by which the list links its records."""

    at: FunctionId
    line: int
    node: str
    head: str
    cond: str


#: A variable's name with the function that owns it, None for one at file scope.
Owned: TypeAlias = "tuple[FunctionId | None, str]"


#: A call with the function that makes it.
Made: TypeAlias = "tuple[FunctionId, CallRow]"


class Stores:
    """The stores of a program by what they put a value into."""

    def __init__(self, program: Program) -> None:
        self.program = program
        #: last member's name -> stores into a member of that name
        self.members: Shelf[str, Store] = Shelf(_plain_store, _store)
        #: variable -> stores into it, or an element of it
        self.variables: Shelf[Owned, Store] = Shelf(_plain_store, _store)
        #: stores through a pointer: `*p = x`
        self.derefs: list[Store] = []
        self.returns: Shelf[FunctionId, Store] = Shelf(_plain_store, _store)
        self.copies: list[Store] = []
        #: last member's name -> the nodes of that member that are put into lists
        self.links: dict[str, list[Link]] = defaultdict(list)
        #: loop variable -> the walks that set it
        self.walks: dict[Owned, list[Link]] = defaultdict(list)
        #: function's name -> the calls by that name
        self.calls: Shelf[str, Made] = Shelf(_plain_call, _call)
        #: the uses of macros that begin a loop, by a name that they mention first
        self.loops: dict[Owned, list[Made]] = defaultdict(list)
        self._uses: set[tuple[FunctionId, int, str]] = set()
        for index, unit in enumerate(program.units):
            self._flows(index, unit)
            self._calls(index, unit)
        self._by_callers()

    def owned(self, name: str, at: FunctionId) -> Owned:
        """A name in a function as the variable that it means there."""
        return (at if name in self.program.locals.get(at, ()) else None, name)

    def _flows(self, index: int, unit: Unit) -> None:
        for row in unit.flows:
            if row.target == USE:
                self._use(FunctionId(index, row.function), row)
                continue
            self._store(Store(FunctionId(index, row.function), row.line, row.target, row.value, row.cond))

    def _store(self, store: Store) -> None:
        target = store.target
        if target == RETURN:
            self.returns.add(store.at, store)
            return
        if store.value[0] in "@*":
            self.copies.append(store)
        if target.isidentifier():
            self.variables.add(self.owned(target, store.at), store)
            return
        last = _LAST_MEMBER.search(target)
        if last is not None:
            alias = self.program.aliases.get(last.group(1))
            self.members.add(alias.rsplit(".", 1)[-1] if alias else last.group(1), store)
            if alias:
                self.members.add(last.group(1), store)
        elif target[0] == "*" or store.through:
            self.derefs.append(store)
        else:
            name = stored_name(store)
            if name:
                self.variables.add(self.owned(name, store.at), store)

    def _calls(self, index: int, unit: Unit) -> None:
        """The calls of a unit, whose flows are known."""
        special = self._names
        ids: dict[int, FunctionId] = {}
        for row in unit.calls:
            name = row.callee
            at = ids.get(row.function)
            if at is None:
                at = ids[row.function] = FunctionId(index, row.function)
            if name in special and row.origin in ("src", "arg"):
                if (at, row.line, name) in self._uses:
                    continue
                self._special(name, at, row)
            self.calls.add(name, (at, row))

    def _by_callers(self) -> None:
        """Put a store of one parameter through another into the callers: `*slot = function` in `set(slot, function)`.

        There it says which slot gets which function; in the function itself all slots would get all functions.
        """
        todo, self.derefs = self.derefs, []
        for store in todo:
            row = self.program.row(store.at) if store.at.row >= 0 else None
            params = [name for name, _ in row.params] if row is not None else []
            target, value = store.target.strip("*() "), store.value.strip("*() ")
            between = store.target[0] == "*" and target in params and value in params
            calls = self.calls.get(row.name) if row is not None and between else ()
            if not calls:
                self.derefs.append(store)
                continue
            into, what = params.index(target), params.index(value)
            for at, call in calls:
                if len(call.args) > max(into, what):
                    given = _reached(call.args[what]) if store.value[0] == "*" else call.args[what]
                    self._store(Store(at, call.line, _reached(call.args[into]), given, call.cond))

    def _use(self, at: FunctionId, row: FlowRow) -> None:
        """The use of a macro, as a call of its name."""
        found = _CALL.fullmatch(row.value)
        if found is None:
            return
        name = found.group(1)
        call = CallRow(at.row, row.line, 0, name, tuple(split_arguments(found.group(2))), row.cond, "src", -1)
        self._uses.add((at, row.line, name))
        self.calls.add(name, (at, call))
        if name in self._names:
            self._special(name, at, call)
        else:
            for arg in call.args[:_LOOP_VARIABLES]:
                if arg.isidentifier():
                    self.loops[self.owned(arg, at)].append((at, call))

    @cached_property
    def _names(self) -> frozenset[str]:
        table = idioms()
        return frozenset(
            {*table.stores, *table.copies, *table.list_adds, *table.list_each, *table.openers, *table.alike}
        )

    def _special(self, name: str, at: FunctionId, row: CallRow) -> None:
        table = idioms()
        args = row.args
        for store in table.stores.get(name, ()):
            if max(store["target"], store["value"]) >= len(args):
                continue
            target = args[store["target"]]
            if store.get("member"):
                target = f"({target})->{store['member']}"
            self._pointed(Store(at, row.line, target, args[store["value"]], row.cond), store["pointer"])
        copy = table.copies.get(name)
        if copy is not None and len(args) > max(copy["target"], copy["value"]):
            self.copies.append(Store(at, row.line, f"*({args[copy['target']]})", f"*({args[copy['value']]})", row.cond))
        opener = table.openers.get(name) or table.alike.get(name)
        # One opener calls another, for all who call it.
        within = at.row >= 0 and self.program.row(at).name in table.openers
        if opener is not None and len(args) > opener["result"] and not within:
            value = args[opener["like"]] if "like" in opener else f"{name}({', '.join(args)})"
            self._pointed(Store(at, row.line, args[opener["result"]], value, row.cond), pointer=True)
        added = table.list_adds.get(name)
        if added is not None and len(args) > max(added["node"], added["head"]):
            last = _LAST_MEMBER.search(args[added["node"]])
            if last is not None:
                link = Link(at, row.line, args[added["node"]], args[added["head"]], row.cond)
                self.links[last.group(1)].append(link)
        walk = table.list_each.get(name)
        if walk is not None and len(args) > walk["member"]:
            link = Link(at, row.line, args[walk["member"]], args[walk["head"]], row.cond)
            self.walks[self.owned(args[walk["variable"]], at)].append(link)

    def _pointed(self, store: Store, pointer: bool) -> None:
        """Add a store by an accessor: `*&x` is x."""
        if not pointer:
            self._store(store)
            return
        bare = re.sub(r"^\([^()]*\*\s*\)\s*(?=&)", "", store.target)
        if bare.startswith("&"):
            self._store(store._replace(target=bare[1:].strip()))
        else:
            self._store(store._replace(target=f"*({store.target})"))

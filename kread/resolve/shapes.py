"""What receivers are, by the records that they begin: which tables' objects a function handles.

A table of operations says how large its objects are: `.obj_size = sizeof(struct tcp_sock)`. Whoever takes a receiver for
such a record, in a declaration at the head of a function or in a call that is always made (`tp = tcp_sk(sk)`), has
objects that begin with that record; and so has whoever gets the receiver out of the record (`&smc->sk`). A cast that is
made under a condition says nothing: it may hold for some of the objects only.

Which records are receivers, and which member of their tables tells the size, stands in data/families.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeAlias

from kread.parse.unit import CallRow, FlowRow, Unit, VariableRow
from kread.resolve.idioms import idioms
from kread.resolve.places import Obj
from kread.resolve.program import FunctionId
from kread.resolve.slots import Path
from kread.resolve.terms import Term
from kread.resolve.values import Values

#: A place that holds a table: an object, or an element of one.
Table: TypeAlias = "tuple[Obj, Path]"

#: A function's parameter, with the step by which a receiver is reached from it ("" for itself).
Param: TypeAlias = "tuple[FunctionId, int, str]"

_SIZE = "sizeof("


class Shapes:
    """Says which tables a receiver can have by what it is cast to.

    sizes -- the tag of a receiver -> (the record of its tables, the member that tells the size)
    """

    def __init__(self, values: Values, sizes: Mapping[str, tuple[str, str]]) -> None:
        self.values = values
        self.program = values.program
        self.sizes = sizes
        self._casts: dict[int, dict[FunctionId, dict[str, set[str]]]] = {}
        self._returned: dict[FunctionId, tuple[int, str] | None] = {}
        self._fitting: dict[tuple[str, frozenset[str]], frozenset[Table]] = {}

    def of(self, receiver: Term, at: FunctionId, tag: str) -> frozenset[Table]:
        """The tables whose objects a receiver of a tag can be; none if nothing is said."""
        records: set[str] = set()
        if receiver[0] == "name":
            records = {each for each in self.casts(at).get(receiver[1], ()) if self._is(each, tag)}
        elif receiver[0] == "address" and receiver[1][0] == "member":
            inner = receiver[1]
            outer = self.values.types.of(inner[1], at)
            outer = outer.removesuffix("*") if inner[3] else outer
            records = {outer} if self._is(outer, tag) else set()
        return self._tables(tag, frozenset(records)) if records else frozenset()

    @cached_property
    def limits(self) -> dict[Param, frozenset[Table]]:
        """The tables of the receivers that functions take for larger records."""
        found: dict[Param, frozenset[Table]] = {}
        for function in self.program.functions():
            for number, (name, kind) in enumerate(self.program.row(function).params):
                if kind.endswith("*") and kind[:-1] in self.sizes:
                    tables = self.of(("name", name), function, kind[:-1])
                    if tables:
                        found[function, number, ""] = tables
        return found

    def _is(self, record: str, tag: str) -> bool:
        return record != tag and tag in self.values.fitting.begins(record)

    def _tables(self, tag: str, records: frozenset[str]) -> frozenset[Table]:
        """The tables whose objects begin with some records."""
        key = (tag, records)
        found = self._fitting.get(key)
        if found is None:
            begins = self.values.fitting.begins
            fitting = (table for table, record in self._objects.get(tag, {}).items() if records <= begins(record))
            found = self._fitting[key] = frozenset(fitting)
        return found

    @cached_property
    def _objects(self) -> dict[str, dict[Table, str]]:
        """receiver's tag -> table -> the record of its objects."""
        found: dict[str, dict[Table, str]] = {}
        places = self.values.places
        for tag, (record, member) in self.sizes.items():
            tables = found[tag] = {}
            for obj, path in places.instances.get(record, ()):
                for entry in places.entries(obj):
                    value = entry.row.value
                    here = (entry.record, entry.member, entry.path[:-1]) == (record, member, path)
                    if here and value.startswith(_SIZE) and value.endswith(")"):
                        tables[obj, path] = self.values.types.resolve(value[len(_SIZE) : -1].strip())
        return found

    def casts(self, function: FunctionId) -> dict[str, set[str]]:
        """variable -> the records to which a function always casts it."""
        found = self._casts.get(function.unit)
        if found is None:
            found = self._casts[function.unit] = self._read(function.unit, self.program.units[function.unit])
        return found.get(function, {})

    def _read(self, number: int, unit: Unit) -> dict[FunctionId, dict[str, set[str]]]:
        found: dict[FunctionId, dict[str, set[str]]] = {}
        term = self.values.types.term
        for flow in _heads(unit.flows, unit.variables, unit.calls):
            self._note(FunctionId(number, flow.function), term(flow.value, FunctionId(number, flow.function)), found)
        for call in unit.calls:
            at = FunctionId(number, call.function)
            if call.function < 0 or call.depth or call.origin not in ("src", "arg"):
                continue
            args = tuple(term(arg, at) for arg in call.args)
            self._note(at, ("call", term(call.callee, at), args), found)
        return found

    def _note(self, at: FunctionId, term: Term, found: dict[FunctionId, dict[str, set[str]]]) -> None:
        """Note the casts of variables in a term."""
        for part in _parts(term):
            name, record = self._cast(part, at)
            if name:
                found.setdefault(at, {}).setdefault(name, set()).add(record)

    def _cast(self, term: Term, at: FunctionId) -> tuple[str, str]:
        """(variable, record) of a term that casts a variable to a pointer to a record; ("", "") of others."""
        if term[0] == "cast" and term[2][0] == "name":
            kind = self.values.types.resolve(self.values.types.written(term[1], at))
            return (term[2][1], kind[:-1]) if kind.endswith("*") else ("", "")
        if term[0] != "call" or term[1][0] != "name":
            return "", ""
        row, args = idioms().containers.get(term[1][1]), term[2]
        if row is not None:
            if row["pointer"] < len(args) and args[row["pointer"]][0] == "name":
                return args[row["pointer"]][1], self.values.types.container(row, args, at)
            return "", ""
        for function in self.values.named(term[1][1], self.program.files[at.unit])[:1]:
            known = self._result(function)
            if known is not None and known[0] < len(args) and args[known[0]][0] == "name":
                return args[known[0]][1], known[1]
        return "", ""

    def _result(self, function: FunctionId) -> tuple[int, str] | None:
        """(parameter, record) of a function that returns its parameter as a pointer to a record."""
        if function not in self._returned:
            self._returned[function] = None
            rows = self.program.row(function)
            stores = list(self.values.stores.returns.get(function)) if rows.returns.endswith("*") else []
            if len(stores) == 1:
                name, record = self._cast(self.values.types.term(stores[0].value, function), function)
                params = [param for param, _ in rows.params]
                if name in params:
                    self._returned[function] = (params.index(name), record)
        return self._returned[function]


def _heads(flows: Iterable[FlowRow], variables: Iterable[VariableRow], calls: Iterable[CallRow]) -> Iterator[FlowRow]:
    """The values of the variables that functions declare at their heads, before anything else is done."""
    declared = {(row.function, row.line): row.name for row in variables}
    first: dict[int, int] = {}
    rows = sorted({(row.function, row.line) for row in flows} | {(row.function, row.line) for row in calls})
    for function, line in rows:
        if function >= 0 and (function, line) not in declared:
            first.setdefault(function, line)
    for flow in flows:
        at = (flow.function, flow.line)
        if flow.line < first.get(flow.function, flow.line + 1) and declared.get(at) == flow.target:
            yield flow


def _parts(term: Term) -> Iterator[Term]:
    """A term and the terms in it."""
    yield term
    for each in term[1:]:
        if isinstance(each, tuple) and each:
            if isinstance(each[0], str):
                yield from _parts(each)
            else:
                for inner in each:
                    if isinstance(inner, tuple):
                        yield from _parts(inner)

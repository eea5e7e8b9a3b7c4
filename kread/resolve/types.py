"""The type of an expression, as far as the flow of functions and tables asks for it.

Types are postfix texts, typedefs replaced. What the kernel's accessors yield is found in the release itself: an inline
function says its return type, a macro is read as the expression that it stands for, down to a
`container_of` whose second argument is a type. Where nothing says, the type is "" and the resolvers fall back.

A member may be a macro that stands for a member of a member (`sk_prot` for `__sk_common.skc_prot`): `member` gives
the way through the records, so that a slot has one name whatever it is called by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

from kread.parse.declarators import returned_type
from kread.resolve.idioms import idioms
from kread.resolve.program import FunctionId, Program, split_type
from kread.resolve.reading import Bodies, Reader
from kread.resolve.terms import NOTHING, Term


class Definition(Protocol):
    """A macro's definition, as kread.parse.template.Macro."""

    @property
    def params(self) -> tuple[str, ...] | None: ...

    @property
    def body(self) -> str: ...

    @property
    def file(self) -> str: ...


MacroLookup = Callable[[str], Sequence[Definition]]

#: One step from a record to a member: the record's tag, the member's name and its type.
Member = tuple[str, str, str]

#: How often a type may be looked up through other expressions before it counts as unknown.
_DEPTH = 24


class Types:
    """Answers for one program. `macros` gives the definitions of a name."""

    def __init__(self, program: Program, macros: MacroLookup) -> None:
        self.program = program
        self.macros = macros
        self.reader = Reader(lambda name: name in program.typedefs, self._bodies)
        self._seen_bodies: dict[tuple[str, str], Bodies] = {}
        self._members: dict[tuple[str, str], tuple[Member, ...]] = {}
        self._types: dict[tuple[FunctionId, Term], str] = {}
        self._resolved: dict[str, str] = {}

    def term(self, text: str, at: FunctionId) -> Term:
        """The term of an expression written in a function (or at the file scope of its unit)."""
        return self.reader.term(text, self.program.files[at.unit])

    def _bodies(self, file: str, name: str) -> Bodies:
        key = (file, name)
        known = self._seen_bodies.get(key)
        if known is None:
            known = ()
            table = idioms()
            if not (
                name in self.program.by_name
                or name in table.through
                or name in table.containers
                or name in table.stores
                or name in table.list_first
                or table.allocates(name)
            ):
                known = tuple(
                    (macro.params, macro.body)
                    for macro in self.macros(name)
                    if macro.params is not None and (macro.file == file or not macro.file.endswith(".c"))
                )
            self._seen_bodies[key] = known
        return known

    def alias(self, name: str, file: str) -> Term:
        """What an object-like macro stands for, NOTHING if it is none."""
        for macro in self.macros(name):
            if macro.params is None and macro.body and (macro.file == file or not macro.file.endswith(".c")):
                term = self.reader.term(macro.body, file)
                if term not in (NOTHING, ("name", name)):
                    return term
        return NOTHING

    # Records

    def resolve(self, declared: str) -> str:
        """A type with its typedefs replaced, and a tag that is a macro by the one that the macro stands for."""
        known = self._resolved.get(declared)
        if known is None:
            known = self.program.resolve_type(declared)
            base, operators = split_type(known)
            sort, _, tag = base.partition(" ")
            if tag.isidentifier() and base not in self.program.positions:
                others = (f"{sort} {macro.body}" for macro in self.macros(tag) if macro.params is None)
                known = next((other + operators for other in others if other in self.program.positions), known)
            self._resolved[declared] = known
        return known

    def member(self, tag: str, name: str) -> tuple[Member, ...]:
        """The way from a record to a member, () if there is none of that name."""
        key = (tag, name)
        known = self._members.get(key)
        if known is None:
            known = self._members[key] = self._member(tag, name, 0)
        return known

    def _member(self, tag: str, name: str, depth: int) -> tuple[Member, ...]:
        rows = self.program.fields.get(tag, {}).get(name)
        if rows:
            return ((tag, name, self.resolve(rows[0].type)),)
        text = self.program.aliases.get(name)
        if text is None or depth > _DEPTH:
            return ()
        way: tuple[Member, ...] = ()
        for part in text.split("."):
            step = self._member(tag, part.strip(), depth + 1)
            if not step:
                return ()
            way += step
            tag = step[-1][2].removesuffix("[]")
        return way

    # Expressions

    def of(self, term: Term, at: FunctionId, depth: int = 0) -> str:
        """The postfix type of a term read in a function; "" where nothing says."""
        key = (at, term)
        known = self._types.get(key)
        if known is None:
            self._types[key] = ""
            known = self.resolve(self._of(term, at, depth)) if depth < _DEPTH else ""
            self._types[key] = known
        return known

    def _of(self, term: Term, at: FunctionId, depth: int) -> str:
        kind = term[0]
        if kind == "name":
            return self._name(term[1], at, depth)
        if kind == "member":
            way = self.way(term, at, depth)
            return way[-1][2] if way else ""
        if kind == "index" or kind == "deref":
            base = self.of(term[1], at, depth + 1)
            if base.endswith("[]"):
                return base[:-2]
            return base[:-1] if base.endswith("*") else ("" if not base.endswith(")") else base)
        if kind == "address":
            base = self.of(term[1], at, depth + 1)
            return f"{base}*" if base else ""
        if kind == "cast":
            return self.written(term[1], at, depth)
        if kind == "call":
            return self._call(term, at, depth)
        if kind == "either":
            first = self.of(term[1], at, depth + 1)
            return first if first and first != "void*" else self.of(term[2], at, depth + 1)
        if kind == "step":
            base = self.of(term[1], at, depth + 1)
            return f"{base[:-2]}*" if base.endswith("[]") else base
        return ""

    def way(self, term: Term, at: FunctionId, depth: int = 0) -> tuple[Member, ...]:
        """The way from the record of a member term's base to the member."""
        tag = self.of(term[1], at, depth + 1)
        if term[3]:
            tag = tag[:-1] if tag.endswith("*") else tag.removesuffix("[]")
        return self.member(self.resolve(tag), term[2])

    def written(self, kind: Any, at: FunctionId, depth: int = 0) -> str:
        """The type that a cast or an argument names: a text, or ("typeof", term, operators)."""
        if isinstance(kind, str):
            return kind
        base = self.of(kind[1], at, depth + 1)
        return f"{base}{kind[2]}" if base else ""

    def _name(self, name: str, at: FunctionId, depth: int) -> str:
        if name in self.program.locals.get(at, ()):
            return self.local(at, name)
        file = self.program.files[at.unit]
        declared = self.program.global_type(name, file)
        if declared:
            return declared
        for function in self.program.by_name.get(name, ()):
            row = self.program.row(function)
            return f"{row.returns}({','.join(kind for _, kind in row.params)})"
        for _, _, declared, _ in self.program.prototypes.get(name, ()):
            return declared
        alias = self.alias(name, file)
        return self.of(alias, at, depth + 1) if alias != NOTHING else ""

    def local(self, function: FunctionId, name: str) -> str:
        """The type of a function's variable; a parameter declared as an array is a pointer."""
        declared = self.resolve(self.program.locals.get(function, {}).get(name, ""))
        if declared.endswith("[]") and any(name == param for param, _ in self.program.row(function).params):
            return f"{declared[:-2]}*"
        return declared

    def _call(self, term: Term, at: FunctionId, depth: int) -> str:
        callee, args = term[1], term[2]
        if callee[0] != "name":
            return returned_type(self.of(callee, at, depth + 1))
        name = callee[1]
        table = idioms()
        row = table.containers.get(name) or table.list_first.get(name)
        if row is not None:
            return f"{self.container(row, args, at, depth)}*"
        if name in self.program.locals.get(at, {}):
            return returned_type(self.of(callee, at, depth + 1))
        return self.program.returns(name, self.program.files[at.unit])

    def container(self, row: dict[str, Any], args: tuple[Term, ...], at: FunctionId, depth: int = 0) -> str:
        """The record around a member, as a container row's call names it: "struct sock"."""
        if row["type"] < 0:
            place = row["variable"]
            return self.of(args[place], at, depth + 1).removesuffix("*") if place < len(args) else ""
        if row["type"] >= len(args):
            return ""
        named = args[row["type"]]
        if named[0] == "type":
            return self.resolve(self.written(named[1], at, depth))
        return self.resolve(named[1]) if named[0] == "name" else ""

    # Which types matter

    @cached_property
    def holders(self) -> frozenset[str]:
        """The tags of the records that have a pointer to a function among their members."""
        return frozenset(
            tag
            for tag, members in self.program.fields.items()
            if any(is_function(self.resolve(rows[0].type)) for rows in members.values())
        )

    @cached_property
    def carriers(self) -> frozenset[str]:
        """The tags of the records that hold a pointer to a function, or hold a record that does."""
        fields = self.program.fields
        found = set(self.holders)
        holds: dict[str, set[str]] = {}
        for tag, members in fields.items():
            for rows in members.values():
                base, operators = split_type(self.resolve(rows[0].type))
                if "*" not in operators and "(" not in operators:
                    holds.setdefault(base, set()).add(tag)
        todo = list(found)
        while todo:
            for tag in holds.get(todo.pop(), ()):
                if tag not in found:
                    found.add(tag)
                    todo.append(tag)
        return frozenset(found)


def is_function(kind: str) -> bool:
    """Whether a type is a function or a pointer to one, or an array of these."""
    return kind.rstrip("*[]").endswith(")")


def may_be_called(kind: str) -> bool:
    """Whether a call can mean a variable of a type: not if it is a record or points to one. Then the variable is another
    block's, and the call means the function of that name."""
    return is_function(kind) or kind in ("", "void*") or kind.isidentifier()


def pointee(kind: str) -> str:
    """What a pointer or an array leads to ("" if the type is neither)."""
    if kind.endswith("*"):
        return kind[:-1]
    return kind[:-2] if kind.endswith("[]") else ""

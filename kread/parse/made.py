"""Functions and tables that macros make at file scope.

Each invocation comes to a snippet (kread.parse.snippet) with all alternatives of its macros. It is prepared, parsed
and searched for macro uses as any file is, and all its facts are said to stand on the line of the invocation. A
function gets the condition of the macros through which its name came, a call that of the macros through which the
callee's name came.

Where the body is written behind the invocation (`SYSCALL_DEFINE2(listen, ...) { ... }`), the last function of the
snippet is the one to which it belongs: it gives its name and parameters to what the parser took for a function named
after the macro.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kread import presence
from kread.parse.conditional import conditions
from kread.parse.declarations import Snippet
from kread.parse.extract import Extractor
from kread.parse.macro_table import MacroTable
from kread.parse.prepare import Prepared, prepare
from kread.parse.rewriting import Invocation
from kread.parse.snippet import Snippets
from kread.parse.unit import FILE_SCOPE, CallRow, FunctionRow, Unit
from kread.parse.uses import MacroAnswers, MacroUses

#: An invocation longer than this is no declaration but a parenthesis that never closes.
LONGEST = 20_000

_WORD = re.compile(r"[A-Za-z_]\w*")
_LITERAL = re.compile(r"@(\d+):(\d+)\Z")
#: What stands for a body behind an invocation.
_BODY = " { }"


@dataclass(slots=True)
class Maker:
    """Makes snippets into facts; shared by the files that see the same macros."""

    snippets: Snippets
    table: MacroTable
    macros: MacroAnswers


def take_made(
    uses: MacroUses, prepared: Prepared, at: Callable[[int], str], maker: Callable[[str, str], Maker]
) -> None:
    """Add to the unit of `uses` what the invocations of its file make.

    at    -- the presence of a line
    maker -- (macro, text of its invocation) -> with which macros it is made
    """
    for invocation in (*prepared.made, *prepared.invocations):
        if invocation.end - invocation.start > LONGEST:
            continue
        name = invocation.name.decode("latin-1")
        written = uses.written(invocation.start, invocation.end)
        with_macros = maker(name, written)
        snippets = with_macros.snippets
        # The head of a function alone has nothing of what a declaration is known by: its body stands behind it.
        if not (snippets.can_make(name) or (invocation.body >= 0 and snippets.of(name))):
            continue
        made = _Made(with_macros, uses, invocation, written, at)
        if invocation.body >= 0:
            made.take(_declared(uses, invocation))
        elif uses.owner(made.line) == FILE_SCOPE:
            made.take(None)


def _declared(uses: MacroUses, invocation: Invocation) -> int | None:
    """The row of the function that the parser saw where an invocation heads a body."""
    line, column = uses.place(invocation.start)
    for index, row in enumerate(uses.unit.functions):
        if row.line == line and column <= row.column <= column + invocation.end - invocation.start:
            return index
    return None


class _Made:
    """What one invocation makes."""

    def __init__(
        self, maker: Maker, uses: MacroUses, invocation: Invocation, written: str, at: Callable[[int], str]
    ) -> None:
        self.maker = maker
        self.uses = uses
        self.unit = uses.unit
        self.name = invocation.name.decode("latin-1")
        self.start = invocation.start
        self.written = written
        self.line, self.column = uses.place(invocation.start)
        self.presence = at(self.line)
        self.functions: dict[str, int] = {}
        self.conditions: dict[int, list[str]] = {}
        self.calls: dict[tuple[int, str, tuple[str, ...], str], tuple[CallRow, list[str]]] = {}
        self.seen: set[tuple[str, str]] = set()

    def take(self, heads: int | None) -> None:
        """Add what the invocation makes; `heads` is the function whose body follows it."""
        text = self.written + (_BODY if heads is not None else ";")
        snippet = self.maker.snippets.make(text, self.presence)
        made = self._read(snippet)
        indexes = self._functions(made, snippet, heads)
        self._calls(made, snippet, indexes)
        self._others(made, snippet, indexes)
        for index, found in self.conditions.items():
            row = self.unit.functions[index]
            self.unit.functions[index] = row._replace(cond=presence.conj(self.presence, presence.disj(*found)))
        for call, found in self.calls.values():
            self.unit.calls.append(call._replace(cond=presence.conj(call.cond, presence.disj(*found))))

    def _read(self, snippet: Snippet) -> Unit:
        """The facts of a snippet, as if it were a file."""
        made = Unit(self.unit.file)
        data = snippet.text.encode("latin-1", "replace")
        extractor = Extractor(made, data, _always)
        prepared = prepare(data, self.maker.table, conditions(data))
        extractor.take(prepared.text)
        uses = MacroUses(made, data, prepared.code, _always, self.maker.macros)
        uses.take(_WORD.findall(snippet.text))
        return made

    def _functions(self, made: Unit, snippet: Snippet, heads: int | None) -> list[int]:
        """Add the functions of a snippet; the index that each has in the unit."""
        indexes: list[int] = []
        for row in made.functions:
            headed = heads is not None and row.line in snippet.last
            index = heads if headed else self.functions.get(row.name)
            if headed and index is not None and index not in self.conditions:
                # Of several alternatives the first one names it: a fallback for whoever lacks it comes behind.
                whole = self.unit.functions[index]
                self.unit.functions[index] = whole._replace(
                    name=row.name,
                    static=row.static,
                    inline=row.inline,
                    returns=row.returns,
                    params=row.params,
                    macro=self.name,
                )
            elif index is None:
                index = len(self.unit.functions)
                self.unit.functions.append(self._placed(row))
            self.functions[row.name] = index
            origin = snippet.token(row.line, row.column)[3]
            self.conditions.setdefault(index, []).append(presence.conj(*origin.presences))
            indexes.append(index)
        return indexes

    def _placed(self, row: FunctionRow) -> FunctionRow:
        return row._replace(
            line=self.line, column=self.column, end_line=self.line, begin_line=self.line, macro=self.name
        )

    def _calls(self, made: Unit, snippet: Snippet, indexes: list[int]) -> None:
        for row in made.calls:
            function = indexes[row.function]
            _, _, at, origin, _ = snippet.token(row.line, row.column)
            written, macro = row.origin, -1
            line, column = self.line, self.column
            if row.macro >= 0:
                used = made.used_macros[row.macro]
                macro = self.uses.used(used._replace(outer=self.name))
            elif origin.kind in ("src", "arg"):
                written = "arg"
                line, column = self.uses.place(self.start + at)
            else:
                written = origin.kind
                macro = self.uses.macro(origin.macro or origin.macros[-1], self.name)
            key = (function, row.callee, row.args, row.cond)
            call = CallRow(
                function, line, column, row.callee, row.args, presence.conj(self.presence, row.cond), written, macro
            )
            self.calls.setdefault(key, (call, []))[1].append(presence.conj(*origin.presences))

    def _others(self, made: Unit, snippet: Snippet, indexes: list[int]) -> None:
        """Tables, variables and what else a snippet declares: the first one of a name gives it."""
        unit = self.unit
        base = len(unit.tables)
        kept: dict[int, int] = {}
        for index, table in enumerate(made.tables):
            name = self._literal(table.name)
            if self._new("table", f"{table.function} {name}"):
                kept[index] = base + len(kept)
                function = _moved(table.function, indexes)
                unit.tables.append(
                    table._replace(function=function, line=self.line, column=self.column, name=name, cond=self.presence)
                )
        for entry in made.entries:
            if entry.table in kept:
                value = self._literal(entry.value)
                unit.entries.append(
                    entry._replace(table=kept[entry.table], line=self.line, value=value, cond=self.presence)
                )
        for variable in made.variables:
            if self._new("variable", f"{variable.function} {variable.name}"):
                function = _moved(variable.function, indexes)
                unit.variables.append(variable._replace(function=function, line=self.line, cond=self.presence))
        for flow in made.flows:
            if self._new("flow", f"{flow.function} {flow.target} {flow.value}"):
                unit.flows.append(
                    flow._replace(
                        function=_moved(flow.function, indexes),
                        line=self.line,
                        value=self._literal(flow.value),
                        cond=self.presence,
                    )
                )
        for name, declared, _ in made.typedefs:
            if self._new("typedef", name):
                unit.typedefs.append((name, declared, self.line))
        for prototype in made.prototypes:
            if self._new("prototype", prototype.name):
                unit.prototypes.append(prototype._replace(line=self.line, cond=self.presence))
        for record in made.records:
            if "@" not in record.tag and self._new("record", record.tag):
                unit.records.append(record._replace(line=self.line, end_line=self.line, cond=self.presence))
                for member in made.fields:
                    if member.record == record.tag:
                        unit.fields.append(member._replace(line=self.line, cond=self.presence))

    def _new(self, kind: str, name: str) -> bool:
        if (kind, name) in self.seen:
            return False
        self.seen.add((kind, name))
        return True

    def _literal(self, name: str) -> str:
        """The name of a compound literal's table, made one of its own in the file: the invocation's column leads it."""
        found = _LITERAL.match(name)
        if found is None:
            return name
        return f"@{self.line}:{self.column}{int(found.group(1)):03}{int(found.group(2)):06}"


def _moved(function: int, indexes: list[int]) -> int:
    return indexes[function] if function != FILE_SCOPE else FILE_SCOPE


def _always(line: int) -> str:
    return presence.ALWAYS

"""Edges of calls by name, written or made by macros; what cannot be resolved is listed with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kread import presence
from kread.facts import Edge, Evidence
from kread.index.macros import MacroIndex
from kread.parse.calls import BUILTIN_PREFIXES
from kread.parse.tokens import KEYWORDS
from kread.parse.unit import FILE_SCOPE, CallRow
from kread.resolve.choices import CHOICE, arms
from kread.resolve.direct import Definitions, reachable
from kread.resolve.program import FunctionId, Program
from kread.resolve.rows import EdgeRow, Numbers, call_line, call_site, edge_row, shown
from kread.resolve.static_call import StaticCalls
from kread.resolve.types import Types, may_be_called


def named_edges(
    unit: int,
    program: Program,
    definitions: Definitions,
    statics: StaticCalls,
    types: Types,
    macros: MacroIndex,
    numbers: Numbers,
    edges: list[EdgeRow],
    unresolved: list[tuple[Any, ...]],
) -> None:
    """Add the edges of a unit's calls by name, and what of them could not be resolved."""
    for caller, call in _calls(unit, program, types):
        if call.callee in program.locals[caller] and may_be_called(types.local(caller, call.callee)):
            continue
        function = program.function(caller)
        cond = presence.conj(function.presence, call.cond)
        if call.macro < 0 and function.file.endswith(".c"):
            cond = presence.conj(cond, _no_macro(macros, function.file, call.callee))
        if cond == presence.NEVER:
            continue
        site = call_site(function, call)
        meant = definitions.of(call.callee, function.file)
        found = reachable(meant, cond)
        static = statics.name(call.callee) if not meant else ""
        if static:
            targets = statics.of(static)
            for target in targets:
                why = (call_line(function, call), target.evidence)
                both = presence.conj(cond, target.presence)
                edge = Edge(
                    function,
                    target.function,
                    site,
                    "static_call",
                    "object",
                    len(targets),
                    both,
                    slot=static,
                    evidence=why,
                )
                edges.append(edge_row(edge, numbers))
            if not targets:
                reason = f"the static call {static} is defined nowhere in the scope"
                unresolved.append((numbers.of(function), function.file, call.line, shown(call), reason))
            continue
        if not found:
            # What is left of a name that is a macro's, the compiler's or a variable's is no call by name.
            name = call.callee
            known = macros.lookup(name) or program.global_type(name, function.file) or name in program.typedefs
            if not (known or name in KEYWORDS or name.startswith(BUILTIN_PREFIXES)):
                reason = "defined under other conditions only" if meant else "declared nowhere in the scope"
                if call.macro >= 0 and f" {name} =" in program.units[caller.unit].used_macros[call.macro].text:
                    reason = "a variable of the macro that makes the call"
                unresolved.append((numbers.of(function), function.file, call.line, shown(call), reason))
            continue
        evidence = [call_line(function, call)]
        kind = "direct"
        if call.macro >= 0:
            macro = program.units[caller.unit].used_macros[call.macro]
            if call.origin not in ("src", "arg"):
                kind = "cleanup" if call.origin == "cleanup" else "macro"
                if macro.outer != macro.name:
                    evidence.append(Evidence("use", function.file, call.line, macro.outer, function.name))
                evidence.append(Evidence("macro", macro.file, macro.line, macro.text))
        for callee, both in found:
            edge = Edge(function, callee, site, kind, "certain", len(found), both, evidence=tuple(evidence))
            edges.append(edge_row(edge, numbers))


def _calls(unit: int, program: Program, types: Types) -> Iterator[tuple[FunctionId, CallRow]]:
    """The calls by name in a unit's functions; of a choice by type those that it can mean."""
    for caller, call in program.calls_in(unit):
        if caller.row == FILE_SCOPE:
            continue
        if call.callee.isidentifier():
            yield caller, call
        elif call.callee.startswith(CHOICE):
            for each in arms(types, caller, call):
                yield caller, each


def _no_macro(macros: MacroIndex, file: str, name: str) -> str:
    """When a name that a .c file writes before a parenthesis is no macro there: then it is a function's."""
    if not macros.shadows(name):
        return presence.ALWAYS
    hiding = [macro.presence for macro in macros.seen_by(file, name) if macro.body != name]
    return presence.negate(presence.disj(*hiding))

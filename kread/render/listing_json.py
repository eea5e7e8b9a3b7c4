"""The lists as JSON: kread.callers/1, kread.callees/1, kread.show/1, kread.slot/1, kread.struct/1.

Theory of operation: like `json_path`, with its nouns: an edge in a list has the keys that a call has in a path, and
besides its caller and callee, the slot and the table. Keys and their order are written out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kread.facts import Edge, Function
from kread.graph.callgraph import SlotValue
from kread.render.json_path import evidence_object
from kread.render.views import Neighbours, Shown, SlotView, StructView


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def function_object(function: Function) -> dict[str, Any]:
    """A function with everything that is known of itself."""
    return {
        "function": function.name,
        "file": function.file,
        "line": function.line,
        "end_line": function.end_line,
        "signature": function.signature,
        "static": function.static,
        "macro": function.macro,
        "presence": function.presence,
    }


def edge_object(edge: Edge) -> dict[str, Any]:
    """An edge with both its ends."""
    return {
        "caller": {"function": edge.caller.name, "file": edge.caller.file, "line": edge.caller.line},
        "callee": {"function": edge.callee.name, "file": edge.callee.file, "line": edge.callee.line},
        "file": edge.site.file,
        "line": edge.site.line,
        "column": edge.site.column,
        "text": edge.written,
        "kind": edge.kind,
        "grade": edge.grade,
        "candidates": edge.candidates,
        "slot": edge.slot,
        "table": edge.table,
        "context": edge.context,
        "presence": edge.presence,
        "evidence": [evidence_object(one) for one in edge.evidence],
    }


def slot_object(value: SlotValue) -> dict[str, Any]:
    """One function in one slot of one table."""
    return {
        "record": value.record,
        "field": value.field,
        "table": value.table,
        "function": {"function": value.function.name, "file": value.function.file, "line": value.function.line},
        "file": value.file,
        "line": value.line,
        "text": value.text,
        "presence": value.presence,
    }


def neighbours_json(views: Sequence[Neighbours]) -> str:
    """`kread callers --format json` and `kread callees --format json`: a name may mean several functions."""
    functions = [
        {**function_object(view.function), view.end: [edge_object(edge) for edge in view.edges]} for view in views
    ]
    return _dump({"schema": f"kread.{views[0].end}/1", "release": views[0].release, "functions": functions})


def show_json(view: Shown) -> str:
    """`kread show --format json`."""
    functions = [
        {
            **function_object(function),
            "callers": [edge_object(edge) for edge in callers],
            "callees": [edge_object(edge) for edge in callees],
            "slots": [slot_object(value) for value in slots],
        }
        for function, callers, callees, slots in view.functions
    ]
    macros = [
        {
            "macro": macro.name,
            "file": macro.file,
            "line": macro.line,
            "parameters": macro.params,
            "body": macro.body,
            "presence": macro.presence,
        }
        for macro in view.macros
    ]
    head = {"schema": "kread.show/1", "release": view.release, "symbol": view.symbol}
    return _dump({**head, "functions": functions, "macros": macros})


def slot_json(view: SlotView) -> str:
    """`kread slot --format json`."""
    values = [slot_object(value) for value in view.values]
    return _dump({"schema": "kread.slot/1", "release": view.release, "slot": view.asked, "values": values})


def struct_json(view: StructView) -> str:
    """`kread struct --format json`."""
    members = [
        {
            "name": member.name,
            "type": member.type,
            "file": member.file,
            "line": member.line,
            "presence": member.presence,
            "embeds": member.embeds,
            "depth": member.depth,
        }
        for member in view.members
    ]
    holders = [
        {
            "record": holder.record,
            "member": holder.member,
            "file": holder.file,
            "line": holder.line,
            "first": holder.first,
            "pointer": holder.pointer,
        }
        for holder in view.holders
    ]
    casts = [
        {
            "from": cast.source,
            "to": cast.target,
            "name": cast.name,
            "macro": cast.macro,
            "file": cast.file,
            "line": cast.line,
        }
        for cast in view.casts
    ]
    return _dump(
        {
            "schema": "kread.struct/1",
            "release": view.release,
            "record": view.record,
            "members": members,
            "holders": holders,
            "casts": casts,
            "tables": [slot_object(value) for value in view.tables],
        }
    )

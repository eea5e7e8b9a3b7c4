"""A drawing as GraphML with typed keys, for networkx, Gephi and yEd.

Theory of operation: every attribute is declared with its type before it is used, as the format asks. `label` is what
Gephi shows; yEd shows only its own graphics elements, so each function and each link has one of those too, which the
others skip; they belong to yEd's extension of the format, whose schema the document therefore names. They are written
whole, as yEd itself writes them, because readers of its files count on that. yEd draws a file as it stands, so the
boxes are put into columns, one for each call further from where the drawing begins.
Links are single edges with the number of calls as weight, so that a reader without multigraphs loses none.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from kread.facts import Function
from kread.render.drawing import Drawing, Link, Plan, plan

_NODE_KEYS = {
    "label": "string",
    "file": "string",
    "line": "int",
    "end_line": "int",
    "static": "boolean",
    "presence": "string",
    "focus": "boolean",
    "hubs": "string",
}
_EDGE_KEYS = {
    "label": "string",
    "kind": "string",
    "grade": "string",
    "style": "string",
    "slot": "string",
    "table": "string",
    "call": "string",
    "call_file": "string",
    "call_line": "int",
    "presence": "string",
    "candidates": "int",
    "weight": "int",
}
_SCHEMA = "http://www.yworks.com/xml/schema/graphml/1.1/ygraphml.xsd"
_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
#: How a link is drawn in yEd, by how it is known.
_LINES = {"direct": "line", "macro": "line", "dispatch": "dashed", "callback": "dashed", "guess": "dotted"}
#: A box as wide as its name in yEd's default font, and the room of a box with what is between two, in points.
_LETTER_WIDTH = 7
_COLUMN_GAP, _ROW = 90, 42
#: The border of a function that was asked about.
_FOCUS_WIDTH = 3.0


def graphml(drawing: Drawing) -> str:
    """The drawing as a GraphML document."""
    return "\n".join(_rows(plan(drawing))) + "\n"


def _rows(drawn: Plan) -> Iterator[str]:
    number = drawn.number()
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<graphml xmlns="{_NAMESPACE}" xmlns:y="http://www.yworks.com/xml/graphml"'
    yield '  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    yield f'  xsi:schemaLocation="{_NAMESPACE} {_SCHEMA}">'
    yield '  <key id="g_title" for="graph" attr.name="title" attr.type="string"/>'
    yield '  <key id="g_release" for="graph" attr.name="release" attr.type="string"/>'
    for name, kind in _NODE_KEYS.items():
        yield f'  <key id="n_{name}" for="node" attr.name="{name}" attr.type="{kind}"/>'
    for name, kind in _EDGE_KEYS.items():
        yield f'  <key id="e_{name}" for="edge" attr.name="{name}" attr.type="{kind}"/>'
    yield '  <key id="y_node" for="node" yfiles.type="nodegraphics"/>'
    yield '  <key id="y_edge" for="edge" yfiles.type="edgegraphics"/>'
    yield '  <graph id="kread" edgedefault="directed">'
    yield f'    <data key="g_title">{escape(drawn.title)}</data>'
    yield f'    <data key="g_release">{escape(drawn.release)}</data>'
    corners = _corners(drawn)
    for function in drawn.functions:
        yield from _node(drawn, function, number[function], corners[function])
    for index, link in enumerate(drawn.links, 1):
        yield from _edge(link, index, number)
    yield "  </graph>"
    yield "</graphml>"


def _corners(drawn: Plan) -> dict[Function, tuple[int, int]]:
    """Where the boxes stand: columns by the number of calls from where the drawing begins."""
    called = {link.callee for link in drawn.links}
    # What the drawing begins with: what was asked for and nobody calls, else what nobody calls.
    level = [one for one in drawn.functions if one not in called]
    level = [one for one in level if one in drawn.focus] or level or list(drawn.functions[:1])
    column = dict.fromkeys(level, 0)
    callees: dict[Function, list[Function]] = {}
    for link in drawn.links:
        callees.setdefault(link.caller, []).append(link.callee)
    while level:
        level = list(dict.fromkeys(to for one in level for to in callees.get(one, ()) if to not in column))
        column |= dict.fromkeys(level, max(column.values()) + 1)
    left, corners = 0, {}
    for number in range(max(column.values(), default=0) + 1):
        members = [one for one in drawn.functions if column.get(one, 0) == number]
        corners.update({one: (left, place * _ROW) for place, one in enumerate(members)})
        left += max(map(_width, members), default=0) + _COLUMN_GAP
    return corners


def _width(function: Function) -> int:
    return _LETTER_WIDTH * len(function.name) + 20


def _node(drawn: Plan, function: Function, ident: str, corner: tuple[int, int]) -> Iterator[str]:
    values = {
        "label": function.name,
        "file": function.file,
        "line": function.line,
        "end_line": function.end_line,
        "static": _bool(function.static),
        "presence": function.presence,
        "focus": _bool(function in drawn.focus),
        "hubs": " ".join(drawn.hubs.get(function, ())),
    }
    yield f"    <node id={quoteattr(ident)}>"
    for name, value in values.items():
        yield f'      <data key="n_{name}">{escape(str(value))}</data>'
    x, y = corner
    yield '      <data key="y_node"><y:ShapeNode>'
    yield f'        <y:Geometry height="24.0" width="{_width(function)}.0" x="{x}.0" y="{y}.0"/>'
    yield '        <y:Fill color="#FFFFFF" transparent="false"/>'
    border = _FOCUS_WIDTH if function in drawn.focus else 1.0
    yield f'        <y:BorderStyle color="#444444" type="line" width="{border}"/>'
    yield f"        <y:NodeLabel>{escape(function.name)}</y:NodeLabel>"
    yield '        <y:Shape type="rectangle"/></y:ShapeNode></data>'
    yield "    </node>"


def _edge(link: Link, index: int, number: dict[Function, str]) -> Iterator[str]:
    best = link.edges[0]
    values = {
        "label": link.label,
        "kind": best.kind,
        "grade": best.grade,
        "style": link.style,
        "slot": best.slot,
        "table": best.table,
        "call": best.written,
        "call_file": best.site.file,
        "call_line": best.site.line,
        "presence": best.presence,
        "candidates": best.candidates,
        "weight": len(link.edges),
    }
    yield f'    <edge id="e{index}" source="{number[link.caller]}" target="{number[link.callee]}">'
    for name, value in values.items():
        yield f'      <data key="e_{name}">{escape(str(value))}</data>'
    label = f"<y:EdgeLabel>{escape(link.label)}</y:EdgeLabel>" if link.label else ""
    yield '      <data key="y_edge"><y:PolyLineEdge>'
    yield '        <y:Path sx="0.0" sy="0.0" tx="0.0" ty="0.0"/>'
    yield f'        <y:LineStyle color="#444444" type="{_LINES[link.style]}" width="1.0"/>'
    yield f'        <y:Arrows source="none" target="standard"/>{label}'
    yield '        <y:BendStyle smoothed="false"/></y:PolyLineEdge></data>'
    yield "    </edge>"


def _bool(value: bool) -> str:
    return "true" if value else "false"

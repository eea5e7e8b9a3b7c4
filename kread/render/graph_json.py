"""A drawing as JSON, schema kread.graph/1: functions, and every call between them with its evidence.

Theory of operation: the same plan as the other formats, but nothing is merged away: a link lists all its calls.
Functions are named by `file:name`, which is unique in a release.
"""

from __future__ import annotations

import json

from kread.render.drawing import Drawing, plan
from kread.render.listing_json import edge_object, function_object


def graph_json(drawing: Drawing) -> str:
    """The drawing as one indented JSON document."""
    drawn = plan(drawing)
    functions = [
        {
            "id": function.key,
            **function_object(function),
            "focus": function in drawn.focus,
            "hubs": list(drawn.hubs.get(function, ())),
        }
        for function in drawn.functions
    ]
    links = [
        {
            "caller": link.caller.key,
            "callee": link.callee.key,
            "style": link.style,
            "label": link.label,
            "calls": [edge_object(edge) for edge in link.edges],
        }
        for link in drawn.links
    ]
    clusters = [{"name": name, "functions": [one.key for one in members]} for name, members in drawn.clusters]
    head = {"schema": "kread.graph/1", "release": drawn.release, "title": drawn.title}
    return json.dumps({**head, "functions": functions, "links": links, "clusters": clusters}, indent=2) + "\n"

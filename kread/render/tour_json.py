"""A tour as JSON, schema kread.tour/1: what other programs (and the notes) stand on.

Theory of operation: as in `json_path`, keys and their order are written out, one function a noun. Trails have the form
that kread.path/1 gives them; a hand-over has a key of its own, so that nobody takes it for a call.
"""

from __future__ import annotations

import json
from typing import Any

from kread.facts import Function
from kread.graph.names import compiler_name
from kread.paths.shown_structures import ShownStructure
from kread.paths.tours import Seen, ShownStatement, ShownTour, Stop
from kread.render.handover import handover_object
from kread.render.json_path import trail_object

SCHEMA = "kread.tour/1"


def tour_json(shown: ShownTour) -> str:
    """The tour as one indented JSON document that ends with a line feed."""
    return json.dumps(tour_object(shown), indent=2, ensure_ascii=False) + "\n"


def tour_object(shown: ShownTour) -> dict[str, Any]:
    """The tour as plain dicts and lists. `complete`: there is no gap."""
    return {
        "schema": SCHEMA,
        "release": shown.release,
        "name": shown.tour.name,
        "title": shown.tour.title,
        "goal": shown.tour.goal,
        "complete": not shown.gaps,
        "structures": [_structure(one) for one in shown.structures],
        "legs": [{"title": leg.leg.title, "stops": [_stop(stop) for stop in leg.stops]} for leg in shown.legs],
        "statements": [_statement(one) for one in shown.statements],
    }


def _stop(stop: Stop) -> dict[str, Any]:
    waypoint = stop.waypoint
    return {
        "at": waypoint.at,
        "table": waypoint.table,
        **_place(stop.function),
        "reason": waypoint.reason,
        "gaps": list(stop.gaps),
        "look": _look(stop.seen, stop.function),
        "lead": trail_object(stop.lead) if stop.lead else None,
        "handover": handover_object(stop.handover) if stop.handover else None,
        "trail": trail_object(stop.trail) if stop.trail else None,
    }


def _place(function: Function | None) -> dict[str, Any]:
    if function is None:
        return {"function": None, "symbol": None, "file": None, "line": None, "end_line": None}
    return {
        "function": function.name,
        "symbol": compiler_name(function.name) if function.macro else function.name,
        "file": function.file,
        "line": function.line,
        "end_line": function.end_line,
    }


def _look(seen: tuple[Seen, ...], function: Function | None) -> list[dict[str, Any]]:
    file = function.file if function else None
    return [{"text": one.text, "file": file, "line": one.line or None} for one in seen]


def _structure(shown: ShownStructure) -> dict[str, Any]:
    return {
        "name": shown.structure.name,
        "file": shown.file or None,
        "line": shown.line or None,
        "reason": shown.structure.reason,
        "members": [
            {"name": name, "type": kind, "file": file, "line": line} for name, kind, file, line in shown.members
        ],
        "gaps": list(shown.gaps),
    }


def _statement(shown: ShownStatement) -> dict[str, Any]:
    statement = shown.statement
    return {
        "says": statement.says,
        "stands": statement.stands,
        "because": statement.because,
        **_place(shown.function),
        "look": _look(shown.seen, shown.function),
        "gaps": list(shown.gaps),
    }

"""An answer as JSON, schema kread.path/1: the contract that other programs stand on.

Theory of operation: keys and their order are written out here, one function a noun; nothing is taken from the nouns
by reflection, so that a renamed field can't change the contract. The last step of a trail has no call. A new key
makes no new version of the schema, a changed or missing one does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kread.facts import Edge, Evidence, Guard, Step, Trail
from kread.graph.names import compiler_name
from kread.paths.answer import Answer
from kread.render.handover import handover_object

if TYPE_CHECKING:
    from kread.paths.across import Crossing

SCHEMA = "kread.path/1"


def path_json(answer: Answer) -> str:
    """The answer as one indented JSON document that ends with a line feed."""
    return json.dumps(path_object(answer), indent=2, ensure_ascii=False) + "\n"


def path_object(answer: Answer) -> dict[str, Any]:
    """The answer as plain dicts and lists, keys in the order of the contract."""
    return {
        "schema": SCHEMA,
        "release": answer.release,
        "caller": answer.caller,
        "callee": answer.callee,
        "complete": answer.complete,
        "trails": [trail_object(trail) for trail in answer.trails],
        "others": [{"family": trail.family, "hops": trail.hops} for trail in answer.others],
        "cut": list(answer.cut),
        "notes": list(answer.notes),
        "handovers": [crossing_object(crossing) for crossing in answer.crossings],
    }


def crossing_object(crossing: Crossing) -> dict[str, Any]:
    """A hand-over between the ends, which is no call: never among the trails."""
    return {
        **handover_object(crossing.handover),
        "lead": trail_object(crossing.lead) if crossing.lead else None,
        "trail": trail_object(crossing.trail) if crossing.trail else None,
    }


def trail_object(trail: Trail) -> dict[str, Any]:
    """One family and its steps."""
    return {"family": trail.family, "steps": [step_object(step) for step in trail.steps]}


def step_object(step: Step) -> dict[str, Any]:
    """One function, with the call that leaves it; the last step has none. `symbol` is the compiler's name."""
    function = step.function
    out: dict[str, Any] = {
        "function": function.name,
        "symbol": compiler_name(function.name) if function.macro else function.name,
        "file": function.file,
        "line": function.line,
        "end_line": function.end_line,
    }
    if step.edge:
        out["call"] = call_object(step, step.edge)
    return out


def call_object(step: Step, edge: Edge) -> dict[str, Any]:
    """The call that leaves a step, with what justifies it and what it needs."""
    return {
        "file": edge.site.file,
        "line": edge.site.line,
        "column": edge.site.column,
        "text": edge.written,
        "kind": edge.kind,
        "grade": edge.grade,
        "candidates": edge.candidates,
        "guards": [guard_object(guard) for guard in step.guards],
        "presence": edge.presence,
        "evidence": [evidence_object(one) for one in edge.evidence],
    }


def guard_object(guard: Guard) -> dict[str, Any]:
    """A condition: `holds` says whether the text is true or false at the call, `then` what a variable of it became since."""
    out: dict[str, Any] = {"line": guard.line, "text": guard.text, "holds": guard.holds}
    if guard.then:
        out["then"] = {"line": guard.then_line, "text": guard.then}
    return out


def evidence_object(one: Evidence) -> dict[str, Any]:
    """A line of the source that justifies the edge."""
    return {"file": one.file, "line": one.line, "text": one.text}

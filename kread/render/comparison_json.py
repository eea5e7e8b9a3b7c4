"""What differs between two releases' answers as JSON, schema kread.comparison/1: keys written out, in a fixed order."""

from __future__ import annotations

import json
from typing import Any

from kread.facts import Step, Trail
from kread.paths.compare import Comparison, FamilyChange, StepChange
from kread.render.json_path import guard_object, step_object

SCHEMA = "kread.comparison/1"


def comparison_json(found: Comparison) -> str:
    """The comparison as one indented JSON document that ends with a line feed.

    `is` of a family and of a step: "same", "changed", "gone" (only in `before`) or "new" (only in `after`).
    """
    written = {
        "schema": SCHEMA,
        "caller": found.after.caller,
        "callee": found.after.callee,
        "before": {"release": found.before.release, "complete": found.before.complete},
        "after": {"release": found.after.release, "complete": found.after.complete},
        "families": [_family(family) for family in found.families],
    }
    return json.dumps(written, indent=2, ensure_ascii=False) + "\n"


def _family(family: FamilyChange) -> dict[str, Any]:
    return {
        "family": family.trail.family,
        "is": _is(family.before, family.after, family.same),
        "before": _names(family.before),
        "after": _names(family.after),
        "steps": [_step(step) for step in family.steps],
    }


def _names(trail: Trail | None) -> list[str] | None:
    return [step.function.name for step in trail.steps] if trail else None


def _step(step: StepChange) -> dict[str, Any]:
    return {
        "function": step.name,
        "is": _is(step.before, step.after, step.same),
        "before": step_object(step.before) if step.before else None,
        "after": step_object(step.after) if step.after else None,
        "conditions": {
            "gone": [guard_object(guard) for guard in step.gone],
            "new": [guard_object(guard) for guard in step.come],
            "same": step.kept,
        },
        "held": {"gone": [one.text for one in step.let_go], "new": [one.text for one in step.taken]},
    }


def _is(before: Trail | Step | None, after: Trail | Step | None, same: bool) -> str:
    if before is None:
        return "new"
    if after is None:
        return "gone"
    return "same" if same else "changed"

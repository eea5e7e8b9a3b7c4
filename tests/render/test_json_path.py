"""kread.path/1 as the contract writes it: keys and order, spelled out again here by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import samples

from kread.render.json_path import path_json


def test_keys_and_their_order() -> None:
    found = json.loads(path_json(samples.ANSWER))
    assert list(found) == [
        "schema",
        "release",
        "caller",
        "callee",
        "complete",
        "trails",
        "others",
        "cut",
        "notes",
        "handovers",
    ]
    assert found["schema"] == "kread.path/1"
    trail = found["trails"][0]
    assert list(trail) == ["family", "steps"]
    first, second, *_, last = trail["steps"]
    assert list(first) == ["function", "symbol", "file", "line", "end_line", "call"]
    assert list(last) == ["function", "symbol", "file", "line", "end_line"]
    call = second["call"]
    assert list(call) == [
        *["file", "line", "column", "text", "kind", "grade", "candidates", "guards", "presence", "evidence"],
    ]
    assert call["guards"][1] == {"line": 1903, "text": "th->ack", "holds": False}
    assert call["evidence"][0] == {"file": "net/thing/four.c", "line": 2471, "text": "t->ops = &thing4_ops"}


def test_no_path_is_an_empty_list() -> None:
    found = json.loads(path_json(samples.NOTHING))
    assert found["trails"] == []
    assert found["complete"] is True

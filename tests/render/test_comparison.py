"""The text and the JSON of a comparison of two releases."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import samples

from kread.facts import Guard, Trail
from kread.paths.compare import compare
from kread.render.comparison import comparison_text
from kread.render.comparison_json import comparison_json
from kread.render.layout import NARROWEST

GOLD = Path(__file__).parent / "gold"

_table, _request = samples.FIRST.steps[1], samples.FIRST.steps[3]
OLD = replace(
    samples.ANSWER,
    release="v5.10.1",
    trails=(
        replace(
            samples.FIRST,
            steps=(
                samples.FIRST.steps[0],
                replace(
                    _table, guards=(*_table.guards[:2], Guard(1801, "th->older", False, "exit", "goto drop")), held=()
                ),
                replace(
                    samples.FIRST.steps[2],
                    function=replace(samples.FIRST.steps[2].function, file="net/thing/old.c", line=90),
                ),
                _request,
                samples.FIRST.steps[4],
            ),
        ),
        replace(samples.SECOND, steps=(samples.SECOND.steps[0], *samples.SECOND.steps[2:])),
        Trail("Gone since", (samples.SECOND.steps[0], samples.SECOND.steps[3])),
    ),
)
FOUND = compare(OLD, samples.ANSWER, 4)


def test_the_text_is_the_gold_file() -> None:
    assert comparison_text(FOUND) == (GOLD / "comparison.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [NARROWEST, 60, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, comparison_text(FOUND, width=width).splitlines())) <= width


def test_where_one_release_has_no_path_it_says_so() -> None:
    text = comparison_text(compare(replace(OLD, trails=()), samples.ANSWER, 4))
    assert "No path in v5.10.1." in text
    assert text.count("only in v6.12.117") == 2


def test_the_json_says_of_each_what_it_is() -> None:
    found = json.loads(comparison_json(FOUND))
    assert found["schema"] == "kread.comparison/1"
    assert [family["is"] for family in found["families"]] == ["changed", "changed", "gone"]
    first = found["families"][0]
    assert [step["is"] for step in first["steps"]] == ["same", "changed", "changed", "same", "same"]
    conditions = first["steps"][1]["conditions"]
    assert [guard["text"] for guard in conditions["gone"]] == ["th->older"]
    assert [guard["text"] for guard in conditions["new"]] == ["th->first"]
    assert conditions["same"] == 2
    assert first["steps"][1]["held"]["new"] == ["rcu_read_lock", "local_bh_disable"]
    assert [step["is"] for step in found["families"][1]["steps"]] == ["same", "new", "same", "same"]

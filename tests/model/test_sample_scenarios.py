"""The scenarios by which the model is judged, as far as a sample is at hand: every row that can be mapped agrees."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sample_rows import SampleRow, Unmapped, disagreements, read, script

from kread.data import load
from kread.model.play import play
from kread.model.policy import policies
from kread.model.script import parse

SAMPLE = Path(__file__).resolve().parents[3] / "shared" / "kernel" / "scenarios-sample.tsv"
ROWS = read(SAMPLE) if SAMPLE.is_file() else []
needs_sample = pytest.mark.skipif(not ROWS, reason=f"no {SAMPLE.name} beside the checkout, in shared/kernel")


@needs_sample
@pytest.mark.parametrize("row", ROWS, ids=[f"{row.id}-{row.release}" for row in ROWS])
def test_the_model_agrees_with_the_row(row: SampleRow) -> None:
    try:
        text = script(row)
    except Unmapped as phrase:
        pytest.skip(f"not mapped: {phrase}")
    run = play(parse(text, row.id), policies(load("policies"))[row.release])
    assert not disagreements(row, run), text


@needs_sample
def test_the_share_that_is_mapped_and_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    ends: Counter[str] = Counter()
    for row in ROWS:
        try:
            run = play(parse(script(row), row.id), policies(load("policies"))[row.release])
        except Unmapped:
            ends["not mapped"] += 1
            continue
        ends["disagree" if disagreements(row, run) else "agree"] += 1
    with capsys.disabled():
        print(f"\nsample scenarios: {dict(ends)} of {len(ROWS)}")
    assert ends["agree"] >= 0.95 * len(ROWS)

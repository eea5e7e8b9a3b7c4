"""What must not be claimed: false edges and paths, found by hand and by a compiler's over-approximation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kread.graph.callgraph import CallGraph

GraphOf = Callable[[str], CallGraph]

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY.parent / "shared" / "kernel" / "negatives-sample.tsv"
CASES = REPOSITORY / "benchmarks" / "data"

sys.path.insert(0, str(REPOSITORY / "benchmarks"))


@pytest.mark.parametrize("release", ["5.10", "6.1", "6.12", "7.2"])
@pytest.mark.parametrize(
    ("cases", "least"), [("negatives_own.tsv", 15), ("negatives_unseen.tsv", 10), ("negatives_fresh.tsv", 3)]
)
def test_none_of_our_own_is_claimed(release: str, cases: str, least: int, graph_of: GraphOf) -> None:
    from negatives import read, violations

    rows = read(CASES / cases, release)
    assert len(rows) > least
    assert violations(graph_of(release), rows) == []


def test_none_of_the_sample_is_claimed(graph_of: GraphOf) -> None:
    from negatives import read, violations

    if not SAMPLE.is_file():
        pytest.skip("the sample of negatives is not beside the checkout; to enable, put shared/kernel/ there")
    assert violations(graph_of("6.12"), read(SAMPLE, "6.12")) == []

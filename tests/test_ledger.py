"""The ledger: no figure of 6.12 is worse than ACCURACY.md says, and the page is what the program makes of its figures.

What compilers say is partly in the repository; net/ipv4's truth is asked where it lies beside the checkout.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from kread.graph.callgraph import CallGraph

REPOSITORY = Path(__file__).resolve().parent.parent
#: Functions of a release with a line that the parser cannot read: fewer than one in 200.
READ_WHOLE = 0.995


def _ledger() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ledger", REPOSITORY / "benchmarks" / "ledger.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ledger"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


ledger = _ledger()
TEXT = (REPOSITORY / "ACCURACY.md").read_text(encoding="utf-8")
TRUTHS = [ledger.DATA / "truth" / ledger.OF_TRUTH, REPOSITORY.parent / "shared" / "truth" / ledger.OF_TRUTH]


def test_no_figure_is_worse_than_the_ledger_says(graph: CallGraph) -> None:
    known = ledger.read_page(TEXT)
    if graph.release not in {figure.release for figure in known}:
        pytest.skip(f"the ledger has no {graph.release}; to enable, give the tests a tree of a release that it has")
    truths = [truth for truth in TRUTHS if truth.is_dir()]
    now = ledger.default_figures(graph.file, ledger.parts_of(truths))
    assert ledger.worse(now, known) == []
    measured = {figure.key for figure in now if not figure.name.startswith(ledger.EXPLAINS)}
    assert measured <= {figure.key for figure in known}
    assert {place for _, place, _ in measured} >= {"default scope", "part of net/core", "decided by hand"}
    assert {name for _, place, name in measured if place == "part of net/core"} >= {
        "recall, written", "recall, macro-made", "precision, direct", "precision, macro"
    }  # fmt: skip


def test_the_page_is_made_of_its_figures() -> None:
    assert ledger.page(ledger.read_page(TEXT)) == TEXT


def test_every_release_is_read_nearly_whole() -> None:
    shares = {
        figure.release.split(".", 2)[:2][0] + "." + figure.release.split(".", 2)[1]: figure.hits / figure.total
        for figure in ledger.read_page(TEXT)
        if figure.name == "functions read without a fault" and figure.place == ledger.DEFAULT
    }
    assert set(shares) == {f"v{release}" for release in ledger.RELEASES}
    assert all(share >= READ_WHOLE for share in shares.values())


@pytest.mark.parametrize(
    ("name", "before", "now", "bad"),
    [
        ("recall, written", (10, 10), (9, 10), True),
        ("recall, written", (9, 10), (18, 20), False),
        ("unresolved calls", (5, 0), (6, 0), True),
        ("unresolved calls", (5, 0), (4, 0), False),
        ("unresolved: some reason", (5, 0), (6, 0), False),
    ],
)
def test_shares_may_not_fall_and_counts_not_rise(
    name: str, before: tuple[int, int], now: tuple[int, int], bad: bool
) -> None:
    rows = [ledger.Figure("v1", "here", name, *each) for each in (now, before)]
    assert bool(ledger.worse(rows[:1], rows[1:])) is bad

"""Graphs of four releases for the tests of paths and tours; built once for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from kread.graph.build import build
from kread.graph.callgraph import CallGraph
from kread.source.progress import Silent
from kread.source.tree import open_tree


@pytest.fixture(scope="session")
def graph_of(tree: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], CallGraph]:
    """A function that takes "6.12" and gives the call graph of that release's default scope."""
    home = os.environ.get("KREAD_TEST_HOME") or str(tmp_path_factory.mktemp("graphs"))

    @cache
    def graph(release: str) -> CallGraph:
        root = tree(release)
        before = os.environ.get("KREAD_HOME")
        os.environ["KREAD_HOME"] = home
        try:
            return CallGraph(build(open_tree(root), (), Silent()))
        finally:
            if before is None:
                del os.environ["KREAD_HOME"]
            else:
                os.environ["KREAD_HOME"] = before

    return graph

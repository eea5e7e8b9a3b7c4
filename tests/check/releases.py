"""Releases with one change, for the tests of kread.check."""

from __future__ import annotations

from kread.check.bodies import Bodies
from kread.graph.callgraph import CallGraph


class _Changed(Bodies):
    """The functions of a graph, but one file has another text."""

    def __init__(self, graph: CallGraph, file: str, text: bytes) -> None:
        super().__init__(graph)
        self._data[file] = text


def changed(graph: CallGraph, file: str, old: str, new: str) -> Bodies:
    """A release in which the first `old` of a file is `new`; lines must stay where they are."""
    text = (graph.root / file).read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old}"
    assert old.count("\n") == new.count("\n")
    return _Changed(graph, file, text.replace(old, new, 1).encode())

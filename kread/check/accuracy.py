"""How right the call graph is: recall and precision of calls by name against what a compiler says of the same source.

The truth is a folder with PREFIX.calls.tsv.gz, PREFIX.functions.tsv.gz and PREFIX.inactive.tsv.gz (tab-separated,
the first line names the columns): a compiler's calls, the functions it saw, and the lines that its configuration left out. An
edge is (caller's file, caller, callee's file, callee), and only callers that the truth lists, in files that the graph
has read, count. A callee of which the truth, or the graph, knows no definition is compared by name. The compiler's own
builtins are no edges, and a static call is one through a pointer that is patched into the code. A graph with a
configuration is compared as it is; without one, edges on lines that the compiler left out are set aside. Where the truth
tells which functions are put into which fields, these places count too (kread.check.fields).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kread.check.fields import known_places
from kread.check.truth import rows
from kread.data import load
from kread.graph.callgraph import CallGraph

#: How a call's name stands in the source, by the truth; the best of an edge's classes counts. The first two are
#: written at the site, the others are made by macros.
CLASSES = ("src", "arg", "argname", "body", "paste", "cleanup")
_WRITTEN = 2

#: SQLite takes at most this many values in one statement on its oldest supported builds.
_VALUES = 400

#: (caller's file, caller, callee)
Call = tuple[str, str, str]


@dataclass(frozen=True, slots=True, order=True)
class Share:
    """So many of so many, e.g. "recall, written" 9,990 of 10,000."""

    name: str
    hits: int
    total: int

    def __str__(self) -> str:
        return f"{self.hits:,} of {self.total:,} = {self.hits / self.total:.2%}" if self.total else "none to compare"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The outcome: recall and precision by group, and the edges on one side only, as rows of text."""

    recall: tuple[Share, ...]
    precision: tuple[Share, ...]
    missed: tuple[tuple[str, ...], ...]
    extra: tuple[tuple[str, ...], ...]


def compare(graph: CallGraph, truth: Path, prefix: str) -> Accuracy:
    """Compare a graph with one part of the truth."""
    read = frozenset(graph.files)
    callers = {(row["file"], row["name"]) for row in rows(truth / f"{prefix}.functions.tsv.gz") if row["file"] in read}
    told = {call: places for call, places in _told(truth, prefix).items() if call[0] in read}
    found = _found(graph, callers, _inactive(truth, prefix) if graph.config is None else {})
    asked: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    missed = []
    for call, places in told.items():
        mine = found.get(call, {})
        for place, (kind, where) in places.items():
            asked[kind] += 1
            if _same(place, mine):
                hit[kind] += 1
            else:
                missed.append((kind, *call, place, where, "wrong file " + ",".join(mine) if mine else ""))
    given: Counter[str] = Counter()
    good: Counter[str] = Counter()
    extra = []
    for call, places in found.items():
        if call[:2] not in callers:
            continue
        for place, (kind, where) in places.items():
            group = "direct" if kind == "direct" else "macro"
            given[group] += 1
            if _same(place, told.get(call, {})):
                good[group] += 1
            else:
                extra.append((group, *call, place, where))
    recall = [
        Share("recall, written", sum(map(hit.__getitem__, CLASSES[:2])), sum(map(asked.__getitem__, CLASSES[:2])))
    ]
    made = CLASSES[_WRITTEN:]
    recall.append(Share("recall, macro-made", sum(map(hit.__getitem__, made)), sum(map(asked.__getitem__, made))))
    recall += [Share(f"recall, {kind}", hit[kind], asked[kind]) for kind in CLASSES]
    fields, unknown = known_places(graph, truth, prefix)
    if fields:
        recall.append(Share("recall, functions put into fields", fields - len(unknown), fields))
    precision = [Share(f"precision, {group}", good[group], given[group]) for group in ("direct", "macro")]
    return Accuracy(tuple(recall), tuple(precision), tuple(sorted([*missed, *unknown])), tuple(sorted(extra)))


def _same(place: str, places: Mapping[str, object]) -> bool:
    """Whether one of these callees is the one at a place; "" is a callee without a definition."""
    return place in places or bool(places and (place == "" or "" in places))


def _told(truth: Path, prefix: str) -> dict[Call, dict[str, tuple[str, str]]]:
    """What the compiler says: call -> callee's file -> (class, place)."""
    found: dict[Call, dict[str, tuple[str, str]]] = defaultdict(dict)
    compiled = tuple(row["prefix"] for row in load("names")["compiled"])
    for row in rows(truth / f"{prefix}.calls.tsv.gz"):
        if row["callee_kind"] == "builtin" or row["callee"].startswith(compiled):
            continue
        known = found[row["caller_file"], row["caller"], row["callee"]]
        place = row["callee_file"] if row["callee_kind"] != "decl" else ""
        if place not in known or CLASSES.index(row["class"]) < CLASSES.index(known[place][0]):
            known[place] = (row["class"], f"{row['file']}:{row['line']} {row['outer_macro']}/{row['inner_macro']}")
    return found


def _inactive(truth: Path, prefix: str) -> dict[str, list[tuple[int, int]]]:
    """The lines that the compiler's configuration left out: file -> (first, last) of each region."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows(truth / f"{prefix}.inactive.tsv.gz"):
        found[row["file"]].append((int(row["begin_line"]), int(row["end_line"])))
    return found


def _found(
    graph: CallGraph, callers: set[tuple[str, str]], inactive: Mapping[str, list[tuple[int, int]]]
) -> dict[Call, dict[str, tuple[str, str]]]:
    """What the graph says: call -> callee's file -> (kind, place and text)."""
    found: dict[Call, dict[str, tuple[str, str]]] = defaultdict(dict)
    files = sorted({file for file, _ in callers})
    for start in range(0, len(files), _VALUES):
        part = files[start : start + _VALUES]
        for caller_file, caller, callee, callee_file, defined, line, kind, cond, text in graph.store.query(
            "SELECT a.file, a.name, b.name, b.file, b.defined, e.line, e.kind, e.presence, e.text FROM edge e"
            " JOIN function a ON a.id = e.caller JOIN function b ON b.id = e.callee"
            f" WHERE a.file IN ({','.join('?' * len(part))}) AND e.kind IN ('direct', 'macro', 'cleanup')",
            part,
        ):
            if not graph.compiled(cond) or any(first < line < last for first, last in inactive.get(caller_file, ())):
                continue
            place = callee_file if defined or callee_file.endswith(".c") else ""
            found[caller_file, caller, callee][place] = (kind, f"{caller_file}:{line} {text}")
    return found

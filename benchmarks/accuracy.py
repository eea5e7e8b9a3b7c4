"""How right the call graph is: recall and precision of direct edges against what a compiler says.

    python benchmarks/accuracy.py TRUTH_DIR PREFIX GRAPH.sqlite [--config FILE] [--list missed|extra]

TRUTH_DIR holds PREFIX.calls.tsv.gz, .inactive, .functions and headers.functions (the columns are those of a Clang
AST dump: see the README that comes with the truth). An edge is (caller file, caller, callee file, callee); only callers that
the truth lists count. A callee of which the truth, or the graph, knows no definition is compared by name. The compiler's own
builtins and compile-time assertions are no edges. With --config the graph is cut to that configuration; without it,
edges whose site lies in an inactive region are set aside.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections import Counter, defaultdict
from pathlib import Path

from kread.graph.callgraph import CallGraph
from kread.presence import Config

WRITTEN = ("src", "arg")
#: The best of an edge's classes counts: an edge that is written somewhere is a written edge.
ORDER = ("src", "arg", "argname", "body", "paste", "cleanup")


def rows(file: Path) -> list[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    parser.add_argument("prefix")
    parser.add_argument("graph", type=Path)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--list", choices=("missed", "extra"))
    args = parser.parse_args()

    graph = CallGraph(args.graph, Config.read(args.config) if args.config else None)
    truth: dict[tuple[str, str, str], dict[str, tuple[str, str]]] = defaultdict(dict)
    callers = {(row["file"], row["name"]) for row in rows(args.truth / f"{args.prefix}.functions.tsv.gz")}
    for row in rows(args.truth / f"{args.prefix}.calls.tsv.gz"):
        if row["callee_kind"] == "builtin" or row["callee"].startswith("__compiletime_assert_"):
            continue
        known = truth[row["caller_file"], row["caller"], row["callee"]]
        place = row["callee_file"] if row["callee_kind"] != "decl" else ""
        if place not in known or ORDER.index(row["class"]) < ORDER.index(known[place][0]):
            known[place] = (row["class"], f"{row['file']}:{row['line']} {row['outer_macro']}/{row['inner_macro']}")
    inactive: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows(args.truth / f"{args.prefix}.inactive.tsv.gz"):
        inactive[row["file"]].append((int(row["begin_line"]), int(row["end_line"])))

    found: dict[tuple[str, str, str], dict[str, tuple[str, str, str]]] = defaultdict(dict)
    files = sorted({file for file, _ in callers})
    for start in range(0, len(files), 400):
        part = files[start : start + 400]
        query = (
            "SELECT a.file, a.name, b.name, b.file, b.defined, e.line, e.kind, e.presence, e.text FROM edge e"
            " JOIN function a ON a.id = e.caller JOIN function b ON b.id = e.callee"
            f" WHERE a.file IN ({','.join('?' * len(part))}) AND e.kind IN ('direct', 'macro', 'cleanup', 'static_call')"
        )
        for caller_file, caller, callee, callee_file, defined, line, kind, cond, text in graph.store.query(query, part):
            if not graph.compiled(cond):
                continue
            if args.config is None and any(a < line < b for a, b in inactive.get(caller_file, ())):
                continue
            place = callee_file if defined or callee_file.endswith(".c") else ""
            found[caller_file, caller, callee][place] = (kind, f"{caller_file}:{line}", text)

    classes: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    missed: list[tuple[str, ...]] = []
    for key, places in truth.items():
        mine = found.get(key, {})
        for place, (kind, where) in places.items():
            group = "written" if kind in WRITTEN else kind
            classes[group] += 1
            if place in mine or (mine and (place == "" or "" in mine)):
                hit[group] += 1
            else:
                missed.append((group, *key, place, where, "wrong file " + ",".join(mine) if mine else ""))
    extra: list[tuple[str, ...]] = []
    total: Counter[str] = Counter()
    good: Counter[str] = Counter()
    for key, places in found.items():
        if (key[0], key[1]) not in callers:
            continue
        known_places = truth.get(key, {})
        for place, (kind, where, text) in places.items():
            group = "direct" if kind == "direct" else "macro"
            total[group] += 1
            if place in known_places or (known_places and (place == "" or "" in known_places)):
                good[group] += 1
            else:
                extra.append((group, *key, place, where, text[:80]))
    made = sum(classes[name] for name in ORDER[2:])
    print(
        f"recall, written     {hit['written']}/{classes['written']} = {hit['written'] / max(1, classes['written']):.4%}"
    )
    made_hit = sum(hit[name] for name in ORDER[2:])
    print(f"recall, macro-made  {made_hit}/{made} = {made_hit / max(1, made):.4%}")
    for name in ORDER[2:]:
        print(f"    {name:8} {hit[name]}/{classes[name]}")
    for name in ("direct", "macro"):
        print(f"precision, {name:7}  {good[name]}/{total[name]} = {good[name] / max(1, total[name]):.4%}")
    for row in sorted(missed if args.list == "missed" else extra if args.list == "extra" else []):
        print("\t".join(row))


if __name__ == "__main__":
    main()

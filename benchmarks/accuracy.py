"""How right the call graph is: recall and precision of direct edges against what a compiler says.

    python benchmarks/accuracy.py TRUTH_DIR PREFIX GRAPH.sqlite [--config FILE] [--list missed|extra]

`kread doctor --truth TRUTH_DIR` tells the same of the graph that it has; here any graph can be given. What is compared
and how stands in kread/check/accuracy.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kread.check.accuracy import compare
from kread.graph.callgraph import CallGraph
from kread.presence import Config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    parser.add_argument("prefix")
    parser.add_argument("graph", type=Path)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--list", choices=("missed", "extra"))
    args = parser.parse_args()
    found = compare(CallGraph(args.graph, Config.read(args.config) if args.config else None), args.truth, args.prefix)
    for share in (*found.recall, *found.precision):
        print(f"{share.name:20}{share}")
    for row in found.missed if args.list == "missed" else found.extra if args.list == "extra" else ():
        print("\t".join(row))


if __name__ == "__main__":
    main()

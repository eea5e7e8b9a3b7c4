"""The ledger: ACCURACY.md, by release and place, made from the graphs themselves and what compilers and people say of them.

    python benchmarks/ledger.py TREES [--truth DIR ...] [-o ACCURACY.md]

TREES is a folder with kernel trees (linux-source-X.Y); those of RELEASES are indexed where they are not yet. A truth
is a folder as clang_truth.py writes it, with the configuration it was made under in a file `config` (or config.gz);
its parts that the default scope reads are compared with that, the others with one scope of their directories. The one
in benchmarks/data/truth is always asked. A figure is a share, the more the better, or (without a whole) a count of what is
wrong, the fewer the better; the reasons of unresolved calls only explain the count above them.

tests/test_ledger.py computes what it can anew and fails where a figure is worse than the ledger says.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kread.check.accuracy import compare
from kread.check.census import census
from kread.check.truth import prefixes
from kread.graph.build import build
from kread.graph.callgraph import CallGraph
from kread.presence import Config
from kread.source.progress import Silent
from kread.source.tree import open_tree

RELEASES = ("5.10", "6.1", "6.12", "7.2")
#: The release that compilers and people were asked about.
OF_TRUTH = "6.12"
DATA = Path(__file__).parent / "data"
DEFAULT = "default scope"
#: Edges of calls through pointers, of which the grade says how they are known.
POINTERS = ("ops_table", "slot_assignment", "parameter", "callback", "static_call")
#: Of these rows the sum is watched: a reason that is told better is no loss.
EXPLAINS = "unresolved: "
#: Figures of a scope before the reasons of what is unresolved.
WATCHED = 4
OPEN = ", all configurations"

HEADER = """# Accuracy

How right kread's call graph is, by release and place. `python benchmarks/ledger.py` makes this page (it says how to
call it), and a test fails when a change makes a figure of 6.12 worse.

Recall and precision of calls by name are those of edges (caller's file, caller, callee's file, callee), against what
Clang says of the same files under one configuration: *written* stand at the call, names in a macro's arguments included;
*macro-made* come out of a macro's body. kread is compared under the same configuration; *all configurations*
is without one: what other configurations compile is then no error of kread's, but counts as one outside of
the regions that the compiler left out of the caller's own file. The truth of net/ipv4 was made by a tool of its own, the others by
`benchmarks/clang_truth.py`, which agrees with it. *Decided by hand* are calls through pointers whose
targets were read off the source (`benchmarks/data/pointer_sites_6.12.tsv`).

To repeat a line: `kread index --scope PLACE`, then `kread doctor --scope PLACE --truth DIR --config FILE`.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """A share (`hits` of `total`) or, with `total` 0, a count of what is wrong; e.g. recall of written calls in fs/ext4."""

    release: str
    place: str
    name: str
    hits: int
    total: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.release, self.place, self.name)

    def worse_than(self, other: Figure) -> bool:
        """Whether this is a worse outcome of the same measurement."""
        if self.name.startswith(EXPLAINS):
            return False
        if not self.total:
            return self.hits > other.hits
        return self.hits * other.total < other.hits * self.total

    def __str__(self) -> str:
        if not self.total:
            return f"| {self.place} | {self.name} | {self.hits:,} | |"
        percent = f"{100 * self.hits / self.total:.2f}"
        if percent == "100.00" and self.hits < self.total:
            percent = "99.99"  # what is not whole is not shown as if it were
        return f"| {self.place} | {self.name} | {self.hits:,} of {self.total:,} | {percent} % |"


def scope_figures(graph: CallGraph, place: str) -> list[Figure]:
    """What a graph says of itself: faults, grades, unresolved calls."""
    found = census(graph)
    release = graph.release
    faulty = len({(fault.file, fault.function) for fault in found.faults if fault.function})
    grades: Counter[str] = Counter()
    for kind, grade, count in found.edges:
        if kind in POINTERS:
            grades[grade] += count
    figures = [  # WATCHED of them
        Figure(release, place, "functions read without a fault", found.functions - faulty, found.functions),
        Figure(release, place, "lines that could not be parsed", len(found.faults)),
        Figure(release, place, "edges through pointers, proved by object", grades["object"], grades.total()),
        Figure(release, place, "unresolved calls", len(found.unresolved)),
    ]
    return figures + [Figure(release, place, EXPLAINS + reason, count) for reason, count in found.reasons]


def compared(graph: CallGraph, truth: Path, prefix: str, more: str = "") -> list[Figure]:
    """Recall and precision against one part of a truth; nothing where the graph has read none of its files."""
    found = compare(graph, truth, prefix)
    place = prefix.replace("-", "/")
    if not reads(graph.file, truth, prefix):
        place = f"part of {place}"
    return [
        Figure(graph.release, place, share.name + more, share.hits, share.total)
        for share in (*found.recall, *found.precision)
        if share.total and not (more and share.name.startswith("recall"))
    ]


def files(truth: Path, prefix: str) -> set[str]:
    """The files whose functions a part of a truth knows."""
    with gzip.open(truth / f"{prefix}.functions.tsv.gz", "rt", encoding="utf-8") as stream:
        return {row["file"] for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)}


def truth_figures(file: Path, truth: Path, prefix: str) -> list[Figure]:
    """The figures of a part of a truth under its configuration, and without one."""
    figures = compared(CallGraph(file, Config.read(configuration(truth))), truth, prefix)
    return figures + compared(CallGraph(file), truth, prefix, OPEN) if figures else []


def configuration(truth: Path) -> Path:
    """The configuration that a truth was made under."""
    return next(file for file in (truth / "config", truth / "config.gz") if file.is_file())


def decided_figures(graph: CallGraph, decided: Path) -> list[Figure]:
    """Recall and precision of calls through pointers at the sites that were decided by hand."""
    sites: dict[tuple[str, str, int, str], set[str]] = defaultdict(set)
    rows = graph.store.query(
        "SELECT a.file, a.name, e.line, e.text, b.name FROM edge e JOIN function a ON a.id = e.caller"
        " JOIN function b ON b.id = e.callee WHERE e.kind IN ('ops_table', 'slot_assignment', 'parameter', 'callback')"
    )
    for file, caller, line, text, callee in rows:
        sites[file, caller, line, text].add(callee)
    for call in graph.unresolved():
        sites[call.caller.file, call.caller.name, call.line, call.text]
    known = {name for (name,) in graph.store.query("SELECT name FROM function WHERE defined")}
    wanted: dict[tuple[str, str], set[str]] = {}
    with open(decided, encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            wanted[row["caller"], row["callee"]] = set(row["targets"].split())
    hit = asked = given = 0
    for (file, caller, _, text), mine in sites.items():
        for (where, callee), targets in wanted.items():
            if where in (caller, f"{file}:{caller}") and text.startswith(f"{callee}("):
                feasible = targets & (known | mine)
                hit, asked, given = hit + len(feasible & mine), asked + len(feasible), given + len(mine)
    place = "decided by hand"
    return [
        Figure(graph.release, place, "recall, calls through pointers", hit, asked),
        Figure(graph.release, place, "precision, calls through pointers", hit, given),
    ]


def default_figures(file: Path, parts: Iterable[tuple[Path, str]]) -> list[Figure]:
    """All figures of the default scope of the release that the parts of truths and the decided sites are of."""
    graph = CallGraph(file)
    figures = scope_figures(graph, DEFAULT)
    figures += [figure for truth, prefix in parts for figure in truth_figures(file, truth, prefix)]
    return figures + decided_figures(graph, DATA / f"pointer_sites_{OF_TRUTH}.tsv")


def parts_of(truths: Iterable[Path]) -> list[tuple[Path, str]]:
    """The parts of truths, each as (folder, name)."""
    return [(truth, prefix) for truth in truths for prefix in prefixes(truth)]


def reads(file: Path, truth: Path, prefix: str) -> bool:
    """Whether a graph's scope has every file of a part of a truth."""
    return files(truth, prefix) <= set(CallGraph(file).files)


def page(figures: Sequence[Figure]) -> str:
    """ACCURACY.md."""
    lines = [HEADER]
    release = ""
    for figure in figures:
        if figure.release != release:
            release = figure.release
            lines.append(f"\n## {release}\n\n| Place | What | | |\n|---|---|---|---|\n")
        lines.append(f"{figure}\n")
    return "".join(lines)


def read_page(text: str) -> list[Figure]:
    """The figures of ACCURACY.md."""
    figures = []
    release = ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if line.startswith("## "):
            release = line[3:]
        elif len(cells) == 6 and cells[3][:1].isdigit():
            hits, _, total = cells[3].replace(",", "").partition(" of ")
            figures.append(Figure(release, cells[1], cells[2], int(hits), int(total or 0)))
    return figures


def worse(now: Iterable[Figure], before: Iterable[Figure]) -> list[str]:
    """What is worse now than it was, in words; of what one side alone has, nothing is said."""
    known = {figure.key: figure for figure in before}
    return [
        f"{figure.place}, {figure.name}: {figure.hits} of {figure.total}, was {known[figure.key].hits} of"
        f" {known[figure.key].total}"
        for figure in now
        if figure.key in known and figure.worse_than(known[figure.key])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", type=Path)
    parser.add_argument("--truth", type=Path, action="append", default=[])
    parser.add_argument("-o", "--output", type=Path, default=Path("ACCURACY.md"))
    args = parser.parse_args()
    figures: list[Figure] = []
    for release in RELEASES:
        tree = open_tree(args.trees / f"linux-source-{release}")
        file = build(tree, (), Silent())
        if release != OF_TRUTH:
            figures += scope_figures(CallGraph(file), DEFAULT)
            continue
        given = parts_of(args.truth)
        whole = [part for part in given if reads(file, *part)]
        figures += default_figures(file, [*parts_of([DATA / "truth" / release]), *whole])
        others = sorted((part for part in given if part not in whole), key=lambda part: part[1])
        if others:
            own = build(tree, tuple(sorted(prefix.replace("-", "/") for _, prefix in others)), Silent())
            figures += scope_figures(CallGraph(own), "the directories below")[:WATCHED]
            figures += [figure for part in others for figure in truth_figures(own, *part)]
    args.output.write_text(page(figures), encoding="utf-8")


if __name__ == "__main__":
    main()

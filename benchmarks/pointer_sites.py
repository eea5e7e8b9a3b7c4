"""How right the targets of calls through pointers are, site by site.

    python benchmarks/pointer_sites.py TREE TRUTH_DIR PREFIX [--decided TSV] [--dynamic DIR] [--list] [PLACE ...]

TREE is a kernel tree, PLACE what is indexed (default: the default scope). Reported are

* the sites of TRUTH_DIR/PREFIX.icalls.tsv.gz (columns: see the README that comes with the truth): recognised as a call
  through a pointer in the same function, file and line or not, with how many targets, by grade;
* beside it, how many targets a join by record and field gives (every function that the truth's fptr_inits and
fptr_assigns
  put into that field), and one by signature;
* recall and precision against --decided: caller, callee, targets and reason, decided by hand from the source
  (benchmarks/data/pointer_sites_<release>.tsv); targets that lie outside of the indexed scope don't count;
* with --dynamic, the edges that a running kernel was seen to take out of a function with such a site and that no
call by
  name explains: each must be among the targets of that function.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

from kread.index.scope import find_scope
from kread.index.store import facts_file
from kread.index.units import read_scope
from kread.parse.kbuild import Kbuild
from kread.resolve.direct import Definitions
from kread.resolve.pointers import callback_edges, pointer_targets
from kread.resolve.program import Program
from kread.resolve.target import Target
from kread.source.home import ensure_dir, index_dir
from kread.source.progress import Silent
from kread.source.tree import open_tree

#: Functions that a trace hides between a caller and a callee: inlined, or left by their last call.
HIDDEN = 5


def rows(file: Path) -> list[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def ratio(part: int, whole: int) -> str:
    return f"{part}/{whole}" + (f" ({100 * part / whole:.1f} %)" if whole else "")


def by_type(truth: Path, prefix: str) -> dict[tuple[str, str], set[str]]:
    """(record, field) -> the functions that the truth puts there."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows(truth / f"{prefix}.fptr_inits.tsv.gz"):
        if row["record"]:
            found[row["record"], row["field"]].add(row["function"])
    for row in rows(truth / f"{prefix}.fptr_assigns.tsv.gz"):
        if row["kind"].startswith("assign_field"):
            found[row["record"], row["field"]].add(row["function"])
    return found


def by_signature(truth: Path, prefix: str) -> dict[str, set[str]]:
    """signature -> the functions whose address the truth sees taken."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in ("fptr_inits", "fptr_assigns", "fptr_args"):
        for row in rows(truth / f"{prefix}.{name}.tsv.gz"):
            found[row["signature"]].add(row["function"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("prefix")
    parser.add_argument("places", nargs="*")
    parser.add_argument("--decided", type=Path)
    parser.add_argument("--dynamic", type=Path)
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()

    ensure_dir(index_dir())
    tree = open_tree(args.tree)
    indexed = read_scope(tree, find_scope(tree, args.places), facts_file(index_dir()), Silent())
    kbuild = Kbuild(lambda file: tree.read(file) if tree.exists(file) else None)
    built = {unit.file: kbuild.presence(unit.file) for unit in indexed.units if unit.file.endswith(".c")}
    program = Program(indexed.units, indexed.closures, built, indexed.macros.field_aliases())
    definitions = Definitions(program)
    started = time.process_time()
    found = list(pointer_targets(program, definitions, indexed.macros.lookup))
    callbacks = list(callback_edges(program, definitions, indexed.macros.lookup))
    print(f"calls through pointers: {len(found)}, resolved in {time.process_time() - started:.1f} s of CPU")
    print(f"  with targets: {ratio(sum(1 for *_, targets, _ in found if targets), len(found))}")
    print(f"callback edges: {len(callbacks)}")

    at_line: dict[tuple[str, str, int], list[Target]] = defaultdict(list)
    known: set[tuple[str, str, int]] = set()
    by_caller: dict[str, set[str]] = defaultdict(set)
    by_callee: dict[tuple[str, str], set[str]] = defaultdict(set)
    for caller, call, targets, _ in found:
        function = program.function(caller)
        key = (function.file, function.name, call.line)
        known.add(key)
        at_line[key] += targets
        names = {target.function.name for target in targets}
        by_caller[function.name] |= names
        by_callee[function.name, call.callee] |= names
    truth(args, at_line, known)
    if args.decided:
        decided(args.decided, by_callee, program)
    if args.dynamic:
        for edge in callbacks:
            by_caller[edge.caller.name].add(edge.callee.name)
        dynamic(args.dynamic, program, by_caller)


def truth(
    args: argparse.Namespace, at_line: dict[tuple[str, str, int], list[Target]], known: set[tuple[str, str, int]]
) -> None:
    typed, signed = by_type(args.truth, args.prefix), by_signature(args.truth, args.prefix)
    sites = {
        (row["file"], row["caller"], int(row["exp_line"]), row["record"], row["field"], row["var"]): row
        for row in rows(args.truth / f"{args.prefix}.icalls.tsv.gz")
    }
    grades: Counter[str] = Counter()
    targets_of: Counter[str] = Counter()
    recognised = field_sites = type_targets = signature_targets = shared = own = 0
    for (file, caller, line, record, field, variable), row in sorted(sites.items()):
        key = (file, caller, line)
        recognised += key in known
        names = {target.function.name: target.grade for target in at_line.get(key, ())}
        grade = max(names.values(), default="none")
        grades[grade] += 1
        targets_of[grade] += len(names)
        signature_targets += len(signed.get(row["signature"], ()))
        if row["via"].startswith("field"):
            field_sites += 1
            joined = typed.get((record, field), set())
            type_targets += len(joined)
            own += len(names)
            shared += len(joined & set(names))
        if args.list:
            where = f"{file}:{line}"
            print(f"{where}\t{caller}\t{record}.{field}{variable}\t{grade}\t{len(names)}\t{' '.join(sorted(names))}")
    print(f"sites of the truth recognised: {ratio(recognised, len(sites))}")
    for grade in sorted(grades):
        print(f"  {grade:10} {grades[grade]:4} sites, {targets_of[grade] / grades[grade]:.1f} targets a site")
    print(f"  all        {len(sites):4} sites, {sum(targets_of.values()) / len(sites):.1f} targets a site")
    print(f"  by signature alone: {signature_targets / len(sites):.1f} targets a site")
    print(f"  by record and field alone, {field_sites} sites: {type_targets / field_sites:.1f} targets a site;")
    print(f"    of these kread keeps {shared}, and has {own - shared} that the truth's own folder does not show")


def decided(file: Path, by_callee: dict[tuple[str, str], set[str]], program: Program) -> None:
    hit = wanted = given = 0
    with open(file, encoding="utf-8") as stream:
        sites = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in sites:
        feasible = {name for name in row["targets"].split() if name in program.by_name}
        mine = by_callee.get((row["caller"], row["callee"]), set())
        hit, wanted, given = hit + len(feasible & mine), wanted + len(feasible), given + len(mine)
        if feasible != mine:
            print(
                f"  {row['caller']}: {row['callee']}: missed {sorted(feasible - mine)}, extra {sorted(mine - feasible)}"
            )
    print(f"decided by hand, {len(sites)} sites: recall {ratio(hit, wanted)}, precision {ratio(hit, given)}")


def dynamic(folder: Path, program: Program, by_caller: dict[str, set[str]]) -> None:
    named: dict[str, set[str]] = defaultdict(set)
    for caller, call in program.calls():
        if caller.row >= 0:
            named[program.row(caller).name].add(call.callee)
    seen: set[tuple[str, str]] = set()
    for file in sorted(folder.glob("*.json.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            seen |= {(caller.split(".")[0], callee.split(".")[0]) for caller, callee, *_ in json.load(stream)["edges"]}
    handed = {name for names in by_caller.values() for name in names}
    missed = total = 0
    for caller, callee in sorted(seen):
        if callee in named[caller] or not {caller, callee} <= program.by_name.keys() or callee not in handed:
            continue
        # What was inlined or called last hangs under the caller that is visible.
        reach, wave, through = {caller}, {caller}, False
        for _ in range(HIDDEN):
            through = through or any(callee in by_caller[name] for name in wave)
            wave = {name for one in wave for name in (*named[one], *by_caller[one])} - reach
            reach |= wave
        if callee in reach and not through:
            continue  # calls by name explain it
        total += 1
        if not through:
            missed += 1
            print(f"  seen but not found: {caller} > {callee}")
    print(f"seen in a running kernel through pointers: {ratio(total - missed, total)} found")


if __name__ == "__main__":
    main()

"""How right the targets of calls through pointers are, site by site.

    python benchmarks/pointer_sites.py TREE [--truth DIR PREFIX] [--decided TSV] [--dynamic DIR] [--list] [PLACE ...]
    python benchmarks/pointer_sites.py TREE --draw COUNT SEED [--below DIR ...] [PLACE ...]

TREE is a kernel tree, PLACE what is indexed (default: the default scope). Reported are

* with --truth, the sites of DIR/PREFIX.icalls.tsv.gz (columns: see the README that comes with the truth): recognised as
  a call through a pointer in the same function, file and line or not, with how many targets, by grade;
* beside it, how many targets a join by record and field gives (every function that the truth's fptr_inits and
  fptr_assigns put into that field), and one by signature;
* recall and precision against --decided, over all its sites and by grade: caller (file:caller where several files
  define it), callee as written, targets and reason, decided by hand from the source
  (benchmarks/data/pointer_sites_<release>.tsv). A call written on three lines counts three times. Targets that the
  indexed files do not define can't be missed, but are right where kread knows them from a table of the scope;
* with --dynamic, the edges that a running kernel was seen to take out of a function with such a site and that no call
  by name explains: each must be among the targets of that function.

--draw resolves nothing: it names sites to be decided, chosen by the seed among those of the .c files below DIR.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kread.index.scope import find_scope
from kread.index.store import facts_file
from kread.index.units import read_scope
from kread.parse.kbuild import Kbuild
from kread.resolve.direct import Definitions
from kread.resolve.pointers import callback_edges, pointer_calls, pointer_targets
from kread.resolve.program import Program
from kread.resolve.target import Target
from kread.resolve.types import MacroLookup
from kread.resolve.values import Values
from kread.source.home import ensure_dir, index_dir
from kread.source.progress import Silent
from kread.source.tree import open_tree


class Site(NamedTuple):
    """A call through a pointer, as the file with the decisions names it."""

    file: str
    caller: str
    line: int
    callee: str


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
    parser.add_argument("places", nargs="*")
    parser.add_argument("--truth", nargs=2, metavar=("DIR", "PREFIX"))
    parser.add_argument("--decided", type=Path)
    parser.add_argument("--dynamic", type=Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--draw", nargs=2, type=int, metavar=("COUNT", "SEED"))
    parser.add_argument("--below", nargs="*", default=[""])
    args = parser.parse_args()

    ensure_dir(index_dir())
    tree = open_tree(args.tree)
    indexed = read_scope(tree, find_scope(tree, args.places), facts_file(index_dir()), Silent())
    kbuild = Kbuild(lambda file: tree.read(file) if tree.exists(file) else None)
    built = {unit.file: kbuild.presence(unit.file) for unit in indexed.units if unit.file.endswith(".c")}
    program = Program(indexed.units, indexed.closures, built, indexed.macros.field_aliases())
    if args.draw:
        draw(program, indexed.macros.lookup, args.below, *args.draw)
        return
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
    sites: dict[Site, dict[str, str]] = defaultdict(dict)
    for caller, call, targets, _ in found:
        function = program.function(caller)
        key = (function.file, function.name, call.line)
        known.add(key)
        at_line[key] += targets
        names = {target.function.name: target.grade for target in targets}
        by_caller[function.name] |= names.keys()
        sites[Site(function.file, function.name, call.line, call.callee)].update(names)
    if args.truth:
        truth(Path(args.truth[0]), args.truth[1], at_line, known, args.list)
    if args.decided:
        decided(args.decided, sites, program)
    if args.dynamic:
        for edge in callbacks:
            by_caller[edge.caller.name].add(edge.callee.name)
        dynamic(args.dynamic, program, by_caller)


def draw(program: Program, macros: MacroLookup, below: Sequence[str], count: int, seed: int) -> None:
    """Print sites chosen by a seed: file, line, caller, callee."""
    found = {
        (program.file(site.caller), site.call.line, program.row(site.caller).name, site.call.callee)
        for site in pointer_calls(Values(program, macros))
        if program.file(site.caller).endswith(".c") and program.file(site.caller).startswith(tuple(below))
    }
    print(f"{len(found)} sites")
    for site in sorted(random.Random(seed).sample(sorted(found), min(count, len(found)))):
        print(*site, sep="\t")


def truth(
    folder: Path,
    prefix: str,
    at_line: dict[tuple[str, str, int], list[Target]],
    known: set[tuple[str, str, int]],
    listed: bool,
) -> None:
    """Compare with the sites that a compiler lists."""
    typed, signed = by_type(folder, prefix), by_signature(folder, prefix)
    sites = {
        (row["file"], row["caller"], int(row["exp_line"]), row["record"], row["field"], row["var"]): row
        for row in rows(folder / f"{prefix}.icalls.tsv.gz")
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
        if listed:
            where = f"{file}:{line}"
            print(f"{where}\t{caller}\t{record}.{field}{variable}\t{grade}\t{len(names)}\t{' '.join(sorted(names))}")
    print(f"sites of the truth recognised: {ratio(recognised, len(sites))}")
    for grade in sorted(grades):
        print(f"  {grade:10} {grades[grade]:4} sites, {targets_of[grade] / grades[grade]:.1f} targets a site")
    print(f"  all        {len(sites):4} sites, {sum(targets_of.values()) / len(sites):.1f} targets a site")
    print(f"  by signature alone: {signature_targets / len(sites):.1f} targets a site")
    print(f"  by record and field alone, {field_sites} sites: {type_targets / field_sites:.1f} targets a site;")
    print(f"    of these kread keeps {shared}, and has {own - shared} that the truth's own folder does not show")


def decided(file: Path, sites: dict[Site, dict[str, str]], program: Program) -> None:
    """Compare every site that the file decides with what it says, and print where they differ."""
    wanted: dict[tuple[str, str], set[str]] = {}
    with open(file, encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            wanted[row["caller"], row["callee"]] = set(row["targets"].split())
    count = hit = known = 0
    sites_of: Counter[str] = Counter()
    given: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for site, mine in sorted(sites.items()):
        feasible = wanted.get((f"{site.file}:{site.caller}", site.callee), wanted.get((site.caller, site.callee)))
        if feasible is None:
            continue
        own = {name for name in feasible if name in program.by_name or name in mine}
        count, hit, known = count + 1, hit + len(own & mine.keys()), known + len(own)
        sites_of[max(mine.values(), default="none")] += 1
        for name, grade in mine.items():
            given[grade] += 1
            right[grade] += name in own
        missed, extra = sorted(own - mine.keys()), sorted(mine.keys() - own)
        if missed or extra:
            print(f"  {site.file}:{site.line} {site.caller}: {site.callee}: missed {missed}, extra {extra}")
    print(f"decided by hand, {count} sites, {known / max(count, 1):.1f} targets a site:")
    print(f"  recall {ratio(hit, known)}, precision {ratio(hit, given.total())}")
    for grade in sorted(sites_of):
        print(f"  {grade:10} {sites_of[grade]:4} sites, precision {ratio(right[grade], given[grade])}")


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

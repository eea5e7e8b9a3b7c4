"""How many changes of a release's decisions `kread check` finds: every anchored condition changed, one at a time.

Theory of operation: the anchored statements of a release are looked up as the check does. Each is changed where it
stands, in a copy of its file in a temporary folder: a comparison made another one, && made ||, a test turned round, a
number changed, a shift made a shorter one, another counter counted; a statement that is no test is taken out; and each
two anchored tests, or other statements, of one function that stand side by side are swapped. Then the check reads the
changed function. A change is found where the check no longer passes, or where it tells of another reading, one that some
real tree has. Survivors are listed, and make the exit code 1.

    python benchmarks/check_mutation.py [RELEASE or DIRECTORY ...]
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

from kread.check.bodies import Bodies, Statement
from kread.check.drift import SourceCheck, check_source
from kread.graph.callgraph import CallGraph

#: What a comparison or an operator becomes: the change that is easiest to overlook.
_CHANGES = (
    (r"(?<![<>=!\-])>(?![>=])", ">="),
    (r"(?<![<>=!])<(?![<=])", "<="),
    (r"(?<![<>])>=", ">"),
    (r"(?<![<>])<=", "<"),
    (r"==", "!="),
    (r"!=", "=="),
    (r"&&", "||"),
    (r"\|\|", "&&"),
    (r"!(?![=])", ""),
    (r">> 2", ">> 1"),
    (r"<< 1\b|<<= 1\b", "<< 2"),
    (r"\+ 1\b", "+ 2"),
    (r"- 1\b", "- 2"),
    (r"(?<=== )0\b", "1"),
    (r"(?<=== )2\b", "1"),
    (r"> 2\b", "> 3"),
    (r"\+\+", "--"),
    (r"\batomic_inc\b", "atomic_dec"),
    (r"\bLINUX_MIB_\w+", "LINUX_MIB_DELAYEDACKS"),
    (r"\bTCP_MIB_\w+", "TCP_MIB_ACTIVEOPENS"),
)
_HEAD = re.compile(r"\b(if|while)\s*\(")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change: where, what stood there, what stands there now."""

    statement: Statement
    function: str
    kind: str
    start: int
    end: int
    text: bytes


class _Changed(Bodies):
    """The functions of a graph, but one file as it was changed."""

    def __init__(self, graph: CallGraph, file: str, root: Path) -> None:
        super().__init__(graph)
        self._data[file] = (root / file).read_bytes()


def mutants(check: SourceCheck, bodies: Bodies) -> Iterator[Mutant]:
    """Every change of every anchored statement of a release."""
    seen: set[tuple[str, str, int, int]] = set()
    by_function: dict[str, list[tuple[Statement, int, int]]] = {}
    for found in check.found:
        for statement in found.statements:
            data = bodies.file(statement.file)
            extent = _extent(statement, data)
            row = (statement, *extent)
            if row not in by_function.setdefault(found.anchor.function, []):
                by_function[found.anchor.function].append(row)
            for mutant in _changes(found.anchor.function, statement, data, *extent):
                key = (statement.file, mutant.kind, mutant.start, mutant.end)
                if key not in seen:
                    seen.add(key)
                    yield mutant
    for function, rows in by_function.items():
        yield from _swaps(function, sorted(rows, key=lambda row: row[1:]), bodies)


def _extent(statement: Statement, data: bytes) -> tuple[int, int]:
    """Where the words of a statement stand in its file, from the line on which it begins."""
    start = 0
    for _ in range(statement.line - 1):
        start = data.index(b"\n", start) + 1
    words = re.findall(r"\w+", statement.written)
    pattern = rb"[^\w;{}]*(?:\b(?:likely|unlikely|READ_ONCE|data_race)\b[^\w;{}]*)*".join(
        re.escape(word.encode()) for word in words
    )
    match = re.compile(pattern).search(data, start)
    if match is None or match.start() > start + 400:
        match = re.compile(rb"[^\n]*").match(data, start)
    assert match is not None
    end = match.end()
    while end < len(data) and data[end : end + 1] in b")] ":
        end += 1
    return match.start(), end


def _changes(function: str, statement: Statement, data: bytes, start: int, end: int) -> Iterator[Mutant]:
    text = re.sub(rb"/\*.*?\*/", lambda match: b" " * len(match[0]), data[start:end], flags=re.S).decode("latin-1")
    for pattern, new in _CHANGES:
        for match in re.finditer(pattern, text):
            if text[match.start() - 1 : match.start() + 1] == "->":
                continue
            place = start + match.start()
            yield Mutant(
                statement, function, f"{match[0]} to {new or 'nothing'}", place, start + match.end(), new.encode()
            )
    if not statement.choice:
        yield Mutant(statement, function, "taken out", start, end, b"(void)0")
    head = _HEAD.search(text)
    if head is not None and text.rstrip().endswith(")"):
        inside = text[head.end() : text.rstrip().rindex(")")]
        new = f"!({inside})"
        yield Mutant(
            statement, function, "turned round", start + head.end(), start + head.end() + len(inside), new.encode()
        )


def _swaps(function: str, rows: list[tuple[Statement, int, int]], bodies: Bodies) -> Iterator[Mutant]:
    """Two statements side by side, the first with the words of the second and the other way round."""
    heads = [row for row in rows if row[0].written.startswith("if (")]
    plain = [row for row in rows if not row[0].choice]
    for (first, start, end), (second, begin, stop) in chain(pairwise(heads), pairwise(plain)):
        if first.file == second.file and end <= begin and first.text != second.text:
            data = bodies.file(first.file)
            text = data[begin:stop] + data[end:begin] + data[start:end]
            yield Mutant(first, function, f"swapped with line {second.line}", start, stop, text)


def run(graph: CallGraph) -> tuple[int, int, list[Mutant]]:
    """The number of changes, of those told as another reading, and those that nobody noticed."""
    bodies = Bodies(graph)
    plain = check_source(bodies)
    if not plain.passed:
        raise SystemExit(f"{graph.release}: the check does not pass on the release as it is")
    policy = plain.reading.policy
    survivors, readings, count = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for mutant in mutants(plain, bodies):
            file = mutant.statement.file
            data = bodies.file(file)
            target = Path(folder) / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data[: mutant.start] + mutant.text + data[mutant.end :])
            check = check_source(_only(graph, file, Path(folder), bodies, mutant.function))
            count += 1
            if check.passed:
                if check.reading.policy != policy:
                    readings += 1
                else:
                    survivors.append(mutant)
    return count, readings, survivors


def _only(graph: CallGraph, file: str, root: Path, bodies: Bodies, function: str) -> Bodies:
    """The changed function read anew, all others as they were read before."""
    changed = _Changed(graph, file, root)
    changed.keep(bodies, function)
    return changed


def main() -> int:
    """Change each release of the command line, or the newest one here."""
    from kread.cli.session import open_graph

    worst = 0
    for name in sys.argv[1:] or [None]:
        graph = CallGraph(Path(name)) if name and name.endswith(".sqlite") else open_graph(name, None)
        start = time.perf_counter()
        count, readings, survivors = run(graph)
        found = count - len(survivors)
        print(
            f"{graph.release}: {found}/{count} changes found = {100 * found / max(count, 1):.1f} %,"
            f" {readings} of them as a reading that another tree has; {time.perf_counter() - start:.0f} s"
        )
        for mutant in survivors:
            print(f"  survived: {mutant.statement.place} {mutant.function}: {mutant.kind}: {mutant.statement.written}")
        worst = max(worst, len(survivors), not count)
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main())

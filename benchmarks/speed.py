"""How fast kread is: a cold index beside `cscope -bkq` over the same files, warm queries, start-up, one changed file.

    python benchmarks/speed.py TREE [--scope NAME|DIR ...] [--repeat N]

TREE is an unpacked kernel. The files of the scope are copied, so that one can be changed, and everything is measured on the
copy, in turns, N times; the best of each counts. Times are of the wall clock and of the processors (all processes of a
command together); on a machine that does other things as well, the latter say more. Memory is the sum over all processes
of a command of what each holds alone plus its share of what they hold together (PSS), at its peak. "The grammar alone" is
what no index in Python can go below: the syntax trees of the same files and the nodes that the queries capture, which are
counted and dropped, on all cores; nothing is prepared, expanded, kept or resolved.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from kread.graph.callgraph import CallGraph
from kread.parse import syntax

KREAD = (sys.executable, "-c", "from kread.cli.main import main; main()")
#: How often memory is looked at.
SAMPLE_SECONDS = 0.1


class Cost(NamedTuple):
    """What one run of a command cost: seconds by the clock, seconds of processors, bytes at its peak."""

    wall: float
    cpu: float
    memory: int = 0


def run(command: Sequence[str], env: dict[str, str], cwd: Path, watch: bool = False) -> Cost:
    """Run a command whose output is of no interest; `watch` its memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    if watch:
        watcher.start()
    _, said = process.communicate()
    wall = time.perf_counter() - begun
    if watch:
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{said.decode(errors='replace')}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak[0])


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], _memory(process.pid))
        time.sleep(SAMPLE_SECONDS)


def _memory(session: int) -> int:
    """The bytes that the processes of a session hold."""
    total = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError, ValueError):
                if os.getsid(int(entry.name)) == session:
                    rows = Path(entry.path, "smaps_rollup").read_text().splitlines()
                    total += sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:"))
    return total


def count_captures(file: str) -> int:
    """How many nodes the queries capture in a file as it stands."""
    return sum(map(len, syntax.captures(syntax.parse(Path(file).read_bytes())).values()))


def grammar_alone(files: Sequence[str]) -> None:
    """Parse and query all files, on all cores."""
    with get_context("fork").Pool() as pool:
        print(sum(pool.imap_unordered(count_captures, files, chunksize=8)))


def best(measure: Callable[[], Cost], times: int) -> Cost:
    """The best of several runs, each number by itself."""
    found = [measure() for _ in range(times)]
    return Cost(*(min(column) for column in zip(*found, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--scope", action="append", default=[])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--grammar-alone", action="store_true", help="TREE is a list of files: parse and query them, no more"
    )
    args = parser.parse_args()
    if args.grammar_alone:
        grammar_alone(args.tree.read_text().split("\n")[:-1])
        return
    with tempfile.TemporaryDirectory(prefix="kread-speed-") as folder:
        measure(args.tree.resolve(), [f"--scope={place}" for place in args.scope], args.repeat, Path(folder))


def measure(tree: Path, scope: Sequence[str], repeat: int, folder: Path) -> None:
    """Make the copy, measure, print."""
    home, copy = folder / "home", folder / "tree"
    env = {**os.environ, "KREAD_HOME": str(home)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # users keep the compiled modules; some test machines do not
    run([*KREAD, "index", "--release", str(tree), *scope], env, folder)
    (file,) = (home / "index").glob("v*.sqlite")
    graph = CallGraph(file)
    watched = graph.files
    files = [name for name in watched if name.endswith((".c", ".h"))]
    for name in (*watched, "Makefile"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree / name, copy / name)
    size = sum((copy / name).stat().st_size for name in files)
    (folder / "files").write_text("\n".join(str(copy / name) for name in files) + "\n")
    print(f"{graph.release}, {len(files):,} files, {size / 1e6:.1f} MB; {len(os.sched_getaffinity(0))} processors\n")

    def cold() -> Cost:
        shutil.rmtree(home)
        return run([*KREAD, "index", "--release", str(copy), *scope], env, folder, watch=True)

    def cscope() -> Cost:
        for left in folder.glob("cscope.*"):
            left.unlink()
        return run(["cscope", "-bkq", "-i", str(folder / "files")], env, folder)

    def grammar() -> Cost:
        return run([sys.executable, __file__, "--grammar-alone", str(folder / "files")], env, folder)

    turns = [(cold(), cscope(), grammar()) for _ in range(repeat)]
    index, other, floor = (Cost(*map(min, zip(*costs, strict=True))) for costs in zip(*turns, strict=True))
    release = ["--release", str(copy), *scope]
    path = best(lambda: run([*KREAD, "path", "tcp_v4_rcv", "inet_ehash_insert", *release], env, folder), 2 * repeat)
    help_ = best(lambda: run([*KREAD, "--help"], env, folder), 3 * repeat)
    edges = best(lambda: run([*KREAD, "edges", *release], env, folder), repeat)

    def changed() -> Cost:
        with open(copy / "net/ipv4/tcp_input.c", "a") as stream:
            stream.write(f"/* {time.time()} */\n")
        return run([*KREAD, "index", *release], env, folder)

    again = best(changed, repeat)
    rows = [
        ("cold index", index, f"{index.wall / other.wall:.1f} times cscope by the clock, {index.cpu / other.cpu:.1f} "
         f"by processors (asked: 3); {index.memory / 1e6:.0f} MB (asked: 500)"),
        ("cscope -bkq, same files", other, ""),
        ("the grammar alone, same files", floor, f"{floor.wall / other.wall:.1f} times cscope by the clock, "
         f"{floor.cpu / other.cpu:.1f} by processors"),
        ("one file changed, index", again, f"{again.wall / index.wall:.2f} of a cold index"),
        ("kread path, warm", path, "asked: 0.35 s"),
        ("kread --help", help_, "asked: 0.15 s"),
        ("kread edges, warm", edges, ""),
    ]  # fmt: skip
    print("| | clock | processors | |\n|---|---|---|---|")
    for name, cost, said in rows:
        print(f"| {name} | {cost.wall:.2f} s | {cost.cpu:.2f} s | {said} |")


if __name__ == "__main__":
    main()

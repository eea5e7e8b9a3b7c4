"""No function lost, none invented, none with a fault: real releases, and a compiler's list of what they hold."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import sys
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tree_sitter import Query, QueryCursor

from kread.parse.syntax import language, parse

REPOSITORY = Path(__file__).resolve().parents[2]
TRUTH = REPOSITORY.parent / "shared" / "truth" / "6.12"
needs_truth = pytest.mark.skipif(not TRUTH.is_dir(), reason=f"no compiler's truth; to enable, put it in {TRUTH}")

#: What issue and design allow outside of net/ipv4 in 6.12.
MOST_FAULTY = 0.005


@cache
def benchmark() -> ModuleType:
    """The census that is also run by hand."""
    spec = importlib.util.spec_from_file_location("parse_census", REPOSITORY / "benchmarks" / "parse_census.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["parse_census"] = module
    spec.loader.exec_module(module)
    return module


@cache
def census(root: Path, folder: str, headers: bool) -> dict[str, Any]:
    """The census of a folder's files. The macros are those of the headers that net/ipv4 includes, and its own."""
    names = [str(file.relative_to(root)) for file in sorted((root / folder).rglob("*.c"))]
    texts = benchmark().closure(root, names)
    table = benchmark().learn(benchmark().header_definitions(texts))
    looked = texts if headers else names
    return {name: benchmark().look(texts[name], table) for name in looked}


def faulty(seen: dict[str, Any]) -> tuple[list[str], int]:
    """The functions with a fault, each with one of its faults, and how many functions there are."""
    found = {
        (file, fault.function): f"{file}:{fault.line}: {fault.text}"
        for file, one in seen.items()
        for fault in one.faults
    }
    return sorted(found.values()), sum(len(one.functions) for one in seen.values())


def rows(name: str) -> list[dict[str, str]]:
    with gzip.open(TRUTH / f"{name}.tsv.gz", "rt", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_no_function_of_ipv4_in_6_12_has_a_fault(tree: Callable[[str], Path]) -> None:
    found, count = faulty(census(tree("6.12"), "net/ipv4", True))
    assert count > 10_000
    assert found == []


@pytest.mark.parametrize("release", ["5.10", "6.1", "7.2"])
def test_hardly_a_function_of_ipv4_in_other_releases_has_a_fault(tree: Callable[[str], Path], release: str) -> None:
    found, count = faulty(census(tree(release), "net/ipv4", False))
    assert count > 2_500
    assert len(found) <= count * MOST_FAULTY, found


@pytest.mark.parametrize(
    "folder", ["net/core", "net/ipv6", "net/mptcp", "net/sctp", "fs/ext4", "kernel/sched", "kernel/bpf"]
)
def test_hardly_a_function_elsewhere_has_a_fault(tree: Callable[..., Path], folder: str) -> None:
    found, count = faulty(census(tree("6.12", folder), folder, False))
    assert count > 300
    assert len(found) <= count * MOST_FAULTY, found


@needs_truth
def test_no_function_is_lost(tree: Callable[[str], Path]) -> None:
    known = benchmark().known(TRUTH, ("net-ipv4", "headers"))
    assert len(known) > 10_000
    assert benchmark().lost(known, census(tree("6.12"), "net/ipv4", True)) == []


@needs_truth
def test_no_function_is_invented(tree: Callable[[str], Path]) -> None:
    seen = census(tree("6.12"), "net/ipv4", True)
    known = {(row["file"], row["name"], int(row["line"])) for row in rows("net-ipv4.functions")}
    compiled = {row["file"] for row in rows("net-ipv4.functions")}
    skipped: dict[str, list[tuple[int, int]]] = {}
    for row in rows("net-ipv4.inactive"):
        skipped.setdefault(row["file"], []).append((int(row["begin_line"]), int(row["end_line"])))
    compared = 0
    for file, one in seen.items():
        if file not in compiled:
            continue
        made = {use.start for use in one.prepared.made}
        for function in one.functions:
            if any(first < function.line < last for first, last in skipped.get(file, ())):
                continue
            compared += 1
            assert function.start in made or (file, function.name, function.line) in known, (file, function)
    assert compared > 2_500


@needs_truth
def test_every_call_that_is_written_stands_in_a_tree(tree: Callable[[str], Path]) -> None:
    seen = census(tree("6.12"), "net/ipv4", True)
    query = Query(language(), "(call_expression function: (_) @callee)")
    places: dict[str, set[tuple[int, int]]] = {}
    for file in seen:
        if file.startswith("net/ipv4/"):
            found = places.setdefault(file, set())
            for text in (seen[file].prepared.text, *seen[file].prepared.variants):
                for callee in QueryCursor(query).captures(parse(text).root_node).get("callee", []):
                    found.add((callee.start_point[0] + 1, callee.start_point[1] + 1))
    known = [row for row in rows("net-ipv4.calls") if row["class"] in ("src", "arg") and row["file"] in places]
    assert len(known) > 15_000
    lost = [row for row in known if (int(row["line"]), int(row["col"])) not in places[row["file"]]]
    assert lost == []


def test_a_function_that_a_macro_makes_has_its_body(tree: Callable[[str], Path]) -> None:
    root = tree("6.12")
    text = (root / "net" / "socket.c").read_bytes()
    texts = benchmark().closure(root, ["net/socket.c"])
    looked = benchmark().look(text, benchmark().learn(benchmark().header_definitions(texts)))
    assert looked.faults == []
    made = {
        use.args[1:].split(b",")[0].strip(b")"): use for use in looked.prepared.made if use.name.startswith(b"SYSCALL")
    }
    assert {b"socket", b"listen", b"accept4", b"connect"} <= made.keys()
    starts = sorted(function.start for function in looked.functions)
    for use in made.values():
        assert text[use.body : use.body + 1] == b"{"
        assert starts[bisect_right(starts, use.start) - 1] == use.start

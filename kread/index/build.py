"""From a tree to a linked graph on disk: read directives, parse what changed, link, and put the graph in place.

Three passes. The first reads every file's directives, because how a file parses depends on the macros that its headers
define. The second turns each file into a Unit, in processes; a unit whose bytes and macros are unchanged comes from
the fact store. The third joins the units and resolves every call. A graph carries the stamp of the files that
it was made from, so that a query needs one `stat` a file to know that it still holds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kread import __version__
from kread.index.link import link
from kread.index.macros import Head, MacroIndex, read_head, unpack_head
from kread.index.scope import Scope, find_scope, include_graph
from kread.index.store import BATCH, FactStore, blob_hash, is_graph, write_graph
from kread.index.workers import spread
from kread.parse.kbuild import Kbuild
from kread.parse.macro_table import learn
from kread.parse.read import Reader
from kread.parse.unit import EXTRACTOR_VERSION, Unit, pack, unpack
from kread.source.home import ensure_dir, index_dir, lock
from kread.source.progress import Progress
from kread.source.tree import SourceTree


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the processes of the second pass share."""

    root: Path
    macros: MacroIndex
    reader: Reader
    facts: Path


def graph_file(tree: SourceTree, scope: Scope) -> Path:
    """Where the graph of a tree and a scope is kept."""
    name = re.sub(r"[^A-Za-z0-9_.+-]", "_", scope.name)[:80]
    return index_dir() / f"{tree.release}-{tree.ident}-{name}.sqlite"


def stamp(tree: SourceTree, files: Sequence[str]) -> str:
    """What the files looked like: sizes and times of change, by one `stat` each."""
    seen = []
    root = str(tree.root) + "/"
    for file in files:
        try:
            status = os.stat(root + file)
        except OSError:
            return ""
        seen.append((status.st_size, status.st_mtime_ns))
    return blob_hash(repr((EXTRACTOR_VERSION, __version__, len(files), seen)).encode())


def _directives(root: Path, file: str) -> tuple[str, str, bytes]:
    data = (root / file).read_bytes()
    return file, blob_hash(data), read_head(data)


def _read_unit(reading: _Reading, task: tuple[str, str]) -> tuple[str, str, str, bytes, bool]:
    """(file, blob, macro digest, packed unit, whether it was parsed) of one file."""
    file, blob = task
    data = (reading.root / file).read_bytes()
    mentioned = reading.macros.mentioned(data)
    digest = reading.macros.dependencies(mentioned)
    known = _store_of_this_process(reading.facts).units({blob: digest}).get(blob)
    if known is not None:
        return file, blob, digest, known, False
    return file, blob, digest, pack(reading.reader.read(file, data, mentioned)), True


_stores: dict[int, FactStore] = {}


def _store_of_this_process(file: Path) -> FactStore:
    """The fact store as this process opened it: SQLite connections don't survive a fork."""
    process = os.getpid()
    if process not in _stores:
        _stores.clear()
        _stores[process] = FactStore(file)
    return _stores[process]


def build(tree: SourceTree, places: Sequence[str], progress: Progress) -> Path:
    """The file of the linked graph of these places of a tree, built or refreshed if need be."""
    scope = find_scope(tree, places)
    target = graph_file(tree, scope)
    ensure_dir(target.parent)
    with lock(target.with_suffix(".lock")):
        if not is_fresh(tree, scope, target):
            _build(tree, scope, target, progress)
    return target


def is_fresh(tree: SourceTree, scope: Scope, target: Path) -> bool:
    """Whether a graph exists that was made from exactly the files that the tree now has."""
    if not is_graph(target):
        return False
    from kread.index.store import GraphStore

    graph = GraphStore(target)
    try:
        return graph.meta("sources") == _listing(scope) and graph.meta("stamp") == stamp(
            tree, graph.packed("files") or ()
        )
    finally:
        graph.close()


def _listing(scope: Scope) -> str:
    return blob_hash("\n".join(scope.sources).encode())


def _build(tree: SourceTree, scope: Scope, target: Path, progress: Progress) -> None:
    store = FactStore(index_dir() / "facts.sqlite")
    try:
        progress.phase(f"reading the directives of {tree.release}")
        heads, blobs, closures = _read_heads(tree, scope)
        macros = MacroIndex(heads, closures)
        progress.phase("learning the release's macros")
        table = learn(macros.header_defines())
        reader = Reader(table, macros.in_headers, macros.seen_by, macros.own_defines)
        macros.digests  # computed before the fork, so that the processes share it
        progress.phase("parsing")
        files = sorted(heads)
        units = _read_units(_Reading(tree.root, macros, reader, store.file), store, files, blobs, progress)
        progress.phase("linking")
        kbuild = Kbuild(lambda file: tree.read(file) if tree.exists(file) else None)
        built = {file: kbuild.presence(file) for file in files if file.endswith(".c")}
        meta, packed, tables = link(units, closures, built, macros)
        meta |= {
            "release": tree.release,
            "root": str(tree.root),
            "scope": scope.name,
            "sources": _listing(scope),
            "stamp": stamp(tree, files),
            "version": __version__,
        }
        packed["files"] = tuple(files)
        fresh = target.with_suffix(f".{os.getpid()}.tmp")
        write_graph(fresh, meta, packed, tables)
        os.replace(fresh, target)
    finally:
        store.close()


def _read_heads(tree: SourceTree, scope: Scope) -> tuple[dict[str, Head], dict[str, str], dict[str, frozenset[str]]]:
    """The directives of the scope's sources and of all that they include: waves of files, each found by the last."""
    graph = include_graph(tree)
    heads: dict[str, Head] = {}
    blobs: dict[str, str] = {}
    wave = list(scope.sources)
    while wave:
        found: dict[str, None] = {}
        for file, blob, packed in spread(_directives, tree.root, wave, chunk=16):
            heads[file], blobs[file] = unpack_head(packed), blob
            found.update(dict.fromkeys(graph.add(file, heads[file].includes)))
        wave = [file for file in found if file not in heads]
    closures = {file: graph.closure(file) for file in scope.sources}
    return heads, blobs, closures


def _read_units(
    reading: _Reading, store: FactStore, files: Sequence[str], blobs: dict[str, str], progress: Progress
) -> list[Unit]:
    units: list[Unit] = []
    fresh: list[tuple[str, str, bytes]] = []
    # The largest files first: the last ones to finish are small, so no core waits long for the other.
    tasks = sorted(((file, blobs[file]) for file in files), key=lambda task: -(reading.root / task[0]).stat().st_size)
    try:
        for done, (file, blob, digest, packed, parsed) in enumerate(spread(_read_unit, reading, tasks, chunk=4), 1):
            units.append(unpack(file, packed))
            if parsed:
                fresh.append((blob, digest, packed))
            if len(fresh) >= BATCH:
                store.add_units(fresh)
                fresh.clear()
            progress.advance(done, len(tasks), "files")
    finally:
        store.add_units(fresh)
    return sorted(units, key=lambda unit: unit.file)

"""From a tree to the units of a scope: directives first, then facts, in processes, each blob once.

A unit whose bytes and macros are unchanged comes from the fact store. What was parsed is written in batches, so that an
interrupted index loses no more than the last one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kread.index.macros import Head, MacroIndex, read_head, unpack_head
from kread.index.scope import IncludeGraph, Scope, include_graph
from kread.index.store import BATCH, FactStore, blob_hash
from kread.index.workers import spread
from kread.parse.macro_table import MacroTable, learn
from kread.parse.read import Reader
from kread.parse.unit import Unit, pack, unpack
from kread.source.progress import Progress
from kread.source.tree import SourceTree


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the processes of the second pass share."""

    root: Path
    macros: MacroIndex
    reader: Reader
    facts: Path


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


@dataclass(frozen=True, slots=True)
class Indexed:
    """The facts of a scope: its units sorted by file, its macros, and what each source includes."""

    units: list[Unit]
    macros: MacroIndex
    closures: dict[str, frozenset[str]]
    table: MacroTable


def read_scope(tree: SourceTree, scope: Scope, facts: Path, progress: Progress) -> Indexed:
    """Read every file of a scope, what is known from the fact store."""
    store = FactStore(facts)
    try:
        progress.phase(f"reading the directives of {tree.release}")
        heads, blobs, graph = _read_heads(tree, scope)
        closures = {file: graph.closure(file) for file in scope.sources}
        macros = MacroIndex(heads, closures, graph.presences(scope.sources))
        progress.phase("learning the release's macros")
        table = learn(macros.header_defines())
        reader = Reader(table, macros.in_headers, macros.seen_by, macros.own_defines, macros.world.of, macros.functions)
        macros.prepare_digests()  # before the fork, so that the processes share them
        progress.phase("parsing")
        units = _read_units(_Reading(tree.root, macros, reader, facts), store, sorted(heads), blobs, progress)
    finally:
        store.close()
    return Indexed(units, macros, closures, table)


def _read_heads(tree: SourceTree, scope: Scope) -> tuple[dict[str, Head], dict[str, str], IncludeGraph]:
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
    return heads, blobs, graph


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

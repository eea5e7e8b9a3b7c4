"""From a tree to the units of a scope: directives first, then facts, in processes, each blob once.

A unit whose bytes and macros are unchanged comes from the fact store. What was parsed is written in batches, so that an
interrupted index loses no more than the last one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kread.errors import SourceError
from kread.index.macros import Head, MacroIndex, read_head, unpack_head
from kread.index.scope import IncludeGraph, Scope, include_graph
from kread.index.store import BATCH, FactReader, FactStore, blob_hash
from kread.index.workers import spread
from kread.parse.macro_table import MacroTable, learn
from kread.parse.read import Reader
from kread.parse.unit import Unit, pack, unpack
from kread.source.progress import Progress
from kread.source.tree import SourceTree


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the processes of the second pass share."""

    tree: SourceTree
    macros: MacroIndex
    reader: Reader
    facts: Path


def _content(tree: SourceTree, file: str) -> bytes:
    """The bytes of a file; of one that went away since it was found, none: the next query finds the tree changed."""
    try:
        return tree.read(file)
    except SourceError:
        if tree.exists(file):
            raise
        return b""


def _directives(tree: SourceTree, file: str) -> tuple[str, str, tuple[int, int], bytes]:
    """(file, blob, signature, packed head). The signature is taken before the bytes: a later change is noticed."""
    signature = sign(tree, file)
    data = _content(tree, file)
    return file, blob_hash(data), signature, read_head(data)


def sign(tree: SourceTree, file: str) -> tuple[int, int]:
    """What tells a file from a changed one without reading it: its size and its time of change."""
    try:
        status = os.stat(f"{tree.root}/{file}")
    except OSError:
        return (-1, -1)
    return status.st_size, status.st_mtime_ns


def _read_unit(reading: _Reading, task: tuple[str, str]) -> tuple[str, str, str, bytes, bool]:
    """(file, blob, macro digest, packed unit, whether it is to be kept) of one file."""
    file, blob = task
    data = _content(reading.tree, file)
    mentioned = reading.macros.mentioned(data)
    digest = reading.macros.dependencies(mentioned)
    known = _facts_of_this_process(reading.facts).unit(blob, digest)
    if known is not None:
        return file, blob, digest, known, False
    # A file that changed since its directives were read is not kept: its macros are those of another content.
    return file, blob, digest, pack(reading.reader.read(file, data, mentioned)), blob_hash(data) == blob


_readers: dict[int, FactReader] = {}


def _facts_of_this_process(file: Path) -> FactReader:
    """The facts as this process opened them: SQLite connections don't survive a fork."""
    process = os.getpid()
    if process not in _readers:
        _readers.clear()
        _readers[process] = FactReader(file)
    return _readers[process]


@dataclass(frozen=True, slots=True)
class Indexed:
    """The facts of a scope: its units sorted by file, its macros, what each source includes, what each file looked
    like when it was read, and how many files were parsed for it."""

    units: list[Unit]
    macros: MacroIndex
    closures: dict[str, frozenset[str]]
    table: MacroTable
    signatures: dict[str, tuple[int, int]]
    parsed: int


def read_scope(tree: SourceTree, scope: Scope, facts: Path, progress: Progress) -> Indexed:
    """Read every file of a scope, what is known from the fact store."""
    store = FactStore(facts)
    try:
        progress.phase(f"reading the directives of {tree.release}")
        heads, blobs, signatures, graph = _read_heads(tree, scope)
        closures = {file: graph.closure(file) for file in scope.sources}
        macros = MacroIndex(heads, closures, graph.presences(scope.sources))
        progress.phase("learning the release's macros")
        table = learn(macros.header_defines())
        reader = Reader(
            table,
            macros.in_headers,
            macros.seen_by,
            macros.own_defines,
            macros.world.of,
            macros.functions,
            macros.shadows,
        )
        macros.prepare_digests()  # before the fork, so that the processes share them
        progress.phase("parsing")
        units, parsed = _read_units(_Reading(tree, macros, reader, facts), store, signatures, blobs, progress)
    finally:
        store.close()
    return Indexed(units, macros, closures, table, signatures, parsed)


def _read_heads(
    tree: SourceTree, scope: Scope
) -> tuple[dict[str, Head], dict[str, str], dict[str, tuple[int, int]], IncludeGraph]:
    """The directives of the scope's sources and of all that they include: waves of files, each found by the last."""
    graph = include_graph(tree)
    heads: dict[str, Head] = {}
    blobs: dict[str, str] = {}
    signatures: dict[str, tuple[int, int]] = {}
    wave = list(scope.sources)
    while wave:
        found: dict[str, None] = {}
        for file, blob, signature, packed in spread(_directives, tree, wave, chunk=16):
            heads[file], blobs[file], signatures[file] = unpack_head(packed), blob, signature
            found.update(dict.fromkeys(graph.add(file, heads[file].includes)))
        wave = [file for file in found if file not in heads]
    return heads, blobs, signatures, graph


def _read_units(
    reading: _Reading,
    store: FactStore,
    signatures: dict[str, tuple[int, int]],
    blobs: dict[str, str],
    progress: Progress,
) -> tuple[list[Unit], int]:
    """The units, and how many of them were parsed."""
    units: list[Unit] = []
    fresh: list[tuple[str, str, bytes]] = []
    count = 0
    # The largest files first: the last ones to finish are small, so no core waits long for the other.
    tasks = sorted(((file, blobs[file]) for file in signatures), key=lambda task: (-signatures[task[0]][0], task[0]))
    try:
        for done, (file, blob, digest, packed, parsed) in enumerate(spread(_read_unit, reading, tasks, chunk=4), 1):
            units.append(unpack(file, packed))
            if parsed:
                count += 1
                fresh.append((blob, digest, packed))
            if len(fresh) >= BATCH:
                store.add_units(fresh)
                fresh.clear()
            progress.advance(done, len(tasks), "files")
    finally:
        store.add_units(fresh)
    return sorted(units, key=lambda unit: unit.file), count

"""From a tree to the units of a scope: directives first, then facts, in processes, each blob once.

A unit whose bytes and macros are unchanged comes from the fact store, and so do a blob's directives. What was parsed is
written in batches, so that an interrupted index loses no more than the last one. A file that looks as it did when the
last graph of the scope was made is not even opened: what it held then stands in that graph.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from kread.errors import SourceError
from kread.index.closures import Closures
from kread.index.kept import KeptUnits
from kread.index.macros import MacroIndex, read_head, unpack_head
from kread.index.rereads import Rereads
from kread.index.scope import IncludeGraph, Scope, include_graph
from kread.index.store import BATCH, BATCH_BYTES, FactReader, FactStore, blob_hash
from kread.index.workers import spread
from kread.parse.flags import Given
from kread.parse.macro_table import MacroTable, learn
from kread.parse.read import Reader
from kread.parse.unit import pack
from kread.source.progress import Progress
from kread.source.tree import SourceTree

#: After so many bytes of sources, or so many files, the processes that read are forked anew. What they share becomes their
#: own as they touch it, since Python counts references where the objects lie, and each file touches the macros that it sees: of
#: the whole tree each process would come to hold gigabytes.
GENERATION = 16_000_000
GENERATION_FILES = 1000


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the processes of the second pass share."""

    tree: SourceTree
    macros: MacroIndex
    reader: Reader
    rereads: Rereads
    facts: FactReader


#: A file's size and its time of change.
Signature: TypeAlias = "tuple[int, int]"


@dataclass(frozen=True, slots=True)
class Past:
    """What an earlier index of the scope found.

    files  -- file -> (its size, its time of change, its blob, the digest of the macros that its reading depends on)
    macros -- the digest of all macros at that time
    """

    files: Mapping[str, tuple[int, int, str, str]] = field(default_factory=dict)
    macros: str = ""


def _content(tree: SourceTree, file: str) -> bytes:
    """The bytes of a file; of one that went away since it was found, none: the next query finds the tree changed."""
    try:
        return tree.read(file)
    except SourceError:
        if tree.exists(file):
            raise
        return b""


def _directives(shared: tuple[SourceTree, FactReader], file: str) -> tuple[str, str, Signature, bytes, bool]:
    """(file, blob, signature, packed head, whether it is to be kept). The signature is taken before the bytes: a later
    change is noticed."""
    tree, facts = shared
    signature = sign(tree, file)
    data = _content(tree, file)
    blob = blob_hash(data)
    known = facts.head(blob)
    return file, blob, signature, known if known is not None else read_head(data), known is None


def sign(tree: SourceTree, file: str) -> Signature:
    """What tells a file from a changed one without reading it: its size and its time of change."""
    try:
        status = os.stat(f"{tree.root}/{file}")
    except OSError:
        return (-1, -1)
    return status.st_size, status.st_mtime_ns


def _read_unit(reading: _Reading, task: tuple[str, str]) -> tuple[str, str, str, bytes, bool]:
    """(file, blob, macro digest, packed unit if it was parsed, whether it is to be kept) of one file."""
    file, blob = task
    data = _content(reading.tree, file)
    mentioned = reading.macros.mentioned(data)
    apart = reading.macros.apart(file, mentioned)
    digest = reading.macros.dependencies(mentioned, apart, file) + reading.rereads.digest(file)
    if reading.facts.has_unit(blob, digest):
        return file, blob, digest, b"", False
    # A file that changed since its directives were read is not kept: its macros are those of another content.
    return file, blob, digest, pack(reading.reader.read(file, data, mentioned, apart.keys())), blob_hash(data) == blob


@dataclass(frozen=True, slots=True)
class Indexed:
    """The facts of a scope: its units sorted by file, its macros, what each source includes, which sources
    others include under which condition, what each file looked like when it was read, what the next index may know of
    this one, and how many files were parsed for it."""

    units: KeptUnits
    macros: MacroIndex
    closures: Closures
    parts: dict[str, dict[str, str]]
    table: MacroTable
    signatures: dict[str, Signature]
    past: Past
    parsed: int


def read_scope(
    tree: SourceTree,
    scope: Scope,
    facts: Path,
    progress: Progress,
    past: Past | None = None,
    flags: Callable[[str], Given] = lambda file: {},
) -> Indexed:
    """Read every file of a scope, what is known from the fact store. `flags` says what the build defines for a file."""
    past = past or Past()
    store = FactStore(facts)
    reader = FactReader(facts)
    try:
        progress.phase(f"reading the directives of {tree.release}")
        heads, blobs, signatures, graph = _read_heads(tree, scope, store, reader, past, progress)
        rereads = Rereads(tree, graph, ((file, unpack_head(head).includes) for file, head in heads.items()))
        parts = graph.parts(scope.sources)
        closures = Closures(graph.direct, scope.sources, parts)
        given = {file: found for file in sorted(heads) if (found := flags(file))}
        macros = MacroIndex(heads, closures, graph.presences(scope.sources), given)
        progress.phase("learning the release's macros")
        table = learn(macros.header_defines())
        shared = _Reading(
            tree,
            macros,
            Reader(
                table,
                macros.in_headers,
                macros.seen_by,
                macros.own_defines,
                macros.world.of,
                macros.functions,
                macros.shadows,
                rereads.of,
            ),
            rereads,
            reader,
        )
        macros.prepare()
        state = macros.dependencies(sorted(macros.digests)) + rereads.state
        progress.phase("parsing")
        kept = past.files if past.macros == state else {}
        known = {file: kept[file][3] for file in signatures if file in kept and kept[file][2] == blobs[file]}
        digests, unkept, parsed = _read_units(shared, store, reader, signatures, blobs, known, progress)
    finally:
        reader.close()
        store.close()
    files = {file: (*signatures[file], blobs[file], digests[file]) for file in sorted(signatures)}
    units = KeptUnits(facts, {file: (blobs[file], digests[file]) for file in digests}, unkept)
    return Indexed(units, macros, closures, parts, table, signatures, Past(files, state), parsed)


def _read_heads(
    tree: SourceTree, scope: Scope, store: FactStore, reader: FactReader, past: Past, progress: Progress
) -> tuple[dict[str, bytes], dict[str, str], dict[str, Signature], IncludeGraph]:
    """The directives of the scope's sources and of all that they include: waves of files, each found by the last."""
    graph = include_graph(tree)
    heads: dict[str, bytes] = {}
    blobs: dict[str, str] = {}
    signatures: dict[str, Signature] = {}
    wave = list(scope.sources)
    while wave:
        unknown: list[str] = []
        for file in wave:
            signature, kept = sign(tree, file), past.files.get(file)
            packed = reader.head(kept[2]) if kept is not None and kept[:2] == signature else None
            if kept is None or packed is None:
                unknown.append(file)
            else:
                heads[file], blobs[file], signatures[file] = packed, kept[2], signature
        fresh: list[tuple[str, bytes]] = []
        try:
            for file, blob, signature, packed, new in spread(_directives, (tree, reader), unknown, chunk=16):
                heads[file], blobs[file], signatures[file] = packed, blob, signature
                if new:
                    fresh.append((blob, packed))
                if len(fresh) >= BATCH:
                    store.add_heads(fresh)
                    fresh.clear()
        finally:
            store.add_heads(fresh)
        found: dict[str, None] = {}
        for file in wave:
            found.update(dict.fromkeys(graph.add(file, unpack_head(heads[file]).includes)))
        wave = [file for file in found if file not in heads]
        progress.advance(len(heads), 0, "files")
    return heads, blobs, signatures, graph


def _generations(
    tasks: Sequence[tuple[str, str]], signatures: Mapping[str, Signature]
) -> Iterator[Sequence[tuple[str, str]]]:
    """The tasks in runs of about GENERATION bytes, and no more than GENERATION_FILES."""
    begin = size = 0
    for place, (file, _) in enumerate(tasks, 1):
        size += signatures[file][0]
        if size >= GENERATION or place - begin >= GENERATION_FILES:
            yield tasks[begin:place]
            begin, size = place, 0
    if begin < len(tasks):
        yield tasks[begin:]


def _read_units(
    reading: _Reading,
    store: FactStore,
    reader: FactReader,
    signatures: Mapping[str, Signature],
    blobs: Mapping[str, str],
    known: Mapping[str, str],
    progress: Progress,
) -> tuple[dict[str, str], dict[str, bytes], int]:
    """The digest of the macros on which each unit depends, the packed units that are not kept in the store, and how many
    were parsed.

    known -- the digests of the files of which they are known
    """
    digests: dict[str, str] = {}
    unkept: dict[str, bytes] = {}
    fresh: list[tuple[str, str, bytes]] = []
    count = 0
    unknown: list[str] = []
    for file, blob in blobs.items():
        if file in known and reader.has_unit(blob, known[file]):
            digests[file] = known[file]
        else:
            unknown.append(file)
    # The largest files first: the last ones to finish are small, so no core waits long for the other.
    tasks = sorted(((file, blobs[file]) for file in unknown), key=lambda task: (-signatures[task[0]][0], task[0]))
    total = sum(signatures[file][0] for file in unknown)
    done = 0
    found = (row for some in _generations(tasks, signatures) for row in spread(_read_unit, reading, some, chunk=4))
    try:
        for file, blob, digest, packed, keep in found:
            digests[file] = digest
            if keep:
                count += 1
                fresh.append((blob, digest, packed))
            elif packed:
                unkept[file] = packed
            if len(fresh) >= BATCH or sum(len(each[2]) for each in fresh) >= BATCH_BYTES:
                store.add_units(fresh)
                fresh.clear()
            done += signatures[file][0]
            progress.advance(done, total, "B")
    finally:
        store.add_units(fresh)
    return digests, unkept, count

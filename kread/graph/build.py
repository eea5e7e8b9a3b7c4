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
from pathlib import Path

from kread import __version__
from kread.index.scope import Scope, find_scope
from kread.index.store import GraphStore, blob_hash, is_graph, write_graph
from kread.parse.unit import EXTRACTOR_VERSION
from kread.source.home import ensure_dir, index_dir, lock
from kread.source.progress import Progress
from kread.source.tree import SourceTree


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
    # Imported here: whoever asks a graph that is fresh needs neither the parser nor the linker.
    from kread.index.units import read_scope
    from kread.parse.kbuild import Kbuild
    from kread.resolve.link import link

    indexed = read_scope(tree, scope, index_dir() / "facts.sqlite", progress)
    progress.phase("linking")
    kbuild = Kbuild(lambda file: tree.read(file) if tree.exists(file) else None)
    files = [unit.file for unit in indexed.units]
    built = {file: kbuild.presence(file) for file in files if file.endswith(".c")}
    built |= indexed.macros.presences
    meta, packed, tables = link(indexed.units, indexed.closures, built, indexed.macros)
    meta |= {
        "release": tree.release,
        "root": str(tree.root),
        "scope": scope.name,
        "sources": _listing(scope),
        "stamp": stamp(tree, files),
        "version": __version__,
    }
    packed["files"] = tuple(files)
    table = indexed.table
    packed["macro_table"] = (dict(table.kinds), dict(table.fixed), dict(table.declares))
    fresh = target.with_suffix(f".{os.getpid()}.tmp")
    write_graph(fresh, meta, packed, tables)
    os.replace(fresh, target)

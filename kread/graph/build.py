"""From a tree to a linked graph on disk: read directives, parse what changed, link, and put the graph in place.

Three passes. The first reads every file's directives, because how a file parses depends on the macros that its headers
define. The second turns each file into a Unit, in processes; a unit whose bytes and macros are unchanged comes from
the fact store. The third joins the units and resolves every call. A graph carries the stamp of the files that
it was made from, so that a query needs one `stat` a file to know that it still holds.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kread import __version__, presence
from kread.errors import SourceError
from kread.index.scope import Scope, find_scope
from kread.index.store import GraphStore, blob_hash, facts_file, is_graph, write_graph
from kread.parse.unit import EXTRACTOR_VERSION
from kread.source.home import ensure_dir, index_dir, lock
from kread.source.progress import Progress
from kread.source.tree import SourceTree

#: Raised when linking makes something else of the same facts: graphs are then linked anew, and nothing is read again.
LINKER_VERSION = 22

#: What reading a graph that is damaged, or made by another kread, can raise.
_UNREADABLE = (OSError, SourceError, ValueError, EOFError, TypeError)

#: A file's size and its time of change.
Signature = tuple[int, int]


def graph_file(tree: SourceTree, scope: Scope) -> Path:
    """Where the graph of a tree and a scope is kept."""
    name = re.sub(r"[^A-Za-z0-9_.+-]", "_", scope.name)[:80]
    return index_dir() / f"{tree.release}-{tree.ident}-{name}.sqlite"


def stamp(files: Mapping[str, Signature]) -> str:
    """What the files looked like, as one word. It is taken of what was read: a change while indexing is seen later."""
    return blob_hash(repr((EXTRACTOR_VERSION, LINKER_VERSION, __version__, list(files.items()))).encode())


def build(tree: SourceTree, places: Sequence[str], progress: Progress, most: int = 0) -> Path:
    """The file of the linked graph of these places of a tree, built or refreshed if need be. It is linked by
    regions where there are more sources than `most`, or than memory allows."""
    scope = find_scope(tree, places)
    target = graph_file(tree, scope)
    if is_fresh(tree, scope, target):
        return target  # without a lock: a home that can only be read will do
    ensure_dir(target.parent)
    with lock(target.with_suffix(".lock"), lambda: progress.say(f"waiting: another kread indexes {tree.release}")):
        if not is_fresh(tree, scope, target):
            with _uncollected():
                _build(tree, scope, target, progress, most)
    return target


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: rows by the million hold none, and each of its visits would walk over all.

    Processes that are forked meanwhile have it off as well, and so leave the pages that they share as they are.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def is_fresh(tree: SourceTree, scope: Scope, target: Path) -> bool:
    """Whether a graph exists that was made from exactly the files that the tree now has."""
    if not is_graph(target):
        return False
    graph = GraphStore(target)
    try:
        if graph.meta("sources") != _listing(scope):
            return False
        root = f"{tree.root}/"
        seen: dict[str, Signature] = {}
        for file in graph.packed("watched"):
            status = os.stat(root + file)
            seen[file] = (status.st_size, status.st_mtime_ns)
        return graph.meta("stamp") == stamp(seen)
    except _UNREADABLE:
        # A file that is gone, or a graph that cannot be read as one: it is made again.
        return False
    finally:
        graph.close()


def _listing(scope: Scope) -> str:
    return blob_hash("\n".join(scope.sources).encode())


def _build(tree: SourceTree, scope: Scope, target: Path, progress: Progress, most: int) -> None:
    progress.say(
        f"indexing {tree.release}, scope {scope.name}: {len(scope.sources)} sources and the headers they include"
    )
    if scope.missing:
        progress.say(f"this tree has no {', '.join(scope.missing)}: the scope is what is left of it")
    # Imported here: whoever asks a graph that is fresh needs neither the parser nor the linker.
    from kread.index import modules
    from kread.index.elsewhere import find_elsewhere
    from kread.index.units import Past, read_scope, sign
    from kread.parse.flags import Flags
    from kread.parse.kbuild import Kbuild
    from kread.resolve.join import join
    from kread.resolve.link import Linked

    makefiles: dict[str, Signature] = {}

    def makefile(file: str) -> bytes | None:
        if not tree.exists(file):
            return None
        makefiles[file] = sign(tree, file)
        return tree.read(file)

    past = Past(*_past(target))
    indexed = read_scope(tree, scope, facts_file(index_dir()), progress, past, Flags(makefile).of)
    kbuild = Kbuild(makefile)
    files = indexed.units.files
    compiled = {file: kbuild.presence(file) for file in files if file.endswith(".c")}
    for file, wholes in indexed.parts.items():
        if compiled.get(file) == presence.ALWAYS:  # no Makefile names what others include
            ways = (presence.conj(compiled.get(whole, ""), condition) for whole, condition in wholes.items())
            compiled[file] = presence.disj(*ways)
    built = compiled | indexed.macros.presences
    units = indexed.units.settled(lambda unit: modules.settle(unit, compiled), modules.MARK)
    watched = {file: indexed.signatures[file] for file in files} | dict(sorted(makefiles.items()))
    elsewhere = find_elsewhere(tree, index_dir(), progress)
    current = stamp(watched)
    joined = join(
        units,
        scope.sources,
        indexed.closures,
        built,
        indexed.macros,
        elsewhere,
        kbuild.presence,
        _parcels(target, current),
        progress,
        most,
    )
    linked = Linked(units, joined, indexed.macros)
    table = indexed.table
    meta = {
        "release": tree.release,
        "root": str(tree.root),
        "tree": tree.ident,
        "scope": scope.name,
        "sources": _listing(scope),
        "stamp": current,
        "files": str(len(files)),
        "version": __version__,
        "macros": indexed.past.macros,
    }
    packed = {
        "watched": tuple(watched),
        "read": dict(indexed.past.files),
        "macro_table": (dict(table.kinds), dict(table.fixed), dict(table.declares)),
    }

    def rest() -> tuple[dict[str, str], dict[str, Any]]:
        of_edges, packed_edges = linked.summary()
        return meta | of_edges, packed | packed_edges

    progress.phase("writing the graph")
    write_graph(target, linked.tables, rest)
    _parcels(target, "")
    progress.say(f"indexed {len(files):,} files, of which {indexed.parsed:,} were parsed")


def _parcels(target: Path, current: str) -> Path:
    """Where the parcels of a graph's regions are kept until it is written; those of other files than the current ones are
    removed."""
    folder = target.with_suffix(".regions")
    for old in folder.glob("*"):
        if old.name != current:
            shutil.rmtree(old, ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()
    return folder / current


def _past(target: Path) -> tuple[Mapping[str, tuple[int, int, str, str]], str]:
    """What the graph that is there says of the files that it was made from, and of their macros."""
    if is_graph(target):
        graph = GraphStore(target)
        try:
            return graph.packed("read") or {}, graph.meta("macros")
        except _UNREADABLE:
            pass  # it is made again, from what the fact store has
        finally:
            graph.close()
    return {}, ""

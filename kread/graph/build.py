"""From a tree to a linked graph on disk: read directives, parse what changed, link, and put the graph in place.

Three passes. The first reads every file's directives, because how a file parses depends on the macros that its headers
define. The second turns each file into a Unit, in processes; a unit whose bytes and macros are unchanged comes from
the fact store. The third joins the units and resolves every call. A graph carries the stamp of the files that
it was made from, and the times of the folders in which they were found, so that a query needs one `stat` for each to know that
it still holds.
"""

from __future__ import annotations

import gc
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kread import __version__, presence
from kread.errors import SourceError
from kread.index.freshness import Watched, digest, files_of, folder_times, looking, packed, unchanged, watched
from kread.index.scope import Scope, find_scope, scope_name
from kread.index.store import GraphStore, blob_hash, facts_file, is_graph, write_graph
from kread.parse.unit import EXTRACTOR_VERSION
from kread.source.home import ensure_dir, index_dir, lock
from kread.source.progress import Progress
from kread.source.tree import SourceTree

#: Raised when linking makes something else of the same facts: graphs are then linked anew, and nothing is read again.
LINKER_VERSION = 24

#: What reading a graph that is damaged, or made by another kread, can raise.
_UNREADABLE = (OSError, SourceError, ValueError, EOFError, TypeError)

#: A file's size and its time of change.
Signature = tuple[int, int]


def graph_file(tree: SourceTree, places: Sequence[str] = ()) -> Path:
    """Where the graph of these places of a tree is kept."""
    name = re.sub(r"[^A-Za-z0-9_.+-]", "_", scope_name(places))[:80]
    return index_dir() / f"{tree.release}-{tree.ident}-{name}.sqlite"


def _stamp(watched: Watched, looks: bytes) -> str:
    """It is taken of what was read: a change while indexing is seen later."""
    return digest(watched, looks, EXTRACTOR_VERSION, LINKER_VERSION, __version__)


def build(tree: SourceTree, places: Sequence[str], progress: Progress, most: int = 0) -> Path:
    """The file of the linked graph of these places of a tree, built or refreshed if need be. It is linked by
    regions where there are more sources than `most`, or than memory allows."""
    target = graph_file(tree, places)
    if is_fresh(tree, places, target):
        return target  # without a lock: a home that can only be read will do
    inside = find_scope(tree, places).places
    ensure_dir(target.parent)
    with lock(target.with_suffix(".lock"), lambda: progress.say(f"waiting: another kread indexes {tree.release}")):
        if not is_fresh(tree, places, target):
            # The times first: what comes or goes while the files are listed is seen later.
            folders = folder_times(tree, inside)
            with _uncollected():
                _build(tree, find_scope(tree, places), folders, target, progress, most)
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


def is_fresh(tree: SourceTree, places: Sequence[str], target: Path) -> bool:
    """Whether a graph exists that was made from exactly the files that the tree now has in these places."""
    if not is_graph(target):
        return False
    graph = GraphStore(target)
    try:
        looked_at, folders = graph.packed("watched"), graph.packed("folders")
        looks = looking(tree.root, looked_at)  # others may look meanwhile: what they found has to be taken
        listed = unchanged(tree.root, folders)
        found = looks()
        listed = listed or graph.meta("sources") == _listing(find_scope(tree, places))
        return listed and graph.meta("stamp") == _stamp(looked_at, found)
    except _UNREADABLE:
        # A file that is gone, or a graph that cannot be read as one: it is made again.
        return False
    finally:
        graph.close()


def _listing(scope: Scope) -> str:
    return blob_hash("\n".join(scope.sources).encode())


def _build(
    tree: SourceTree, scope: Scope, folders: Mapping[str, int], target: Path, progress: Progress, most: int
) -> None:
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
    signatures = {file: indexed.signatures[file] for file in files} | makefiles
    looked_at = watched(signatures)
    elsewhere = find_elsewhere(tree, index_dir(), progress)
    current = _stamp(looked_at, packed(signatures[file] for file in files_of(looked_at)))
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
    values = {
        "watched": looked_at,
        "folders": folders,
        "read": dict(indexed.past.files),
        "macro_table": (dict(table.kinds), dict(table.fixed), dict(table.declares)),
    }

    def rest() -> tuple[dict[str, str], dict[str, Any]]:
        of_edges, packed_edges = linked.summary()
        return meta | of_edges, values | packed_edges

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

"""How the units of a scope are joined: as a whole, or, where that would take too much memory, by regions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kread.index.closures import Closures
from kread.index.kept import KeptUnits
from kread.index.macros import MacroIndex
from kread.resolve.atlas import Atlas
from kread.resolve.link import Joined
from kread.resolve.region import Shared
from kread.resolve.regional import Regional
from kread.resolve.regions import MOST_SOURCES, regions
from kread.resolve.whole import Whole
from kread.source.home import ensure_dir
from kread.source.progress import Progress


def join(
    units: KeptUnits,
    sources: Sequence[str],
    closures: Closures,
    built: Mapping[str, str],
    macros: MacroIndex,
    elsewhere: Mapping[str, Sequence[tuple[str, int]]],
    compiled: Callable[[str], str],
    folder: Path,
    progress: Progress,
    most: int = 0,
) -> Joined:
    """The units of a scope, joined. With more than `most` sources (0: as memory allows) that is done by regions of at most so
    many, whose parcels are kept in a folder: those that are there need not be made again."""
    most = most or MOST_SOURCES
    if len(sources) <= most:
        return Whole(units, closures, built, macros, elsewhere, compiled, progress)
    progress.phase("linking: numbering the functions")
    atlas = Atlas(units, built)
    outside = {name: [row for row in rows if row[0] not in atlas] for name, rows in elsewhere.items()}
    shared = Shared(units, closures, built, macros, outside, compiled, atlas, ensure_dir(folder))
    return Regional(shared, regions(sources, closures.union, most), progress)

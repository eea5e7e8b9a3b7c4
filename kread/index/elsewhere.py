"""Definitions outside the scope: which file holds the function that the scope only sees declared.

Those files are not parsed. In the kernel's coding style a function begins at column 0 and its brace stands alone on a
line, so what stands before such a brace is searched by one regular expression, which finds nearly all; what it misses stays
at its declaration. What was found is kept beside the graphs, and only files that changed are read again.
"""

from __future__ import annotations

import marshal
import re
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from kread.data import load
from kread.errors import SourceError
from kread.index.scope import aside
from kread.index.units import sign
from kread.index.workers import spread
from kread.source.home import write_atomically
from kread.source.progress import Progress
from kread.source.tree import SourceTree

#: Raised whenever what is kept, or what it means, changes.
_VERSION = 1

_DEFINITION = re.compile(rb"\n((?:[A-Za-z_][\w \t*]*[ \t*\n])?)([A-Za-z_]\w*)\([^;{}]*\)[^;{}()=]*\n\{")

#: What begins a function's body.
_BODY = b"\n{"

#: file -> (its signature, its external definitions as (name, line))
_Found: TypeAlias = dict[str, tuple[tuple[int, int], list[tuple[str, int]]]]


def external_definitions(data: bytes) -> list[tuple[str, int]]:
    """The functions that a file defines for others, each with its line."""
    found: list[tuple[str, int]] = []
    data = b"\n" + data
    line = place = 0
    brace = data.find(_BODY)
    while brace >= 0:
        # No head holds a brace or a semicolon, so it begins behind the last one: most of a file is never looked at.
        behind = max(data.rfind(mark, place, brace) for mark in (b";", b"}", b"{")) + 1
        match = _DEFINITION.search(data, max(place, behind), brace + len(_BODY))
        if match is not None and b"static" not in match[1].split():
            line += data.count(b"\n", place, match.start(2))
            place = match.start(2)
            found.append((match[2].decode(), line))
        brace = data.find(_BODY, brace + 1)
    return found


def find_elsewhere(tree: SourceTree, folder: Path, progress: Progress) -> dict[str, list[tuple[str, int]]]:
    """name -> (file, line) of its external definitions in the tree; `folder` keeps what was found."""
    keep = _keep(folder, tree.ident)
    known = _kept(keep)
    listed = {file for row in load("elsewhere")["folder"] for file in tree.files(row["place"], ".c")}
    apart = aside()
    files = sorted(file for file in listed if not file.startswith(apart))
    found: _Found = {}
    fresh: list[str] = []
    for file in files:
        signature = sign(tree, file)
        if file in known and known[file][0] == signature:
            found[file] = known[file]
        else:
            found[file] = signature, []
            fresh.append(file)
    if fresh:
        progress.phase("looking for definitions outside the scope")
        for file, rows in spread(_read, tree, fresh, chunk=64):
            found[file] = found[file][0], rows
    if fresh or len(found) != len(known):
        with suppress(SourceError, OSError):
            write_atomically(keep, marshal.dumps((_VERSION, found)))
    places: dict[str, list[tuple[str, int]]] = {}
    for file in files:
        for name, line in found[file][1]:
            places.setdefault(name, []).append((file, line))
    return places


def defined_elsewhere(folder: Path, ident: str, name: str) -> list[str]:
    """The files in which the tree of that ident defines a function for others, by what `find_elsewhere` kept."""
    found = _kept(_keep(folder, ident))
    return [file for file, (_, rows) in sorted(found.items()) if any(row[0] == name for row in rows)]


def _keep(folder: Path, ident: str) -> Path:
    return folder / f"elsewhere-{ident}.bin"


def _read(tree: SourceTree, file: str) -> tuple[str, list[tuple[str, int]]]:
    try:
        return file, external_definitions(tree.read(file))
    except SourceError:
        return file, []


def _kept(keep: Path) -> _Found:
    try:
        version, found = marshal.loads(keep.read_bytes())
    except (OSError, ValueError, EOFError, TypeError):
        return {}
    return dict(found) if version == _VERSION else {}

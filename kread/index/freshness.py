"""Whether files are as they were: by their sizes and times of change, one `stat` a file.

Theory of operation: files are asked for folder by folder, and where they are many in processes of their own, each of which
goes into the folders: a name in the current directory is found in half the time of a long one, and the kernel's tree has
46,000. That no file came or went is seen from the times of the folders, without listing them.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from time import time_ns

from kread.index.store import blob_hash
from kread.source.tree import SourceTree

#: Fewer files than these are asked for in this process: two more cost as much as the answers for a thousand.
WORTH_FORKING = 3000

#: A folder that changed so shortly before it was listed could change again without a change of its time. In nanoseconds.
SETTLED = 2_000_000_000

#: folder -> names of files in it
Watched = Mapping[str, Sequence[str]]

#: Numbers of 64 bits.
_LONG = "q"


def watched(files: Iterable[str]) -> Watched:
    """Files by their folders."""
    found = groupby(sorted(files, key=lambda file: file.rpartition("/")[::2]), lambda file: file.rpartition("/")[0])
    return {folder: tuple(file.rpartition("/")[2] for file in inside) for folder, inside in found}


def files_of(watched: Watched) -> Iterator[str]:
    """The files, in the order in which they are looked at."""
    return (f"{folder}/{name}" if folder else name for folder, names in watched.items() for name in names)


def digest(watched: Watched, found: bytes, *made_by: object) -> str:
    """What the files looked like, and what reads them, as one word."""
    names = "\n".join("\0".join((folder, *names)) for folder, names in watched.items())
    return blob_hash(f"{made_by!r}\n{names}\n".encode() + found)


def packed(signatures: Iterable[tuple[int, int]]) -> bytes:
    """The sizes and times of change of files, as `looking` gives them."""
    return array(_LONG, [number for signature in signatures for number in signature]).tobytes()


def looking(root: Path, watched: Watched) -> Callable[[], bytes]:
    """What waits for the sizes and times of change of files of a tree; OSError, or too few, where one of them is gone."""
    count = sum(map(len, watched.values()))
    cores = len(os.sched_getaffinity(0))
    if count < WORTH_FORKING or cores < 2:
        return lambda: _looks((f"{root}/{folder}/", names) for folder, names in watched.items())
    processes = [_Process(root, part) for part in _parts(watched, -(-count // cores))]
    return lambda: b"".join([process.result() for process in processes])


def _looks(groups: Iterable[tuple[str, Sequence[str]]]) -> bytes:
    """Of files, each group with what stands before its names."""
    found = array(_LONG)
    for before, names in groups:
        for name in names:
            status = os.stat(before + name)
            found.append(status.st_size)
            found.append(status.st_mtime_ns)
    return found.tobytes()


def _parts(watched: Watched, size: int) -> Iterator[list[tuple[str, Sequence[str]]]]:
    """Folders in groups that have some `size` files each."""
    part: list[tuple[str, Sequence[str]]] = []
    count = 0
    for folder, names in watched.items():
        part.append((folder, names))
        count += len(names)
        if count >= size:
            yield part
            part, count = [], 0
    if part:
        yield part


class _Process:
    """A process that asks for the files of some folders, forked without more: `multiprocessing` takes longer to import."""

    def __init__(self, root: Path, folders: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._end, end = os.pipe()
        self._number = os.fork()
        if self._number == 0:
            try:
                with open(end, "wb") as pipe:
                    pipe.write(_looks(_entered(root, folders)))
            finally:  # what belongs to the process that was forked is none of this one's to end
                os._exit(0)
        os.close(end)

    def result(self) -> bytes:
        """What it found; a file that is gone makes it end with less, and so unlike any other answer."""
        with open(self._end, "rb") as pipe:
            found = pipe.read()
        os.waitpid(self._number, 0)
        return found


def _entered(root: Path, folders: Iterable[tuple[str, Sequence[str]]]) -> Iterator[tuple[str, Sequence[str]]]:
    for folder, names in folders:
        os.chdir(f"{root}/{folder}")
        yield "", names


def folder_times(tree: SourceTree, places: Iterable[str]) -> dict[str, int]:
    """The times of change of all folders in which a new file would belong to these places; none where that can't be told."""
    found: dict[str, int] = {}
    settled = time_ns() - SETTLED
    for place in places:
        alone = place.endswith(".c")
        inside = [] if alone else tree.folders(place)
        if not (inside or (alone and tree.exists(place))):
            return {}
        for folder in inside:
            changed = os.stat(f"{tree.root}/{folder}").st_mtime_ns
            found[folder] = changed if changed < settled else 0
    return found


def unchanged(root: Path, folders: Mapping[str, int]) -> bool:
    """Whether nothing came into these folders or left them, as far as can be told."""
    try:
        return bool(folders) and all(os.stat(f"{root}/{one}").st_mtime_ns == time for one, time in folders.items())
    except OSError:
        return False

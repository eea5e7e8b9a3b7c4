"""Which headers of a scope are read again with other macros, and with which (see kread.parse.rereads).

data/includes.toml says which header has others read again. A header that everybody shares (below a directory that the
row sets aside) is left out: the functions that its events come to belong to the tracing core, which alone calls them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from kread import data
from kread.index.scope import IncludeGraph
from kread.parse.rereads import Reading, reread
from kread.source.tree import SourceTree


class Rereads:
    """The readings of each header that is read again. What is included for them is added to the include graph."""

    def __init__(
        self, tree: SourceTree, graph: IncludeGraph, included: Iterable[tuple[str, Iterable[tuple[str, bool, str]]]]
    ) -> None:
        self._of: dict[str, Sequence[Reading]] = {}
        rows = data.load("includes")["reread"]
        asking: dict[str, list[str]] = {row["header"]: [] for row in rows}
        for file, names in included:
            if file.endswith(".h"):
                for name in asking.keys() & {name for name, _, _ in names}:
                    asking[name].append(file)
        for row in rows:
            files = [file for file in asking[row["header"]] if not file.startswith(row["aside"])]
            header = graph.place("", row["header"], False)
            if files and header is not None:
                found = reread(header, row["asked"], tree.read, graph.place)
                self._of.update(dict.fromkeys(files, found.readings))
                for file in files:
                    graph.direct[file] = {**found.included, **graph.direct[file]}
        self._digests: dict[int, str] = {}

    @property
    def state(self) -> str:
        """What tells the readings of all files from others."""
        return "".join(dict.fromkeys(map(self.digest, self._of)))

    def of(self, file: str) -> Sequence[Reading]:
        """The readings of a file beside the ordinary one."""
        return self._of.get(file, ())

    def digest(self, file: str) -> str:
        """What tells the readings of a file from others: "" where there are none."""
        found = self.of(file)
        if not found:
            return ""
        known = self._digests.get(id(found))
        if known is None:
            text = repr([(each.presence, sorted(each.macros.items())) for each in found])
            known = self._digests[id(found)] = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        return known

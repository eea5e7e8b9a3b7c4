"""What each source includes, directly or through others, as one bit for each file.

A set of names for each source would be the largest thing that an index holds: the whole tree has 27,000 sources, of
which many include two thousand headers each. So the files that something includes are numbered, and what a source
includes is a row of bits. All rows are computed at once: files that include each other in a circle include the same, and
otherwise a file includes what its includes do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping


class Included:
    """The files of one closure: asked whether it holds a file."""

    __slots__ = ("_bits", "_numbers")

    def __init__(self, bits: bytes, numbers: Mapping[str, int]) -> None:
        self._bits = bits
        self._numbers = numbers

    def __contains__(self, file: object) -> bool:
        number = self._numbers.get(file, -1)  # type: ignore[call-overload]
        place = number >> 3
        return 0 <= place < len(self._bits) and bool(self._bits[place] >> (number & 7) & 1)


class Closures(Mapping[str, Included]):
    """source -> the files that it includes, itself not among them.

    direct -- file -> the files that it includes directly
    parts  -- the sources that others include, with those others: a part sees what the whole does
    """

    def __init__(
        self,
        direct: Mapping[str, Iterable[str]],
        sources: Collection[str],
        parts: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        included = {name for names in direct.values() for name in names}
        wholes = {whole for each in (parts or {}).values() for whole in each}
        self._numbers = {file: number for number, file in enumerate(sorted(included | wholes))}
        masks = _masks(direct, included, self._numbers)
        found = {file: _union(direct.get(file, ()), masks, self._numbers) for file in sources}
        for part, each in (parts or {}).items():  # one after the other: a part of a part sees what that one does
            mask = found.get(part, 0)
            for whole in each:
                mask |= found[whole] | 1 << self._numbers[whole]
            found[part] = mask & ~(1 << self._numbers[part])
        equal: dict[int, bytes] = {}
        self._bits: dict[str, bytes] = {}
        for file, mask in found.items():
            known = equal.get(mask)
            if known is None:
                known = equal[mask] = mask.to_bytes((mask.bit_length() + 7) // 8, "little")
            self._bits[file] = known
        self._includers: dict[str, int] = {}

    def union(self, sources: Iterable[str]) -> set[str]:
        """The files that any of these sources includes."""
        mask = 0
        for bits in {self._bits[file] for file in sources if file in self._bits}:
            mask |= int.from_bytes(bits, "little")
        together = Included(mask.to_bytes((mask.bit_length() + 7) // 8, "little"), self._numbers)
        return {file for file in self._numbers if file in together}

    def includers(self, file: str) -> int:
        """The sources that include a file, as bits."""
        known = self._includers.get(file)
        if known is None:
            number = self._numbers.get(file, -1)
            place, bit = number >> 3, 1 << (number & 7)
            rows = self._bits.values() if number >= 0 else ()
            said = "".join(["1" if place < len(bits) and bits[place] & bit else "0" for bits in rows])
            known = self._includers[file] = int(said or "0", 2)
        return known

    def __getitem__(self, file: str) -> Included:
        return Included(self._bits[file], self._numbers)

    def __contains__(self, file: object) -> bool:
        return file in self._bits

    def __iter__(self) -> Iterator[str]:
        return iter(self._bits)

    def __len__(self) -> int:
        return len(self._bits)


def _union(names: Iterable[str], masks: Mapping[str, int], numbers: Mapping[str, int]) -> int:
    """What is included where these files are."""
    mask = 0
    for name in names:
        mask |= masks[name] | 1 << numbers[name]
    return mask


def _masks(direct: Mapping[str, Iterable[str]], files: Iterable[str], numbers: Mapping[str, int]) -> dict[str, int]:
    """What each of these files includes. Files in one circle include the same, each other among it."""
    import networkx

    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(files)
    graph.add_edges_from((file, name) for file in list(graph) for name in direct.get(file, ()))
    masks: dict[str, int] = {}
    circles = networkx.condensation(graph)
    # What is included comes before who includes it.
    for circle in networkx.dfs_postorder_nodes(circles):
        members: set[str] = circles.nodes[circle]["members"]
        mask = 0
        for name in (name for file in members for name in direct.get(file, ())):
            mask |= 1 << numbers[name] | (0 if name in members else masks[name])
        masks.update(dict.fromkeys(members, mask))
    return masks

"""The kernel's ways to move a value that C's own `=` doesn't show: data/stores.toml, ready for lookup by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from kread.data import load


@dataclass(frozen=True, slots=True)
class Idioms:
    """Rows of data/stores.toml by the names they concern; `prefixes` hold the rows whose names end in `*`."""

    through: dict[str, dict[str, Any]]
    stores: dict[str, tuple[dict[str, Any], ...]]
    copies: dict[str, dict[str, Any]]
    containers: dict[str, dict[str, Any]]
    list_adds: dict[str, dict[str, Any]]
    list_each: dict[str, dict[str, Any]]
    list_first: dict[str, dict[str, Any]]
    sorts: dict[str, dict[str, Any]]
    openers: dict[str, dict[str, Any]]
    alike: dict[str, dict[str, Any]]
    allocators: frozenset[str]
    allocator_prefixes: tuple[str, ...]

    def allocates(self, name: str) -> bool:
        """Whether a call of this name yields fresh memory."""
        return name in self.allocators or name.startswith(self.allocator_prefixes)


def _by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: row for row in rows for name in row["names"]}


@cache
def idioms() -> Idioms:
    """What data/stores.toml says."""
    data = load("stores")
    stores: dict[str, tuple[dict[str, Any], ...]] = {}
    for row in data["store"]:
        for name in row["names"]:
            stores[name] = (*stores.get(name, ()), row)
    allocators = [name for row in data["allocator"] for name in row["names"]]
    return Idioms(
        through=_by_name(data["through"]),
        stores=stores,
        copies=_by_name(data["copy"]),
        containers=_by_name(data["container"]),
        list_adds=_by_name(data["list_add"]),
        list_each=_by_name(data["list_each"]),
        list_first=_by_name(data["list_first"]),
        sorts=_by_name(data["sorted"]),
        openers=_by_name(data["opener"]),
        alike=_by_name(data["alike"]),
        allocators=frozenset(name for name in allocators if not name.endswith("*")),
        allocator_prefixes=tuple(name[:-1] for name in allocators if name.endswith("*")),
    )

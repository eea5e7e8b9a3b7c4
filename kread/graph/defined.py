"""The macros that a configuration has a scope's headers define."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from kread.index.store import GraphStore

if TYPE_CHECKING:
    from kread import presence


class Defined(Mapping[str, str]):
    """The macros that a configuration has the scope's headers define, looked up when a condition asks for one."""

    def __init__(self, store: GraphStore, config: presence.Config) -> None:
        self._store = store
        #: What a condition asks of other macros is answered by this; one that is being looked up is not defined yet.
        self._config = replace(config, defined=self, _known={})
        self._known: dict[str, str | None] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = None
            rows = self._store.query("SELECT body, presence FROM macro WHERE name = ? ORDER BY file, line", [name])
            self._known[name] = next((body for body, cond in rows if self._config.evaluate(cond)), None)
        found = self._known[name]
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return (row[0] for row in self._store.query("SELECT DISTINCT name FROM macro") if row[0] in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

"""What a function assigns between a condition and a call: whether a guard may have become stale.

Theory of operation: assignments, increments and addresses handed over are found in the text by their form, calls that
change a field by data/idioms.toml. A guard is stale when one of them names an identifier or a field of its text, and
its block lies on a way from the guard's branch to the call that does not evaluate the guard again. This is by name:
a change made in a callee that the data does not know is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from kread.parse.body import Body
from kread.parse.dominance import chain, reach
from kread.parse.flow import Cond

#: What assigns, and an address that is handed over. Sought from the operator back, because names are everywhere.
_ASSIGNS = re.compile(
    r"(?<![=!<>])=(?!=)|(?:<<|>>)=|(?:\+\+|--)\s*(?P<after>\w*)|[(,]\s*&\s*(?P<given>\w+)\b(?!\s*(?:->|\.|\[))"
)
_TARGET = re.compile(r"(?P<field>->|\.)?\s*(?P<name>[A-Za-z_]\w*)\s*(?:\[[^\]\n]*\]\s*)?[-+*/%&|^]?$")

#: A variable that is given a value as a whole: not counted up, not handed over by its address.
_PLAIN = re.compile(r"\w+\s*=(?!=)")

#: A target is sought in this many characters before its operator.
TARGET_LENGTH = 80

#: The conditions of one function are asked for each of its calls; more than these it does not have.
CACHED = 1024

#: A variable at the start of a chain of fields.
_FOLLOWED = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*->")

_NAMES = re.compile(r"(?P<field>->|\.)?\s*\b(?P<name>[A-Za-z_]\w*)\b(?!\s*\()")


@lru_cache(maxsize=CACHED)
def names_of(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The identifiers and the fields that an expression reads."""
    names: set[str] = set()
    fields: set[str] = set()
    for match in _NAMES.finditer(text):
        (fields if match["field"] else names).add(match["name"])
    return frozenset(names), frozenset(fields)


@lru_cache(maxsize=CACHED)
def pointers_of(text: str) -> frozenset[str]:
    """The identifiers that an expression follows to a field."""
    return frozenset(_FOLLOWED.findall(text))


def assigns(text: str) -> bool:
    """Whether an expression assigns something."""
    return _ASSIGNS.search(text) is not None


class Changes:
    """The assignments of one function, by what they change."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._names: dict[str, list[int]] | None = None
        self._fields: dict[str, list[int]] = {}

    def _collect(self) -> dict[str, list[int]]:
        code = self._body.code
        names: dict[str, list[int]] = {}
        for match in _ASSIGNS.finditer(code):
            if match["given"]:
                names.setdefault(match["given"], []).append(match.start("given"))
                continue
            if match["after"]:
                names.setdefault(match["after"], []).append(match.start("after"))
            first = max(0, match.start() - TARGET_LENGTH)
            target = _TARGET.search(code[first : match.start()])
            if target:
                kind = self._fields if target["field"] else names
                kind.setdefault(target["name"], []).append(first + target.start("name"))
        for call, field in self._body.known.changes:
            for match in call.finditer(code):
                self._fields.setdefault(field, []).append(match.start())
        return names

    def before(self, block: int, offset: int, blocks: set[int]) -> frozenset[str]:
        """The names, and the fields as "->field", that may be assigned in `blocks` or before `offset` in `block`."""
        names = self._all()
        found = set()
        for prefix, kinds in (("", names), ("->", self._fields)):
            for name, places in kinds.items():
                for place in places:
                    at = self._body.flow.block_at(place)
                    if at in blocks or (at == block and place < offset):
                        found.add(prefix + name)
                        break
        return frozenset(found)

    def _all(self) -> dict[str, list[int]]:
        if self._names is None:
            self._names = self._collect()
        return self._names

    def between(self, edge: int, block: int, offset: int, text: str) -> bool:
        """Whether something that `text` names may change after the branch `edge` and before the call at `offset`."""
        assigned = self._all()
        names, fields = names_of(text)
        places = [place for name in names for place in assigned.get(name, ())]
        places += [place for field in fields for place in self._fields.get(field, ())]
        return any(True for _ in self._passed(edge, block, offset, places))

    def assigned(self, edge: int, block: int, offset: int, names: Iterable[str]) -> int:
        """The place of the last plain assignment to one of these variables that is always made after the branch `edge` and
        before `offset` in `block`; -1 where there is none."""
        code, assigned = self._body.code, self._all()
        places = [place for name in names for place in assigned.get(name, ()) if _PLAIN.match(code, place)]
        always = set(chain(self._body.idom, block)) if places else ()
        made = [place for place in places if place < offset and self._body.flow.block_at(place) in always]
        return max(self._passed(edge, block, offset, made), default=-1)

    def _passed(self, edge: int, block: int, offset: int, places: Sequence[int]) -> Iterator[int]:
        """Of these places, those that control may pass after the branch `edge` and before `offset` in `block`."""
        if not places:
            return
        choice = self._body.choices.get(edge)
        again = choice[0].block if choice is not None and isinstance(choice[0], Cond) else edge
        starts = self._body.flow.succ[edge] if again == edge else [edge]
        after = reach(self._body.flow.succ, starts, without=again)
        before = reach(self._body.pred, [block], without=again)
        around = any(target in before and target in after for target in self._body.flow.succ[block])
        for place in places:
            at = self._body.flow.block_at(place)
            if at in after and at in before and (at != block or around or place < offset):
                yield place

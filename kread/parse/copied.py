"""Variables that a piece of tokens makes as copies (`typeof(f) g = (f);`), and what they are copies of.

Whatever is said of such a variable holds for what it copies: a macro makes one so that its argument is evaluated once.
"""

from __future__ import annotations

_TYPEOF = frozenset(("typeof", "__typeof__", "__typeof"))


class Copies:
    """The copies in tokens of these texts; `pairs` has the index of the closing bracket by that of the opening one."""

    def __init__(self, texts: list[str], pairs: dict[int, int]) -> None:
        self._texts = texts
        self._pairs = pairs
        #: by name, the tokens of what is copied: `typeof(x) name = x;` and `__auto_type name = x;`
        self._known: dict[str, list[tuple[int, int]]] = {}
        for index, text in enumerate(texts):
            if text in _TYPEOF and texts[index + 1 : index + 2] == ["("]:
                name = pairs.get(index + 1, len(texts)) + 1
            elif text == "__auto_type":
                name = index + 1
            else:
                continue
            if name + 1 < len(texts) and texts[name].isidentifier() and texts[name + 1] == "=":
                stop = name + 2
                while stop < len(texts) and texts[stop] not in ";,":
                    stop = pairs.get(stop, stop) + 1
                self._known.setdefault(texts[name], []).append((name + 2, stop))

    def of(self, name: str, before: int) -> tuple[int, int] | None:
        """The tokens (first, behind the last) that a name met at the index `before` is a copy of, None if of none."""
        texts, pairs = self._texts, self._pairs
        found = None
        while name in self._known:
            start, stop = max((each for each in self._known[name] if each[1] <= before), default=(0, 0))
            while start < stop and texts[start] == "(" and peels(texts, pairs, start, stop):
                start, stop = start + 1, stop - 1
            if start == stop:
                break
            found = last_statement(texts, pairs, start, stop)
            if found[1] - found[0] > 1:
                break
            name, before = texts[found[0]], start
        return found


def peels(texts: list[str], pairs: dict[int, int], start: int, end: int) -> bool:
    """Whether the tokens are all in one pair of parentheses that means nothing."""
    return pairs.get(start) == end - 1 and texts[start + 1] != "{"


def last_statement(texts: list[str], pairs: dict[int, int], start: int, stop: int) -> tuple[int, int]:
    """The tokens that give the value of `({ ...; x; })`: those of x."""
    while texts[start : start + 2] == ["(", "{"] and pairs.get(start) == stop - 1:
        start, stop = start + 2, stop - 2
        while stop > start and texts[stop - 1] == ";":
            stop -= 1
        last = start
        while start < stop:
            start = pairs.get(start, start) + 1
            if start < stop and texts[start - 1] == ";":
                last = start
        start = last
    return start, stop

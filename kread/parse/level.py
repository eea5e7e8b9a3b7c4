"""One text expanded one level deep: the calls in it, the uses of macros left in it, and what comes of both together.

The tokens come from the expander, which leaves most macros as written. Here each of those uses is looked up as a
summary and its calls are added with the arguments in the placeholders' places. A call that is written in an argument is
made under the condition under which that argument is evaluated: never, if the macro drops it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from kread import presence
from kread.parse.calls import ExpandedCall, Finder
from kread.parse.expand import Expansion, Origin, Token, spell
from kread.parse.template import Macro

#: The placeholder of argument i is the letter at FIRST plus i: a block of the Yi script, which no C source uses.
FIRST = 0xA000
PLACES = 1000


class Summary(NamedTuple):
    """What a use of a macro does.

    calls -- the calls it makes itself, placeholders standing for the arguments
    uses  -- for each argument the condition under which it is evaluated
    """

    calls: tuple[ExpandedCall, ...]
    uses: tuple[str, ...]


class Summaries(Protocol):
    """Who knows the macros (kread.parse.macro_calls)."""

    def definitions(self, name: str) -> tuple[Macro, ...]: ...
    def left(self, name: str) -> bool: ...
    def used(self, name: str) -> bool | None: ...
    def bears(self, name: str) -> bool: ...
    def running(self, name: str) -> bool: ...
    def sensitive(self, name: str) -> Iterable[int]: ...
    def summary(self, name: str, args: Sequence[str] | None, raw: Callable[[], Sequence[str]]) -> Summary: ...


class _Use(NamedTuple):
    """A macro left as written: the indexes of its name, of its arguments' tokens, and of its end."""

    start: int
    args: list[tuple[int, int]]
    end: int


class Level:
    """One expanded text.

    to_open   -- macros whose value is called, or whose arguments do not fit as they stand
    calls     -- after compose: all calls
    uses      -- after compose: placeholders met, with the conditions
    sensitive -- after compose: placeholders that must be replaced by what they stand for
    """

    def __init__(self, owner: Summaries, expansion: Expansion, opened: frozenset[str]) -> None:
        self.owner = owner
        self.tokens = tokens = expansion.tokens
        self.raw = expansion.raw
        self.opened = opened
        self.finder = Finder(tokens, owner.left)
        self.calls: list[ExpandedCall] = []
        self.uses: list[tuple[int, str]] = []
        self.sensitive: set[int] = set()
        self.to_open: set[str] = set()
        self._found = list(self._uses())

    def _uses(self) -> Iterator[_Use]:
        finder, owner = self.finder, self.owner
        texts, dead, pairs = finder.texts, finder.dead, finder.pairs
        arms = finder.arms
        for text in dict.fromkeys(texts):
            used = owner.used(text)
            if used is None:
                continue
            bears = owner.bears(text)
            macros = owner.definitions(text)
            index = -1
            for _ in range(texts.count(text)):
                index = texts.index(text, index + 1)
                if dead[index] or self.tokens[index][4]:
                    continue
                called = index + 1 in pairs and texts[index + 1] == "("
                if called and any(macro.params is not None for macro in macros):
                    end = pairs[index + 1]
                    args = self._args(index + 1, end)
                elif any(macro.params is None for macro in macros):
                    end, args = index, []
                else:
                    continue
                if index in arms:
                    self.to_open.update({text} - self.opened)
                after = texts[end + 1] if end + 1 < len(texts) else ""
                if after == ")" and finder.opens.get(end + 1) == index - 1 and end + 2 < len(texts):
                    after = texts[end + 2]  # what `(MACRO)(x)` calls is the macro's value too
                if after != "(" and not (used and (bears or self._hold_calls(args))):
                    continue
                if text not in self.opened and (after == "(" or not any(_fits(macro, len(args)) for macro in macros)):
                    self.to_open.add(text)
                yield _Use(index, args, end)

    def _raw(self, use: _Use) -> list[str]:
        """The texts of a use's arguments before macros in them were expanded: what `##` takes."""
        tokens = self.raw.get(use.start, [])
        args: list[str] = []
        depth = start = 0
        for index, token in enumerate(tokens):
            text = token[0]
            if text == "(":
                depth += 1
            elif text == ")":
                depth -= 1
            if (text == "," and depth == 1) or depth == 0:
                args.append(spell(tokens[start + 1 : index]))
                start = index
        return args if len(args) == len(use.args) else [spell(self.tokens[start:end]) for start, end in use.args]

    def _hold_calls(self, args: list[tuple[int, int]]) -> bool:
        """Whether arguments can hold a call, now or once placeholders are replaced."""
        bears = self.owner.bears
        for start, end in args:
            texts = self.finder.texts[start:end]
            if "(" in texts or any(not text.isascii() or bears(text) for text in texts):
                return True
        return False

    def _args(self, paren: int, end: int) -> list[tuple[int, int]]:
        texts, pairs = self.finder.texts, self.finder.pairs
        args: list[tuple[int, int]] = []
        start = index = paren + 1
        while index < end:
            if texts[index] == ",":
                args.append((start, index))
                start = index + 1
            elif texts[index] == "(":
                index = pairs.get(index, index)
            index += 1
        args.append((start, end))
        return args

    def compose(self) -> None:
        """Put the calls, and those of the uses, together."""
        summaries: list[tuple[_Use, Summary]] = []
        for use in sorted(self._found):
            name = self.tokens[use.start][0]
            texts = [spell(self.tokens[start:end]) for start, end in use.args]
            if self.owner.running(name):
                if use.end > use.start:  # inside its own expansion it is a function's name
                    token = self.tokens[use.start]
                    self.calls.append(ExpandedCall("name", name, tuple(texts), token[3], token[3].kind, token[2]))
                continue
            summary = self.owner.summary(name, texts if use.end > use.start else None, partial(self._raw, use))
            sensitive = [place for place in self.owner.sensitive(name) if place < len(texts)]
            if sensitive:
                raw = self._raw(use)
                self.sensitive.update(*(places_in(raw[place]) for place in sensitive))
            self._add(use, summary, texts, self._condition(use.start, summaries))
            summaries.append((use, summary))
        for call, paren in self.finder.found:
            if len(call.callee) == 1:
                self.sensitive |= places_in(call.callee)
            self._keep(call, self._condition(paren, summaries), call.origin)
        self.sensitive.update(*map(places_in, self.finder.asked))
        texts_met = self.finder.texts
        strange = {text for text in set(texts_met) if not text.isascii() and text[0] != '"'}
        for index, text in enumerate(texts_met) if strange else ():
            if text not in strange:
                continue
            places = places_in(text)
            if len(text) > 1:
                self.sensitive |= places
            elif places and not self.finder.dead[index]:
                condition = presence.conj(self._condition(index, summaries), *self.tokens[index][3].presences)
                self.uses += [(place, condition) for place in places]

    def _condition(self, index: int, summaries: list[tuple[_Use, Summary]]) -> str:
        """Under which condition a token is evaluated, given the uses whose arguments it stands in."""
        condition = presence.ALWAYS
        for use, summary in summaries:
            if use.start < index < use.end:
                place = next((i for i, (start, end) in enumerate(use.args) if start <= index < end), -1)
                if 0 <= place < len(summary.uses):
                    condition = presence.conj(condition, summary.uses[place])
        return condition

    def _keep(self, call: ExpandedCall, condition: str, origin: Origin) -> None:
        condition = presence.conj(condition, *origin.presences)
        if condition != presence.NEVER:
            presences = (condition,) if condition else ()
            if presences != origin.presences:
                origin = origin._replace(presences=presences)
            self.calls.append(call if origin is call.origin else call._replace(origin=origin))

    def _add(self, use: _Use, summary: Summary, texts: list[str], condition: str) -> None:
        """The calls of a summary, with the arguments in the placeholders' places."""
        token = self.tokens[use.start]
        own = token[3]
        condition = presence.conj(condition, *own.presences)
        table = {FIRST + i: text for i, text in enumerate(texts)}
        for call in summary.calls:
            origin, written, at = call.origin, call.written, token[2]
            kind, macro = origin.kind, origin.macro
            if kind == "arg":
                source = self._source(use, call.callee.translate(table))
                if source is not None:
                    kind, macro, at = source[3].kind, source[3].macro, source[2]
                    written = "argname" if kind in ("arg", "src") else kind
            holds = presence.conj(condition, *origin.presences) if condition else None
            if holds == presence.NEVER:
                continue
            presences = origin.presences if holds is None else (holds,)
            callee = call.callee if call.callee.isascii() else call.callee.translate(table)
            sort = call.kind
            copied = self.finder.copied(callee, use.start) if sort == "name" else None
            if copied is not None:
                # What the use calls is a variable of the text around it.
                callee, sort = spell(self.tokens[slice(*copied)]), self.finder.kind(*copied)
                self.sensitive |= places_in(callee) if len(callee) == 1 else set()
                source = self.tokens[self.finder.named(*copied)]
                kind, macro, at = source[3].kind, source[3].macro, source[2]
                written = "argname" if kind in ("arg", "src") else kind
            made = Origin(kind, macro, own.macros + origin.macros if own.macros else origin.macros, presences)
            args = tuple([arg if arg.isascii() else arg.translate(table) for arg in call.args])
            self.calls.append(ExpandedCall(sort, callee, args, made, written, at))

    def _source(self, use: _Use, callee: str) -> Token | None:
        """The token of an argument that a callee's name comes from."""
        name = callee.rpartition("->")[2].rpartition(".")[2].strip("()*& ")
        return next((token for token in self.tokens[use.start + 2 : use.end] if token[0] == name), None)


def distinct(calls: list[ExpandedCall]) -> tuple[ExpandedCall, ...]:
    """Each call once, under the condition of all ways to it; the first way stands for all."""
    groups: dict[tuple[str, str, tuple[str, ...], int], list[ExpandedCall]] = {}
    for call in calls:
        groups.setdefault((call.kind, call.callee, call.args, call.at), []).append(call)
    return tuple(group[0] if len(group) == 1 else _joined(group) for group in groups.values())


def _joined(group: list[ExpandedCall]) -> ExpandedCall:
    first = group[0]
    if not first.origin.presences:
        return first
    conditions = dict.fromkeys(presence.conj(*call.origin.presences) for call in group)
    condition = presence.ALWAYS if presence.ALWAYS in conditions else presence.disj(*conditions)
    return first._replace(origin=first.origin._replace(presences=(condition,) if condition else ()))


def _fits(macro: Macro, given: int) -> bool:
    if macro.params is None:
        return True
    wanted = len(macro.params)
    if macro.params and macro.params[-1].endswith("..."):
        return given >= wanted - 1
    return given == wanted or (wanted == 0 and given == 1)


def places_in(text: str) -> set[int]:
    """The arguments whose placeholders are in a text."""
    if text.isascii():
        return set()
    return {ord(letter) - FIRST for letter in text if FIRST <= ord(letter) < FIRST + PLACES}

"""The calls that a piece of source makes through macros, all alternatives of the macros together.

Expanding each use in full repeats the same work: thousands of uses end in the same few macros, each with a dozen
alternatives by configuration. So a macro is looked at once, by itself: its use with placeholders for arguments is
expanded one level deep (kread.parse.level), the calls in it are noted, and the macros used in it are looked at in the
same way. The result is a `Summary`: the calls that a use makes, with placeholders where the arguments go, and for each
argument the condition under which it is evaluated. A use in the source then costs a replacement of placeholders.

What an argument is can matter to what is expanded: it is pasted to a name, or called. Such a position is sensitive:
there the argument itself takes the placeholder's place, and summaries are kept for each. Macros that give no more
than a name are expanded where they stand (see bearing), and so is one whose value is called: `MACRO(x)(y)`.
A use that opens macros so is looked at once for all that differ in names that mean nothing (kread.parse.renaming).

A definition under `#ifndef NAME` only stands in for a missing one, and gives way where another always holds. Where
none may hold and a function has the name, the name also stands for itself.

A file with macros of its own is answered `beside` the ones that all files share: only what its macros reach is looked
at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from kread import presence
from kread.parse.bearing import Bearing
from kread.parse.calls import ExpandedCall
from kread.parse.expand import Expander
from kread.parse.level import FIRST, PLACES, Level, Summary, distinct, places_in
from kread.parse.renaming import Meaning, renamed
from kread.parse.template import Macro
from kread.parse.tokens import KEYWORDS, is_word

#: A piece of source opens the macros whose values it calls, again if such a value is itself such a use: kernel code
#: goes three deep.
_MAX_OPENINGS = 12

#: Names that turn out to mean something are found in as many looks at a text: kernel code needs two.
_MAX_RENAMINGS = 3

_WORD = re.compile(r"[A-Za-z_]\w*")

_LATER = Summary((), ())

_Key = tuple[str, tuple[str | None, ...] | None]


class MacroCalls:
    """Answers with the macros that `lookup` gives.

    function -- whether a name is also a function's: where no definition of the macro holds, the function is called
    """

    def __init__(
        self, lookup: Callable[[str], Sequence[Macro]], *, function: Callable[[str], bool] | None = None
    ) -> None:
        self._lookup = lookup
        self._function = function
        self._definitions: dict[str, tuple[Macro, ...]] = {}
        self._bearing = Bearing(self.definitions, function)
        self._expander = Expander(self.definitions, skip=self.left, compatible=_may_hold_together)
        self._is_left: dict[str, bool] = {}
        self._is_use: dict[str, bool | None] = {}
        self._meaning = Meaning(self._is_macro)
        self._memo: dict[str, tuple[ExpandedCall, ...]] = {}
        self._summaries: dict[_Key, Summary] = {}
        self._sensitive: dict[str, set[int]] = {}
        self._running: list[str] = []
        self._cycles: set[str] = set()
        self._base: MacroCalls | None = None
        self._own: frozenset[str] = frozenset()
        self._reaches: dict[str, bool] = {}

    def beside(self, own: Iterable[str], lookup: Callable[[str], Sequence[Macro]]) -> MacroCalls:
        """The same for one file: `own` are the names that it defines, `lookup` gives the definitions that it can mean.

        What can reach no own name is answered, and kept, by this object.
        """
        other = MacroCalls(lookup, function=self._function)
        other._base = self
        other._own = frozenset(own)
        other._meaning = self._meaning.beside(other._is_macro)
        return other

    @property
    def cut(self) -> dict[str, int]:
        """The texts of which a part was left out because a limit was hit, with how many."""
        return self._expander.cut

    def bears(self, name: str) -> bool:
        """Whether a use of this name can make a call that its text does not show."""
        return self._bearing.bears(name)

    def matters(self, name: str) -> bool:
        """Whether a use of this name can change which calls are made: by its body, by an argument that it
        drops, or because it is another name of a function."""
        bearing = self._bearing
        return bearing.bears(name) or bearing.drops(name) or bearing.renames(name)

    def calls(self, text: str) -> tuple[ExpandedCall, ...]:
        """The calls in a text and in the macros it uses, each once; `origin.presences` is the one condition of all
        ways to it, or empty."""
        found = self._memo.get(text)
        if found is None:
            levels, to_open = self._level(text, frozenset())
            found = self._memo[text] = self._shared(text) if to_open else _calls(levels)
        return found

    def _shared(self, text: str) -> tuple[ExpandedCall, ...]:
        """The calls in a text that opens macros, as they were found in one that differs in its names alone."""
        for _ in range(_MAX_RENAMINGS):
            general = renamed(text, self._meaning.of)
            found = self._memo.get(general.text)
            if found is None:
                found = self._memo[general.text] = _calls(self._levels(general.text, frozenset()))
            if self._meaning.shared(general):
                return general.calls(found)
        return _calls(self._levels(text, frozenset()))

    def _is_macro(self, name: str) -> bool:
        return bool(self._lookup(name))

    def definitions(self, name: str) -> tuple[Macro, ...]:
        """The definitions of a name that count, and the name itself where a function may be meant."""
        found = self._definitions.get(name)
        if found is None and self._base is not None and not self._touched(name):
            found = self._definitions[name] = self._base.definitions(name)
        if found is None:
            found = tuple(_counting(name, self._lookup(name)))
            if found and self._function is not None and self._function(name):
                missing = presence.negate(presence.disj(*(macro.presence for macro in found)))
                if missing != presence.NEVER:
                    found += (Macro(name, None, name, found[0].file, found[0].line, missing),)
            self._definitions[name] = found
            self._meaning.met(name)
        return found

    def left(self, name: str) -> bool:
        """Whether a macro is left as written when the text around it is expanded."""
        found = self._is_left.get(name)
        if found is None:
            found = self._is_left[name] = bool(self.definitions(name)) and not self._bearing.names(name)
        return found

    def used(self, name: str) -> bool | None:
        """Whether a macro left as written has to be looked at; None if the token is no such macro."""
        try:
            return self._is_use[name]
        except KeyError:
            found = None
            if is_word(name) and name not in KEYWORDS and self.left(name):
                found = not self._bearing.transparent(name)
            self._is_use[name] = found
            return found

    def sensitive(self, name: str) -> Iterable[int]:
        """The arguments on whose text depends what a macro expands to, as known from the summaries made so far."""
        found = self._sensitive.get(name, ())
        return found or (self._base.sensitive(name) if self._base is not None else ())

    def running(self, name: str) -> bool:
        """Whether a name is met inside its own expansion, where it stays a name."""
        if name in self._running:
            if name != self._running[-1]:
                self._cycles.add(name)
            return True
        return False

    def summary(self, name: str, args: Sequence[str] | None, raw: Callable[[], Sequence[str]] | None = None) -> Summary:
        """What a use of a macro with these arguments' texts does; None is a use without parentheses.

        `raw` gives the texts before macros in them were expanded. Where the text of an argument is needed that is still
        a placeholder the answer is nothing: whose it is asks again.
        """
        if self._base is not None and not self._touched(name) and not any(map(self._mentions, args or ())):
            return self._base.summary(name, args, raw)
        sensitive = self._sensitive.setdefault(name, set())
        written = args
        while True:
            if sensitive and args and raw is not None:
                written = raw()
            if any(place < len(written or ()) and places_in((written or ())[place]) for place in sensitive):
                return _LATER
            key = None if written is None else tuple(map(_kept(sensitive), range(len(written)), written))
            found = self._summaries.get((name, key))
            if found is not None:
                return found
            known = len(sensitive)
            self._running.append(name)
            found = self._summarise(name, key)
            self._running.pop()
            self._cycles.discard(name)
            if len(sensitive) == known:
                break
        if not self._cycles:  # else it holds only inside the macro that it leads back to
            self._summaries[name, key] = found
        return found

    def _touched(self, name: str) -> bool:
        """Whether a name is one of the file's own, or leads to one through the bodies of its definitions."""
        found = self._reaches.get(name)
        if found is None:
            seen = {name}
            waiting = [name]
            while waiting and not found:
                word = waiting.pop()
                found = word in self._own or self._reaches.get(word, False)
                for macro in () if word in self._reaches else self._lookup(word):
                    fresh = set(_WORD.findall(macro.body)) - seen
                    seen |= fresh
                    waiting += fresh
            if not found:
                self._reaches.update(dict.fromkeys(seen, False))
            found = self._reaches[name] = bool(found)
        return found

    def _mentions(self, text: str) -> bool:
        return any(self._touched(word) for word in set(_WORD.findall(text)))

    def _summarise(self, name: str, key: tuple[str | None, ...] | None) -> Summary:
        places = key or ()
        text = name
        if key is not None:
            text = f"{name}({', '.join(chr(FIRST + i) if kept is None else kept for i, kept in enumerate(places))})"
        calls: list[ExpandedCall] = []
        uses: list[list[str]] = [[] for _ in places]
        for level in self._levels(text, frozenset((name,))):
            level.compose()
            if level.tokens and level.tokens[0][0] == name and level.tokens[0][3].kind == "src":
                continue  # a definition that takes another number of arguments
            self._sensitive[name] |= level.sensitive
            calls += level.calls
            for place, condition in level.uses:
                if place < len(uses):
                    uses[place].append(condition)
        for place, kept in enumerate(places):
            if kept:  # no placeholder to follow: taken as evaluated
                uses[place].append(presence.ALWAYS)
        return Summary(distinct(calls), tuple(presence.disj(*dict.fromkeys(conditions)) for conditions in uses))

    def _levels(self, text: str, opened: frozenset[str]) -> list[Level]:
        """A text expanded one level, in each alternative, with the macros opened whose values it calls."""
        for _ in range(_MAX_OPENINGS):
            levels, to_open = self._level(text, opened)
            if not to_open:
                break
            opened |= to_open
        return levels

    def _level(self, text: str, opened: frozenset[str]) -> tuple[list[Level], set[str]]:
        """A text expanded one level with these macros opened, and the macros that have to be opened too."""
        levels = [Level(self, expansion, opened) for expansion in self._expander.expansions(text, opened=opened)]
        return levels, {name for level in levels for name in level.to_open} - opened


def _calls(levels: Iterable[Level]) -> tuple[ExpandedCall, ...]:
    """The calls of all alternatives, each once."""
    made: list[ExpandedCall] = []
    for level in levels:
        level.compose()
        made += level.calls
    return distinct(made)


def _may_hold_together(presences: tuple[str, ...]) -> bool:
    return len(presences) < 2 or presence.conj(*presences) != presence.NEVER


def _counting(name: str, macros: Sequence[Macro]) -> list[Macro]:
    """The definitions without those that stand in for a missing one, if another always holds."""
    missing = f"!defined({name})"
    real = [macro for macro in macros if missing not in macro.presence]
    if len(real) == len(macros) or presence.disj(*(macro.presence for macro in real)) != presence.ALWAYS:
        return list(macros)
    return real


def _kept(sensitive: set[int]) -> Callable[[int, str], str | None]:
    """The argument itself where a summary depends on it, else None: a placeholder does."""
    return lambda place, text: text if place in sensitive or not text or place >= PLACES else None

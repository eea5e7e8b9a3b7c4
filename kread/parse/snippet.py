"""A macro's invocation at file scope as the small file that it comes to.

The invocation is expanded until nothing outside braces is a macro any more; what stands in braces stays as written, and
so do annotations, which preparation knows. Where a macro has several definitions, each gives a snippet. Each token
keeps its origin, so that what is parsed out of a snippet can be told the conditions of the macros that it came through.

Which macros are opened is found in steps, each an expansion of the whole. All uses of one macro open the same ones, so
the steps are done once, with words that mean nothing for arguments, and a use begins with what was opened then. Where
its arguments are macros, or make the name of one, more may have been seen on the way: such a use gets steps of its own.
Uses that differ only in arguments that can be anything are expanded once (kread.parse.stand_ins).

Most macros at file scope make nothing that holds code or values, and no function known. That is asked once for each
name, from the bodies that can be reached.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from kread import presence
from kread.parse.declarations import Part, Snippet, parts_of, snippet_of
from kread.parse.expand import Expander
from kread.parse.expansion import Expansion, Token
from kread.parse.macro_table import STRONG, STRONG_CALL, WEAK, WEAK_CALL
from kread.parse.stand_ins import stand_in, stand_ins
from kread.parse.template import Macro
from kread.parse.tokens import KEYWORDS, UNEVALUATED, closing, is_word, lex, words

#: Macros at file scope lead to others at most this often: a system call's goes through six, an event's through ten.
MAX_OPENINGS = 24

#: An invocation has at most this many alternatives by configuration: a system call's has six.
MAX_ALTERNATIVES = 16

_ANNOTATIONS = frozenset((STRONG, WEAK, STRONG_CALL, WEAK_CALL))
_WORD = re.compile(r"[A-Za-z_]\w*")
_MAKES = re.compile(r"\{|\bextern\b.*\(")
_INITIALISES = re.compile(r"\{|[.\]]\s*\w*\s*=[^=]")
_BEFORE_PASTE = re.compile(r"([A-Za-z_]\w*)\s*##")

Definitions = Callable[[str], Sequence[Macro]]


class Snippets:
    """Makes them with the macros that `definitions` gives; `kinds` tells annotations from other macros."""

    def __init__(self, definitions: Definitions, kinds: Mapping[str, str]) -> None:
        self._definitions = definitions
        self._kinds = kinds
        self._known: dict[str, tuple[Macro, ...]] = {}
        self._reach: dict[str, tuple[frozenset[str], bool]] = {}
        self._initialises: dict[str, bool] = {}
        self._openings: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = {}
        self._made: dict[tuple[str, str], list[Part]] = {}
        self._expander = Expander(self._offered, skip=lambda _: True)

    def of(self, name: str) -> Sequence[Macro]:
        """The definitions of a name that count here."""
        found = self._known.get(name)
        if found is None:
            found = ()
            if name not in KEYWORDS:
                found = tuple(self._definitions(name))
            self._known[name] = found
        return found

    def _offered(self, name: str) -> Sequence[Macro]:
        """The definitions that are tried: of one that makes neither brace nor designator, the first of so many arguments,
        unless the name is a function's where another configuration has a macro (`#define resume NULL`)."""
        macros = self.of(name)
        if len(macros) < 2 or self.can_make(name) or self.can_initialise(name):
            return macros
        if any(macro.body == name for macro in macros):
            return macros
        return list(
            {None if m.params is None else (len(m.params), m.params[-1:]): m for m in reversed(macros)}.values()
        )

    def can_make(self, name: str) -> bool:
        """Whether a declaration that matters can be reached from the bodies of a macro: a brace opens one, `extern`
        begins one, and a body that is a parameter gives what it is given."""
        return self._closure(name)[1]

    def can_initialise(self, name: str) -> bool:
        """Whether values of an initialiser can be reached from the bodies of a macro: braces, or a designator."""
        found = self._initialises.get(name)
        if found is None:
            bodies = (macro.body for word in self.reached(name) for macro in self.of(word))
            found = self._initialises[name] = bool(self.of(name)) and any(map(_INITIALISES.search, bodies))
        return found

    def reached(self, name: str) -> frozenset[str]:
        """The words that stand in the bodies of a macro, of those that it uses, and so on."""
        return self._closure(name)[0]

    def _closure(self, name: str) -> tuple[frozenset[str], bool]:
        found = self._reach.get(name)
        if found is None:
            seen = {name}
            waiting = [name]
            makes = False
            while waiting:
                for macro in self.of(waiting.pop()):
                    makes = makes or _MAKES.search(macro.body) is not None or macro.body in (macro.params or ())
                    fresh = set(_WORD.findall(macro.body)) - seen
                    if "##" in macro.body:
                        fresh |= self._pasted(macro.body) - seen
                    seen |= fresh
                    waiting += fresh
            found = self._reach[name] = frozenset(seen), makes
        return found

    def _pasted(self, body: str) -> set[str]:
        """Names that a body may paste from a word of its own and a number: `CALL_##n`, of which there are few."""
        names = (f"{word}{number}" for word in _BEFORE_PASTE.findall(body) for number in range(_PASTED))
        return {name for name in names if self.of(name)}

    def make(self, text: str, world: str) -> Snippet:
        """What an invocation, given as text and with its presence, comes to with all its alternatives."""
        general = stand_ins(text, self._is_macro)
        key = general.text, world
        parts = self._made.get(key)
        if parts is None:
            parts = self._made[key] = parts_of(self._expansions(general.text, world))
        filled: list[Part] = []
        for part, ends in parts:
            tokens = general.filled(part, self._is_macro)
            if tokens is None:
                return snippet_of(parts_of(self._expansions(text, world)))
            filled.append((tokens, ends))
        return snippet_of(filled)

    def _is_macro(self, name: str) -> bool:
        return bool(self.of(name))

    def _expansions(self, text: str, world: str) -> list[list[Token]]:
        shape, given = _shape(text)
        key = shape, world
        known = self._openings.get(key)
        if known is None:
            general = words(shape) == words(text)
            expansions, opened = self._expanded(text if general else shape, world, frozenset())
            known = self._openings[key] = opened, frozenset(token[0] for tokens in expansions for token in tokens)
            if general:
                return expansions
        opened, met = known
        written = self._outside(self._expander.expand(text).tokens)
        expansions, opened = self._expanded(text, world, opened | written)
        if self._hides(expansions, opened, met, given):
            expansions, _ = self._expanded(text, world, frozenset())
        return expansions

    def _hides(
        self, expansions: list[list[Token]], opened: frozenset[str], met: frozenset[str], given: frozenset[str]
    ) -> bool:
        """Whether macros are left as written that come from the arguments, or from what was pasted to them: step by
        step they may have been seen outside braces before they got into some."""
        left = {token[0] for tokens in expansions for token in tokens} - opened
        left = {name for name in left if is_word(name) and self.of(name) and self._kinds.get(name) not in _ANNOTATIONS}
        if not left:
            return False
        reached = frozenset().union(*(self.reached(name) for name in given if self.of(name)))
        return not left.isdisjoint(reached) or not left <= met

    def _expanded(self, text: str, world: str, opened: frozenset[str]) -> tuple[list[list[Token]], frozenset[str]]:
        """The expansions of a text, and the macros that were opened for it."""
        for _ in range(MAX_OPENINGS):
            expansions = self._alternatives(text, world, opened)
            fresh = {name for tokens in expansions for name in self._outside(tokens)} - opened
            if not fresh:
                break
            opened |= fresh
        return expansions, opened

    def _alternatives(self, text: str, around: str, opened: frozenset[str]) -> list[list[Token]]:
        """Expansions that together take each definition at least once, each under conditions that can hold together."""
        found: list[list[Token]] = []
        if around:
            opened = frozenset(name for name in opened if any(_together(around, macro) for macro in self.of(name)))
        worlds = [around]
        seen: set[Macro] = set()
        while worlds and len(found) < MAX_ALTERNATIVES:
            world = worlds.pop(0)

            def choose(macros: Sequence[Macro]) -> Macro:
                nonlocal world
                fitting = [macro for macro in macros if _together(world, macro)]
                chosen = fitting[0] if fitting else macros[0]
                seen.add(chosen)
                for macro in fitting[1:]:
                    if macro not in seen:
                        seen.add(macro)
                        worlds.append(presence.conj(world, macro.presence))
                world = presence.conj(world, chosen.presence)
                return chosen

            found.append(self._as_written(self._expander.expand(text, choose=choose, opened=opened)))
        return found

    def _as_written(self, expansion: Expansion) -> list[Token]:
        """The tokens of an expansion with the arguments of macros that are left as written left as written, too: an
        argument that comes to several (`ARGS(a, b)`) is one to them."""
        tokens, raw = expansion.tokens, expansion.raw
        found: list[Token] = []
        index = 0
        while index < len(tokens):
            token = tokens[index]
            found.append(token)
            index += 1
            if index - 1 in raw and not token[4] and self.of(token[0]):
                found += raw[index - 1]
                depth = 0
                for index in range(index, len(tokens)):  # noqa: B020
                    depth += {"(": 1, ")": -1}.get(tokens[index][0], 0)
                    if depth == 0:
                        break
                index += 1
        return found

    def _outside(self, tokens: list[Token]) -> set[str]:
        """The macros outside braces, and outside operands that are never evaluated."""
        found: set[str] = set()
        depth = 0
        unevaluated = 0
        for index, (text, _, _, _, painted) in enumerate(tokens):
            if text in UNEVALUATED and not unevaluated:
                unevaluated = 1
            elif unevaluated and text in "()":
                unevaluated += 1 if text == "(" else -1
                unevaluated = 0 if unevaluated == 1 else unevaluated
            elif unevaluated > 1:
                continue
            elif text == "{":
                depth += 1
            elif text == "}":
                depth -= 1
            elif depth <= 0 and not painted and is_word(text) and self._kinds.get(text) not in _ANNOTATIONS:
                macros = self.of(text)
                follows = tokens[index + 1][0] if index + 1 < len(tokens) else ""
                if macros and (follows == "(" or any(macro.params is None for macro in macros)):
                    found.add(text)
        return found


#: Macros that count their arguments paste a number up to this one to a name.
_PASTED = 7


def _shape(text: str) -> tuple[str, frozenset[str]]:
    """An invocation with a word that means nothing for each of its arguments, and the words of the arguments."""
    tokens = [token for _, token in lex(text)]
    end = closing(tokens).get(1, len(tokens))
    depth = count = 0
    for token in tokens[1:end]:
        depth += {"(": 1, ")": -1}.get(token, 0)
        count += token == "," and depth == 1
    arguments = ", ".join(stand_in(number) for number in range(count + 1)) if end > 2 else ""
    return f"{tokens[0]}({arguments}) {' '.join(tokens[end + 1 :])}", frozenset(filter(is_word, tokens[1:end]))


def _together(world: str, macro: Macro) -> bool:
    return presence.conj(world, macro.presence) != presence.NEVER

"""A macro's invocation at file scope as the small file that it comes to.

The invocation is expanded until nothing outside braces is a macro any more; what stands in braces stays as written, and
so do annotations, which preparation knows. Where a macro has several definitions, each gives a snippet. Each token
keeps its origin, so that what is parsed out of a snippet can be told the conditions of the macros that it came through.

Which macros are opened is found in steps, each an expansion of the whole. All uses of one macro open the same ones, so
the steps are done once, with words that mean nothing for arguments, and a use begins with what was opened then. Where
its arguments are macros, or make the name of one, more may have been seen on the way: such a use gets steps of its own.

Most macros at file scope make nothing that holds code or values, and no function known. That is asked once for each
name, from the bodies that can be reached.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from kread import presence
from kread.parse.expand import Expander
from kread.parse.expansion import Expansion, Token, spell
from kread.parse.macro_table import STRONG, STRONG_CALL, WEAK, WEAK_CALL
from kread.parse.stand_ins import stand_in, stand_ins
from kread.parse.template import Macro
from kread.parse.tokens import KEYWORDS, UNEVALUATED, closing, glue, is_word, lex, words

#: Macros at file scope lead to others at most this often: a system call's goes through six, an event's through ten.
MAX_OPENINGS = 24

#: An invocation has at most this many alternatives by configuration: a system call's has six.
MAX_ALTERNATIVES = 16

_ANNOTATIONS = frozenset((STRONG, WEAK, STRONG_CALL, WEAK_CALL))
_WORD = re.compile(r"[A-Za-z_]\w*")
_MAKES = re.compile(r"\{|\bextern\b.*\(")
_INITIALISES = re.compile(r"\{|[.\]]\s*\w*\s*=[^=]")
_BEFORE_PASTE = re.compile(r"([A-Za-z_]\w*)\s*##")

#: The tokens of a declaration, and whether it ends an expansion.
_Part: TypeAlias = "tuple[list[Token], bool]"

Definitions = Callable[[str], Sequence[Macro]]


class Snippet(NamedTuple):
    """The expansions of an invocation as one text, one declaration a line, each once.

    lines  -- the offset at which each line begins
    starts -- the offset at which each token begins
    last   -- the lines that end an expansion
    """

    text: str
    lines: list[int]
    starts: list[int]
    tokens: list[Token]
    last: frozenset[int]

    def token(self, line: int, column: int) -> Token:
        """The token at a place of the text."""
        offset = self.lines[line - 1] + column - 1
        return self.tokens[max(0, bisect_right(self.starts, offset) - 1)]


class Snippets:
    """Makes them with the macros that `definitions` gives; `kinds` tells annotations from other macros."""

    def __init__(self, definitions: Definitions, kinds: Mapping[str, str]) -> None:
        self._definitions = definitions
        self._kinds = kinds
        self._known: dict[str, tuple[Macro, ...]] = {}
        self._reach: dict[str, tuple[frozenset[str], bool]] = {}
        self._initialises: dict[str, bool] = {}
        self._openings: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = {}
        self._made: dict[tuple[str, str], list[_Part]] = {}
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
            parts = self._made[key] = _parts(self._expansions(general.text, world))
        filled: list[_Part] = []
        for part, ends in parts:
            tokens = general.filled(part, self._is_macro)
            if tokens is None:
                return _snippet(_parts(self._expansions(text, world)))
            filled.append((tokens, ends))
        return _snippet(filled)

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


def _parts(expansions: list[list[Token]]) -> list[_Part]:
    """The declarations of all expansions, each once."""
    found: dict[tuple[str, tuple[tuple[str, ...], ...]], _Part] = {}
    for tokens in expansions:
        declared = _declarations(tokens)
        for number, part in enumerate(declared, 1):
            found.setdefault(_key(spell(part), part), (part, number == len(declared)))
    return list(found.values())


def _key(text: str, part: list[Token]) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """What tells a declaration from others: its text, and the conditions of its tokens."""
    return text, tuple(dict.fromkeys([token[3].presences for token in part]))


def _snippet(declared: Iterable[_Part]) -> Snippet:
    """Declarations as one text: what arguments make equal stands there once."""
    seen: set[tuple[str, tuple[tuple[str, ...], ...]]] = set()
    pieces: list[str] = []
    lines: list[int] = []
    starts: list[int] = []
    kept: list[Token] = []
    last: set[int] = set()
    at = 0
    for part, ends in declared:
        text, places = _spelled(part)
        key = _key(text, part)
        if key in seen:
            continue
        seen.add(key)
        lines.append(at)
        if ends:
            last.add(len(lines))
        starts += [at + place for place in places]
        pieces.append(text)
        kept += part
        at += len(text) + 1
    return Snippet("\n".join(pieces), lines, starts, kept, frozenset(last))


def _declarations(tokens: list[Token]) -> list[list[Token]]:
    """The tokens of each declaration: up to a `;`, or a function body's `}`, outside brackets."""
    found: list[list[Token]] = []
    part: list[Token] = []
    depth = 0
    body = False
    for token in tokens:
        text = token[0]
        if text == "{" and depth == 0:
            body = bool(part) and part[-1][0] not in ("=", "union", "struct", "enum") and part[0][0] not in _RECORDS
            body = body and any(before[0] == ")" for before in part)
        part.append(token)
        depth += {"{": 1, "}": -1, "(": 1, ")": -1}.get(text, 0)
        if depth == 0 and (text == ";" or (text == "}" and body)):
            found.append(part)
            part = []
            body = False
    return [*found, part] if part else found


#: What a record's definition begins with: its brace opens no function.
_RECORDS = frozenset(("struct", "union", "enum", "typedef"))


def _spelled(tokens: list[Token]) -> tuple[str, list[int]]:
    """Tokens as text on one line, and where each begins."""
    pieces: list[str] = []
    starts: list[int] = []
    last = ""
    at = 0
    for text, space, _, _, _ in tokens:
        if last and (space or glue(last, text)):
            pieces.append(" ")
            at += 1
        starts.append(at)
        pieces.append(text)
        at += len(text)
        last = text
    return "".join(pieces), starts

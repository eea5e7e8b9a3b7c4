"""Which macros can lead to a call.

Most uses of macros in kernel code are of constants, fields, casts and compile-time checks. Expanding those costs
time and gives nothing, so the question is answered once for each name, from the bodies alone: a macro bears a call if
its body calls something, applies a parameter, pastes a name before `(`, declares a cleanup, or uses a macro that bears.
Doubt counts as bearing: it costs time, not truth.

A macro that bears none may still have to be expanded: when it drops an argument (a call in it would then be
reported that nothing makes), and when all it gives is a name, which another macro may paste or call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kread.parse.calls import BUILTIN_PREFIXES, type_like
from kread.parse.template import Macro
from kread.parse.tokens import KEYWORDS, TYPE_WORDS, UNEVALUATED, closing, words

_STATEMENT_WORDS = frozenset(("return", "else", "do", "case", "goto", "__extension__", "sizeof"))
_ATTRIBUTES = frozenset(("__attribute__", "__attribute"))
_CLEANUPS = frozenset(("cleanup", "__cleanup__"))


class Bearing:
    """Answers for the macros that `lookup` gives; each name is looked at once."""

    def __init__(self, lookup: Callable[[str], Sequence[Macro]]) -> None:
        self._lookup = lookup
        self._bears: dict[str, bool] = {}
        self._skips: dict[str, bool] = {}
        self._words: dict[Macro, list[str]] = {}

    def bears(self, name: str) -> bool:
        """Whether expanding the name can make a call that is not written in its arguments."""
        found = self._bears.get(name)
        if found is None:
            self._bears[name] = False  # a name met again inside itself is painted there: the call is found as a name's
            found = self._bears[name] = any(self._body_bears(macro) for macro in self._lookup(name))
        return found

    def skippable(self, name: str) -> bool:
        """Whether a macro may stay as written: no definition bears a call, drops an argument or makes a name."""
        found = self._skips.get(name)
        if found is None:
            macros = self._lookup(name)
            found = bool(macros) and not self.bears(name) and all(self._opaque(macro) for macro in macros)
            self._skips[name] = found
        return found

    def _tokens(self, macro: Macro) -> list[str]:
        found = self._words.get(macro)
        if found is None:
            found = self._words[macro] = words(macro.body)
        return found

    def _opaque(self, macro: Macro) -> bool:
        tokens = self._tokens(macro)
        if "##" in tokens:
            return False
        if not all(name in tokens for name in _parameters(macro)):
            return False
        return any(not _word(token) and token not in "()," for token in tokens) or any(
            token[0].isdigit() or token in KEYWORDS for token in tokens
        )

    def _body_bears(self, macro: Macro) -> bool:
        tokens = self._tokens(macro)
        if "(" not in tokens and len(tokens) > 1 and not any(_word(token) for token in tokens):
            return False
        pairs = closing(tokens)
        opens = {end: start for start, end in pairs.items()}
        params = _parameters(macro)
        stoppers = _stoppers(tokens, pairs)
        index = 0
        while index < len(tokens):
            token = tokens[index]
            following = tokens[index + 1] if index + 1 < len(tokens) else ""
            if following == "(" and token in UNEVALUATED:
                end = pairs.get(index + 1, len(tokens))
                if token in _ATTRIBUTES and not _CLEANUPS.isdisjoint(tokens[index:end]):
                    return True
                index = end + 1
                continue
            if _word(token) and token not in KEYWORDS:
                if self._word_bears(tokens, index, macro.name, params, stoppers):
                    return True
            elif following == "(" and (
                token == "]" or (token == ")" and _applied(tokens, opens.get(index, -1), index, params))
            ):
                return True
            index += 1
        return _ends_in_paste(tokens)

    def _word_bears(self, tokens: list[str], index: int, own: str, params: frozenset[str], stoppers: set[str]) -> bool:
        token = tokens[index]
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        before = tokens[index - 1] if index else ""
        if before == "##":
            return following == "(" and _pasted(tokens, index) not in stoppers
        if following == "##":
            return False
        if token in params:
            return following == "("
        macros = self._lookup(token) if token != own else ()
        if macros:
            function_like = all(macro.params is not None for macro in macros)
            if function_like:
                return following == "(" and self.bears(token)
            return self.bears(token) or (following == "(" and self._names(macros))
        if following != "(" or token.startswith(BUILTIN_PREFIXES) or token in stoppers:
            return False
        return not (_word(before) and before not in _STATEMENT_WORDS)

    def _names(self, macros: Sequence[Macro]) -> bool:
        """Whether an object-like macro before `(` ends in a name that is called."""
        for macro in macros:
            tokens = self._tokens(macro)
            last = tokens[-1] if tokens else ""
            if _word(last) and last not in KEYWORDS and (not self._lookup(last) or self.bears(last)):
                return True
        return False


def call_bearing(lookup: Callable[[str], Sequence[Macro]], names: Iterable[str]) -> frozenset[str]:
    """Those of the names that are macros from which a call can be reached."""
    bearing = Bearing(lookup)
    return frozenset(name for name in names if bearing.bears(name))


def _word(token: str) -> bool:
    return bool(token) and (token[0].isalpha() or token[0] in "_$")


def _parameters(macro: Macro) -> frozenset[str]:
    return frozenset(
        (name[:-3].strip() or "__VA_ARGS__") if name.endswith("...") else name for name in macro.params or ()
    )


def _pasted(tokens: list[str], index: int) -> str:
    """The chain of `##` that ends at a token, spelled with its operators."""
    start = index
    while start >= 2 and tokens[start - 1] == "##":
        start -= 2
    return "##".join(tokens[start : index + 1 : 2])


def _ends_in_paste(tokens: list[str]) -> bool:
    """Whether a body's value is a pasted name: what the macro gives may be called where it is used."""
    end = len(tokens)
    while end and tokens[end - 1] in ")};":
        end -= 1
    return end >= 2 and tokens[end - 2] == "##"


def _stoppers(tokens: list[str], pairs: dict[int, int]) -> set[str]:
    """Functions that a body declares with the attribute `error`: named to stop the compiler, never called."""
    found: set[str] = set()
    for index, token in enumerate(tokens):
        if token != "extern":
            continue
        paren = next((i for i in range(index, len(tokens)) if tokens[i] in "(;"), len(tokens))
        end = pairs.get(paren, -1)
        stop = next((i for i in range(end, len(tokens)) if tokens[i] == ";"), len(tokens))
        if end > 0 and any("error" in word for word in tokens[end:stop] if _word(word)):
            found.add(_pasted(tokens, paren - 1))
    return found


def _applied(tokens: list[str], group: int, end: int, params: frozenset[str]) -> bool:
    """Whether `(...)(` applies what the first parentheses hold, and does not cast to it."""
    if group < 0:
        return False
    before = tokens[group - 1] if group else ""
    if before in KEYWORDS or _word(before):
        return before not in KEYWORDS and before not in UNEVALUATED
    inner = tokens[group + 1 : end]
    if not inner or inner[0] in TYPE_WORDS:
        return False
    if not all(_word(token) or token == "*" for token in inner) or inner[0] == "*":
        return True
    if len(inner) > 1 or type_like(inner[0]):
        return False
    # a parameter in parentheses is a type in `(type)(x)` and a function in `(fn)(x)`: its name tells
    return not (inner[0] in params and (len(inner[0]) == 1 or "type" in inner[0].lower()))

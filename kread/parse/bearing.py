"""Which macros can lead to a call.

Most uses of macros in kernel code are of constants, fields, casts and compile-time checks. Expanding those costs
time and gives nothing, so the question is answered once for each name, from the bodies alone: a macro bears a call if
its body calls something, applies a parameter, pastes a name before `(`, declares a cleanup, or uses a macro that bears.
Doubt counts as bearing: it costs time, not truth.

Two more things are asked of a macro. Does it give a bare name (or nothing, or a list)? Then other macros may paste
it, call it or split it, and it must be expanded where it stands; other macros can be looked at one by one. And are the
calls in its arguments all made? Not if it drops one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kread.parse.calls import BUILTIN_PREFIXES
from kread.parse.template import Macro
from kread.parse.tokens import KEYWORDS, TYPE_WORDS, UNEVALUATED, closing, is_word, words
from kread.parse.type_text import type_like

_STATEMENT_WORDS = frozenset(("return", "else", "do", "case", "goto", "__extension__", "sizeof"))
_ATTRIBUTES = frozenset(("__attribute__", "__attribute"))
_CLEANUPS = frozenset(("cleanup", "__cleanup__"))


class Bearing:
    """Answers for the macros that `lookup` gives; each name is looked at once. `function`: see MacroCalls."""

    def __init__(self, lookup: Callable[[str], Sequence[Macro]], function: Callable[[str], bool] | None = None) -> None:
        self._lookup = lookup
        self._function = function
        self._bears: dict[str, bool] = {}
        self._names: dict[str, bool] = {}
        self._transparent: dict[str, bool] = {}
        self._words: dict[Macro, list[str]] = {}

    def bears(self, name: str) -> bool:
        """Whether expanding the name can make a call that is not written in its arguments."""
        found = self._bears.get(name)
        if found is None:
            self._bears[name] = True  # a name met again inside itself is a function's
            found = self._bears[name] = self._called(name) or any(map(self._body_bears, self._lookup(name)))
        return found

    def _called(self, name: str) -> bool:
        """Whether a name that some definition makes a macro is a function's where no definition holds."""
        return self._function is not None and self._function(name) and bool(self._lookup(name))

    def names(self, name: str) -> bool:
        """Whether a macro may give no more than a name, a number, nothing or a list of such: what other macros paste,
        call or take as arguments, so that it must be expanded where it stands."""
        found = self._names.get(name)
        if found is None:
            self._names[name] = False
            found = self._names[name] = any(self._makes_name(macro) for macro in self._lookup(name))
        return found

    def renames(self, name: str) -> bool:
        """Whether a definition is one other name, which may be a function's."""
        bodies = (self._tokens(macro) for macro in self._lookup(name) if macro.params is None)
        return any(len(body) == 1 and is_word(body[0]) and body[0] not in KEYWORDS | {name} for body in bodies)

    def drops(self, name: str) -> bool:
        """Whether some definition makes nothing of an argument, so that a call in it is not made."""
        return any(not _parameters(macro).issubset(self._tokens(macro)) for macro in self._lookup(name))

    def transparent(self, name: str) -> bool:
        """Whether all calls of a use are those in its arguments: it bears none, and evaluates every argument."""
        found = self._transparent.get(name)
        if found is None:
            self._transparent[name] = False
            found = not self.bears(name) and all(map(self._evaluates_all, self._lookup(name)))
            self._transparent[name] = found
        return found

    def _evaluates_all(self, macro: Macro) -> bool:
        """Whether each parameter stands somewhere where it is evaluated for sure."""
        wanted = set(_parameters(macro))
        tokens = self._tokens(macro)
        if not wanted.issubset(tokens):
            return False
        pairs: dict[int, int] | None = None
        index = 0
        while wanted and index < len(tokens):
            token = tokens[index]
            following = tokens[index + 1] if index + 1 < len(tokens) else ""
            if following == "(" and (token in UNEVALUATED or (self._lookup(token) and not self.transparent(token))):
                pairs = pairs or closing(tokens)
                index = pairs.get(index + 1, len(tokens))
            elif (index == 0 or tokens[index - 1] not in ("#", "##")) and following != "##":
                wanted.discard(token)
            index += 1
        return not wanted

    def _tokens(self, macro: Macro) -> list[str]:
        found = self._words.get(macro)
        if found is None:
            found = self._words[macro] = words(macro.body)
        return found

    def _makes_name(self, macro: Macro) -> bool:
        tokens = self._tokens(macro)
        if len(tokens) < 2:
            return not tokens or self._operand_names(tokens[0], macro)
        if all(token == "##" or is_word(token) or token[0].isdigit() for token in tokens):
            return True
        depth = 0
        for token in tokens:
            depth += {"(": 1, ")": -1}.get(token, 0)
            if token == "," and depth == 0:
                return True
        # one use of a macro, or of a parameter, that is all of the body
        if tokens[1] == "(" and closing(tokens).get(1) == len(tokens) - 1:
            return tokens[0] in _parameters(macro) or (bool(self._lookup(tokens[0])) and self.names(tokens[0]))
        return False

    def _operand_names(self, token: str, macro: Macro) -> bool:
        if not self._lookup(token) or token == macro.name:
            return is_word(token) or token[0].isdigit()
        return self.names(token)

    def _body_bears(self, macro: Macro) -> bool:
        tokens = self._tokens(macro)
        if "(" not in tokens and len(tokens) > 1 and not any(is_word(token) for token in tokens):
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
            if index and tokens[index - 1] == "##":
                if following == "(" and _pasted(tokens, index) not in stoppers:
                    return True
            elif is_word(token) and token not in KEYWORDS:
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
        if following == "##":
            return False
        if token in params:
            return following == "("
        macros = self._lookup(token) if token != own else ()
        if macros:
            function_like = all(macro.params is not None for macro in macros)
            if function_like:
                return following == "(" and self.bears(token)
            return self.bears(token) or (following == "(" and self._ends_in_call(macros))
        if following != "(" or token.startswith(BUILTIN_PREFIXES) or token in stoppers:
            return False
        return not (is_word(before) and before not in _STATEMENT_WORDS)

    def _ends_in_call(self, macros: Sequence[Macro]) -> bool:
        """Whether an object-like macro before `(` ends in a name that is called."""
        for macro in macros:
            tokens = self._tokens(macro)
            last = tokens[-1] if tokens else ""
            if not is_word(last) or last in KEYWORDS:
                continue
            if last == macro.name or not self._lookup(last) or self.bears(last):
                return True  # a name in its own body is a function's
        return False


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
        if end > 0 and any("error" in word for word in tokens[end:stop] if is_word(word)):
            found.add(_pasted(tokens, paren - 1))
    return found


def _applied(tokens: list[str], group: int, end: int, params: frozenset[str]) -> bool:
    """Whether `(...)(` applies what the first parentheses hold, and does not cast to it."""
    if group < 0:
        return False
    before = tokens[group - 1] if group else ""
    if before == "_Generic":
        return True
    if before in KEYWORDS or is_word(before):
        return before not in KEYWORDS and before not in UNEVALUATED
    inner = tokens[group + 1 : end]
    if not inner or inner[0] in TYPE_WORDS:
        return False
    if not all(is_word(token) or token == "*" for token in inner) or inner[0] == "*":
        return True
    if len(inner) > 1 or type_like(inner[0]):
        return False
    # a parameter in parentheses is a type in `(type)(x)` and a function in `(fn)(x)`: its name tells
    return not (inner[0] in params and (inner[0] in "tT" or "type" in inner[0].lower()))

"""What macro expansion gives: tokens that remember where they were written.

A token is a plain tuple, because an expansion makes hundreds; the nouns that it refers to stand here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from kread.parse.template import Macro
from kread.parse.tokens import glue


class Origin(NamedTuple):
    """Where a token was written.

    kind      -- "src", "arg", "body" or "paste"
    macro     -- the innermost macro whose body holds it (None for "src" and "arg")
    macros    -- the macros passed on the way, outermost first
    presences -- the conditions under which those macros are defined, and those that handed an argument on
    """

    kind: str
    macro: Macro | None = None
    macros: tuple[Macro, ...] = ()
    presences: tuple[str, ...] = ()


SRC = Origin("src")
ARG = Origin("arg")

#: (text, white space before it, offset in the expanded text, origin, painted). The offset of a token from a macro's
#: body is that of the macro's name where it is used in the text.
Token: TypeAlias = tuple[str, bool, int, Origin, bool]


class Expansion(NamedTuple):
    """A text with its macros expanded: the tokens, the macros used and the conditions they need, in order of use.

    raw -- for macros left as written, by the index of the name: the tokens from `(` on, before they were expanded
    """

    tokens: list[Token]
    macros: tuple[Macro, ...]
    presences: tuple[str, ...]
    raw: dict[int, list[Token]]

    @property
    def text(self) -> str:
        """The expansion as C text on one line."""
        return spell(self.tokens)


def spell(tokens: Iterable[Token]) -> str:
    """Tokens as C text on one line, with the white space that keeps them apart."""
    pieces: list[str] = []
    last = ""
    for text, space, _, _, _ in tokens:
        if last and (space or glue(last, text)):
            pieces.append(" ")
        pieces.append(text)
        last = text
    return "".join(pieces)

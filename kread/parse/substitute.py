"""A macro's body with its arguments put in: `#`, `##` and `__VA_OPT__` carried out (6.10.5.1 to 6.10.5.3 of C).

Each token of the body gets the origin of the invocation; an argument's tokens keep theirs, and take on the condition
of the macro that hands them on.
"""

from __future__ import annotations

from collections.abc import Callable

from kread.parse.expansion import Origin, Token
from kread.parse.template import Arg, Opt, Part, Paste, Raw, Run, Template, Text
from kread.parse.tokens import lex


class Substitution:
    """The body of one invocation with its arguments put in (6.10.5.1 to 6.10.5.3)."""

    def __init__(
        self,
        scan: Callable[[list[Token]], list[Token]],
        template: Template,
        args: list[list[Token]],
        inside: Origin,
        at: int,
    ) -> None:
        self._scan = scan
        self._template = template
        self._args = args
        self._inside = inside
        self._at = at
        self._expanded: dict[int, list[Token]] = {}

    def tokens(self, parts: list[Part]) -> list[Token]:
        out: list[Token] = []
        inside = self._inside
        at = self._at
        for part in parts:
            if isinstance(part, Run):
                out += [(text, space, at, inside, False) for text, space in part.tokens]
            elif isinstance(part, Paste):
                out += _spaced(self._paste(part), part.space)
            else:
                out += self._operand(part)
        return out

    def _operand(self, part: Part) -> list[Token]:
        if isinstance(part, Run):
            return [(text, space, self._at, self._inside, False) for text, space in part.tokens]
        if isinstance(part, Arg):
            return _spaced(self._argument(part.number), part.space)
        if isinstance(part, Raw):
            return _spaced(self._through(self._args[part.number] if part.number < len(self._args) else []), part.space)
        if isinstance(part, Text):
            return [(self._string(part.number), part.space, self._at, self._inside, False)]
        if isinstance(part, Opt):
            return _spaced(self.tokens(part.parts), part.space) if self._argument(self._template.arity - 1) else []
        return self._paste(part)

    def _argument(self, index: int) -> list[Token]:
        """The argument, fully expanded; empty if it was left out."""
        found = self._expanded.get(index)
        if found is None:
            found = self._scan(self._args[index]) if index < len(self._args) else []
            found = self._expanded[index] = self._through(found)
        return found

    def _through(self, tokens: list[Token]) -> list[Token]:
        """Tokens of an argument, with the condition of the macro that hands them on."""
        presence = self._template.macro.presence
        if not presence:
            return tokens
        changed: dict[int, Origin] = {}
        out: list[Token] = []
        for text, space, at, origin, painted in tokens:
            if presence not in origin.presences:
                new = changed.get(id(origin))
                if new is None:
                    new = origin._replace(presences=(*origin.presences, presence))
                    changed[id(origin)] = new
                origin = new
            out.append((text, space, at, origin, painted))
        return out

    def _string(self, index: int) -> str:
        tokens = self._args[index] if index < len(self._args) else []
        pieces: list[str] = []
        for text, space, _, _, _ in tokens:
            if space and pieces:
                pieces.append(" ")
            pieces.append(text.replace("\\", "\\\\").replace('"', '\\"') if text[-1] in "\"'" else text)
        return '"' + "".join(pieces) + '"'

    def _paste(self, part: Paste) -> list[Token]:
        left = list(self._operand(part.operands[0]))
        for operand in part.operands[1:]:
            right = self._operand(operand)
            if left and left[-1][0] == "," and self._variable(operand):
                # GNU C: the comma goes if the variable arguments were left out, else it stays and nothing is pasted
                if self._left_out():
                    left.pop()
                else:
                    left += right
            elif not left or not right:
                left = left or list(right)
            else:
                left[-1:] = self._join(left[-1], right[0])
                left += right[1:]
        return left

    def _variable(self, part: Part) -> bool:
        return self._template.variadic and isinstance(part, Raw) and part.number == self._template.arity - 1

    def _left_out(self) -> bool:
        count = self._template.arity
        return len(self._args) < count or (count == 1 and not self._args[0])

    def _join(self, left: Token, right: Token) -> list[Token]:
        text = left[0] + right[0]
        if not text.isidentifier() and [token for _, token in lex(text)] != [text]:
            return [left, right]
        inside = self._inside
        presences = tuple(dict.fromkeys((*inside.presences, *left[3].presences, *right[3].presences)))
        return [(text, left[1], self._at, Origin("paste", inside.macro, inside.macros, presences), False)]


def _spaced(tokens: list[Token], space: bool) -> list[Token]:
    """Tokens whose first has the white space of the place they are put in."""
    if not tokens or tokens[0][1] == space:
        return tokens
    text, _, at, origin, painted = tokens[0]
    return [(text, space, at, origin, painted), *tokens[1:]]

"""What stands on the stack of tokens that macro expansion has before it (see kread.parse.expand), the next one last.

A use's arguments are looked at there before the use is known to be one: how many they are decides which of several
definitions can be meant.
"""

from __future__ import annotations

from kread.parse.expansion import Token
from kread.parse.template import Template

#: An end mark on the stack is a token whose text is this and the macro's name.
MARK = "\0"


def fitting(templates: tuple[Template, ...], pending: list[Token]) -> tuple[int, ...]:
    """Which of several definitions take as many arguments as stand there: unrelated macros can share a name."""
    every = tuple(range(len(templates)))
    if len({(template.arity, template.variadic) for template in templates}) == 1:
        return every
    use = ahead(pending)
    given = sum(depth == 1 and token[0] == "," for token, depth in use) + 1 if len(use) > 2 else 0
    return tuple(i for i in every if _takes(templates[i], given)) or every


def _takes(template: Template, given: int) -> bool:
    """Whether a definition takes this many arguments; no argument is one empty argument, too."""
    if template.variadic:
        return given >= template.arity - 1
    return template.arity in (-1, given) or (template.arity == 1 and given == 0)


def ahead(pending: list[Token]) -> list[tuple[Token, int]]:
    """The tokens in parentheses that come next on the stack, the parentheses included, each with how deep it stands."""
    found: list[tuple[Token, int]] = []
    depth = 0
    for token in reversed(pending):
        text = token[0]
        if text[0] == MARK:
            continue
        depth += (text == "(") - (text == ")")
        found.append((token, depth))
        if depth == 0:
            break
    return found

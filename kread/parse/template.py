"""A macro's body, prepared once for every use: plain runs, arguments, `#`, `##` and `__VA_OPT__`.

The C standard (6.10.5) substitutes arguments by where a parameter stands: beside `#` or `##` it is taken as
written, elsewhere fully expanded first. `compile_macro` decides that once, and leaves a list of parts:

    Run      tokens of the body itself
    Arg      a parameter that takes the expanded argument
    Raw      a parameter as written (an operand of `##`)
    Text     `#param`
    Opt      `__VA_OPT__(...)`, with parts of its own
    Paste    operands joined by `##`, each a part
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from kread.parse.tokens import lex


class Macro(NamedTuple):
    """One `#define`.

    params   -- None for an object-like macro; a variadic one ends with "..." or "name..."
    body     -- continuations joined, comments stripped
    file, line -- where it is defined
    presence -- the condition under which this definition holds ("" = always)
    """

    name: str
    params: tuple[str, ...] | None
    body: str
    file: str = ""
    line: int = 0
    presence: str = ""


class Run(NamedTuple):
    """Tokens of the body itself, each with whether white space stands before it."""

    tokens: list[tuple[str, bool]]


class Arg(NamedTuple):
    """A parameter that takes the fully expanded argument."""

    number: int
    space: bool


class Raw(NamedTuple):
    """A parameter beside `##`: the argument as written."""

    number: int
    space: bool


class Text(NamedTuple):
    """`#param`: the argument's spelling as a string."""

    number: int
    space: bool


class Opt(NamedTuple):
    """`__VA_OPT__(...)`: its parts, if the variable arguments are not empty."""

    parts: list[Part]
    space: bool


class Paste(NamedTuple):
    """Operands joined by `##`, left to right. `comma`: GNU C's `, ## __VA_ARGS__` at that operand's place."""

    operands: list[Part]
    space: bool


Part: TypeAlias = Run | Arg | Raw | Text | Opt | Paste


class Template(NamedTuple):
    """A macro ready for use: its parts, and how it takes arguments.

    arity    -- number of parameters, -1 for an object-like macro
    variadic -- whether the last parameter takes all that is left
    size     -- number of tokens in the body
    """

    macro: Macro
    arity: int
    variadic: bool
    parts: list[Part]
    size: int


def compile_macro(macro: Macro) -> Template:
    """The template of a macro. A malformed body (`##` at an end) is taken as far as it makes sense."""
    params = macro.params
    names: dict[str, int] = {}
    variadic = False
    for index, name in enumerate(params or ()):
        if name.endswith("..."):
            variadic = True
            name = name[:-3].strip() or "__VA_ARGS__"
        names[name] = index
    body = [(text, bool(blank)) for blank, text in lex(macro.body)]
    parts = _parts(body, names, function_like=params is not None, variadic=variadic)
    return Template(macro, -1 if params is None else len(params), variadic, parts, len(body))


def _parts(body: list[tuple[str, bool]], names: dict[str, int], *, function_like: bool, variadic: bool) -> list[Part]:
    items: list[tuple[Part, bool]] = []  # a part, and whether `##` joins it to the one before
    joined = False
    index = 0
    while index < len(body):
        text, space = body[index]
        index += 1
        part: Part
        if text == "##" and items:
            joined = True
            continue
        if text == "#" and function_like and index < len(body) and body[index][0] in names:
            part = Text(names[body[index][0]], space)
            index += 1
        elif text == "__VA_OPT__" and variadic and index < len(body) and body[index][0] == "(":
            end = _matching(body, index)
            inner = _parts(body[index + 1 : end], names, function_like=function_like, variadic=variadic)
            part = Opt(inner, space)
            index = end + 1
        elif text in names:
            part = Arg(names[text], space)
        else:
            part = Run([(text, space)])
        items.append((part, joined))
        joined = False
    return _fold(items)


def _fold(items: list[tuple[Part, bool]]) -> list[Part]:
    """Join runs of plain tokens, and gather the operands of each chain of `##`."""
    parts: list[Part] = []
    index = 0
    while index < len(items):
        end = index + 1
        while end < len(items) and items[end][1]:
            end += 1
        if end - index > 1:
            operands: list[Part] = [Raw(*part) if isinstance(part, Arg) else part for part, _ in items[index:end]]
            first = operands[0]
            space = first.tokens[0][1] if isinstance(first, Run) else _space(first)
            parts.append(Paste(operands, space))
        else:
            part = items[index][0]
            last = parts[-1] if parts else None
            if isinstance(part, Run) and isinstance(last, Run):
                last.tokens.extend(part.tokens)
            else:
                parts.append(part)
        index = end
    return parts


def _space(part: Arg | Raw | Text | Opt | Paste) -> bool:
    return part.space


def _matching(body: list[tuple[str, bool]], start: int) -> int:
    depth = 0
    for index in range(start, len(body)):
        text = body[index][0]
        if text == "(":
            depth += 1
        elif text == ")":
            depth -= 1
            if depth == 0:
                return index
    return len(body)

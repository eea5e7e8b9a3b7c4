"""Macros that declare: which of their arguments is the name, which the type, and where members begin.

Theory of operation: a definition's body is matched against the few shapes that a declaration has, `type name ...` or
`struct { members } name`, with the macro's parameters in their places. What is pasted together from parts of a
name declares nothing that a reader could look for, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kread.parse.defines import Define

#: The kind of a macro that wraps members in a record.
RECORD = "record"

#: A parenthesis, nested as deep as macro bodies are.
PARENS = r"\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)"
#: Attributes and their like, which leave nothing of a declaration when they are taken out of it.
ATTRIBUTE = re.compile(rf"\b(?:__attribute__|__attribute|__declspec|_Pragma|_Alignas|__asm__|asm)\s*{PARENS}")
_RECORD = re.compile(r"\b(?:struct|union)\b[^{};]*\{\s*(\w+)\s*;?\s*\}")


def record(define: Define) -> int:
    """How many arguments stand before the members that a definition wraps in a record; -1: it wraps none."""
    params = define.params or ()
    rest = params[-1] if params else ""
    if not rest.endswith("..."):
        return -1
    found = _RECORD.search(define.body)
    members = rest[:-3] or "__VA_ARGS__"
    return len(params) - 1 if found is not None and found.group(1) == members else -1


def declared(define: Define) -> tuple[int, int] | None:
    """Which argument names what a definition declares, and which one its type."""
    body = define.body
    if "__attribute__" in body:
        body = ATTRIBUTE.sub(" ", body)
    found = _DECLARATION.match(body)
    if found is None or "##" in found.group():
        return None
    params = [param.removesuffix("...") for param in define.params or ()]
    kind, name = found.group(1) or found.group(2), found.group(3)
    if name not in params or kind in ("return", "goto", "if", "else", "do", "case"):
        return None
    return (params.index(kind) if kind in params else -1), params.index(name)


_DECLARATION = re.compile(
    r"(?:(?:static|extern|const|struct|union|unsigned)\s+)*(?:(?:__typeof__|typeof)\s*\(\s*(\w+)\s*\)|(\w+))"
    r"(?:\s+\w+)?[\s*]+(\w+)\s*(?:\[|=|;|$)"
)


def wrapped(
    by_name: Mapping[str, list[Define]],
    kinds: dict[str, str],
    fixed: dict[str, int],
    declares: dict[str, tuple[int, int]],
) -> None:
    """A macro that only hands its arguments to a record or a declarer is one too."""
    wrappers = [
        (name, define.params or (), called.group(1), called.group(2))
        for name, listed in by_name.items()
        if name not in kinds and name not in declares
        for define in listed
        if define.body[-1:] in (")", ";") and (called := _CALLED.match(define.body)) is not None
    ]
    for _ in range(_WRAPPINGS):
        for name, params, inner, given in wrappers:
            if name not in declares and (inner in declares or kinds.get(inner) == RECORD):
                args = [part.strip() for part in _split(given[1:-1])]
                plain = [param.removesuffix("...") or "__VA_ARGS__" for param in params]
                if kinds.get(inner) == RECORD and args and args[-1] == plain[-1]:
                    kinds[name], fixed[name] = RECORD, len(params) - 1
                elif inner in declares:
                    kind_at, name_at = declares[inner]
                    if name_at < len(args) and args[name_at] in plain:
                        kind = args[kind_at] if 0 <= kind_at < len(args) else ""
                        declares[name] = (plain.index(kind) if kind in plain else -1), plain.index(args[name_at])


_CALLED = re.compile(rf"(?:static\s+)?(\w+)\s*({PARENS})\s*;?$")
#: How deep wrappers of wrappers are followed: 6.12 has three.
_WRAPPINGS = 3


def _split(args: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for place, mark in enumerate(args):
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == "," and depth == 0:
            parts.append(args[start:place])
            start = place + 1
    parts.append(args[start:])
    return parts

"""Markdown that GitHub, Obsidian and mdBook read alike: text without markup, code spans, lists, fences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

#: A fence longer than any run of backticks in C source.
FENCE = "```"
#: What begins markup; an underscore within a word does not.
_MARKUP = re.compile(r"([\\`*\[\]<|~$]|(?<![^\W_])_|_(?![^\W_])|^[>#+-])", re.MULTILINE)


def plain(text: str) -> str:
    """Text in which Markdown sees no markup."""
    return _MARKUP.sub(r"\\\1", text)


def code(text: str) -> str:
    """A code span that may hold backticks."""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def listed(title: str, rows: Sequence[str], level: str = "") -> Iterator[str]:
    """A list under its title, which is bold, or a heading of a level ("##"); nothing for an empty list."""
    if rows:
        yield f"\n{level} {title}\n" if level else f"\n**{title}**\n"
        yield from (f"- {row}" for row in rows)


def fenced(title: str, diagram: str) -> Iterator[str]:
    """A Mermaid diagram under its title; nothing for an empty one."""
    if diagram:
        yield f"\n### {title}\n\n{FENCE}mermaid\n{diagram.rstrip()}\n{FENCE}"

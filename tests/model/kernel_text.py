"""The bodies of kernel functions, cut out of a tree by text: enough to look for a condition, and not our parser."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from kread.model.rules import normalise

FOLDERS = ("net/ipv4", "net/core", "include/net", "include/linux")
FILES = ("net/socket.c",)
_OPENING = re.compile(r"^\{", re.M)
_HEAD = re.compile(r"\b(\w+)\(")
_CONSTANT = re.compile(r"^#define[ \t]+([A-Z]\w+)[ \t]+([^\n]+?)[ \t]*(?=/\*|//|$)", re.M)
_NOT_A_NAME = {"__releases", "__acquires", "__printf", "__must_hold", "if", "while"}


def _name(head: str) -> str:
    """The name in the text before a body's brace: the first word that is called there."""
    head = re.split(r"[;}]|^#.*$", re.sub(r"/\*.*?\*/|^.*?\*/", " ", head, flags=re.S), flags=re.M)[-1]
    return next((name for name in _HEAD.findall(head) if name not in _NOT_A_NAME), "")


@cache
def bodies(tree: Path) -> dict[str, str]:
    """The text of every function and constant of the folders above, normalised; alternatives one after the other."""
    found: dict[str, list[str]] = {}
    files = [tree / name for name in FILES]
    for folder in FOLDERS:
        files += sorted(path for path in (tree / folder).glob("*.[ch]"))
    for file in files:
        text = file.read_text(errors="replace")
        for match in _OPENING.finditer(text):
            name = _name(text[max(0, match.start() - 600) : match.start()])
            end = text.find("\n}", match.end())
            if name and end > 0:
                found.setdefault(name, []).append(text[match.end() : end])
        for match in _CONSTANT.finditer(text):
            found.setdefault(match[1], []).append(match[2])
    return {name: normalise("\n".join(texts)) for name, texts in found.items()}


def squeezed(text: str) -> str:
    """Normalised text without any blank at all, for texts that begin or end inside a word's neighbourhood."""
    return normalise(text).replace(" ", "")

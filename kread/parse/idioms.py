"""The idioms of data/idioms.toml, compiled: what guards, locks and exits are recognised by.

Theory of operation: the file is data; here its rows become sets of names and compiled patterns, once per run. The
patterns of one purpose are joined into one alternation where that is possible, because each function's text is searched
once per purpose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from kread.data import load


@dataclass(frozen=True, slots=True)
class Lock:
    """One pair of [[held]]: `when` says where the acquiring call holds ("call", "true", "zero")."""

    acquire: re.Pattern[str]
    release: re.Pattern[str]
    when: str


@dataclass(frozen=True, slots=True)
class ReasonRule:
    """One row of [[reason]]: a word that it needs; `name` is the reason where the pattern has no group for it."""

    kind: str
    pattern: re.Pattern[str]
    needs: str
    prefix: str
    name: str


@dataclass(frozen=True, slots=True)
class Idioms:
    """Everything guards need to know about the subsystem's habits."""

    transparent: frozenset[str]
    predicted: tuple[tuple[re.Pattern[str], bool], ...]
    noreturn: frozenset[str]
    locks: tuple[Lock, ...]
    own_lock: Lock
    scope_guards: frozenset[str]
    scope_heads: frozenset[str]
    reasons: tuple[ReasonRule, ...]
    unspecific: frozenset[str]
    changes: tuple[tuple[re.Pattern[str], str], ...]


@cache
def idioms() -> Idioms:
    """The compiled content of data/idioms.toml."""
    data = load("idioms")
    locks = tuple(
        Lock(re.compile(row["acquire"]), re.compile(row["release"]), row.get("when", "call")) for row in data["held"]
    )
    return Idioms(
        transparent=frozenset(data["transparent"]["names"]),
        predicted=tuple(
            (re.compile(r"(?<![\w.>])(?:" + "|".join(data["predicted"][word]) + r")\s*\("), word == "true")
            for word in ("true", "false")
        ),
        noreturn=frozenset(data["noreturn"]["names"]),
        locks=locks,
        own_lock=Lock(re.compile(data["own_lock"]["acquire"]), re.compile(data["own_lock"]["release"]), "call"),
        scope_guards=frozenset(data["scopes"]["guards"]),
        scope_heads=frozenset(data["scopes"]["heads"]),
        reasons=tuple(
            ReasonRule(
                row["kind"], re.compile(row["pattern"]), row["needs"], row.get("prefix", ""), row.get("name", "")
            )
            for row in data["reason"]
        ),
        unspecific=frozenset(data["unspecific"]["names"]),
        changes=tuple((re.compile(rf"\b{row['call']}\s*\("), row["field"]) for row in data["changes"]),
    )


@cache
def lock_rows(name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The indices of the locks that a function of this name acquires, and of those that it releases."""
    locks = idioms().locks
    return (
        tuple(index for index, lock in enumerate(locks) if lock.acquire.fullmatch(name)),
        tuple(index for index, lock in enumerate(locks) if lock.release.fullmatch(name)),
    )


@cache
def own_lock(name: str) -> tuple[str, bool]:
    """What a function of this name takes (or gives) by its name alone, and whether it takes; "" for nothing."""
    if any(lock_rows(name)):
        return "", False
    pair = idioms().own_lock
    for pattern, takes in ((pair.release, False), (pair.acquire, True)):
        if match := pattern.fullmatch(name):
            return match[1], takes
    return "", False

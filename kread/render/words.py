"""The sentences that every text output shares: how many, of what kind, how sure.

Theory of operation: small pure functions from a noun to a few words, so that the terminal, quickfix and the lists say
the same thing the same way. What is uncertain is said in words here, never by a sign alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kread import presence
from kread.data import load
from kread.facts import Edge, Evidence, Guard, Trail
from kread.presence import conjuncts

#: kind of evidence -> how a call of that kind is named in "7 calls, 1 by table".
KIND_WORDS = {
    "direct": "by name",
    "macro": "by macro",
    "cleanup": "at scope exit",
    "static_call": "by static call",
    "ops_table": "by table",
    "slot_assignment": "by assigned slot",
    "parameter": "by parameter",
    "callback": "by callback",
}


def count(number: int, noun: str, plural: str = "") -> str:
    """ "1 call", "7 calls"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def hops(trail: Trail) -> str:
    """ "7 calls, 1 by table": the calls of a trail, and those that are not by name."""
    found: dict[str, int] = {}
    for step in trail.steps:
        if step.edge and step.edge.kind != "direct":
            word = KIND_WORDS.get(step.edge.kind, step.edge.kind)
            found[word] = found.get(word, 0) + 1
    parts = [f"{number} {word}" for word, number in sorted(found.items())]
    return ", ".join([count(trail.hops, "call"), *parts])


def runs_here(edge: Edge) -> bool:
    """Whether the caller is one who runs callbacks, so that this one runs in the caller's own context."""
    rows = load("registrars")["registrar"] if edge.kind == "callback" and edge.context else ()
    return any(edge.caller.name in (row["runner"], *row.get("also", ())) for row in rows)


def runs(edge: Edge) -> str:
    """ "by call_timer_fn in softirq context": who runs a callback, and where ("" = it is none that runs later)."""
    if not edge.context:
        return ""
    if runs_here(edge):
        return f"here, in {edge.context} context"
    registrar = edge.site.text.partition("(")[0]
    rows = load("registrars")["registrar"] if edge.kind == "callback" else ()
    named = [row for row in rows if registrar in row["names"]]
    kept = [row for row in named or rows if row["slot"] == f"struct {edge.slot}"]
    runner = next((row["runner"] for row in kept or named), "")
    by = f"by {runner} " if runner not in ("", registrar) else ""
    return f"{by}in {edge.context} context"


def guard_word(guard: Guard) -> str:
    """ "if", "not", "case" or "loop"."""
    if not guard.holds:
        return "not"
    return guard.kind if guard.kind in ("case", "loop") else "if"


class Said(NamedTuple):
    """A condition before a call, or what is assigned between two of them, as a line of its own."""

    line: int
    word: str
    text: str
    otherwise: str = ""


def in_order(guards: Iterable[Guard]) -> list[Said]:
    """Conditions, and what makes a variable of theirs another thing, in the order of the source."""
    asked = sorted(guards, key=lambda guard: guard.line)
    found = [Said(guard.line, guard_word(guard), guard.text, guard_exit(guard)) for guard in asked]
    done = dict.fromkeys(Said(guard.then_line, "then", guard.then) for guard in asked if guard.then)
    return sorted((*found, *done), key=lambda one: one.line)


def guard_exit(guard: Guard) -> str:
    """Where control goes when the guard is not so: "else goto drop: ListenOverflows" ("" = not said)."""
    said = exit_words(guard.exit, guard.reason)
    return f"else {said}" if said else ""


def exit_words(what: str, reason: str) -> str:
    """An exit and its reason, which is not repeated where the exit says it."""
    return ": ".join(part for part in (what, reason if reason not in what else "") if part)


def grade_words(edge: Edge) -> str:
    """What is uncertain about an edge, in words ("" = nothing)."""
    if edge.grade not in ("type", "signature"):
        return ""
    by = {"type": "by type only", "signature": "by signature only"}[edge.grade]
    return f"{by}: {count(edge.candidates, 'candidate')}"


def evidence_words(evidence: Evidence, edge: Edge) -> str:
    """A line of evidence as a reader needs it: the slot with its table, the macro with its name."""
    text = evidence.text.strip().rstrip(",;")
    if evidence.role == "slot" and text.startswith((".", "[")) and edge.table:
        return f"{edge.table}{text}"
    if evidence.role == "use":
        return f"the use of {text}"
    if evidence.role == "macro":
        return f"through macro {text.removeprefix('#define ')}"
    return text


def needs(condition: str, known: Iterable[str] = ()) -> str:
    """What a condition asks beyond what is known to hold already."""
    given = set(known)
    wanted = [part for part in conjuncts(condition) if part not in given]
    return _unbracketed(wanted[0]) if len(wanted) == 1 else " && ".join(wanted)


def _unbracketed(part: str) -> str:
    """A part that stands alone needs no brackets round all of it."""
    depth = 0
    for place, letter in enumerate(part):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and place < len(part) - 1:
            return part
    return part[1:-1] if part.startswith("(") and part.endswith(")") else part


def common_needs(presences: Iterable[str]) -> tuple[str, ...]:
    """What every one of these conditions asks, in the order of the first."""
    every = [conjuncts(one) for one in presences]
    return tuple(part for part in every[0] if all(part in one for one in every)) if every else ()


def alternatives(edges: Iterable[Edge], known: Iterable[str] = (), needing: str = "needs {what}") -> list[str]:
    """The other callees of a site, each once with all its tables, sorted; `known` holds already.

    needing -- the words for what one needs, in the reader's language
    """
    given = frozenset(known)
    found: dict[str, tuple[set[str], dict[str, None]]] = {}
    for edge in edges:
        tables, conditions = found.setdefault(edge.callee.name, (set(), {}))
        tables.update(part for part in [edge.table] if part)
        conditions[edge.presence] = None
    out = []
    for name, (tables, conditions) in sorted(found.items()):
        about = sorted(tables)
        if wanted := needs(presence.disj(*sorted(conditions)), given):
            about.append(needing.format(what=wanted))
        out.append(f"{name} ({', '.join(about)})" if about else name)
    return out

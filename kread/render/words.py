"""The sentences that every text output shares: how many, of what kind, how sure.

Theory of operation: small pure functions from a noun to a few words, so that the terminal, quickfix and the lists say
the same thing the same way. What is uncertain is said in words here, never by a sign alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from kread.facts import Edge, Evidence, Guard, Trail

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


def guard_word(guard: Guard) -> str:
    """ "if", "not", "case" or "loop"."""
    if not guard.holds:
        return "not"
    return guard.kind if guard.kind in ("case", "loop") else "if"


def guard_exit(guard: Guard) -> str:
    """Where control goes when the guard is not so: "else goto drop: ListenOverflows" ("" = not said)."""
    parts = ": ".join(part for part in (guard.exit, guard.reason) if part)
    return f"else {parts}" if parts else ""


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
    if evidence.role == "macro":
        return f"through macro {text.removeprefix('#define ')}"
    return text


def function_words(edge: Edge) -> str:
    """A callee that could be reached instead: its name, and in brackets its table and what it needs."""
    about = [edge.table, f"needs {edge.presence}" if edge.presence else "", grade_words(edge)]
    said = ", ".join(part for part in about if part)
    return f"{edge.callee.name} ({said})" if said else edge.callee.name


def alternatives(edges: Iterable[Edge]) -> list[str]:
    """The other callees of a site, each once with all its tables, sorted."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for edge in edges:
        tables, needs = found.setdefault(edge.callee.name, (set(), set()))
        tables.update(part for part in [edge.table] if part)
        needs.add(edge.presence)
    out = []
    for name, (tables, needs) in sorted(found.items()):
        about = sorted(tables)
        if "" not in needs:
            about.append("needs " + " or ".join(sorted(needs)))
        out.append(f"{name} ({', '.join(about)})" if about else name)
    return out

"""A structure as DOT: what it embeds, what embeds it, who points where, and the casts between them.

Theory of operation: left to right from the outer to the inner. A filled diamond is an embedding, drawn bold where the
inner one stands first, so that a pointer to one is a pointer to the other; a dashed arrow is a pointer; a dotted one a
cast, labelled with its function or macro, which has no say in who stands left. Pointers from other structures are many
and are told by their number; a legend says what occurs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kread.render.dot import quoted
from kread.render.views import StructView
from kread.render.words import count

#: The colour of casts.
CAST = "#803300"
_RECORD = re.compile(r"(?:struct|union) \w+")
#: More casts between two structures than this are counted, not named.
CASTS_NAMED = 3


def struct_dot(view: StructView) -> str:
    """The drawing as a DOT document."""
    return "\n".join(_lines(view)) + "\n"


def _lines(view: StructView) -> Iterator[str]:
    yield "digraph kread {"
    yield f"  graph [label={quoted(f'{view.record} · Linux {view.release}')} labelloc=t rankdir=LR fontname=Helvetica]"
    yield '  node [shape=box style="rounded,filled" fillcolor=white color="#666666" fontname=Helvetica fontsize=11]'
    yield "  edge [fontname=Helvetica fontsize=10 arrowsize=0.7]"
    yield f'  {quoted(view.record)} [fillcolor="#fff3c4" penwidth=2]'
    for holder in view.holders:
        if not holder.pointer and "." not in holder.member:
            yield _embeds(holder.record, view.record, holder.member, holder.first)
    for holder in view.holders:
        if not holder.pointer and "." in holder.member:
            yield _embeds(holder.record, view.record, holder.member, True)
    pointing = sorted({holder.record for holder in view.holders if holder.pointer})
    if pointing:
        yield f'  "pointers" [label={quoted(count(len(pointing), "structure"))} style=dashed]'
        yield f'  "pointers" -> {quoted(view.record)} [style=dashed label="point to it"]'
    for place, member in enumerate(view.members):
        base = _RECORD.match(member.type)
        if base is None or "(" in member.type:
            continue
        if member.embeds:
            yield _embeds(view.record, base[0], member.name, place == 0)
        else:
            yield f"  {quoted(view.record)} -> {quoted(base[0])} [style=dashed label={quoted(member.name)}]"
    yield from _casts(view)
    yield from _legend(view)
    yield "}"


def _embeds(outer: str, inner: str, member: str, first: bool) -> str:
    weight = "penwidth=2.4" if first else "penwidth=1"
    return f"  {quoted(outer)} -> {quoted(inner)} [dir=back arrowtail=diamond {weight} label={quoted(member)}]"


def _legend(view: StructView) -> Iterator[str]:
    rows = [("━━◆", "#000000", "holds by value; the heavy line: at its beginning")]
    if any(holder.pointer for holder in view.holders) or any("*" in member.type for member in view.members):
        rows.append(("╌╌▶", "#000000", "points to"))
    if view.casts:
        rows.append(("┈┈▶", CAST, "a function or macro makes the one of the other"))
    yield '  legend [shape=plaintext style="" label=<'
    yield '    <table border="1" color="#c8c8c8" style="rounded" cellborder="0" cellspacing="0" cellpadding="2">'
    for sample, color, said in rows:
        cell = '<td align="left"><font point-size="9"'
        yield f'      <tr>{cell} color="{color}"><b>{sample}</b></font></td>{cell}>{said}</font></td></tr>'
    yield "    </table>>]"


def _casts(view: StructView) -> Iterator[str]:
    between: dict[tuple[str, str], list[str]] = {}
    for cast in view.casts:
        names = between.setdefault((cast.source or "any pointer", cast.target), [])
        if cast.name not in names:
            names.append(cast.name)
    for (source, target), names in sorted(between.items()):
        more = len(names) - CASTS_NAMED
        label = "\n".join(names[:CASTS_NAMED] + ([f"and {more} more"] if more > 0 else []))
        looks = f'style=dotted color="{CAST}" fontcolor="{CAST}" constraint=false'
        yield f"  {quoted(source)} -> {quoted(target)} [{looks} label={quoted(label)}]"

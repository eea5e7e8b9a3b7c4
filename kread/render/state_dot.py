"""The model's state machine as DOT: the states of a connection, and the rules by which one becomes another.

Theory of operation: the table of transitions is the model's own (`kread.model.story`), so that the drawing can't say
anything else; the rules between two states share one arrow, and states stand in the table's order. Before the first
and after the last there is no entry.
"""

from __future__ import annotations

from collections.abc import Iterator

from kread.model import RULES
from kread.model.story import TRANSITIONS
from kread.render.dot import quoted

#: How the table calls a connection that has no entry.
NONE = "none"


def state_dot() -> str:
    """The drawing as a DOT document."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "digraph kread {"
    yield '  graph [label="The states of a connection, in the model" labelloc=t fontsize=16 fontname=Helvetica rankdir=TB'
    yield "         nodesep=0.6 ranksep=0.8]"
    yield '  node [shape=box style="rounded,filled" fillcolor=white color="#666666" fontname=Helvetica fontsize=11]'
    yield '  edge [fontname=Helvetica fontsize=9 fontcolor="#803300" color="#444444" arrowsize=0.7]'
    yield '  begin [label="no entry" shape=oval fillcolor="#fff3c4"]\n  end [label="no entry" shape=oval fillcolor="#eeeeec"]'
    between: dict[tuple[str, str], list[str]] = {}
    for before, rule, after in TRANSITIONS:
        between.setdefault((before, after), []).append(f"{rule} {RULES[rule].function}")
    order = list(dict.fromkeys(before for before, _, _ in TRANSITIONS if before != NONE))
    for state in order:
        yield f"  {quoted(state)}"
    for (before, after), rules in between.items():
        begin = "begin" if before == NONE else quoted(before)
        end = "end" if after == NONE else quoted(after)
        # What leads back has no say in who stands above whom.
        back = before in order and after in order and order.index(after) < order.index(before)
        free = " constraint=false" if back else ""
        yield f"  {begin} -> {end} [label={quoted(chr(10).join(rules))}{free}]"
    yield "}"

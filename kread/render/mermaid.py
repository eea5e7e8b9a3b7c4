"""A drawing as a Mermaid flowchart, which GitHub, Obsidian and mdBook draw in a page.

Theory of operation: the same plan as DOT. Mermaid has no legend and no tooltips, so the way a call is known is told
by the arrow (solid, thick, dotted) and by its label. Names are labels in quotation marks, never identifiers: a
function may be called "end".
"""

from __future__ import annotations

from collections.abc import Iterator

from kread.render.drawing import Drawing, Link, Plan, plan

#: style -> arrow. A guess is dotted, a proved dispatch thick.
ARROWS = {"direct": "-->", "macro": "-->", "dispatch": "==>", "callback": "-.->", "guess": "-.->"}
SAID = {"direct": "", "macro": "macro", "dispatch": "", "callback": "callback", "guess": "type only"}


def label(text: str) -> str:
    """A text between quotation marks, with what Mermaid reads as markup written as entities."""
    escaped = text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    return f'"{escaped}"'


def mermaid(drawing: Drawing) -> str:
    """The drawing as a Mermaid document."""
    return "\n".join(_lines(plan(drawing))) + "\n"


def _lines(drawn: Plan) -> Iterator[str]:
    number = drawn.number()
    yield f"%% {drawn.title}" + (f", Linux {drawn.release}" if drawn.release else "")
    yield "flowchart LR"
    for index, (name, members) in enumerate(drawn.clusters, 1):
        yield f"  subgraph s{index}[{label(name)}]"
        for function in members:
            hubs = drawn.hubs.get(function, ())
            also = f" (+ {', '.join(hubs)})" if hubs else ""
            yield f"    {number[function]}[{label(function.name + also)}]"
        yield "  end"
    for link in drawn.links:
        said = _said(link)
        text = f"|{label(said)}|" if said else ""
        yield f"  {number[link.caller]} {ARROWS[link.style]}{text} {number[link.callee]}"
    focus = [number[function] for function in drawn.functions if function in drawn.focus]
    if focus:
        yield "  classDef focus stroke-width:3px"
        yield f"  class {','.join(focus)} focus"


def _said(link: Link) -> str:
    return ", ".join(part for part in (link.label, SAID[link.style]) if part)

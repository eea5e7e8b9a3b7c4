"""A drawing as DOT for Graphviz: boxes in clusters, arrows by how a call is known, a legend of what occurs.

Theory of operation: left to right, because function names are wide and low. Colour and line style say the same twice,
so that a printout and a colour-blind reader lose nothing. In SVG each box and arrow is a link to the release's page
on the public cross-reference. The bytes depend on the drawing alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from kread.facts import Function
from kread.render import words
from kread.render.drawing import LEGEND, Drawing, Link, Plan, plan
from kread.render.links import LinkMaker

#: style -> DOT attributes of an arrow. The colours keep their contrast on white and differ for colour-blind readers.
ARROWS = {
    "direct": 'color="#444444"',
    "macro": 'color="#0072b2" arrowhead="normalonormal"',
    "dispatch": 'color="#b34700" style="dashed" penwidth="1.6"',
    "callback": 'color="#8a2a6b" style="dashed" penwidth="1.6" arrowhead="vee"',
    "guess": 'color="#777777" style="dotted" penwidth="1.6"',
}
#: style -> how the legend shows the arrow.
SAMPLES = {"direct": "───▶", "macro": "──▷▶", "dispatch": "– – ▶", "callback": "– – 〉", "guess": "· · · ▶"}
#: More hubs than this in a box are counted; in a large drawing a box as wide as four names pushes all others apart.
HUBS_NAMED, HUBS_NAMED_OF_MANY = 4, 1
#: Room between two columns, in inches; in a large drawing the arrows need more of it, or they run in one bundle.
COLUMN_ROOM, COLUMN_ROOM_OF_MANY = 0.7, 1.6


def quoted(text: str) -> str:
    """A DOT string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def dot(drawing: Drawing) -> str:
    """The drawing as a DOT document."""
    return "\n".join(_lines(plan(drawing))) + "\n"


def _lines(drawn: Plan) -> Iterator[str]:
    number = drawn.number()
    links = LinkMaker(drawn.release)
    title = f"{drawn.title} · Linux {drawn.release}" if drawn.release else drawn.title
    yield "digraph kread {"
    yield f"  graph [label={quoted(title)} labelloc=t fontsize=16 fontname=Helvetica rankdir=LR compound=true"
    yield '         nodesep=0.18 tooltip=" " bgcolor=white newrank=true]'
    yield f"  graph [ranksep={COLUMN_ROOM_OF_MANY if drawn.large else COLUMN_ROOM}]"
    yield '  node [shape=box style="rounded,filled" fillcolor=white color="#666666" fontname=Helvetica fontsize=11'
    yield '        margin="0.10,0.05" height=0.28]'
    yield '  edge [fontname=Helvetica fontsize=10 arrowsize=0.7 fontcolor="#803300"]'
    for index, (name, members) in enumerate(drawn.clusters):
        yield f"  subgraph cluster_{index} {{"
        yield f'    graph [label={quoted(name)} labeljust=l fontsize=10 fontcolor="#555555" color="#c8c8c8"'
        yield f'           style="rounded,filled" fillcolor="#f6f6f4" tooltip={quoted(name)}]'
        for function in members:
            yield f"    {number[function]} [{_box(drawn, function, links)}]"
        yield "  }"
    for link in drawn.links:
        yield f"  {number[link.caller]} -> {number[link.callee]} [{_arrow(drawn, link, links)}]"
    yield from _legend(drawn)
    yield "}"


def _box(drawn: Plan, function: Function, links: LinkMaker) -> str:
    label = function.name
    wanted = drawn.needs(function)
    about = f"{function.location}, needs {wanted}" if wanted else str(function.location)
    hubs = drawn.hubs.get(function, ())
    if hubs:
        named = HUBS_NAMED_OF_MANY if drawn.large else HUBS_NAMED
        more = f" +{len(hubs) - named}" if len(hubs) > named else ""
        label += "\n+ " + ", ".join(hubs[:named]) + more
    parts = [f"label={quoted(label)}", f"tooltip={quoted(about)}"]
    if drawn.release:
        parts.append(f"URL={quoted(links.url('reference', function.file, function.line))}")
    if function in drawn.focus:
        parts.append('penwidth=2.2 color="#111111" fillcolor="#fff3c4"')
    if wanted:
        parts.append('style="rounded,filled,dashed"')
    return " ".join(parts)


def _arrow(drawn: Plan, link: Link, links: LinkMaker) -> str:
    best = link.edges[0]
    label = link.label + (f" ×{len(link.edges)}" if link.label and len(link.edges) > 1 else "")
    said = [str(best.site), best.written, words.grade_words(best)]
    parts = [ARROWS[link.style], f"tooltip={quoted(' '.join(part for part in said if part))}"]
    if label:
        parts.append(f"label={quoted(label)}")
    if drawn.release:
        parts.append(f"URL={quoted(links.url('reference', best.site.file, best.site.line))}")
    return " ".join(parts)


def _legend(drawn: Plan) -> Iterator[str]:
    rows = [(SAMPLES[style], _color(style), LEGEND[style]) for style in drawn.used_styles()]
    if drawn.hubs:
        rows.append(("+ name", "#000000", "also calls a function that very many call"))
    if any(drawn.needs(function) for function in drawn.functions):
        rows.append(("dashed box", "#000000", "compiled under a further condition"))
    if not rows:
        return
    yield '  legend [shape=plaintext style="" label=<'
    yield '    <table border="1" color="#c8c8c8" style="rounded" cellborder="0" cellspacing="0" cellpadding="2">'
    for sample, color, said in rows:
        cell = '<td align="left"><font point-size="9"'
        yield f'      <tr>{cell} color="{color}"><b>{sample}</b></font></td>{cell}>{said}</font></td></tr>'
    yield "    </table>>]"


def _color(style: str) -> str:
    return ARROWS[style].split('"')[1]

"""`kread graph`: draw a call graph to a file, or print it as text.

Theory of operation: with two functions the drawing is the families of paths between them, with one it is what lies
around it; --struct and --states draw a structure and the model's states. The ending of the file says the format. SVG,
PNG and PDF are drawn by Graphviz, the one program that kread runs here; all other formats are kread's own text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope

if TYPE_CHECKING:
    from kread.graph.callgraph import CallGraph
    from kread.render.drawing import Drawing

#: Formats that kread writes itself, by the ending of the file.
TEXT_FORMATS = ("dot", "mmd", "graphml", "json")
#: Those of them that can show structures and states too: the others are for graphs of functions.
DIAGRAM_FORMATS = ("dot", "mmd")
#: Formats that Graphviz draws from DOT.
DRAWN_FORMATS = ("svg", "png", "pdf")
#: Graphviz on the largest drawing takes a few seconds; after this many it has lost its way.
GRAPHVIZ_SECONDS = 300


def graph(
    caller: Annotated[
        str | None, typer.Argument(metavar="[CALLER]", help="The function to draw round, or where paths begin.")
    ] = None,
    callee: Annotated[
        str | None, typer.Argument(metavar="[CALLEE]", help="Where paths end; without it, what is around CALLER.")
    ] = None,
    depth: Annotated[int, typer.Option(metavar="N", min=1, max=12, help="How many calls away from CALLER to go.")] = 2,
    direction: Annotated[str, typer.Option(metavar="WAY", help="callees, callers or both.")] = "callees",
    families: Annotated[int, typer.Option("-k", metavar="N", min=1, max=50, help="Families of paths to CALLEE.")] = 4,
    within: Annotated[
        str, typer.Option("--within", metavar="DIR", help="Only functions whose file lies in this folder.")
    ] = "",
    struct: Annotated[
        str, typer.Option("--struct", metavar="NAME", help="Draw a structure instead: what it holds and who holds it.")
    ] = "",
    states: Annotated[
        bool, typer.Option("--states", help="Draw the states of a connection instead, as the model has them.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="FILE.dot, .svg, .png, .pdf, .mmd, .graphml or .json."),
    ] = None,
    format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="The format, where no file's ending says it; dot by default.")
    ] = None,
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
) -> None:
    """Draw the paths from CALLER to CALLEE, or what CALLER calls (or what calls it), some calls deep; or a structure,
    or the states of a connection.

    Clusters are files, the arrows' style says how a call is known, and calls through pointers bear the name of their
    slot.

    Examples:

      kread graph tcp_v4_rcv inet_ehash_insert -o syn.svg

      kread graph inet_csk_accept --direction callers --depth 3 -o accept.png

      kread graph tcp_conn_request --within net/ipv4 --format mmd

      kread graph --struct request_sock -o request_sock.pdf

      kread graph --states --format dot
    """
    from kread.cli.session import choose, emit, open_graph
    from kread.errors import EXIT_NO, UsageError
    from kread.graph.around import DIRECTIONS

    choose("--direction", direction, DIRECTIONS)
    ending = format or (output.suffix.lstrip(".").lower() if output else "dot")
    if sum(map(bool, (caller, struct, states))) != 1:
        raise UsageError("usage", "Name a function, or --struct NAME, or --states", where="kread graph")
    allowed = TEXT_FORMATS if caller else DIAGRAM_FORMATS
    choose("--format" if format else "-o", ending, allowed + DRAWN_FORMATS)
    wanted = "dot" if ending in DRAWN_FORMATS else ending
    if states:
        text = _states(wanted)
    elif struct:
        text = _structure(open_graph(release, scope, config), struct, wanted)
    else:
        found = open_graph(release, scope, config)
        name = caller or ""
        drawing = (
            _paths(found, name, callee, families)
            if callee
            else _around(found, name, direction, depth, within.rstrip("/"))
        )
        if callee and not drawing.edges:
            typer.echo(f"kread: no path from {caller} to {callee} in Linux {found.release}", err=True)
            raise typer.Exit(EXIT_NO)
        text = _text(drawing, wanted)
    if ending in DRAWN_FORMATS:
        _write(output, graphviz(text, ending))
    elif output is None:
        emit(text)
    else:
        _write(output, text.encode())


def _states(ending: str) -> str:
    if ending == "mmd":
        from kread.model.story import state_diagram

        return state_diagram()
    from kread.render.state_dot import state_dot

    return state_dot()


def _structure(found: CallGraph, name: str, ending: str) -> str:
    from kread.cli.session import struct_view

    view = struct_view(found, name)
    if ending == "mmd":
        from kread.render.class_diagram import class_mermaid, diagram_of

        return class_mermaid(diagram_of(view))
    from kread.render.struct_dot import struct_dot

    return struct_dot(view)


def _paths(found: CallGraph, caller: str, callee: str, families: int) -> Drawing:
    from kread.paths.find import Finder, Request
    from kread.render.drawing import Drawing

    answer = Finder(found).answer(Request(caller, callee, families=families))
    steps = [step for trail in answer.trails for step in trail.steps]
    ends = {trail.steps[place].function for trail in answer.trails for place in (0, -1)}
    edges = tuple(dict.fromkeys(step.edge for step in steps if step.edge))
    functions = tuple(dict.fromkeys(step.function for step in steps))
    return Drawing(functions, edges, f"{caller} > {callee}", tuple(sorted(ends)), found.release)


def _around(found: CallGraph, caller: str, direction: str, depth: int, within: str) -> Drawing:
    from kread.facts import Edge
    from kread.graph.around import MOST_FUNCTIONS, around
    from kread.render.drawing import Drawing

    def inside(edge: Edge) -> bool:
        return not within or all(one.file.startswith(within + "/") for one in (edge.caller, edge.callee))

    start = found.require(caller)
    met = around(found, start, direction, depth, inside)
    if met.cut:
        typer.echo(
            f"kread: {met.cut} functions are left out, beyond the first {MOST_FUNCTIONS}; "
            "narrow it with --depth, --within or --scope",
            err=True,
        )
    said = {"callees": f"what {caller} calls", "callers": f"what calls {caller}", "both": f"around {caller}"}
    focus = tuple(found.function(number) for number in start)
    return Drawing(met.functions, met.edges, said[direction], focus, found.release, met.ends)


def _text(drawing: Drawing, ending: str) -> str:
    if ending == "mmd":
        from kread.render.mermaid import mermaid

        return mermaid(drawing)
    if ending == "graphml":
        from kread.render.graphml import graphml

        return graphml(drawing)
    if ending == "json":
        from kread.render.graph_json import graph_json

        return graph_json(drawing)
    from kread.render.dot import dot

    return dot(drawing)


def graphviz(text: str, ending: str) -> bytes:
    """What Graphviz draws of a DOT text; UsageError where it is not installed or fails."""
    import subprocess

    from kread.errors import UsageError

    try:
        done = subprocess.run(
            ["dot", f"-T{ending}"], input=text.encode(), capture_output=True, timeout=GRAPHVIZ_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise UsageError(
            "no-graphviz",
            f"Drawing {ending.upper()} needs Graphviz, and there is no program `dot` here",
            hint="Install the package graphviz (apt-get install graphviz), or write FILE.dot, .mmd, .graphml or .json",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            "graphviz-too-slow",
            f"Graphviz was stopped after {GRAPHVIZ_SECONDS} s",
            hint="Draw less: --depth 1, or --within DIR; or write FILE.dot and lay it out with another program",
        ) from error
    if done.returncode:
        raise UsageError(
            "graphviz-failed", "Graphviz could not draw it", where=done.stderr.decode("utf-8", "replace").strip()[:400]
        )
    return done.stdout


def _write(output: Path | None, content: bytes) -> None:
    import sys

    from kread.errors import UsageError

    if output is None or str(output) == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise UsageError(
            "cannot-write", f"Can't write it: {error.strerror}", where=str(output), hint="Name another file with -o"
        ) from error

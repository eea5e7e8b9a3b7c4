"""What the commands share: the graph they ask, and how they write their answer.

A command that needs a release or an index gets it itself and says so on stderr; data goes to stdout alone.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kread.errors import UsageError

if TYPE_CHECKING:
    from typing import TypedDict

    from kread.facts import Step
    from kread.graph.callgraph import CallGraph
    from kread.paths.sites import Sites
    from kread.paths.slices import SliceLine
    from kread.render.links import LinkMaker
    from kread.render.views import StructView

    class Layout(TypedDict):
        """The keywords that every renderer of text takes."""

        width: int
        color: bool
        links: LinkMaker | None


#: Answers are laid out for terminals from this width on, and no wider than a page reads well.
NARROWEST, WIDEST = 40, 100


def open_graph(release: str | None, scope: Sequence[str] | None, config: str | None = None) -> CallGraph:
    """The graph of a release and a scope, fetched, built or refreshed if need be."""
    from kread.graph.build import build
    from kread.graph.callgraph import CallGraph
    from kread.index.scope import scope_folders
    from kread.source.fetch import need
    from kread.source.progress import Reporter

    compiled = None
    if config is not None:
        from kread.presence import Config

        compiled = Config.read(config)
    with Reporter() as reporter:
        tree = need(release, reporter, scope_folders(scope or ()))
        return CallGraph(build(tree, tuple(scope or ()), reporter), compiled)


def struct_view(graph: CallGraph, name: str) -> StructView:
    """Everything about a structure, by its name with or without the word struct; UnknownSymbol names the nearest."""
    from kread.graph.records import Records
    from kread.render.views import StructView

    records = Records(graph)
    record = records.require(name)
    parts = (records.members(record), records.holders(record), records.tables(record), records.casts(record))
    return StructView(graph.release, record, *parts)


def choose(option: str, value: str, allowed: Sequence[str]) -> str:
    """The value, if it is one of those that an option takes."""
    if value not in allowed:
        raise UsageError("no-such-choice", f"{option} {value}: no such choice", hint="One of: " + ", ".join(allowed))
    return value


def emit(text: str) -> None:
    """Write an answer to stdout."""
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")


def color() -> bool:
    """Whether to use colour: on a terminal, unless NO_COLOR is set or the terminal is dumb."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """The width to lay out for: the terminal's, 80 in a pipe."""
    if not sys.stdout.isatty():
        return 80
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def links(graph: CallGraph) -> LinkMaker | None:
    """Hyperlinks for a terminal that shows colour; none in a pipe."""
    if not color():
        return None
    from kread.render.links import LinkMaker

    return LinkMaker(graph.release, str(graph.root))


def layout(graph: CallGraph) -> Layout:
    """How a text is laid out here: its width, whether it has colour, and its hyperlinks."""
    return {"width": width(), "color": color(), "links": links(graph)}


def source_lines(sites: Sites) -> Callable[[Step], Sequence[SliceLine]]:
    """What gives the lines that matter of a step."""
    from kread.paths.sites import begin_of
    from kread.paths.slices import slice_lines

    def lines(step: Step) -> Sequence[SliceLine]:
        if step.edge is None:
            return ()
        function, site = step.function, step.edge.site
        context = sites.context(function, site.line, site.column)
        written = sites.lines(function.file)
        text = [line.decode("utf-8", "replace").rstrip("\n") for line in written]
        return slice_lines(text, begin_of(written, function), function.end_line, site.line, context)

    return lines

"""What `kread callers` and `kread callees` share: they differ in the end of the edges only."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from kread.cli.session import choose, emit, layout, open_graph
from kread.errors import EXIT_NO


def neighbours(
    end: str, function: str, release: str | None, scope: Sequence[str] | None, config: str | None, form: str
) -> None:
    """Print the edges at one end of every function of a name."""
    choose("--format", form, ("text", "json"))
    graph = open_graph(release, scope, config)

    from kread.graph import symbols
    from kread.render.views import Neighbours

    views = [Neighbours(graph.release, one, end, edges) for one, edges in symbols.neighbours(graph, function, end)]
    if form == "json":
        from kread.render.listing_json import neighbours_json

        emit(neighbours_json(views))
    else:
        from kread.render.listing import neighbours_text

        emit(neighbours_text(views, **layout(graph)))
    if not any(view.edges for view in views):
        raise typer.Exit(EXIT_NO)

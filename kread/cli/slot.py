"""`kread slot`: which functions stand in a slot of an ops structure."""

from __future__ import annotations

from typing import Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope, TextOrJson


def slot(
    name: Annotated[
        str,
        typer.Argument(
            metavar="STRUCT.FIELD", help="A member of a structure, or a member's name alone: any structure."
        ),
    ],
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    format_: TextOrJson = "text",
) -> None:
    """List the functions that fill the slot STRUCT.FIELD, with the table and the line that puts each there.

    Initialisers count, and so do assignments, copies of whole tables with an override, and what macros build.
    Exit code 1: the member is there, and nothing in the scope fills it.

    Examples:

      kread slot inet_connection_sock_af_ops.conn_request

      kread slot proto_ops.listen

      kread slot syn_recv_sock --format json
    """
    from kread.cli.session import choose, emit, layout, open_graph
    from kread.errors import EXIT_NO

    choose("--format", format_, ("text", "json"))
    graph = open_graph(release, scope, config)

    from kread.graph.symbols import slot_values
    from kread.render.views import SlotView

    view = SlotView(graph.release, name, slot_values(graph, name))
    if format_ == "json":
        from kread.render.listing_json import slot_json

        emit(slot_json(view))
    else:
        from kread.render.listing import slot_text

        emit(slot_text(view, **layout(graph)))
    if not view.values:
        raise typer.Exit(EXIT_NO)

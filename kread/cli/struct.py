"""`kread struct`: a structure, what it holds, what holds it, and how pointers to it are made."""

from __future__ import annotations

from typing import Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope


def struct(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A structure or a union: sock, 'struct sock'.")],
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="text|json|dot", help="Text, JSON, or a drawing for Graphviz.")
    ] = "text",
) -> None:
    """Show the structure NAME: its members, who holds it or points to it, casts, tables and slots.

    Held by: the structures that embed it, and those that begin with one that begins with it, because a pointer to
    any of them is also a pointer to NAME. Casts: the functions and macros that lead from one to the other. Tables:
    the instances whose slots hold functions. With --format dot, a drawing of what embeds what and points where.

    Examples:

      kread struct sock

      kread struct inet_connection_sock_af_ops

      kread struct request_sock --format dot | dot -Tsvg > request_sock.svg
    """
    from kread.cli.session import choose, emit, layout, open_graph, struct_view

    choose("--format", format_, ("text", "json", "dot"))
    graph = open_graph(release, scope, config)

    view = struct_view(graph, name)
    if format_ == "json":
        from kread.render.listing_json import struct_json

        emit(struct_json(view))
    elif format_ == "dot":
        from kread.render.struct_dot import struct_dot

        emit(struct_dot(view))
    else:
        from kread.render.listing import struct_text

        emit(struct_text(view, **layout(graph)))

"""`kread show`: a function or a macro, and what is around it."""

from __future__ import annotations

from typing import Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope, TextOrJson


def show(
    symbol: Annotated[
        str, typer.Argument(metavar="SYMBOL", help="A function or a macro; file:name for one of several.")
    ],
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    format_: TextOrJson = "text",
) -> None:
    """Show every function and every macro of the name SYMBOL.

    For a function: where it is, its signature, the configuration that it needs, who calls it, what it calls, which
    slots of which tables it fills. For a macro: its definition as written, with its condition.

    Examples:

      kread show tcp_conn_request

      kread show compute_score

      kread show tcp_sk
    """
    from kread.cli.session import choose, emit, layout, open_graph

    choose("--format", format_, ("text", "json"))
    graph = open_graph(release, scope, config)

    from kread.graph.symbols import describe
    from kread.render.views import MacroView, Shown

    functions, macros = describe(graph, symbol)
    view = Shown(graph.release, symbol, functions, tuple(MacroView(*macro) for macro in macros))
    if format_ == "json":
        from kread.render.listing_json import show_json

        emit(show_json(view))
    else:
        from kread.render.listing import show_text

        emit(show_text(view, **layout(graph)))

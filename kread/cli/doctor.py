"""`kread doctor`: what could not be read or resolved, how right the graph is, and what kread stands on."""

from __future__ import annotations

from typing import Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope, TextOrJson


def doctor(
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    every: Annotated[bool, typer.Option("--list", help="List every unread line and every unresolved call.")] = False,
    format_: TextOrJson = "text",
) -> None:
    """Count what kread could not read or resolve in a scope: lines the parser stumbled on, by file, and calls through
    pointers for which nothing in the scope provides a function, by reason.

    An unresolved call is no edge, and no path passes it. Edges to functions outside the scope are known by
    their declaration only; a larger scope may hold their bodies.

    Examples:

      kread doctor

      kread doctor --list --scope net

      kread doctor --format json | jq '.reasons'
    """
    from kread.cli.session import choose, color, emit, open_graph, width

    choose("--format", format_, ("text", "json"))
    graph = open_graph(release, scope, config)

    from kread.check.census import census, versions
    from kread.render.census import doctor_json, doctor_text

    found = census(graph)
    if format_ == "json":
        emit(doctor_json(found, versions()))
    else:
        emit(doctor_text(found, versions(), every=every, width=width(), color=color()))

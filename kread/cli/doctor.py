"""`kread doctor`: what could not be read or resolved, how right the graph is, and what kread stands on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope, TextOrJson


def doctor(
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    every: Annotated[bool, typer.Option("--list", help="List every unread line and every unresolved call.")] = False,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth", metavar="DIR", help="Compare the graph with a compiler's calls (see benchmarks/README.md)."
        ),
    ] = None,
    format_: TextOrJson = "text",
) -> None:
    """Count what kread could not read or resolve in a scope: lines the parser stumbled on, by file, and calls through
    pointers for which nothing in the scope provides a function, by reason.

    With --truth, also how right the graph is: recall and precision of its calls against what a compiler says of the
    same source, and with --list each call on which they differ. Exit code 1: they differ.

    An unresolved call is no edge, and no path passes it. Edges to functions outside the scope are known by
    their declaration only; a larger scope may hold their bodies.

    Examples:

      kread doctor

      kread doctor --list --scope net

      kread doctor --format json | jq '.reasons'

      kread doctor --truth ../truth/6.12 --config ../truth/6.12/config
    """
    from kread.cli.session import choose, color, emit, open_graph, width
    from kread.errors import EXIT_NO

    choose("--format", format_, ("text", "json"))
    graph = open_graph(release, scope, config)

    from kread.check.census import census, versions
    from kread.render.census import doctor_json, doctor_text

    found = census(graph)
    compared = {}
    if truth is not None:
        from kread.check.accuracy import compare
        from kread.check.truth import prefixes

        compared = {prefix: compare(graph, truth, prefix) for prefix in prefixes(truth)}
    if format_ == "json":
        emit(doctor_json(found, versions(), compared))
    else:
        emit(doctor_text(found, versions(), compared, every=every, width=width(), color=color()))
    if any(one.missed or one.extra for one in compared.values()):
        raise typer.Exit(EXIT_NO)
